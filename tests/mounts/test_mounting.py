"""Mounting and unmounting through the program, with real processes and mounts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.mounts.conftest import DATA
from tests.waiting import wait_until
from zarrfs.mounts.liveness import start_time
from zarrfs.mounts.mountinfo import mounted_at, read_mounts
from zarrfs.mounts.state import find_daemon

if TYPE_CHECKING:
    from tests.mounts.conftest import Program

pytestmark = pytest.mark.mounted


def listed(zarrfs: Program, mountpoint: Path) -> dict[str, Any] | None:
    """The line of ``zarrfs list`` about a mount point."""
    mounts = json.loads(zarrfs("list", "--json").stdout)
    return next((mount for mount in mounts if mount["mountpoint"] == str(mountpoint)), None)


def daemon_pid(mountpoint: Path) -> int:
    found = find_daemon(str(mountpoint))
    assert found is not None
    return found[1].pid


def test_mount_answers_when_the_command_returns(zarrfs: Program, mounted: Path) -> None:
    names = {path.name for path in mounted.iterdir()}
    assert {"README.txt", "bin", "npy", "zarr"} <= names
    mount = listed(zarrfs, mounted)
    assert mount is not None
    assert mount == {
        "store": str(DATA),
        "mountpoint": str(mounted),
        "pid": daemon_pid(mounted),
        "since": mount["since"],
        "mode": "ro",
        "state": "healthy",
    }


def test_unmount_leaves_nothing(zarrfs: Program, mounted: Path) -> None:
    pid = daemon_pid(mounted)
    folder = find_daemon(str(mounted))
    done = zarrfs("umount", mounted)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert mounted_at(str(mounted)) is None
    assert start_time(pid) is None
    assert folder is not None
    assert not folder[0].path.exists()
    assert list(mounted.iterdir()) == []


def test_read_only_mount_that_was_not_asked_for_is_told(zarrfs: Program, mountpoint: Path) -> None:
    done = zarrfs("mount", DATA, mountpoint)
    assert done.returncode == 0
    assert done.stderr == f"zarrfs: {DATA} is mounted read-only at {mountpoint}\n"


def test_store_without_nodes_mounts_and_says_so(
    zarrfs: Program, mountpoint: Path, tmp_path: Path
) -> None:
    store = tmp_path / "empty"
    (store / "folder").mkdir(parents=True)
    done = zarrfs("mount", store, mountpoint, "-o", "ro")
    assert done.returncode == 0
    expected = f"zarrfs: there is no Zarr array or group in {store}: only zarr/ shows it\n"
    assert done.stderr == expected
    assert list((mountpoint / "bin").iterdir()) == []
    assert [entry.name for entry in (mountpoint / "zarr").iterdir()] == ["folder"]


def test_kernel_shows_source_type_and_mode(mounted: Path) -> None:
    entry = mounted_at(str(mounted))
    assert entry is not None
    assert entry.source == str(DATA)
    assert entry.is_zarrfs
    assert {"ro", "nosuid", "nodev"} <= entry.options


def test_options_of_the_kernel_are_passed_on(zarrfs: Program, mountpoint: Path) -> None:
    options = "ro,allow_other,noexec,fsname=a\\,b é"
    done = zarrfs("mount", DATA, mountpoint, "-o", options.replace("\\,b", '",b"'))
    assert done.returncode == 0, done.stderr
    entry = mounted_at(str(mountpoint))
    assert entry is not None
    assert {"allow_other", "default_permissions", "noexec"} <= entry.options
    assert entry.source == 'a",b" %C3%A9'


def test_daemon_takes_no_configuration_from_its_arguments(mounted: Path) -> None:
    """Arguments show in ps; the store's URL may hold credentials."""
    arguments = Path(f"/proc/{daemon_pid(mounted)}/cmdline").read_text().split("\0")
    assert arguments[1:-1] == ["-P", "-m", "zarrfs.mounts.daemon", str(mounted)]


