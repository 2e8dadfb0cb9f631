"""Whose temporary files are removed, and that racing writers keep the folder."""

from __future__ import annotations

import os
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from zarrfs.stores.temporary_files import TemporaryFolder

BOOT_ID = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
HOST = socket.gethostname()


def ended_pid() -> int:
    with subprocess.Popen(["true"]) as process:
        return process.pid


def folder_of(directory: Path) -> TemporaryFolder:
    return TemporaryFolder(os.fsencode(directory))


def leftovers(directory: Path, *names: str) -> set[str]:
    """Names that survive a write, of files that were there before it."""
    folder = directory / ".zarrfs-tmp"
    folder.mkdir()
    for name in names:
        (folder / name).touch()
    temporary = folder_of(directory)
    with temporary.file(b""):
        pass
    temporary.close()
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


def test_file_holds_the_data_and_is_named_by_its_owner(tmp_path: Path) -> None:
    with folder_of(tmp_path).file(b"value") as path:
        file = Path(os.fsdecode(path))
        assert file.read_bytes() == b"value"
        assert file.parent == tmp_path / ".zarrfs-tmp"
        assert file.name.startswith(f"{HOST}~{BOOT_ID}~{os.getpid()}~")
    assert list(tmp_path.iterdir()) == []


def test_file_gets_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    with folder_of(tmp_path).file(b"") as path:
        assert os.stat(path).st_mode == (tmp_path / "plain").stat().st_mode  # noqa: PTH116 bytes


def test_failure_of_the_caller_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), folder_of(tmp_path).file(b""):
        _ = 1 / 0
    assert list(tmp_path.iterdir()) == []


def test_files_of_dead_processes_of_this_host_are_removed(tmp_path: Path) -> None:
    dead, rebooted = f"{HOST}~{BOOT_ID}~{ended_pid()}~0", f"{HOST}~other-boot~{os.getpid()}~0"
    assert leftovers(tmp_path, dead, rebooted) == set()
    assert list(tmp_path.iterdir()) == []


def test_files_of_living_and_of_foreign_owners_stay(tmp_path: Path) -> None:
    names = {
        f"{HOST}~{BOOT_ID}~{os.getpid()}~x",
        f"{HOST}~{BOOT_ID}~1~0",
        f"elsewhere~{BOOT_ID}~{ended_pid()}~0",
        f"{HOST}~{BOOT_ID}~{10**30}~0",
        f"{HOST}~{BOOT_ID}~pid~0",
        "something else",
    }
    assert leftovers(tmp_path, *names) == names


def test_dead_files_that_cannot_be_removed_do_no_harm(tmp_path: Path) -> None:
    name = f"{HOST}~other-boot~1~0"
    (tmp_path / ".zarrfs-tmp" / name).mkdir(parents=True)
    with folder_of(tmp_path).file(b"") as path:
        assert Path(os.fsdecode(path)).exists()
    assert (tmp_path / ".zarrfs-tmp" / name).is_dir()


def test_many_writers_do_not_take_the_folder_from_each_other(tmp_path: Path) -> None:
    def write(turn: int) -> None:
        temporary = folder_of(tmp_path)
        for _ in range(50):
            with temporary.file(b"%d" % turn) as path:
                assert Path(os.fsdecode(path)).read_bytes() == b"%d" % turn
            temporary.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    assert list(tmp_path.iterdir()) == []


def test_file_in_place_of_the_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / ".zarrfs-tmp").touch()
    with pytest.raises(NotADirectoryError), folder_of(tmp_path).file(b""):
        pass


def test_folder_goes_with_its_owner(tmp_path: Path) -> None:
    temporary = folder_of(tmp_path)
    with temporary.file(b""):
        pass
    assert (tmp_path / ".zarrfs-tmp").exists()
    del temporary
    assert list(tmp_path.iterdir()) == []


def test_folder_removed_by_another_is_made_again(tmp_path: Path) -> None:
    temporary = folder_of(tmp_path)
    for _ in range(2):
        with temporary.file(b"value") as path:
            assert Path(os.fsdecode(path)).read_bytes() == b"value"
        (tmp_path / ".zarrfs-tmp").rmdir()
