"""Boxes assembled from chunks that are copied together, one by one, or decoded in place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.arrays import writer
from zarrfs.arrays import runs
from zarrfs.arrays.assembling import Assembler
from zarrfs.arrays.chunk_io import ChunkReader
from zarrfs.arrays.counters import Counters
from zarrfs.arrays.hierarchy import ArrayNode, Hierarchy
from zarrfs.arrays.regions import box_shape, pieces
from zarrfs.errors import CodecError
from zarrfs.stores.local import LocalStore

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from zarrfs.arrays.regions import Box
    from zarrfs.stores.base import Store

SHAPE = (5, 7, 12)
WHOLE = tuple((0, n) for n in SHAPE)
DATA = np.arange(1, 5 * 7 * 12 + 1, dtype="<u2").reshape(SHAPE)
DATA[:2, :3, 2:6] = 0  # chunks never written
ZSTD = [writer.bytes_codec(), writer.ZSTD]


@dataclass(frozen=True)
class Layout:
    chunks: tuple[int, ...]
    codecs: list[dict[str, Any]]
    has_runs: bool
    """Some are copied together, if memory allows."""


LAYOUTS = {
    "compressed": Layout((2, 3, 2), ZSTD, has_runs=True),
    "plain": Layout((2, 3, 2), [writer.bytes_codec()], has_runs=True),
    "colours": Layout((2, 3, 12), ZSTD, has_runs=True),
    "sharded": Layout((4, 6, 6), [writer.sharding((2, 3, 2), ZSTD)], has_runs=True),
    "sharded plain": Layout((4, 6, 6), [writer.sharding((2, 3, 2))], has_runs=True),
    "checked": Layout((2, 3, 2), [*ZSTD, writer.CRC32C], has_runs=True),
    "swapped": Layout((2, 3, 2), [writer.bytes_codec("big"), writer.ZSTD], has_runs=False),
    "copied": Layout((2, 3, 2), [writer.bytes_codec(), writer.GZIP], has_runs=False),
    "transposed": Layout(
        (2, 3, 2),
        [{"name": "transpose", "configuration": {"order": [2, 0, 1]}}, *ZSTD],
        has_runs=False,
    ),
    "in place": Layout((2, 7, 12), ZSTD, has_runs=False),
}


@pytest.fixture(params=LAYOUTS, scope="module")
def layout(request: pytest.FixtureRequest) -> Layout:
    return LAYOUTS[request.param]


@pytest.fixture(scope="module")
def store(layout: Layout, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Files: stores in memory do not read into buffers."""
    store = LocalStore(str(tmp_path_factory.mktemp("a.zarr")))
    return writer.write_v3(DATA, layout.chunks, layout.codecs, store=store)


@pytest.fixture(autouse=True, scope="module")
def _small_boxes() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "LEAST_BOX_BYTES", 0)
        yield


def reader_of(store: Store) -> ChunkReader:
    node = Hierarchy(store).node("")
    assert isinstance(node, ArrayNode)
    return ChunkReader(store, node.prefix, node.metadata, Counters())


def empty(box: Box) -> npt.NDArray[Any]:
    return np.full(box_shape(box), 999, DATA.dtype)


def test_layouts_are_copied_as_they_should(layout: Layout, store: Store) -> None:
    assembler = Assembler(reader_of(store), empty(WHOLE))
    assert (assembler.run_length > 1) == layout.has_runs


@given(data=st.data())
def test_a_box_is_what_numpy_selects(layout: Layout, store: Store, data: st.DataObject) -> None:
    reader = reader_of(store)
    box = []
    for n in SHAPE:
        start = data.draw(st.integers(0, n - 1))
        box.append((start, data.draw(st.integers(start + 1, n))))
    elements = empty(tuple(box))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "RUN_BYTES", data.draw(st.integers(1, 8)) * reader.spec.nbytes)
        assembler = Assembler(reader, elements)
    wanted = list(pieces(reader.grid, tuple(box)))
    cut = data.draw(st.integers(0, len(wanted)))
    for part in (wanted[:cut], wanted[cut:]):
        assert not list(assembler.assemble(part))
    assert np.array_equal(elements, DATA[tuple(slice(*axis) for axis in box)])


def test_chunks_that_fail_are_told_and_all_others_are_right(tmp_path: Path) -> None:
    store = writer.write_v3(DATA, (2, 3, 2), ZSTD, store=LocalStore(str(tmp_path)))
    bad = {(1, 1, 0), (1, 1, 3), (1, 1, 5), (2, 2, 5)}
    expected = DATA.copy()
    for i, j, k in bad:
        store.set(f"c/{i}/{j}/{k}", b"not zstd")
        expected[2 * i : 2 * i + 2, 3 * j : 3 * j + 3, 2 * k : 2 * k + 2] = 0
    reader = reader_of(store)
    elements = empty(WHOLE)
    failed = list(Assembler(reader, elements).assemble(list(pieces(reader.grid, WHOLE))))
    assert {one.coords for one in failed} == bad
    assert {one.key for one in failed} == {f"c/{i}/{j}/{k}" for i, j, k in bad}
    assert {type(one.error) for one in failed} == {CodecError}
    for i, j, k in bad:
        elements[2 * i : 2 * i + 2, 3 * j : 3 * j + 3, 2 * k : 2 * k + 2] = 0
    assert np.array_equal(elements, expected)


def test_a_box_of_another_byte_order_is_assembled(store: Store) -> None:
    reader = reader_of(store)
    elements = empty(WHOLE).astype(">u2")
    assembler = Assembler(reader, elements)
    assert assembler.run_length == 1
    assert not list(assembler.assemble(list(pieces(reader.grid, WHOLE))))
    assert np.array_equal(elements, DATA)
