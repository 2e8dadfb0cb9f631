"""An array whose chunks differ in size is one flat file like any other."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.arrays import writer
from tests.grids import cut, document
from tests.mounted.mounting import mounted, run
from tests.plain_arrays import sample
from zarrfs.format.axes import RegularAxis, irregular_axis
from zarrfs.format.chunk_grids import ChunkGrid
from zarrfs.stores.local import LocalStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.mounted.mounting import Mounted

DATA = sample(365, 24, 30, dtype="int32")
DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
GRID = ChunkGrid(
    (
        irregular_axis(365, [(days, 1) for days in DAYS]),
        RegularAxis(24, 10),
        irregular_axis(30, [(4, 5), (2, 3), (6, 2)]),
    )
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mounted]:
    """A mount of two such arrays, one of them in shards."""
    folder = tmp_path_factory.mktemp("irregular").resolve()
    (folder / "store.zarr").mkdir()
    store = LocalStore(str(folder / "store.zarr"))
    store.set("zarr.json", b'{"zarr_format": 3, "node_type": "group"}')
    codecs = {
        "plain": [writer.bytes_codec(), writer.GZIP],
        "sharded": [writer.sharding((1, 5, 2), [writer.bytes_codec("big"), writer.CRC32C])],
    }
    for name, chain in codecs.items():
        parts = cut(DATA, GRID, 0)
        writer.write_parts(DATA, parts, document(GRID), chain, path=name, store=store)
    with mounted(folder / "store.zarr", folder / "mnt", ro=True) as made:
        yield made


@pytest.mark.parametrize("name", ["plain", "sharded"])
@pytest.mark.parametrize(("block", "skip", "count"), [(1, 5, 7), (4099, 3, 40), (70001, 2, 9)])
def test_dd_at_odd_offsets_copies_the_elements(
    shared: Mounted, tmp_path: Path, name: str, block: int, skip: int, count: int
) -> None:
    saved = io.BytesIO()
    np.save(saved, DATA)
    for suffix, expected in {"bin": DATA.tobytes(), "npy": saved.getvalue()}.items():
        source, copy = shared.path / suffix / f"{name}.{suffix}", tmp_path / suffix
        span = [f"bs={block}", f"skip={skip}", f"count={count}"]
        run("dd", f"if={source}", f"of={copy}", *span, "status=none")
        assert copy.read_bytes() == expected[block * skip : block * (skip + count)]


@pytest.mark.parametrize("name", ["plain", "sharded"])
def test_numpy_maps_the_file(shared: Mounted, name: str) -> None:
    mapped = np.load(shared.path / "npy" / f"{name}.npy", mmap_mode="r")
    assert np.array_equal(mapped[58:60, ::-1, 20:], DATA[58:60, ::-1, 20:])
    assert np.array_equal(mapped, DATA)
    del mapped
