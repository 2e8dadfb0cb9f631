"""One bad chunk is an error for its own bytes, said once, and nothing else is wrong.

Semantic 1 of a mount, in its details: see also `test_semantics`.
"""

from __future__ import annotations

import errno
import mmap
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import google_crc32c
import numpy as np
import pytest
import zarr
import zarr.codecs

from tests.mounted.conftest import N_ROW_CHUNKS, ROW_CHUNK_BYTES, ROWS
from tests.mounted.mounting import mounted, scripted
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.mounted.mounting import Mounted

BYTES = ROWS.tobytes()
PAGE = mmap.PAGESIZE

BAD = 5
BAD_START, BAD_STOP = BAD * ROW_CHUNK_BYTES, (BAD + 1) * ROW_CHUNK_BYTES


def read_at(path: Path, offset: int, size: int, flags: int = 0) -> bytes | int:
    """Bytes of one `pread`, or the errno that it fails with."""
    opened = os.open(path, os.O_RDONLY | flags)
    try:
        return os.pread(opened, size, offset)
    except OSError as error:
        return error.errno or 0
    finally:
        os.close(opened)


def flip(chunk: Path) -> None:
    """Change one bit."""
    data = bytearray(chunk.read_bytes())
    data[1000] ^= 1
    chunk.write_bytes(data)


@pytest.fixture
def damaged(store: Path) -> Path:
    """The store with one bad chunk of 16 in ``rows``."""
    flip(store / f"rows/c/{BAD}/0")
    return store


def expect_one_line(mount: Mounted, reason: str = "crc32c") -> None:
    mount.expect_log(rf"ERROR .*array 'rows', object 'rows/c/{BAD}/0': .*{reason}", times=1)


def assert_only_the_bad_chunk_fails(path: Path) -> None:
    for offset in range(0, len(BYTES), PAGE):
        is_bad = BAD_START <= offset < BAD_STOP
        expected = errno.EIO if is_bad else BYTES[offset : offset + PAGE]
        assert read_at(path, offset, PAGE) == expected


def test_bad_chunk_is_eio_for_its_pages_decoded_once_and_logged_once(
    damaged: Path, mountpoint: Path
) -> None:
    with mounted(damaged, mountpoint, ro=True, attr_timeout=3600) as mount:
        expect_one_line(mount)
        assert_only_the_bad_chunk_fails(mount.path / "bin/rows.bin")
        assert_only_the_bad_chunk_fails(mount.path / "bin/rows.bin")
        assert mount.stats()["chunks_decoded"] == N_ROW_CHUNKS


def test_reader_gets_all_bytes_before_the_bad_ones(damaged: Path, mountpoint: Path) -> None:
    with mounted(damaged, mountpoint, ro=True, attr_timeout=3600) as mount:
        expect_one_line(mount)
        path, parts, offset = mount.path / "bin/rows.bin", [], 0
        while isinstance(part := read_at(path, offset, 100_003), bytes):
            parts.append(part)
            offset += len(part)
        assert part == errno.EIO
        assert b"".join(parts) == BYTES[:BAD_START]


def test_past_the_page_cache_an_error_is_exact_to_the_byte(damaged: Path, mountpoint: Path) -> None:
    with mounted(damaged, mountpoint, ro=True, attr_timeout=3600) as mount:
        expect_one_line(mount)
        path = mount.path / "bin/rows.bin"
        for offset, size in [
            (BAD_START - 100, 100),
            (BAD_START - 1, 1),
            (BAD_STOP, 1),
            (BAD_STOP, 5000),
            (0, BAD_START),
            (BAD_STOP, len(BYTES)),
        ]:
            assert read_at(path, offset, size, os.O_DIRECT) == BYTES[offset : offset + size]
        for offset, size in [
            (BAD_START - 1, 2),
            (BAD_START, 1),
            (BAD_STOP - 1, 1),
            (BAD_STOP - 1, 2),
            (0, len(BYTES)),
        ]:
            assert read_at(path, offset, size, os.O_DIRECT) == errno.EIO


