"""Who uses a mount."""

from __future__ import annotations

import mmap
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from zarrfs.errors import MountError
from zarrfs.mounts.detaching import User, detach, find_users

if TYPE_CHECKING:
    from pathlib import Path


def test_open_file_is_a_use(tmp_path: Path) -> None:
    path = tmp_path / "open"
    with path.open("w"):
        assert [(user.pid, user.what) for user in find_users(str(tmp_path))] == [
            (os.getpid(), str(path))
        ]
    assert find_users(str(tmp_path)) == []


def test_mapping_is_a_use_after_its_file_was_closed(tmp_path: Path) -> None:
    path = tmp_path / "mapped file"
    path.write_bytes(b"x" * mmap.PAGESIZE)
    with path.open("rb") as file:
        mapping = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
    assert [user.what for user in find_users(str(tmp_path))] == [str(path)]
    mapping.close()


def test_working_directory_of_others_is_a_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with subprocess.Popen(["sleep", "100"]) as sleeper:
        assert find_users(str(tmp_path)) == [
            User(pid=sleeper.pid, name="sleep", what=str(tmp_path))
        ]
        sleeper.kill()


def test_neighbours_are_no_users(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with (tmp_path / "ab").open("w"):
        assert find_users(str(tmp_path / "a")) == []


def test_detach_of_what_is_not_mounted_does_nothing(tmp_path: Path) -> None:
    detach(str(tmp_path))


def test_detach_without_its_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MountError, match="cannot unmount"):
        detach(str(tmp_path))
