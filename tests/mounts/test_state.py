"""Records of mounts, and the runtime folder."""

from __future__ import annotations

import os
import subprocess
import tempfile
from typing import TYPE_CHECKING

import pytest

from zarrfs.errors import MountError
from zarrfs.mounts import state
from zarrfs.mounts.liveness import start_time
from zarrfs.mounts.state import (
    Record,
    find_daemon,
    list_mounts,
    make_mount_folder,
    runtime_folder,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A runtime folder of this test alone."""
    monkeypatch.setattr(state, "runtime_folder", lambda: tmp_path)
    return tmp_path


def record(mountpoint: str, *, pid: int | None = None, started: int | None = None) -> Record:
    pid = os.getpid() if pid is None else pid
    return Record(
        store="/data/x.zarr",
        mountpoint=mountpoint,
        pid=pid,
        started=(start_time(pid) or 0) if started is None else started,
        since="2026-01-01T00:00:00+00:00",
    )


@pytest.mark.usefixtures("runtime")
def test_record_survives_its_file() -> None:
    folder = make_mount_folder("/mnt/x y")
    assert folder.read_record() is None
    written = record("/mnt/x y\udcff\n")
    folder.write_record(written)
    assert folder.read_record() == written
    assert [path.name for path in folder.path.iterdir()] == ["record.json"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}', '{"unknown": 1}'])
@pytest.mark.usefixtures("runtime")
def test_damaged_record_is_none(text: str) -> None:
    folder = make_mount_folder("/mnt")
    folder.record.write_text(text)
    assert folder.read_record() is None
    assert find_daemon("/mnt") is None


@pytest.mark.usefixtures("runtime")
def test_folder_is_ours_alone() -> None:
    folder = make_mount_folder("/mnt/" + "x" * 300)
    assert folder.path.stat().st_mode & 0o777 == 0o700
    folder.remove()
    assert not folder.path.exists()


@pytest.mark.usefixtures("runtime")
def test_daemon_is_found_by_mount_point() -> None:
    folder = make_mount_folder("/mnt/a")
    folder.write_record(record("/mnt/a"))
    assert find_daemon("/mnt/a") == (folder, record("/mnt/a"))
    assert find_daemon("/mnt/b") is None


@pytest.mark.usefixtures("runtime")
def test_pid_used_again_is_no_daemon() -> None:
    folder = make_mount_folder("/mnt/a")
    folder.write_record(record("/mnt/a", started=1))
    assert find_daemon("/mnt/a") is None


def test_newest_of_two_daemons_is_found(runtime: Path) -> None:
    with subprocess.Popen(["sleep", "100"]) as newer:
        for pid in (newer.pid, os.getpid()):
            folder = state.MountFolder(path=runtime / f"mnt-{pid}")
            folder.path.mkdir()
            folder.write_record(record("/mnt", pid=pid))
        found = find_daemon("/mnt")
        newer.kill()
    assert found is not None
    assert found[1].pid == newer.pid


def test_list_removes_what_ended_without_a_mount(runtime: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    gone = state.MountFolder(path=runtime / f"gone-{ended.pid}")
    gone.path.mkdir()
    gone.write_record(record("/nowhere", pid=ended.pid, started=1))
    unrecorded = runtime / f"unrecorded-{ended.pid}"
    unrecorded.mkdir()
    running = make_mount_folder("/not/mounted/yet")
    running.write_record(record("/not/mounted/yet"))
    starting = runtime / f"starting-{os.getpid()}"
    starting.mkdir()
    mounts = list_mounts()
    assert {path.name for path in runtime.iterdir()} == {running.path.name, starting.name}
    assert "/not/mounted/yet" not in [mount.mountpoint for mount in mounts]


def as_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """Choose the runtime folder as a user who is not root."""
    monkeypatch.setattr(os, "access", lambda path, mode: False)


def test_runtime_folder_of_a_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    as_user(monkeypatch)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert runtime_folder() == tmp_path / "zarrfs"
    assert (tmp_path / "zarrfs").stat().st_mode & 0o777 == 0o700


def test_runtime_folder_without_a_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    as_user(monkeypatch)
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert runtime_folder() == tmp_path / f"zarrfs-{os.geteuid()}"


def test_runtime_folder_that_others_may_write_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_user(monkeypatch)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "zarrfs").mkdir()
    (tmp_path / "zarrfs").chmod(0o777)
    with pytest.raises(MountError, match="only you can write"):
        runtime_folder()


def test_runtime_folder_that_is_a_link_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_user(monkeypatch)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "zarrfs").symlink_to("elsewhere")
    with pytest.raises(MountError, match="only you can write"):
        runtime_folder()


def test_runtime_folder_that_cannot_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_user(monkeypatch)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "file"))
    with pytest.raises(MountError, match="set XDG_RUNTIME_DIR"):
        runtime_folder()


def test_root_has_one_runtime_folder_for_all_sessions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    is_root = os.geteuid() == 0 and os.access("/run", os.W_OK)
    assert str(runtime_folder()) == ("/run/zarrfs" if is_root else str(tmp_path / "zarrfs"))
