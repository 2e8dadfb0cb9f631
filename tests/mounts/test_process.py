"""Mounting from Python, in the foreground, and what happens when a start goes wrong."""

from __future__ import annotations

import contextlib
import itertools
import os
import selectors
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.mounts.conftest import DATA
from tests.waiting import DEADLINE, wait_until
from zarrfs.errors import MountBusyError, MountError, UsageError
from zarrfs.mounts import process
from zarrfs.mounts.config import MountConfig, MountOptions
from zarrfs.mounts.liveness import start_time
from zarrfs.mounts.mountinfo import mounted_at
from zarrfs.mounts.process import mount, start
from zarrfs.mounts.state import find_daemon, list_mounts
from zarrfs.mounts.unmount import unmount

pytestmark = pytest.mark.mounted


def test_with_block_mounts_and_unmounts(mountpoint: Path) -> None:
    with mount(DATA, mountpoint, views=["bin", "npy"], keep_cache=False) as mounted:
        assert mounted.path == mountpoint
        values = np.load(next(mounted.path.glob("npy/*/tas.npy")))
        assert values.shape == (12, 33, 81)
        assert mounted.info in list_mounts()
        assert {path.name for path in mountpoint.iterdir()} >= {"bin", "npy"}
        assert "zarr" not in {path.name for path in mountpoint.iterdir()}
    assert mounted_at(str(mountpoint)) is None
    assert repr(mounted) == f"<Mount of {DATA} at {mountpoint}>"


def test_mapping_outlives_its_with_block(mountpoint: Path) -> None:
    with mount(DATA, mountpoint) as mounted:
        file = next(mounted.path.glob("bin/*/tas.bin"))
        values = np.memmap(file, dtype="<f4", mode="r", shape=(12, 33, 81))
    assert mounted_at(str(mountpoint)) is None
    assert np.isfinite(values).any()
    pid = mounted.info.pid
    assert pid is not None
    assert start_time(pid) is not None
    del values
    wait_until(lambda: start_time(pid) is None)


def test_unmount_inside_the_block(mountpoint: Path) -> None:
    with mount(DATA, mountpoint) as mounted:
        mounted.unmount()
        assert mounted_at(str(mountpoint)) is None


def test_unmount_of_a_busy_mount_is_an_error(mountpoint: Path) -> None:
    with mount(DATA, mountpoint) as mounted:
        with (mountpoint / "README.txt").open(), pytest.raises(MountBusyError, match="in use by"):
            mounted.unmount()
        assert unmount(mountpoint)


