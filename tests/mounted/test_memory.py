"""Semantic 14: the daemon's memory stays within its limit however many files are open."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import zarr

from tests.mounted.conftest import GROUP
from tests.mounted.mounting import mounted

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

MEMORY = 128 * 2**20
ALLOWANCE = 80 * 2**20
"""The interpreter with its libraries, and what decoding needs beside the caches."""

N_FILES = 64

# 8 MiB; compressed well, for the test is about what is decoded.
SHAPE = (1024, 1024)


def content(number: int) -> npt.NDArray[Any]:
    """An array that differs from the others in each element."""
    return np.broadcast_to(np.arange(SHAPE[0], dtype="f8")[:, None] + 1000 * number, SHAPE)


def write_store(folder: Path, chunks: tuple[int, ...], n_arrays: int, **options: Any) -> Path:
    folder.mkdir()
    (folder / "zarr.json").write_bytes(GROUP)
    for number in range(n_arrays):
        zarr.create_array(folder, name=f"a{number}", data=content(number), chunks=chunks, **options)
    return folder


def read_whole(path: Path, number: int, flags: int) -> bool:
    """Read a file block by block and compare it."""
    expected = content(number).tobytes()
    opened = os.open(path, os.O_RDONLY | flags)
    try:
        offset = 0
        while data := os.pread(opened, 2**17, offset):
            if data != expected[offset : offset + len(data)]:
                return False
            offset += len(data)
    finally:
        os.close(opened)
    return offset == len(expected)


@pytest.mark.parametrize(
    ("chunks", "flags"),
    [
        pytest.param((128, 1024), os.O_DIRECT, id="rows of 1 MiB"),
        pytest.param((128, 128), os.O_DIRECT, id="tiles of 128 KiB"),
        pytest.param((256, 1024), os.O_DIRECT, id="rows of 2 MiB"),
        pytest.param((512, 1024), os.O_DIRECT, id="rows of 4 MiB"),
        pytest.param((1024, 1024), os.O_DIRECT, id="rows of 8 MiB"),
        pytest.param((128, 1024), 0, id="through the page cache"),
    ],
)
def test_64_open_files_read_at_once_stay_within_the_limit(
    tmp_path: Path, mountpoint: Path, chunks: tuple[int, ...], flags: int
) -> None:
    store = write_store(tmp_path / "store", chunks, N_FILES)
    with mounted(store, mountpoint, ro=True, memory="128M") as mount:
        names = [mount.path / f"bin/a{number}.bin" for number in range(N_FILES)]
        opened = [name.open("rb") for name in names]
        with ThreadPoolExecutor(N_FILES) as pool:
            results = pool.map(read_whole, names, range(N_FILES), [flags] * N_FILES)
            assert all(results)
        for file in opened:
            file.close()
        memory = mount.stats()["memory"]
        assert memory["limit"] == MEMORY
        assert memory["peak"] <= MEMORY
        assert mount.resident_peak() <= MEMORY + ALLOWANCE


def test_uncompressed_chunks_count_too(tmp_path: Path, mountpoint: Path) -> None:
    """What is fetched and not decoded yet lies in memory as well: 8 MiB for each thread here."""
    store = write_store(tmp_path / "store", (1024, 1024), 8, compressors=None, filters=None)
    with mounted(store, mountpoint, ro=True, memory="128M") as mount:
        names = [mount.path / f"bin/a{number}.bin" for number in range(8)]
        with ThreadPoolExecutor(8) as pool:
            assert all(pool.map(read_whole, names, range(8), [os.O_DIRECT] * 8))
        assert mount.resident_peak() <= MEMORY + ALLOWANCE


def test_scattered_reads_stay_within_the_limit(tmp_path: Path, mountpoint: Path) -> None:
    store = write_store(tmp_path / "store", (128, 1024), 32)
    with mounted(store, mountpoint, ro=True, memory="32M") as mount:
        chance = np.random.default_rng(4711)
        files = [
            os.open(mount.path / f"bin/a{number}.bin", os.O_RDONLY | os.O_DIRECT)
            for number in range(32)
        ]
        for number, row, column in chance.integers(0, (32, *SHAPE), (1000, 3)):
            value = os.pread(files[number], 8, int(row * SHAPE[1] + column) * 8)
            assert np.frombuffer(value, "<f8") == row + 1000 * number
        for file in files:
            os.close(file)
        assert mount.stats()["memory"]["peak"] <= 32 * 2**20
        assert mount.resident_peak() <= 32 * 2**20 + ALLOWANCE


def test_one_chunk_larger_than_all_memory_is_let_in(tmp_path: Path, mountpoint: Path) -> None:
    folder = tmp_path / "store"
    folder.mkdir()
    (folder / "zarr.json").write_bytes(GROUP)
    data = np.repeat(np.arange(4096, dtype="f8"), 1024).reshape(4096, 1024)  # 32 MiB
    zarr.create_array(folder, name="a", data=data, chunks=data.shape)
    with mounted(folder, mountpoint, ro=True, memory="16M", cache_dir=tmp_path) as mount:
        assert (mount.path / "bin/a.bin").read_bytes() == data.tobytes()
        assert "a chunk is 33554432 bytes" in mount.log()