def test_daemon_holds_neither_our_folder_nor_our_streams(
    zarrfs: Program, mountpoint: Path, tmp_path: Path
) -> None:
    # With a pipe held open, `zarrfs mount … | cat` would never end: zarrfs() reads to its end.
    done = subprocess.run(
        [sys.executable, "-m", "zarrfs", "mount", DATA, mountpoint],
        cwd=tmp_path,
        capture_output=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert done.returncode == 0
    process = Path(f"/proc/{daemon_pid(mountpoint)}")
    assert (process / "cwd").readlink() == Path("/")
    assert os.getsid(daemon_pid(mountpoint)) != os.getsid(0)


def test_relative_store_and_mount_point(
    zarrfs: Program, mountpoint: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "data.zarr.zip").symlink_to(DATA)
    monkeypatch.chdir(tmp_path / "here")
    assert zarrfs("mount", "data.zarr.zip", "../mnt").returncode == 0
    assert (mountpoint / "README.txt").exists()


@pytest.mark.parametrize(
    ("store", "options", "code", "message"),
    [
        ("/no/such/store.zarr", "ro", 32, "there is no such directory"),
        (__file__, "ro", 32, __file__),
        ("nosuch://x", "ro", 2, "nosuch"),
        (str(DATA), "colour=red", 2, "colour"),
        (str(DATA), "layout=round", 2, "round"),
        (str(DATA), "views=bin:round", 2, "round"),
        (str(DATA), "memory=none", 2, "memory"),
        (str(DATA), "max_read=4096", 2, "max_read"),
    ],
)
def test_failure_is_one_clear_line(
    zarrfs: Program, mountpoint: Path, store: str, options: str, code: int, message: str
) -> None:
    done = zarrfs("mount", store, mountpoint, "-o", options)
    assert done.returncode == code
    assert message in done.stderr
    assert done.stderr.startswith("zarrfs: ")
    assert done.stderr.count("\n") == 1
    assert mounted_at(str(mountpoint)) is None
    assert find_daemon(str(mountpoint)) is None


def test_debug_shows_where_the_daemon_failed(zarrfs: Program, mountpoint: Path) -> None:
    done = zarrfs("--debug", "mount", "/no/such/store.zarr", mountpoint)
    assert "In the daemon:" in done.stderr
    assert "StoreNotFoundError" in done.stderr


def test_missing_mount_point(zarrfs: Program, mountpoint: Path) -> None:
    done = zarrfs("mount", DATA, mountpoint / "none")
    assert done.returncode == 32
    assert f"mkdir -p {mountpoint}/none" in done.stderr


def test_mount_point_that_is_a_file(zarrfs: Program, mountpoint: Path) -> None:
    (mountpoint / "file").touch()
    done = zarrfs("mount", DATA, mountpoint / "file")
    assert done.returncode == 32
    assert "is not a directory" in done.stderr


def test_mount_point_that_is_not_empty(zarrfs: Program, mountpoint: Path) -> None:
    (mountpoint / "file").touch()
    done = zarrfs("mount", DATA, mountpoint)
    assert done.returncode == 32
    assert "is not empty" in done.stderr
    assert list(mountpoint.iterdir()) == [mountpoint / "file"]


def test_mount_point_inside_the_store(zarrfs: Program, mountpoint: Path) -> None:
    done = zarrfs("mount", mountpoint.parent, mountpoint)
    assert done.returncode == 32
    assert "lie one in the other" in done.stderr
    assert mounted_at(str(mountpoint)) is None


def test_second_mount_on_a_mount_point_is_refused(zarrfs: Program, mounted: Path) -> None:
    done = zarrfs("mount", DATA, mounted)
    assert done.returncode == 32
    assert "already mounted" in done.stderr
    assert [entry.mountpoint for entry in read_mounts()].count(str(mounted)) == 1


def test_of_two_mounts_at_a_time_one_is_refused(zarrfs: Program, mountpoint: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda _: zarrfs("mount", DATA, mountpoint, "-o", "ro"), range(2)))
    assert sorted(result.returncode for result in done) == [0, 32]
    assert [entry.mountpoint for entry in read_mounts()].count(str(mountpoint)) == 1


def test_killed_daemon_is_found_and_cleared_by_the_next_mount(
    zarrfs: Program, mounted: Path
) -> None:
    pid = daemon_pid(mounted)
    os.kill(pid, signal.SIGKILL)
    mount = listed(zarrfs, mounted)
    assert mount is not None
    assert (mount["state"], mount["pid"], mount["store"]) == ("dead", pid, str(DATA))
    done = zarrfs("mount", DATA, mounted, "-o", "ro")
    assert (done.returncode, done.stderr) == (0, "")
    assert [entry.mountpoint for entry in read_mounts()].count(str(mounted)) == 1
    mount = listed(zarrfs, mounted)
    assert mount is not None
    assert mount["state"] == "healthy"


def test_killed_daemon_is_unmounted(zarrfs: Program, mounted: Path) -> None:
    os.kill(daemon_pid(mounted), signal.SIGKILL)
    done = zarrfs("umount", mounted)
    assert (done.returncode, done.stderr) == (0, "")
    assert listed(zarrfs, mounted) is None


def test_unmount_of_a_plain_folder(zarrfs: Program, mountpoint: Path) -> None:
    done = zarrfs("umount", mountpoint)
    assert done.returncode == 32
    assert "is not a mount point, not a mount of zarrfs" in done.stderr


