"""Small chunks, which processes of the mount decode: they end with it, whichever way that is."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import zarrfs
from tests.mounted.conftest import GROUP
from tests.mounted.mounting import mounted
from tests.plain_arrays import sample, write_array
from tests.waiting import wait_until
from zarrfs.mounts.control import ask_mount
from zarrfs.mounts.mountinfo import mounted_at

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.mounted.mounting import Mounted

DATA = sample(1024, 1024)
N_CHUNKS = 32 * 16


@pytest.fixture(scope="module")
def small_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the array ``small``, in many chunks."""
    folder = tmp_path_factory.mktemp("small").resolve() / "store.zarr"
    folder.mkdir()
    (folder / "zarr.json").write_bytes(GROUP)
    write_array(folder / "small", DATA, (32, 64))
    return folder


def children(pid: int) -> dict[int, int]:
    """Processes that a process has started, and the ticks of CPU time that each has used."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has ended since
            if int(fields[1]) == pid:
                found[int(entry.name)] = int(fields[11]) + int(fields[12])
    return found


def read_anew(mount: Mounted) -> bytes:
    """Read the file; nothing of it is kept by then."""
    file = mount.path / "bin/small.bin"
    ask_mount(str(mount.path), "refresh")
    with file.open("rb") as opened:
        os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        return opened.read()


def processes_at_work(mount: Mounted) -> set[int]:
    """Read until processes have decoded something, and return their numbers."""

    def is_done() -> bool:
        before = children(mount.pid)
        assert read_anew(mount) == DATA.tobytes()
        return any(children(mount.pid).get(pid, 0) > ticks for pid, ticks in before.items())

    wait_until(is_done)
    return set(children(mount.pid))


def all_gone(pids: set[int]) -> bool:
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_each_chunk_is_decoded_once_whoever_does_it(small_store: Path, mountpoint: Path) -> None:
    with mounted(small_store, mountpoint, ro=True) as mount:
        processes_at_work(mount)
        before = mount.stats()["chunks_decoded"]
        assert read_anew(mount) == DATA.tobytes()
        assert N_CHUNKS <= mount.stats()["chunks_decoded"] - before <= 1.1 * N_CHUNKS


def unmount(mount: Mounted) -> None:
    zarrfs.unmount(mount.path)


def kill(mount: Mounted) -> None:
    os.kill(mount.pid, signal.SIGKILL)


@pytest.mark.parametrize("end", [unmount, kill])
def test_they_end_with_the_mount(
    small_store: Path, mountpoint: Path, end: Callable[[Mounted], None]
) -> None:
    with mounted(small_store, mountpoint, ro=True) as mount:
        pids = processes_at_work(mount)
        end(mount)
        wait_until(lambda: all_gone(pids))
        if mounted_at(str(mountpoint)):
            zarrfs.unmount(mount.path)


def test_killed_ones_are_replaced_and_nobody_sees_it(small_store: Path, mountpoint: Path) -> None:
    with mounted(small_store, mountpoint, ro=True) as mount:
        mount.expect_log("a decode process (has )?ended")
        pids = processes_at_work(mount)
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        assert read_anew(mount) == DATA.tobytes()
        assert not pids & processes_at_work(mount)
