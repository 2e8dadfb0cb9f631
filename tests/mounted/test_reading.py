"""Every way to read a flat file gives the bytes of the array."""

from __future__ import annotations

import errno
import mmap
import os
import random
import select
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.mounted.conftest import GRID, ROWS
from tests.waiting import wait_until
from zarrfs.fuse.kernel_tuning import READ_AHEAD_KB

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.mounted.mounting import Mounted

BYTES = GRID.tobytes()
PAGE = mmap.PAGESIZE


@pytest.fixture
def file(shared: Mounted) -> Path:
    """The flat file of `GRID`."""
    return shared.path / "bin/grid.bin"


@pytest.fixture(params=[os.O_RDONLY, os.O_RDONLY | os.O_DIRECT], ids=["cached", "direct"])
def descriptor(file: Path, request: pytest.FixtureRequest) -> Iterator[int]:
    """The file, opened as most do or past the page cache."""
    opened = os.open(file, request.param)
    yield opened
    os.close(opened)


def read_into_page(descriptor: int, offset: int, size: int) -> bytes:
    """Read into memory that begins with a page, as O_DIRECT may want it."""
    with mmap.mmap(-1, max(1, size)) as buffer, memoryview(buffer)[:size] as view:
        n = os.preadv(descriptor, [view], offset)
        return bytes(view[:n])


@pytest.mark.parametrize(
    ("offset", "size"),
    [
        (0, 1),
        (1, 1),
        (7, 3),
        (0, PAGE),
        (PAGE, PAGE),
        (PAGE - 1, 2),
        (4095, 8193),
        (12345, 54321),
        (3 * PAGE, 100),
        (0, len(BYTES)),
        (1, len(BYTES) - 1),
        (len(BYTES) - 1, 1),
        (len(BYTES) - 1, 100),
        (len(BYTES) - 5000, 2**20),
        (0, len(BYTES) + 1),
        (len(BYTES), 1),
        (len(BYTES) + 1, 1),
        (len(BYTES) + 2**30, 4096),
        (2**62, 4096),
        (5, 0),
    ],
)
def test_any_span_is_read_and_cut_at_the_end(descriptor: int, offset: int, size: int) -> None:
    assert read_into_page(descriptor, offset, size) == BYTES[offset : offset + size]


def test_random_spans(descriptor: int) -> None:
    chance = random.Random(4711)
    for _ in range(200):
        offset = chance.randrange(len(BYTES))
        size = int(2 ** chance.uniform(0, 18))
        assert read_into_page(descriptor, offset, size) == BYTES[offset : offset + size]


def test_direct_read_into_odd_memory(file: Path) -> None:
    opened = os.open(file, os.O_DIRECT)
    try:
        with mmap.mmap(-1, 3 * PAGE) as buffer, memoryview(buffer)[13:5013] as view:
            assert os.preadv(opened, [view], 777) == 5000
            assert bytes(view) == BYTES[777:5777]
    finally:
        os.close(opened)


def test_scattered_read(descriptor: int) -> None:
    parts = [bytearray(3), bytearray(5000), bytearray(1)]
    assert os.preadv(descriptor, parts, 99) == 5004
    assert b"".join(parts) == BYTES[99 : 99 + 5004]


@pytest.mark.parametrize("block", [1000, 4096, 65536, 100_003])
def test_whole_file_in_blocks(descriptor: int, block: int) -> None:
    os.lseek(descriptor, 0, os.SEEK_SET)
    blocks = list(iter(lambda: os.read(descriptor, block), b""))
    assert b"".join(blocks) == BYTES
    assert all(len(part) == block for part in blocks[:-1])


def test_backwards(descriptor: int) -> None:
    block = 10_007
    for offset in range(len(BYTES) - block, -1, -block):
        assert os.pread(descriptor, block, offset) == BYTES[offset : offset + block]


@pytest.mark.parametrize("access", [mmap.ACCESS_READ, mmap.ACCESS_COPY])
def test_mapping(file: Path, access: int) -> None:
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=access) as mapping:
        assert mapping[:] == BYTES
        assert mapping[100_001:100_009] == BYTES[100_001:100_009]


@pytest.mark.parametrize("flags", [mmap.MAP_SHARED, mmap.MAP_PRIVATE])
def test_mapping_of_a_part(file: Path, flags: int) -> None:
    with (
        file.open("rb") as opened,
        mmap.mmap(opened.fileno(), 5000, flags=flags, prot=mmap.PROT_READ, offset=PAGE) as mapping,
    ):
        assert mapping[:] == BYTES[PAGE : PAGE + 5000]


def test_private_mapping_can_be_written_and_stays_private(file: Path) -> None:
    changed = np.memmap(file, GRID.dtype, mode="c", shape=GRID.shape)
    changed[3, 4, 5] = -1
    again = np.memmap(file, GRID.dtype, mode="r", shape=GRID.shape)
    assert again[3, 4, 5] == GRID[3, 4, 5]


def test_shared_mapping_for_writing_is_refused(file: Path) -> None:
    with pytest.raises(OSError, match="Read-only") as caught:
        np.memmap(file, GRID.dtype, mode="r+", shape=GRID.shape)
    assert caught.value.errno == errno.EROFS


