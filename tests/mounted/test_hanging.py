"""A store that hangs: every request ends, and names, signals and unmounting go on.

Semantic 12 of a mount, in its details: see also `test_semantics`.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.mounted.conftest import ROW_CHUNK_BYTES, ROWS
from tests.mounted.mounting import mounted, run, scripted
from tests.waiting import DEADLINE, wait_until
from zarrfs.arrays.decode_pool import DEFAULT_THREADS
from zarrfs.fuse.operations import NAME_THREADS
from zarrfs.mounts.detaching import detach
from zarrfs.mounts.mountinfo import mounted_at

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BYTES = ROWS.tobytes()
NEVER = 10 * DEADLINE
"""A deadline that no test waits for."""


@contextlib.contextmanager
def reader(
    path: Path, *, direct: bool = False, offset: int = 0
) -> Iterator[subprocess.Popen[bytes]]:
    """A program that reads 1000 bytes of a file, and tells them or the errno."""
    program = f"""
import os, sys
try:
    opened = os.open(sys.argv[1], os.O_RDONLY | {os.O_DIRECT if direct else 0})
    sys.stdout.buffer.write(os.pread(opened, 1000, {offset}))
except OSError as error:
    sys.exit(error.errno)
"""
    process = subprocess.Popen([sys.executable, "-c", program, path], stdout=subprocess.PIPE)
    with process:
        try:
            yield process
        finally:
            process.kill()


def end_of(process: subprocess.Popen[bytes]) -> tuple[bytes, int]:
    """What a reader wrote, and how it ended."""
    out, _ = process.communicate(timeout=DEADLINE)
    return out, process.returncode


@pytest.mark.parametrize("direct", [False, True], ids=["cached", "direct"])
def test_read_is_eio_after_the_deadline(store: Path, mountpoint: Path, direct: bool) -> None:
    url = f"fault+{store}?hang=get&keys=rows/c/*"
    with mounted(url, mountpoint, ro=True, timeout=2, attr_timeout=3600) as mount:
        mount.expect_log(r"ERROR .*read: bin/rows\.bin, .*: no data within 2 s")
        started = time.monotonic()
        with reader(mount.path / "bin/rows.bin", direct=direct) as process:
            assert end_of(process) == (b"", errno.EIO)
        assert time.monotonic() - started >= 2
        assert (mount.path / "bin/grid.bin").stat().st_size > 0


def test_retries_of_the_kernel_do_not_wait_again(store: Path, mountpoint: Path) -> None:
    """After a failed read-ahead it asks for single pages: each of them once more a deadline."""
    url = f"fault+{store}?hang=get&keys=rows/c/*"
    with mounted(url, mountpoint, ro=True, timeout=2, attr_timeout=3600) as mount:
        mount.expect_log(r"no data within 2 s")
        with (mount.path / "bin/rows.bin").open("rb", buffering=0) as file:
            waits = []
            for offset in range(0, 2**16, 4096):
                started = time.monotonic()
                with pytest.raises(OSError, match="Input/output error"):
                    os.pread(file.fileno(), 100, offset)
                waits.append(time.monotonic() - started)
        # 16 pages of one read: at most two are read ahead of, and none waits twice.
        assert sum(wait >= 2 for wait in waits) <= 4


def test_reply_after_the_deadline_is_of_no_consequence(store: Path, mountpoint: Path) -> None:
    with scripted(store, mountpoint, timeout=0.5, attr_timeout=0) as mount:
        mount.expect_log(r"no data within 0\.5 s")
        mount.inject(hang="get", keys="rows/c/*")
        with reader(mount.path / "bin/rows.bin") as process:
            assert end_of(process) == (b"", errno.EIO)
        mount.heal()  # now the data comes, for nobody
        assert (mount.path / "bin/rows.bin").read_bytes() == BYTES


def test_names_answer_while_all_data_requests_hang(store: Path, mountpoint: Path) -> None:
    with scripted(store, mountpoint, timeout=NEVER, attr_timeout=0) as mount:
        mount.inject(hang="get", keys="*/c/*")
        with contextlib.ExitStack() as stack:
            # Eight, for the kernel sends no more than 12 at a time.
            offsets = [n * ROW_CHUNK_BYTES for n in range(8)]
            processes = [
                stack.enter_context(reader(mount.path / "bin/rows.bin", direct=True, offset=offset))
                for offset in offsets
            ]
            stack.callback(mount.heal)  # a failing test must not wait for its readers
            mount.wait_until_hanging(DEFAULT_THREADS)
            assert (mount.path / "bin/inner/small.bin").stat().st_size == 12
            assert len(list((mount.path / "bin").iterdir())) == 9
            assert (mount.path / "zarr/rows/c/7/0").stat().st_size == ROW_CHUNK_BYTES + 4
            assert not (mount.path / "bin/none").exists()
            assert b"Zarr" in (mount.path / "README.txt").read_bytes()
            assert mount.stats()["errors"] == 0
            os.statvfs(mount.path)
            assert all(process.poll() is None for process in processes)
            mount.heal()
            ends = [end_of(process) for process in processes]
        assert ends == [(BYTES[offset : offset + 1000], 0) for offset in offsets]


def test_log_is_readable_while_all_names_hang(store: Path, mountpoint: Path) -> None:
    with scripted(store, mountpoint, names_timeout=NEVER, attr_timeout=0) as mount:
        before = mount.log()
        mount.inject(hang="stat", keys="rows/c/*/x")
        with contextlib.ExitStack() as stack:
            # The kernel asks for one name of a directory after the other.
            for n in range(NAME_THREADS):
                stack.enter_context(reader(mount.path / f"zarr/rows/c/{n}/x"))
            stack.callback(mount.heal)
            mount.wait_until_hanging(NAME_THREADS)
            assert mount.log() == before
            assert mount.stats()["errors"] == 0


def test_hanging_name_is_eio_after_the_deadline(store: Path, mountpoint: Path) -> None:
    with scripted(store, mountpoint, names_timeout=1, attr_timeout=0) as mount:
        mount.expect_log(r"ERROR .*lookup: zarr/rows/zarr\.json: no answer within 1 s", times=1)
        assert (mount.path / "zarr/rows").is_dir()
        mount.inject(hang="stat", keys="rows/zarr.json")
        with pytest.raises(OSError, match="Input/output error"):
            (mount.path / "zarr/rows/zarr.json").stat()
        mount.heal()


@pytest.mark.parametrize("direct", [False, True], ids=["cached", "direct"])
def test_unmount_works_once_the_read_has_ended(store: Path, mountpoint: Path, direct: bool) -> None:
    url = f"fault+{store}?hang=get&keys=rows/c/*"
    with mounted(url, mountpoint, ro=True, timeout=1) as mount:
        mount.expect_log("no data within 1 s")
        with reader(mount.path / "bin/rows.bin", direct=direct) as process:
            assert end_of(process) == (b"", errno.EIO)
        mount.judge_log()
        run("umount", mountpoint)
        assert mounted_at(str(mountpoint)) is None


def test_reader_in_a_buffered_read_dies_at_once_when_killed(store: Path, mountpoint: Path) -> None:
    with scripted(store, mountpoint, timeout=NEVER) as mount:
        mount.inject(hang="get", keys="rows/c/*")
        with reader(mount.path / "bin/rows.bin") as process:
            mount.wait_until_hanging()
            process.kill()
            assert end_of(process) == (b"", -signal.SIGKILL)
        mount.heal()


def test_unmounted_daemon_ends_though_requests_still_hang(store: Path, mountpoint: Path) -> None:
    """Its reader was killed, so nobody waits for the answer that will not come for long."""
    with scripted(store, mountpoint, timeout=NEVER) as mount:
        mount.inject(hang="get", keys="rows/c/*")
        with reader(mount.path / "bin/rows.bin") as process:
            mount.wait_until_hanging()
            process.kill()
        mount.judge_log()
        run("umount", mountpoint)
        assert mount.process.wait(DEADLINE) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_a_mount_with_requests_under_way(
    store: Path, mountpoint: Path, number: signal.Signals
) -> None:
    with scripted(store, mountpoint, timeout=NEVER) as mount:
        mount.inject(hang="get", keys="rows/c/*")
        with reader(mount.path / "bin/rows.bin", direct=True) as process:
            mount.wait_until_hanging()
            os.kill(mount.pid, number)
            assert mount.process.wait(DEADLINE) == 0
            out, status = end_of(process)
        assert out == b""
        assert status in {errno.ENOTCONN, errno.ECONNABORTED, errno.EIO}
        assert mounted_at(str(mountpoint)) is None


def test_signal_lets_requests_under_way_end(store: Path, mountpoint: Path) -> None:
    with scripted(store, mountpoint, timeout=NEVER) as mount:
        mount.inject(hang="get", keys="rows/c/*")
        with reader(mount.path / "bin/rows.bin", direct=True) as process:
            mount.wait_until_hanging()
            os.kill(mount.pid, signal.SIGTERM)
            mount.heal()
            assert end_of(process) == (BYTES[:1000], 0)
        assert mount.process.wait(DEADLINE) == 0


def test_request_that_was_taken_back_stops_nothing(store: Path, mountpoint: Path) -> None:
    """Else the daemon would wait for the next one, deaf to all else."""
    with scripted(store, mountpoint, attr_timeout=0) as mount:

        def is_stolen() -> bool:
            """Make one request, which the thief answers, if the mount is not faster."""
            mount.tell("steal")
            try:
                (mount.path / "zarr/none").stat()
            except OSError as error:
                return error.errno == errno.EIO
            return False

        wait_until(is_stolen)
        # No request of ours wakes it up; it answers by another way.
        assert mount.tell("heal") == "done"
        assert (mount.path / "bin/rows.bin").read_bytes() == BYTES


def test_lazily_unmounted_file_is_served_to_its_end(store: Path, mountpoint: Path) -> None:
    with scripted(store, mountpoint) as mount:
        opened = os.open(mount.path / "bin/rows.bin", os.O_RDONLY)
        mount.judge_log()
        detach(str(mountpoint))
        wait_until(lambda: mounted_at(str(mountpoint)) is None)
        assert os.pread(opened, len(BYTES), 0) == BYTES
        assert mount.process.poll() is None
        os.close(opened)
        assert mount.process.wait(DEADLINE) == 0
