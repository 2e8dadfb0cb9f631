"""Limits in a sysfs of the test's own; those of real mounts are in tests/mounted."""

from __future__ import annotations

import logging
import os
import subprocess
from pathlib import Path

import pytest

from zarrfs.fuse import kernel_tuning
from zarrfs.fuse.kernel_tuning import NO_SYSFS, READ_ONLY, KernelLimits, refusal, sudo_rule, tune

DEVICE = os.makedev(0, 45)
DEFAULTS = [128, 12, 9]
RAISED = [4096, 64, 48]


class System:
    """A sysfs with one mount."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.connections = root / "fs/fuse/connections"
        self.files = (
            root / "class/bdi/0:45/read_ahead_kb",
            self.connections / "45/max_background",
            self.connections / "45/congestion_threshold",
        )

    def write(self, values: list[int]) -> None:
        for file, value in zip(self.files, values, strict=True):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{value}\n")

    def values(self) -> list[int]:
        return [int(file.read_text()) for file in self.files]


@pytest.fixture
def system(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> System:
    caplog.set_level(logging.INFO)
    made = System(tmp_path / "sys")
    made.write(DEFAULTS)
    return made


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The only folder in which programs are found."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.fixture
def closed(system: System, monkeypatch: pytest.MonkeyPatch) -> System:
    """Its read-ahead may not be set but through a program; the connection is the user's own."""
    write_text = Path.write_text

    def refuse(self: Path, text: str) -> int:
        if self.name == "read_ahead_kb":
            raise PermissionError(13, "Permission denied", str(self))
        return write_text(self, text)

    monkeypatch.setattr(Path, "write_text", refuse)
    return system


