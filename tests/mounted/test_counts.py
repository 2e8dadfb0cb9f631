"""How much is decoded, fetched and asked for: limits that hold however fast the machine is."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import zarr
from zarr.codecs import BloscCodec

from tests.mounted.conftest import GROUP
from tests.mounted.mounting import mounted
from zarrfs.arrays.decode_pool import DEFAULT_THREADS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy.typing as npt

    from tests.mounted.mounting import Mounted

MIB = 2**20

SHAPE = (1024, 256, 512)
"""256 MiB of two bytes each."""

SMALL, LARGE = (16, 64, 64), (16, 256, 512)
"""Chunks of 128 KiB, which processes decode, and rows of chunks, 4 MiB, which threads do."""

SLAB = 16 * MIB

RESIDENT = 60 * MIB + 3 * SLAB
"""What the daemon may take with one reader: two slabs beside the interpreter and libraries, and now
and then a third, while replies of the first are on their way."""

BLOSC = 10 * MIB * DEFAULT_THREADS
"""What blosc takes of each thread's heap to decode chunks of 4 MiB."""


def numbers() -> npt.NDArray[np.uint16]:
    row = np.random.default_rng(1).integers(0, 2**10, SHAPE[1:], np.uint16)
    return row + np.arange(SHAPE[0], dtype=np.uint16)[:, None, None]


@pytest.fixture(scope="module", params=[SMALL, LARGE], ids=["small", "large"])
def stored(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, tuple[int, ...]]:
    folder: Path = tmp_path_factory.mktemp("counts")
    (folder / "zarr.json").write_bytes(GROUP)
    codec = BloscCodec(cname="lz4", clevel=1)
    zarr.create_array(folder, name="a", data=numbers(), chunks=request.param, compressors=codec)
    return folder, request.param


@pytest.fixture
def mount(stored: tuple[Path, tuple[int, ...]], mountpoint: Path) -> Iterator[Mounted]:
    with mounted(stored[0], mountpoint, ro=True) as made:
        yield made


class Counts:
    """What a mount has done since this was made, of what one array takes."""

    def __init__(self, mount: Mounted, stored: tuple[Path, tuple[int, ...]]) -> None:
        folder, self.chunks = stored
        self._mount = mount
        self.n_chunks = np.prod([n // c for n, c in zip(SHAPE, self.chunks, strict=True)])
        self.n_stored = sum(
            file.stat().st_size for file in (folder / "a/c").rglob("*") if file.is_file()
        )
        self._before = mount.stats()

    def __getitem__(self, name: str) -> int:
        grown: int = self._mount.stats()[name] - self._before[name]
        return grown

    @property
    def requests(self) -> int:
        """Reads that the kernel has asked for."""
        before: int = self._before["requests"].get("read", 0)
        return self._mount.counted("read") - before


@pytest.fixture
def counts(mount: Mounted, stored: tuple[Path, tuple[int, ...]]) -> Counts:
    return Counts(mount, stored)


def read(path: Path, start: int, stop: int) -> bytes:
    """Read part of a file in blocks of 1 MiB."""
    with path.open("rb", buffering=0) as file:
        file.seek(start)
        return b"".join(file.read(min(MIB, stop - at)) for at in range(start, stop, MIB))


def test_a_file_read_through_is_decoded_once_in_large_requests(
    mount: Mounted, counts: Counts
) -> None:
    expected = numbers().tobytes()
    assert read(mount.path / "bin/a.bin", 0, len(expected)) == expected
    assert counts["chunks_decoded"] == counts.n_chunks
    assert counts["bytes_fetched"] == counts.n_stored
    assert counts.requests <= 1.5 * len(expected) / MIB
    assert mount.resident_peak() <= RESIDENT + (BLOSC if counts.chunks == LARGE else 0)


@pytest.mark.parametrize("n_readers", [2, 4, 8])
def test_readers_of_a_part_each_have_hardly_more_decoded_than_one(
    mount: Mounted, counts: Counts, n_readers: int
) -> None:
    expected = numbers().tobytes()
    part = len(expected) // n_readers
    starts = range(0, len(expected), part)
    with ThreadPoolExecutor(n_readers) as threads:
        parts = threads.map(
            lambda start: read(mount.path / "bin/a.bin", start, start + part), starts
        )
        assert b"".join(parts) == expected
    most = 1.1 + SLAB / len(expected)  # one more may be begun behind the end of a part
    assert counts["chunks_decoded"] <= most * counts.n_chunks
    assert counts["bytes_fetched"] <= most * counts.n_stored


@pytest.mark.parametrize("axis", range(3))
def test_a_plane_out_of_a_memory_map_decodes_no_chunk_twice(
    mount: Mounted, counts: Counts, axis: int
) -> None:
    mapped = np.memmap(mount.path / "bin/a.bin", np.uint16, "r", shape=SHAPE)
    plane: tuple[Any, ...] = (*[slice(None)] * axis, 100)
    assert np.array_equal(mapped[plane], numbers()[plane])
    assert counts["chunks_decoded"] <= counts.n_chunks
    assert counts["bytes_fetched"] <= counts.n_stored


def test_scattered_reads_decode_each_chunk_once_where_memory_holds_them(
    mount: Mounted, counts: Counts
) -> None:
    expected = numbers().tobytes()
    offsets = np.random.default_rng(2).integers(0, len(expected) // 4096, 300) * 4096
    opened = os.open(mount.path / "bin/a.bin", os.O_RDONLY)
    os.posix_fadvise(opened, 0, 0, os.POSIX_FADV_RANDOM)
    for offset in offsets.tolist():
        assert os.pread(opened, 4096, offset) == expected[offset : offset + 4096]
    os.close(opened)
    assert counts["chunks_decoded"] <= counts.n_chunks
    assert counts.requests <= 1.1 * len(offsets)


def test_16_readers_with_little_memory_all_read_right(
    stored: tuple[Path, tuple[int, ...]], mountpoint: Path
) -> None:
    expected = numbers().tobytes()
    part = len(expected) // 16
    with mounted(stored[0], mountpoint, ro=True, memory="64M") as mount:

        def read_part(start: int) -> bool:
            found = read(mount.path / "bin/a.bin", start, start + part)
            return found == expected[start : start + part]

        with ThreadPoolExecutor(16) as threads:
            assert all(threads.map(read_part, range(0, len(expected), part)))
        assert mount.stats()["memory"]["peak"] <= 64 * MIB
        assert mount.resident_peak() <= (64 + 80) * MIB
