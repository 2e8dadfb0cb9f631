"""Mounts begin, end and die while files are open."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import zarrfs
from tests.mounted.conftest import ROWS
from tests.mounted.mounting import mounted, run
from tests.waiting import DEADLINE, wait_until
from zarrfs.mounts.liveness import start_time
from zarrfs.mounts.mountinfo import mounted_at

if TYPE_CHECKING:
    from pathlib import Path

BYTES = ROWS.tobytes()


def close(descriptor: int) -> None:
    """Close a file whose daemon is dead, which fails if it is the first ever closed there."""
    with contextlib.suppress(OSError):
        os.close(descriptor)


def test_mount_with_an_open_file_is_busy_and_goes_on(store: Path, mountpoint: Path) -> None:
    with mounted(store, mountpoint, ro=True) as mount:
        with (mount.path / "bin/rows.bin").open("rb") as file:
            assert file.read(100) == BYTES[:100]
            done = subprocess.run(
                ["fusermount3", "-u", mountpoint], capture_output=True, timeout=60, check=False
            )
            assert done.returncode != 0
            assert b"busy" in done.stderr
            assert file.read() == BYTES[100:]
        mount.judge_log()
        run("fusermount3", "-u", mountpoint)
        wait_until(lambda: start_time(mount.pid) is None)


def test_killed_daemon_leaves_errors_and_the_next_mount_is_right(
    store: Path, mountpoint: Path
) -> None:
    first = zarrfs.mount(store, mountpoint, ro=True)
    assert first.info.pid is not None
    opened = os.open(mountpoint / "bin/rows.bin", os.O_RDONLY)
    assert os.pread(opened, 8, 0) == BYTES[:8]
    os.kill(first.info.pid, signal.SIGKILL)
    wait_until(lambda: start_time(first.info.pid or 0) is None)
    with pytest.raises(OSError, match=r"bin/grid\.bin") as caught:
        (mountpoint / "bin/grid.bin").stat()
    assert caught.value.errno in {errno.ENOTCONN, errno.ECONNABORTED}
    close(opened)
    with mounted(store, mountpoint, ro=True) as mount:
        assert mount.pid != first.info.pid
        assert (mount.path / "bin/rows.bin").read_bytes() == BYTES
    assert mounted_at(str(mountpoint)) is None


def test_file_open_while_the_daemon_dies_stays_an_error(store: Path, mountpoint: Path) -> None:
    first = zarrfs.mount(store, mountpoint, ro=True)
    assert first.info.pid is not None
    opened = os.open(mountpoint / "bin/rows.bin", os.O_RDONLY | os.O_DIRECT)
    os.kill(first.info.pid, signal.SIGKILL)
    wait_until(lambda: start_time(first.info.pid or 0) is None)
    with mounted(store, mountpoint, ro=True) as mount:
        with pytest.raises(OSError, match=r"not connected|aborted"):
            os.pread(opened, 8, 0)
        close(opened)
        assert (mount.path / "bin/rows.bin").read_bytes() == BYTES


def test_mount_can_be_made_and_ended_many_times(store: Path, mountpoint: Path) -> None:
    for _ in range(5):
        with mounted(store, mountpoint, ro=True) as mount:
            assert (mount.path / "bin/rows.bin").stat().st_size == len(BYTES)
        wait_until(lambda: start_time(mount.pid) is None)


def test_daemon_without_a_reader_keeps_no_data(store: Path, mountpoint: Path) -> None:
    """Nothing is held by a file that was closed, beside what the budget keeps for later."""
    with mounted(store, mountpoint, ro=True, memory="16M") as mount:
        for _ in range(20):
            assert (mount.path / "bin/rows.bin").read_bytes() == BYTES
        memory = mount.stats()["memory"]
        assert memory["used"] <= memory["limit"] == 16 * 2**20


def test_two_mounts_of_one_store(store: Path, mountpoint: Path, tmp_path: Path) -> None:
    with (
        mounted(store, mountpoint, ro=True) as first,
        mounted(store, tmp_path / "second", ro=True) as second,
    ):
        assert first.pid != second.pid
        for mount in (first, second):
            assert (mount.path / "bin/rows.bin").read_bytes() == BYTES


def test_foreground_mount_ends_with_a_signal(store: Path, mountpoint: Path) -> None:
    command = [sys.executable, "-m", "zarrfs", "mount", str(store), str(mountpoint), "--foreground"]
    with subprocess.Popen([*command, "-o", "ro"], stderr=subprocess.PIPE) as process:
        wait_until(lambda: mounted_at(str(mountpoint)) and (mountpoint / "bin").is_dir())
        assert (mountpoint / "bin/rows.bin").read_bytes() == BYTES
        process.send_signal(signal.SIGINT)
        assert process.wait(DEADLINE) == 0
    assert mounted_at(str(mountpoint)) is None