def program(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


def test_limits_are_raised_and_told(system: System, caplog: pytest.LogCaptureFixture) -> None:
    limits = tune(DEVICE, system.root)
    assert limits == KernelLimits(read_ahead_kb=4096, max_background=64)
    assert system.values() == RAISED
    assert "0:45/read_ahead_kb: 4096, was 128" in caplog.text
    assert "45/max_background: 64, was 12" in caplog.text
    assert "45/congestion_threshold: 48, was 9" in caplog.text


def test_higher_limits_stay(system: System) -> None:
    system.write([8192, 100, 75])
    assert tune(DEVICE, system.root) == KernelLimits(read_ahead_kb=8192, max_background=100)
    assert system.values() == [8192, 100, 75]


def test_other_mounts_keep_their_limits(system: System, programs: Path) -> None:
    limits = tune(os.makedev(0, 46), system.root)
    assert limits.known() == {}
    assert system.values() == DEFAULTS


def test_what_is_no_number_stays(system: System, caplog: pytest.LogCaptureFixture) -> None:
    system.files[0].write_text("far\n")
    assert tune(DEVICE, system.root) == KernelLimits(read_ahead_kb=None, max_background=64)
    assert "read_ahead_kb cannot be read: invalid literal" in caplog.text


def test_root_mounts_fusectl_once_where_it_is_missing(
    system: System,
    programs: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    kept = system.connections.rename(system.root / "kept")
    system.connections.mkdir()
    program(programs, "mount", f'echo "$*" >> {programs}/calls; /bin/cp -r {kept}/* "$4"')
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    for _ in range(2):
        assert tune(DEVICE, system.root).max_background == 64
    assert (programs / "calls").read_text() == f"-t fusectl none {system.connections}\n"
    assert f"fusectl at {system.connections}: mounted" in caplog.text


def test_fusectl_that_cannot_be_mounted_is_done_without(
    system: System,
    programs: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    system.connections.rename(system.root / "gone")
    program(programs, "mount", "echo mount: must be superuser >&2; exit 32")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert tune(DEVICE, system.root) == KernelLimits(read_ahead_kb=4096, max_background=None)
    assert "must be superuser" in caplog.text
    assert "max_background cannot be read: No such file" in caplog.text


def test_nothing_is_mounted_by_others_or_over_another_mount(
    system: System, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(programs, "mount", f"/bin/touch {programs}/called")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    tune(os.makedev(0, 46), system.root)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(Path, "is_mount", lambda self: self == system.connections)
    tune(os.makedev(0, 46), system.root)
    assert not (programs / "called").exists()


def test_who_may_not_and_has_no_sudo_keeps_the_read_ahead(
    closed: System, programs: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert tune(DEVICE, closed.root) == KernelLimits(read_ahead_kb=128, max_background=64)
    assert closed.values() == [128, 64, 48]
    assert "read_ahead_kb stays 128: Permission denied; there is no program sudo" in caplog.text


def test_sudo_without_a_password_is_used(
    closed: System, programs: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    program(programs, "sudo", 'test "$1 $2" = "-n tee" && exec /usr/bin/tee "$3"')
    assert tune(DEVICE, closed.root).read_ahead_kb == 4096
    assert closed.values() == RAISED
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("echo sudo: a password is required >&2; exit 1", "sudo: a password is required"),
        ("exit 3", "sudo ended with 3"),
        ("exec /bin/sleep 60", "sudo took more than 0.05 s"),
    ],
)
def test_sudo_that_refuses_or_hangs_is_done_without(
    closed: System,
    programs: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    text: str,
    reason: str,
) -> None:
    program(programs, "sudo", text)
    if "took" in reason:
        monkeypatch.setattr(kernel_tuning, "COMMAND_SECONDS", 0.05)
    assert tune(DEVICE, closed.root).read_ahead_kb == 128
    assert f"stays 128: Permission denied; {reason}" in caplog.text
    assert capfd.readouterr() == ("", "")


def test_program_that_hangs_and_is_not_ours_to_end_is_left(
    closed: System, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(programs, "sudo", "exec /bin/sleep 60")
    monkeypatch.setattr(kernel_tuning, "COMMAND_SECONDS", 0.05)
    left: list[subprocess.Popen[str]] = []

    def kill(self: subprocess.Popen[str]) -> None:
        left.append(self)
        raise PermissionError(1, "Operation not permitted")

    with monkeypatch.context() as patched:
        patched.setattr(subprocess.Popen, "kill", kill)
        assert tune(DEVICE, closed.root).read_ahead_kb == 128
    assert [process.poll() for process in left] == [None]
    left[0].kill()
    left[0].wait()


def test_program_that_cannot_be_run_is_done_without(
    closed: System, programs: Path, caplog: pytest.LogCaptureFixture
) -> None:
    program(programs, "sudo", "")
    (programs / "sudo").write_bytes(b"\x7fELF no program")
    assert tune(DEVICE, closed.root).read_ahead_kb == 128
    assert "sudo cannot be run: Exec format error" in caplog.text


def as_other_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: "class/bdi" not in str(path))


def test_who_may_write_there_is_not_refused(system: System, programs: Path) -> None:
    assert refusal(system.root) == ""


def test_who_may_write_by_sudo_is_not_refused(
    system: System, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(programs, "sudo", 'test "$1 $2" = "-n tee" && exec /usr/bin/tee "$3"')
    as_other_user(monkeypatch)
    assert refusal(system.root) == ""
    assert system.values() == DEFAULTS
    assert [path.name for path in (system.root / "class/bdi").iterdir()] == ["0:45"]


def test_who_needs_a_password_is_refused(
    system: System, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(programs, "sudo", "echo sudo: a password is required >&2; exit 1")
    as_other_user(monkeypatch)
    assert refusal(system.root) == "sudo: a password is required"


def test_read_only_sysfs_is_told(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    as_other_user(monkeypatch)
    read_only = os.statvfs_result((*[0] * 8, os.ST_RDONLY, 255))
    monkeypatch.setattr(os, "statvfs", lambda path: read_only)
    assert refusal(system.root) == READ_ONLY


def test_missing_sysfs_is_told(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none") == NO_SYSFS


def test_rule_of_sudo_names_the_user_by_number_and_no_other_file() -> None:
    rule = sudo_rule()
    assert rule.startswith(f"#{os.geteuid()} ALL=(root) NOPASSWD: /usr/bin/tee ^")
    assert "*" not in rule
    assert '"' not in rule
