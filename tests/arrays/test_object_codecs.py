from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.arrays import writer
from tests.grids import document
from zarrfs.arrays import object_codecs
from zarrfs.arrays.object_codecs import ArrayCodecs
from zarrfs.errors import MetadataError
from zarrfs.format.axes import Axis, RegularAxis, irregular_axis
from zarrfs.format.chunk_grids import ChunkGrid
from zarrfs.format.metadata import ArrayMetadata
from zarrfs.format.metadata_v3 import parse_node

if TYPE_CHECKING:
    from zarrfs.format.documents import Json


def codecs_of(*axes: Axis, codecs: Json = None) -> ArrayCodecs:
    grid = ChunkGrid(axes)
    metadata = parse_node(
        {
            "zarr_format": 3,
            "node_type": "array",
            "shape": list(grid.shape),
            "data_type": "int16",
            "chunk_grid": document(grid),
            "chunk_key_encoding": "default",
            "fill_value": 0,
            "codecs": codecs or [writer.bytes_codec()],
        }
    )
    assert isinstance(metadata, ArrayMetadata)
    return ArrayCodecs(metadata)


def test_objects_of_equal_shape_share_their_codecs() -> None:
    codecs = codecs_of(irregular_axis(9, [(2, 1), (5, 1), (2, 1)]), RegularAxis(6, 3))
    assert codecs.of((0, 0)) is codecs.of((2, 1))
    assert codecs.of((0, 0)).chunk.spec.shape == (2, 3)
    assert codecs.of((1, 0)).chunk.spec.shape == codecs.largest.chunk.spec.shape == (5, 3)


def test_all_objects_of_a_regular_grid_have_the_same_codecs() -> None:
    codecs = codecs_of(RegularAxis(9, 4), RegularAxis(6, 5))
    assert codecs.of((2, 1)) is codecs.largest


def test_shards_of_different_shapes_have_the_same_inner_chunks() -> None:
    shards = [writer.sharding((4,), [writer.sharding((2,))])]
    codecs = codecs_of(irregular_axis(20, [(8, 1), (12, 1)]), codecs=shards)
    small, large = codecs.of((0,)), codecs.of((1,))
    assert [level.grid_shape for level in small.levels] == [(2,), (2,)]
    assert [level.grid_shape for level in large.levels] == [(3,), (2,)]
    assert small.chunk.spec == large.chunk.spec


def test_codecs_of_a_bounded_number_of_shapes_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_codecs, "MAX_SHAPES", 2)
    codecs = codecs_of(irregular_axis(6, [(1, 1), (2, 1), (3, 1)]))
    first = codecs.of((0,))
    for chunk in (1, 0, 2):
        codecs.of((chunk,))
    again = codecs.of((0,))
    assert again is not first
    assert again.chunk.spec == first.chunk.spec


@pytest.mark.parametrize(("lengths", "dimension"), [([[8, 6], 4], 0), ([4, [4, 2]], 1)])
def test_shards_that_inner_chunks_do_not_divide_are_refused(
    lengths: list[int | list[int]], dimension: int
) -> None:
    axes = [
        RegularAxis(4, n) if isinstance(n, int) else irregular_axis(sum(n), [(i, 1) for i in n])
        for n in lengths
    ]
    message = rf"^chunk_grid: has a chunk of \d along dimension {dimension}, which .* 4 do not"
    with pytest.raises(MetadataError, match=message):
        codecs_of(*axes, codecs=[writer.sharding((4, 4))])