def test_memmap_of_numpy(file: Path) -> None:
    mapped = np.memmap(file, "<f8", mode="r", shape=GRID.shape)
    np.testing.assert_array_equal(mapped, GRID)
    np.testing.assert_array_equal(mapped[::7, 5, ::3], GRID[::7, 5, ::3])


def test_npy_is_mapped_by_numpy(shared: Mounted) -> None:
    mapped = np.load(shared.path / "npy/grid.npy", mmap_mode="r")
    np.testing.assert_array_equal(mapped, GRID)


@pytest.mark.parametrize("advice", [os.POSIX_FADV_RANDOM, os.POSIX_FADV_SEQUENTIAL])
def test_advice_changes_no_bytes(descriptor: int, advice: int) -> None:
    os.posix_fadvise(descriptor, 0, 0, advice)
    assert os.pread(descriptor, 50_000, 12_345) == BYTES[12_345:62_345]


def test_sendfile(descriptor: int, tmp_path: Path) -> None:
    with (tmp_path / "copy").open("wb") as copy:
        offset = 0
        while sent := os.sendfile(copy.fileno(), descriptor, offset, 2**20):
            offset += sent
    assert (tmp_path / "copy").read_bytes() == BYTES


def test_splice(descriptor: int) -> None:
    reader, writer = os.pipe()
    try:
        spliced = os.splice(descriptor, writer, 5000, offset_src=333)
        assert os.read(reader, 2**16) == BYTES[333 : 333 + spliced]
        assert spliced > 0
    finally:
        os.close(reader)
        os.close(writer)


def test_copy_file_range_copies_or_says_that_it_cannot(file: Path, tmp_path: Path) -> None:
    """What programs do then is read and write, as `cp` does; EXDEV is what Linux 6.18 says."""
    n, refused = 0, 0
    with file.open("rb") as source, (tmp_path / "copy").open("wb+") as copy:
        try:
            n = os.copy_file_range(source.fileno(), copy.fileno(), 5000, 777, 0)
        except OSError as error:
            refused = error.errno or 0
        assert n > 0 or refused in {errno.EXDEV, errno.EOPNOTSUPP}
        assert copy.read() == BYTES[777 : 777 + n]


def test_file_is_all_data(descriptor: int) -> None:
    """A reader of holes must not take decoded zeros, nor anything else, for one."""
    assert os.lseek(descriptor, 0, os.SEEK_DATA) == 0
    assert os.lseek(descriptor, 4097, os.SEEK_DATA) == 4097
    assert os.lseek(descriptor, 0, os.SEEK_HOLE) == len(BYTES)
    with pytest.raises(OSError, match="No such device or address"):
        os.lseek(descriptor, len(BYTES), os.SEEK_DATA)


def test_size_is_exact_and_one_block_is_used(file: Path) -> None:
    """0 blocks would make `tar -S` write zeros; all would make `du` add up terabytes."""
    found = file.stat()
    assert (found.st_size, found.st_blocks) == (len(BYTES), 1)


def test_file_is_always_ready(descriptor: int) -> None:
    assert select.select([descriptor], [], [], 0)[0] == [descriptor]


def test_kernel_does_not_ask_at_every_close(shared: Mounted, file: Path) -> None:
    for _ in range(10):
        file.open("rb").close()
    assert shared.counted("flush") <= 1


def test_sync_of_a_file_is_fine(descriptor: int) -> None:
    os.fsync(descriptor)
    os.fdatasync(descriptor)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("scalar", np.float64(1.5).tobytes()),
        ("empty", b""),
        ("inner/small", np.arange(6, dtype="<i2").tobytes()),
        ("rows", ROWS.tobytes()),
    ],
)
def test_other_arrays(shared: Mounted, name: str, expected: bytes) -> None:
    path = shared.path / f"bin/{name}.bin"
    assert path.read_bytes() == expected
    assert path.stat().st_size == len(expected)


def test_raw_keys_are_the_store(shared: Mounted) -> None:
    store = shared.path.parent / "store.zarr"
    for path in store.rglob("*"):
        shown = shared.path / "zarr" / path.relative_to(store)
        assert shown.is_dir() == path.is_dir()
        if path.is_file():
            assert shown.read_bytes() == path.read_bytes()
            assert shown.stat().st_mtime_ns == path.stat().st_mtime_ns


def test_text_is_read_to_its_end_whatever_its_size_was(shared: Mounted) -> None:
    """Its size may change between stat and open; the kernel must not cut it."""
    with (shared.path / ".zarrfs/log").open("rb") as log:
        assert b"is mounted at" in log.read()
        log.seek(5)
        assert len(log.read(7)) == 7


def test_the_kernel_reads_ahead_as_far_as_root_may_tell_it(shared: Mounted) -> None:
    device = shared.path.stat().st_dev
    bdi = Path(f"/sys/class/bdi/{os.major(device)}:{os.minor(device)}/read_ahead_kb")
    wait_until(lambda: shared.stats()["kernel"])
    assert int(bdi.read_text()) == shared.stats()["kernel"]["read_ahead_kb"] == READ_AHEAD_KB