def test_mapped_bad_page_is_sigbus_and_the_others_are_right(
    damaged: Path, mountpoint: Path
) -> None:
    program = f"""
import sys, numpy as np
a = np.memmap(sys.argv[1], "<f8", mode="r", shape={ROWS.shape})
print(a[:{BAD * 16}].sum() + a[{BAD * 16 + 16}:].sum(), flush=True)
print(a[{BAD * 16 + 3}, 7])
"""
    good = ROWS[: BAD * 16].sum() + ROWS[BAD * 16 + 16 :].sum()
    with mounted(damaged, mountpoint, ro=True, attr_timeout=3600) as mount:
        expect_one_line(mount)
        command = [sys.executable, "-c", program, str(mount.path / "bin/rows.bin")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.stdout == f"{good}\n"
        assert done.returncode == -signal.SIGBUS
        assert mount.stats()["chunks_decoded"] == N_ROW_CHUNKS


def test_repaired_chunk_is_read_once_the_failure_is_forgotten(
    store: Path, mountpoint: Path
) -> None:
    chunk = store / f"rows/c/{BAD}/0"
    good = chunk.read_bytes()
    flip(chunk)
    with mounted(store, mountpoint, ro=True, attr_timeout=1) as mount:
        mount.expect_log("rows/c/5/0.*crc32c")
        path = mount.path / "bin/rows.bin"
        assert read_at(path, BAD_START, 8) == errno.EIO
        chunk.write_bytes(good)
        wait_until(lambda: read_at(path, BAD_START, 8) == BYTES[BAD_START : BAD_START + 8])
        assert path.read_bytes() == BYTES


def truncate(chunk: Path) -> None:
    os.truncate(chunk, 1000)


def empty(chunk: Path) -> None:
    os.truncate(chunk, 0)


def lengthen(chunk: Path) -> None:
    with chunk.open("ab") as file:
        file.write(b"x")


def make_unreadable(chunk: Path) -> None:
    """Not by its mode, for root may read all: by a link that leads to itself."""
    chunk.unlink()
    chunk.symlink_to(chunk.name)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (flip, "crc32c"),
        (truncate, "crc32c"),
        (empty, "crc32c"),
        (lengthen, "crc32c"),
        (make_unreadable, "symbolic links"),
    ],
)
def test_damage_of_any_kind(
    store: Path, mountpoint: Path, damage: Callable[[Path], None], reason: str
) -> None:
    damage(store / f"rows/c/{BAD}/0")
    with mounted(store, mountpoint, ro=True, attr_timeout=3600) as mount:
        expect_one_line(mount, reason)
        assert_only_the_bad_chunk_fails(mount.path / "bin/rows.bin")


def test_missing_chunk_is_the_fill_value_and_no_error(store: Path, mountpoint: Path) -> None:
    (store / f"rows/c/{BAD}/0").unlink()
    with mounted(store, mountpoint, ro=True) as mount:
        expected = BYTES[:BAD_START] + bytes(ROW_CHUNK_BYTES) + BYTES[BAD_STOP:]
        assert (mount.path / "bin/rows.bin").read_bytes() == expected


def test_failing_request_of_the_store(store: Path, mountpoint: Path) -> None:
    url = f"fault+{store}?error=get&keys=rows/c/{BAD}/0"
    with mounted(url, mountpoint, ro=True, attr_timeout=3600) as mount:
        expect_one_line(mount, "injected error")
        assert_only_the_bad_chunk_fails(mount.path / "bin/rows.bin")


def write_with_zarr(folder: Path, **options: object) -> None:
    """Write `ROWS` as ``rows`` with codecs of its own."""
    zarr.create_array(folder, name="rows", data=ROWS, overwrite=True, **options)  # type: ignore[arg-type]  # any option


def test_garbage_in_place_of_zstd(store: Path, mountpoint: Path) -> None:
    write_with_zarr(store, chunks=(16, 512), compressors=zarr.codecs.ZstdCodec())
    (store / f"rows/c/{BAD}/0").write_bytes(b"this is not what zstd makes" * 100)
    with mounted(store, mountpoint, ro=True, attr_timeout=3600) as mount:
        expect_one_line(mount, "zstd")
        assert_only_the_bad_chunk_fails(mount.path / "bin/rows.bin")