def test_unmount_of_another_file_system(zarrfs: Program) -> None:
    done = zarrfs("umount", "/proc")
    assert done.returncode == 32
    assert "type proc" in done.stderr


def test_busy_mount_stays_and_its_users_are_listed(zarrfs: Program, mounted: Path) -> None:
    with (mounted / "README.txt").open():
        done = zarrfs("umount", mounted)
        assert done.returncode == 32
        assert f"({os.getpid()}): {mounted}/README.txt" in done.stderr
        assert (mounted / "bin").is_dir()
    assert zarrfs("umount", mounted).returncode == 0


def test_working_directory_keeps_a_mount_busy(zarrfs: Program, mounted: Path) -> None:
    with subprocess.Popen(["sleep", "100"], cwd=mounted / "bin") as sleeper:
        done = zarrfs("umount", mounted)
        sleeper.kill()
    assert done.returncode == 32
    assert f"sleep ({sleeper.pid}): {mounted}/bin" in done.stderr


def test_unmount_from_inside_is_busy_too(zarrfs: Program, mounted: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "zarrfs", "umount", mounted],
        cwd=mounted,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert done.returncode == 32
    assert "is in use" in done.stderr


def test_lazy_unmount_serves_open_files_to_their_end(zarrfs: Program, mounted: Path) -> None:
    pid = daemon_pid(mounted)
    with subprocess.Popen(
        [sys.executable, "-m", "zarrfs", "umount", "--lazy", mounted], stderr=subprocess.PIPE
    ) as umount:
        with (mounted / "README.txt").open("rb") as file:
            wait_until(lambda: mounted_at(str(mounted)) is None)
            assert b"zarr" in file.read()
            assert umount.poll() is None
        assert umount.wait(20) == 0
    assert start_time(pid) is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signal_ends_a_mount_in_order(
    zarrfs: Program, mounted: Path, number: signal.Signals
) -> None:
    pid = daemon_pid(mounted)
    os.kill(pid, number)
    wait_until(lambda: start_time(pid) is None)
    assert mounted_at(str(mounted)) is None
    assert listed(zarrfs, mounted) is None


def test_hanging_mount_is_busy_and_is_cut_off(zarrfs: Program, mounted: Path) -> None:
    pid = daemon_pid(mounted)
    os.kill(pid, signal.SIGSTOP)
    try:
        mount = listed(zarrfs, mounted)
        assert mount is not None
        assert mount["state"] == "busy"
        refused = zarrfs("mount", DATA, mounted)
        assert refused.returncode == 32
        assert "already mounted" in refused.stderr
        done = zarrfs("umount", mounted, "--timeout", "0.1")
        assert done.returncode == 32
        assert f"its daemon (pid {pid}) still runs" in done.stderr
        assert mounted_at(str(mounted)) is None
    finally:
        os.kill(pid, signal.SIGCONT)


def test_mount_unmounted_by_others_ends_its_daemon(zarrfs: Program, mounted: Path) -> None:
    pid = daemon_pid(mounted)
    command = ["umount"] if os.geteuid() == 0 else ["fusermount3", "-u"]
    subprocess.run([*command, mounted], check=True)
    wait_until(lambda: start_time(pid) is None)
    assert listed(zarrfs, mounted) is None


def test_stats_tell_what_was_read(zarrfs: Program, mounted: Path) -> None:
    (mounted / "README.txt").read_bytes()
    stats = json.loads(zarrfs("stats", mounted, "--json").stdout)
    assert stats["requests"]["read"] >= 1
    assert "requests.read" in zarrfs("stats", mounted).stdout


def test_refresh_is_answered(zarrfs: Program, mounted: Path) -> None:
    for arguments in ([mounted], [mounted, "bin"]):
        done = zarrfs("refresh", *arguments)
        assert (done.returncode, done.stderr) == (0, "")


def test_commands_to_what_is_no_mount(zarrfs: Program, mountpoint: Path) -> None:
    for command in ("stats", "refresh"):
        done = zarrfs(command, mountpoint)
        assert done.returncode == 1
        assert "zarrfs list" in done.stderr


def test_log_is_in_the_mount(mounted: Path) -> None:
    log = (mounted / ".zarrfs" / "log").read_text()
    assert f"{DATA} is mounted at {mounted}, ro" in log


def test_usr1_writes_the_stacks(mounted: Path) -> None:
    found = find_daemon(str(mounted))
    assert found is not None
    stacks = found[0].path / "stacks"
    os.kill(found[1].pid, signal.SIGUSR1)
    wait_until(lambda: "serve_in_background" in stacks.read_text())
