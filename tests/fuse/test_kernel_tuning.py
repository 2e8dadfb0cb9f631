from __future__ import annotations

import logging
import os
import stat
from pathlib import Path

import pytest

from zarrfs.fuse import kernel_tuning
from zarrfs.fuse.kernel_tuning import tune


class System:
    """A sysfs of the test's own, for the file system that holds it."""

    def __init__(self, root: Path) -> None:
        device = root.stat().st_dev
        self.root = root
        self.bdi = root / "class/bdi" / f"{os.major(device)}:{os.minor(device)}"
        self.connection = root / "fs/fuse/connections" / str(os.minor(device))

    def write(self, *, read_ahead: int, background: int, threshold: int) -> None:
        for folder in (self.bdi, self.connection):
            folder.mkdir(parents=True)
        (self.bdi / "read_ahead_kb").write_text(f"{read_ahead}\n")
        (self.connection / "max_background").write_text(f"{background}\n")
        (self.connection / "congestion_threshold").write_text(f"{threshold}\n")

    def values(self) -> list[int]:
        files = (
            self.bdi / "read_ahead_kb",
            self.connection / "max_background",
            self.connection / "congestion_threshold",
        )
        return [int(file.read_text()) for file in files]


@pytest.fixture
def system(tmp_path: Path) -> System:
    return System(tmp_path)


@pytest.fixture
def no_programs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A PATH on which nothing is found until the test puts it there."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def program(folder: Path, name: str, text: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


def test_limits_are_raised_and_told(system: System, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    system.write(read_ahead=128, background=12, threshold=9)
    found = tune(str(system.root), system.root)
    assert found == {"read_ahead_kb": 4096, "max_background": 64}
    assert system.values() == [4096, 64, 48]
    assert "read_ahead_kb: 4096, was 128" in caplog.text


def test_higher_limits_stay(system: System) -> None:
    system.write(read_ahead=8192, background=100, threshold=75)
    assert tune(str(system.root), system.root)["read_ahead_kb"] == 8192
    assert system.values() == [8192, 100, 75]


@pytest.mark.usefixtures("no_programs")
def test_what_is_not_there_is_left_out(system: System) -> None:
    assert tune(str(system.root), system.root) == {}


def refuse_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    def write_text(self: Path, _: str) -> int:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "write_text", write_text)


@pytest.mark.usefixtures("no_programs")
def test_who_may_not_and_has_no_sudo_keeps_the_defaults(
    system: System, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    system.write(read_ahead=128, background=12, threshold=9)
    refuse_to_write(monkeypatch)
    found = tune(str(system.root), system.root)
    assert found == {"read_ahead_kb": 128, "max_background": 12}
    assert "stays 128: Permission denied" in caplog.text


def test_sudo_without_a_password_is_used(
    system: System, no_programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system.write(read_ahead=128, background=12, threshold=9)
    program(no_programs, "sudo", 'test "$1 $2" = "-n tee" && exec /usr/bin/tee "$3"')
    refuse_to_write(monkeypatch)
    assert tune(str(system.root), system.root)["read_ahead_kb"] == 4096
    assert system.values() == [4096, 64, 48]


def test_sudo_that_asks_for_a_password_or_hangs_is_done_without(
    system: System, no_programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system.write(read_ahead=128, background=12, threshold=9)
    refuse_to_write(monkeypatch)
    texts = ("exit 1", "exec /bin/sleep 60")
    monkeypatch.setattr(kernel_tuning, "COMMAND_SECONDS", 0.05)
    for text in texts:
        (no_programs / "sudo").unlink(missing_ok=True)
        with (no_programs / "sudo").open("w") as file:
            file.write(f"#!/bin/sh\n{text}\n")
        (no_programs / "sudo").chmod(0o755)
        assert tune(str(system.root), system.root)["read_ahead_kb"] == 128


def test_a_program_that_cannot_be_run_is_done_without(
    system: System, no_programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system.write(read_ahead=128, background=12, threshold=9)
    program(no_programs, "sudo", "")
    (no_programs / "sudo").write_bytes(b"\x7fELF no program")
    refuse_to_write(monkeypatch)
    assert tune(str(system.root), system.root)["read_ahead_kb"] == 128
