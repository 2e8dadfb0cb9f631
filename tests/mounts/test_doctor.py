"""Checks of this machine, altered; real faults are in test_machines."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import shutil
import stat
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from zarrfs.errors import MountError
from zarrfs.fuse.kernel_tuning import NO_SYSFS, READ_ONLY, sudo_rule
from zarrfs.mounts import doctor
from zarrfs.mounts.doctor import Check
from zarrfs.mounts.mountinfo import FSTYPE, MountEntry

if TYPE_CHECKING:
    from collections.abc import Callable


def as_user(monkeypatch: pytest.MonkeyPatch, uid: int) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: uid)


def test_every_fault_has_a_remedy() -> None:
    checks = doctor.run_checks()
    assert {"FUSE device", "fusermount3", "pyfuse3", "runtime folder"} <= {c.name for c in checks}
    for check in checks:
        assert check.found
        assert bool(check.remedy) == (check.ok is not True)


def test_device_that_is_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "fuse").write_text("")
    monkeypatch.setattr(doctor, "DEVICE", tmp_path / "fuse")
    as_user(monkeypatch, 1000)
    check = doctor.check_device()
    assert (check.ok, check.remedy) == (False, "sudo modprobe fuse")


@pytest.mark.parametrize(("uid", "ok"), [(0, None), (1000, False)])
def test_fusermount_is_for_users(
    monkeypatch: pytest.MonkeyPatch, uid: int, ok: bool | None
) -> None:
    as_user(monkeypatch, uid)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    check = doctor.check_fusermount()
    assert check.ok is ok
    assert check.remedy == "install fuse3 with the system's package manager"


def test_fusermount_without_set_uid(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "fusermount3"
    program.write_text("")
    program.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(program))
    as_user(monkeypatch, 1000)
    check = doctor.check_fusermount()
    assert check.ok is False
    assert "not set-uid root" in check.found
    assert check.remedy.startswith("sudo sh -c")


@pytest.mark.parametrize(
    ("text", "ok"),
    [("", None), ("#user_allow_other\n", None), ("x\n user_allow_other\n", True)],
)
def test_user_allow_other(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, ok: bool | None
) -> None:
    monkeypatch.setattr(doctor, "FUSE_CONF", tmp_path / "fuse.conf")
    assert doctor.check_user_allow_other().ok is None
    (tmp_path / "fuse.conf").write_text(text)
    assert doctor.check_user_allow_other().ok is ok


def failing(error: Exception) -> Callable[[str], None]:
    def fail(name: str) -> None:
        raise error

    return fail


def test_library_that_cannot_be_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    error = ImportError("libfuse3.so.3: cannot open shared object file")
    monkeypatch.setattr(importlib, "import_module", failing(error))
    check = doctor.check_pyfuse3()
    assert check.ok is False
    assert "libfuse3.so.3" in check.found
    assert "fuse3" in check.remedy


def test_binding_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib, "import_module", failing(ModuleNotFoundError("pyfuse3")))
    check = doctor.check_pyfuse3()
    assert check.ok is False
    assert check.remedy.endswith("&& pip install 'zarrfs[mount]'")


def test_runtime_folder_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> Path:
        raise MountError("not yours")

    monkeypatch.setattr(doctor, "runtime_folder", fail)
    assert doctor.check_runtime_folder().found == "not yours"


def test_extras_are_read_from_the_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    requirements = [
        "click>=8",
        'nosuchpackage>=1; extra == "gcs"',
        'zarrfs[gcs]; extra == "all"',
        "numpy>=1; extra == 'fast'",
    ]
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: requirements)
    assert doctor.check_extras() == [
        Check(
            name="extra gcs",
            ok=None,
            found="nosuchpackage not installed",
            remedy="pip install 'zarrfs[gcs]'",
        ),
        Check(name="extra fast", ok=True, found="numpy"),
    ]


@pytest.mark.parametrize(
    ("installer", "command"),
    [
        ("apt-get", "apt-get install -y fuse3 libfuse3-dev pkg-config"),
        ("dnf", "dnf install -y fuse3 fuse3-devel pkgconf-pkg-config"),
        ("pacman", "pacman -S fuse3 pkgconf"),
    ],
)
def test_each_family_has_its_package_names(
    monkeypatch: pytest.MonkeyPatch, installer: str, command: str
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: name if name == installer else None)
    as_user(monkeypatch, 0)
    assert doctor._install("fuse3", "libfuse3-dev", "pkg-config") == command
    as_user(monkeypatch, 1000)
    assert doctor._install("fuse3", "libfuse3-dev", "pkg-config") == f"sudo {command}"


def test_helper_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: True)
    assert doctor.check_helper().ok is True
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert doctor.check_helper().ok is None


def refused(monkeypatch: pytest.MonkeyPatch, why: str) -> Check:
    monkeypatch.setattr(doctor, "refusal", lambda: why)
    as_user(monkeypatch, 1000)
    return doctor.check_raising()


def test_read_ahead_is_raised_by_a_rule_of_sudo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    check = refused(monkeypatch, "sudo: a password is required")
    assert check.ok is None
    assert "sudo: a password is required" in check.found
    assert check.remedy == (
        "sudo sh -c 'umask 337; echo \"#1000 ALL=(root) NOPASSWD: "
        "/usr/bin/tee ^/sys/class/bdi/0:[0-9]+/read_ahead_kb$\" > /etc/sudoers.d/zarrfs'"
    )


def test_remedy_writes_the_rule_as_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(doctor, "SUDO_RULE", tmp_path / "zarrfs")
    remedy = refused(monkeypatch, "sudo: a password is required").remedy
    subprocess.run(["/bin/sh", "-c", remedy.removeprefix("sudo ")], check=True)
    assert (tmp_path / "zarrfs").read_text() == f"{sudo_rule()}\n"
    assert stat.S_IMODE((tmp_path / "zarrfs").stat().st_mode) == 0o440


def test_read_ahead_needs_sudo(monkeypatch: pytest.MonkeyPatch) -> None:
    is_there = {"apt-get": "/usr/bin/apt-get"}
    monkeypatch.setattr(shutil, "which", is_there.get)
    check = refused(monkeypatch, "there is no program sudo")
    assert (check.ok, check.remedy) == (None, "apt-get install -y sudo")


@pytest.mark.parametrize(
    ("why", "remedy"),
    [
        (READ_ONLY, "sudo mount -o remount,rw /sys"),
        (NO_SYSFS, "sudo mount -t sysfs sysfs /sys"),
    ],
)
def test_nobody_raises_read_ahead_without_a_writable_sysfs(
    monkeypatch: pytest.MonkeyPatch, why: str, remedy: str
) -> None:
    check = refused(monkeypatch, why)
    assert (check.ok, check.remedy) == (None, remedy)


def zarrfs_mount(number: int) -> MountEntry:
    return MountEntry(
        mountpoint=f"/mnt/{number}",
        root="/",
        fstype=FSTYPE,
        source="x.zarr",
        device=f"0:{number}",
        options=frozenset(),
    )


def test_mount_that_has_ended_meanwhile_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "read_mounts", lambda: [zarrfs_mount(0)])
    assert doctor.check_read_ahead() == []


def test_real_device_is_a_device() -> None:
    is_there = stat.S_ISCHR(Path("/dev/fuse").stat().st_mode)
    assert doctor.check_device().ok is (is_there and os.access("/dev/fuse", os.R_OK | os.W_OK))