def edit_index(shard: Path, entry: int, offset: int, size: int) -> None:
    """Let the index of a shard, which is at its end, say another place for one inner chunk."""
    data = bytearray(shard.read_bytes())
    n_index = N_ROW_CHUNKS * 16
    index = np.frombuffer(data[-n_index - 4 : -4], "<u8").reshape(-1, 2).copy()
    index[entry] = offset, size
    data[-n_index - 4 :] = index.tobytes() + google_crc32c.value(index.tobytes()).to_bytes(
        4, "little"
    )
    shard.write_bytes(data)


@pytest.mark.parametrize(
    ("offset", "size"), [(2**40, 100), (0, 2**40), (2**63, 2**63), (10**6, 2**62)]
)
def test_shard_index_that_points_outside(
    store: Path, mountpoint: Path, offset: int, size: int
) -> None:
    write_with_zarr(store, chunks=(16, 512), shards=(256, 512))
    edit_index(store / "rows/c/0/0", BAD, offset, size)
    with mounted(store, mountpoint, ro=True, attr_timeout=3600) as mount:
        mount.expect_log(r"ERROR .*array 'rows', object 'rows/c/0/0'", times=1)
        assert_only_the_bad_chunk_fails(mount.path / "bin/rows.bin")


def test_broken_shard_index_fails_the_shard_and_is_said_once(store: Path, mountpoint: Path) -> None:
    write_with_zarr(store, chunks=(16, 512), shards=(256, 512))
    with (store / "rows/c/0/0").open("r+b") as shard:
        shard.seek(-3, os.SEEK_END)
        shard.write(b"???")
    with mounted(store, mountpoint, ro=True, attr_timeout=3600) as mount:
        mount.expect_log(r"ERROR .*array 'rows', object 'rows/c/0/0'.*crc32c", times=1)
        for offset in range(0, len(BYTES), ROW_CHUNK_BYTES):
            assert read_at(mount.path / "bin/rows.bin", offset, 8) == errno.EIO


def test_truncated_object_is_an_error_for_its_raw_key_too(store: Path, mountpoint: Path) -> None:
    """A reply that is too short would be the end of the file, and a copy of it cut."""
    url = f"fault+{store}?truncate=100&keys=rows/c/{BAD}/0"
    with mounted(url, mountpoint, ro=True, attr_timeout=3600) as mount:
        mount.expect_log(rf"ERROR .*rows/c/{BAD}/0")
        path = mount.path / f"zarr/rows/c/{BAD}/0"
        assert read_at(path, 0, PAGE) == errno.EIO
        assert read_at(path, PAGE, PAGE, os.O_DIRECT) == errno.EIO


# --- faults in the program ----------------------------------------------------------------------


def test_fault_in_looking_up_a_name_is_eio_and_the_mount_lives(
    store: Path, mountpoint: Path
) -> None:
    with scripted(store, mountpoint, attr_timeout=0) as mount:
        mount.expect_log("ERROR .*lookup failed", times=1)
        mount.tell("misprogram", keys="rows/c/3/0")
        with pytest.raises(OSError, match="Input/output error"):
            (mount.path / "zarr/rows/c/3/0").stat()
        assert "ZeroDivisionError: a fault in the program, met at rows/c/3/0" in mount.log()
        assert (mount.path / "zarr/rows/c/4/0").stat().st_size == ROW_CHUNK_BYTES + 4
        mount.heal()
        assert (mount.path / "zarr/rows/c/3/0").stat().st_size == ROW_CHUNK_BYTES + 4


@pytest.mark.parametrize("name", ["bin/rows.bin", "zarr/rows/c/5/0"])
def test_fault_in_reading_data_is_eio_at_once_and_the_mount_lives(
    store: Path, mountpoint: Path, name: str
) -> None:
    """Nobody waits for the deadline, which is an hour here."""
    with scripted(store, mountpoint, attr_timeout=0, timeout=3600) as mount:
        mount.expect_log(".")
        path = mount.path / name
        offset = BAD_START if name.startswith("bin") else 0
        opened = os.open(path, os.O_RDONLY)
        mount.tell("misprogram", keys=f"rows/c/{BAD}/0")
        with pytest.raises(OSError, match="Input/output error"):
            os.pread(opened, 8, offset)
        assert "ZeroDivisionError: a fault in the program" in mount.log()
        mount.heal()
        assert os.pread(opened, 8, offset) == BYTES[BAD_START : BAD_START + 8]
        os.close(opened)
