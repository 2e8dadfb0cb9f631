"""A row of chunks larger than the memory, read through a mount: each chunk is decoded once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import zarr

from tests.mounted.conftest import GROUP
from tests.mounted.mounting import mounted
from tests.mounted.test_memory import ALLOWANCE

if TYPE_CHECKING:
    import numpy.typing as npt

MEMORY = 16 * 2**20

SHAPE, CHUNKS = (72, 8192, 32), (64, 64, 32)
"""Two rows of 128 chunks of 256 KiB, in slabs of 8 planes; the second row has no more of them."""

N_ROW_CHUNKS = 128


@pytest.fixture
def data() -> npt.NDArray[np.uint16]:
    planes = np.arange(SHAPE[0], dtype="u2")[:, None, None] * 331
    rows = np.arange(SHAPE[1], dtype="u2")[:, None] * 7
    values: npt.NDArray[np.uint16] = planes + rows + np.arange(SHAPE[2], dtype="u2")
    return values


@pytest.fixture
def store(tmp_path: Path, data: npt.NDArray[Any]) -> Path:
    folder = tmp_path / "store.zarr"
    folder.mkdir()
    (folder / "zarr.json").write_bytes(GROUP)
    zarr.create_array(folder, name="a", data=data, chunks=CHUNKS)
    return folder


def is_same(path: Path, data: npt.NDArray[Any]) -> bool:
    expected, offset = data.data.cast("B"), 0
    with path.open("rb", buffering=0) as file:
        while read := file.read(2**20):
            if read != expected[offset : offset + len(read)]:
                return False
            offset += len(read)
    return offset == data.nbytes


def test_a_row_larger_than_the_memory_is_decoded_once(
    store: Path, data: npt.NDArray[Any], tmp_path: Path, mountpoint: Path
) -> None:
    cache = tmp_path / "cache"
    with mounted(
        store, mountpoint, ro=True, memory=MEMORY, cache_dir=cache, cache_size="1G"
    ) as mount:
        assert is_same(mount.path / "bin/a.bin", data)
        stats = mount.stats()
        assert 2 * N_ROW_CHUNKS <= stats["chunks_decoded"] <= 1.1 * 2 * N_ROW_CHUNKS
        assert N_ROW_CHUNKS <= stats["chunks_spilled"] <= 1.1 * N_ROW_CHUNKS
        assert stats["bytes_spilled"] == stats["chunks_spilled"] * 2**18
        assert stats["spill_hits"] > 5 * N_ROW_CHUNKS
        assert stats["memory"]["peak"] <= MEMORY
        assert mount.resident_peak() <= MEMORY + ALLOWANCE
        links = [link.readlink() for link in Path(f"/proc/{mount.pid}/fd").iterdir()]
        assert any(link.is_relative_to(cache) for link in links)
        assert not list(cache.iterdir()), "the file has no name"


@pytest.mark.parametrize("is_off", [False, True])
def test_without_a_cache_directory_the_mount_works(
    store: Path, data: npt.NDArray[Any], tmp_path: Path, mountpoint: Path, is_off: bool
) -> None:
    (tmp_path / "file").touch()
    options = {"cache_size": 0} if is_off else {"cache_dir": tmp_path / "file" / "cache"}
    with mounted(store, mountpoint, ro=True, memory=MEMORY, **options) as mount:
        assert is_same(mount.path / "bin/a.bin", data)
        assert mount.stats()["chunks_spilled"] == 0
        assert mount.log().count("decoded chunks cannot be kept") == (0 if is_off else 1)