def test_daemon_is_no_child_that_must_be_waited_for(mountpoint: Path) -> None:
    with mount(DATA, mountpoint) as mounted:
        pid = mounted.info.pid
        assert pid is not None
        with pytest.raises(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


def test_options_of_the_mount_and_of_the_store_are_kept_apart(mountpoint: Path) -> None:
    url = f"fault+{DATA}"
    with mount(url, mountpoint, latency="1ms") as mounted:
        assert mounted.info.store.startswith("fault+")
    with pytest.raises(UsageError, match="unknown option 'memory'"):
        mount(url, mountpoint, storage_options={"memory": "1G"})


@pytest.mark.parametrize(
    ("store", "options", "error", "message"),
    [
        ("/no/such/store", {}, MountError, "no such directory"),
        (DATA, {"memory": "none"}, UsageError, "memory"),
        (DATA, {"colour": "red"}, UsageError, "colour"),
        ("nosuch://x", {}, UsageError, "nosuch"),
    ],
)
def test_failure_is_an_error(
    mountpoint: Path, store: str, options: dict[str, str], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        mount(store, mountpoint, storage_options=None, **options)
    assert mounted_at(str(mountpoint)) is None


def config(mountpoint: Path, store: str = str(DATA)) -> MountConfig:
    return MountConfig(store=store, mountpoint=str(mountpoint), options=MountOptions())


@pytest.mark.parametrize("seconds", [0.01, 1.0])
def test_daemon_that_is_not_ready_in_time_is_ended(
    mountpoint: Path, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    """Before it could say its pid, or when all but its message has come."""
    monkeypatch.setattr(process, "START_SECONDS", seconds)
    parse = process._parse_messages

    def parse_all_but_ready(output: bytearray) -> dict[str, object]:
        return {key: value for key, value in parse(output).items() if key != "ready"}

    monkeypatch.setattr(process, "_parse_messages", parse_all_but_ready)
    with pytest.raises(MountError, match="no answer within"):
        start(config(mountpoint))
    assert mounted_at(str(mountpoint)) is None
    assert find_daemon(str(mountpoint)) is None


def test_daemon_that_does_not_end_either_is_killed(
    mountpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "TERMINATE_SECONDS", 0.1)

    monkeypatch.setattr(process, "START_SECONDS", 1.0)
    parse = process._parse_messages

    def stop_when_ready(output: bytearray) -> dict[str, object]:
        messages = parse(output)
        if messages.pop("ready", None):
            os.kill(messages["pid"], signal.SIGSTOP)
        return messages

    monkeypatch.setattr(process, "_parse_messages", stop_when_ready)
    with pytest.raises(MountError, match="no answer within"):
        start(config(mountpoint))
    assert mounted_at(str(mountpoint)) is None
    assert find_daemon(str(mountpoint)) is None


@pytest.mark.parametrize("n_answers", [0, 1, 2])
def test_starter_that_is_interrupted_leaves_nothing(
    mountpoint: Path, monkeypatch: pytest.MonkeyPatch, n_answers: int
) -> None:
    """At once, after the daemon has said its pid, and after it is ready."""
    select = selectors.DefaultSelector.select
    calls = itertools.count()

    def interrupted(self: selectors.DefaultSelector, timeout: float | None = None) -> object:
        if next(calls) == n_answers:
            if n_answers == 2:
                wait_until(lambda: find_daemon(str(mountpoint)))
            raise KeyboardInterrupt
        return select(self, timeout)

    monkeypatch.setattr(selectors.DefaultSelector, "select", interrupted)
    with pytest.raises(KeyboardInterrupt):
        start(config(mountpoint))
    wait_until(lambda: daemons_of(mountpoint) == [])
    assert mounted_at(str(mountpoint)) is None
    assert find_daemon(str(mountpoint)) is None


def daemons_of(mountpoint: Path) -> list[str]:
    """Processes that serve a mount point or are about to."""
    arguments = f"zarrfs.mounts.daemon\0{mountpoint}\0".encode()
    found = []
    for process_folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if (process_folder / "cmdline").read_bytes().endswith(arguments):
                found.append(process_folder.name)
    return found


def test_daemon_that_dies_tells_its_last_words(
    mountpoint: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "zarrfs").mkdir()
    (tmp_path / "zarrfs" / "__init__.py").write_text("raise SystemExit('broken installation')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(MountError, match="broken installation"):
        start(config(mountpoint))


def test_package_in_the_working_directory_is_not_run(
    mountpoint: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "zarrfs").mkdir()
    (tmp_path / "zarrfs" / "__init__.py").write_text("raise SystemExit('from here')")
    monkeypatch.chdir(tmp_path)
    with mount(DATA, mountpoint) as mounted:
        assert mounted.info.state == "healthy"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_foreground_tells_systemd_and_ends_in_order(
    mountpoint: Path, tmp_path: Path, number: signal.Signals
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.settimeout(DEADLINE)
        manager.bind(str(tmp_path / "notify"))
        with subprocess.Popen(
            [sys.executable, "-m", "zarrfs", "mount", "--foreground", DATA, mountpoint],
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")},
        ) as service:
            assert manager.recv(100) == b"READY=1"
            assert (mountpoint / "README.txt").exists()
            assert [m.pid for m in list_mounts() if m.mountpoint == str(mountpoint)] == [
                service.pid
            ]
            service.send_signal(number)
            assert manager.recv(100) == b"STOPPING=1"
            assert service.wait(DEADLINE) == 0
            assert service.stderr
            assert f"is mounted at {mountpoint}" in service.stderr.read()
    assert mounted_at(str(mountpoint)) is None
    assert find_daemon(str(mountpoint)) is None


def test_foreground_fails_like_the_background(mountpoint: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "zarrfs", "mount", "--foreground", "/no/such/store", mountpoint],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 32
    assert done.stderr.splitlines()[-1].startswith("zarrfs: cannot open the store")


def test_named_mount(mountpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from zarrfs.cli.main import run
    from zarrfs.mounts import named

    file = tmp_path / "config.toml"
    file.write_text(f'[mounts.demo]\nstore="{DATA}"\nmountpoint="{mountpoint}"\noptions="ro"')
    monkeypatch.setattr(named, "config_file", lambda: file)
    assert run("zarrfs", ["mount", "demo", "-o", "views=bin"]) == 0
    assert (mountpoint / "bin").is_dir()
    assert run("zarrfs", ["mount", "other"]) == 2
