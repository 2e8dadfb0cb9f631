"""Links and units that ``install-helper`` installs, below a prefix."""

from __future__ import annotations

import subprocess
import sysconfig
from pathlib import Path

import pytest

from zarrfs.errors import MountError
from zarrfs.mounts import install
from zarrfs.mounts.install import UNIT_MARK, UNIT_PROGRAM, placements, remove

PROGRAM = Path(sysconfig.get_path("scripts")) / "zarrfs"
FILES = (
    "bin/zarrfs",
    "sbin/mount.zarrfs",
    "lib/systemd/system/zarrfs@.service",
    "lib/systemd/user/zarrfs@.service",
)


def installed(prefix: Path) -> set[str]:
    return {
        str(path.relative_to(prefix))
        for path in prefix.rglob("*")
        if path.is_symlink() or path.is_file()
    }


def test_links_lead_to_the_program(tmp_path: Path) -> None:
    changed = install.install(placements(tmp_path))
    assert installed(tmp_path) == set(FILES)
    assert {str(path.relative_to(tmp_path)) for path in changed} == set(FILES)
    assert (tmp_path / "bin/zarrfs").readlink() == PROGRAM
    assert (tmp_path / "sbin/mount.zarrfs").readlink() == PROGRAM


def test_units_name_the_installed_program(tmp_path: Path) -> None:
    install.install(placements(tmp_path))
    for unit in FILES[2:]:
        text = (tmp_path / unit).read_text()
        assert text.startswith(UNIT_MARK)
        assert f"ExecStart={tmp_path}/bin/zarrfs mount --foreground %i\n" in text
        assert UNIT_PROGRAM not in text


def test_without_prefix_it_goes_where_it_is_looked_for() -> None:
    assert {str(placement.path) for placement in placements()} == {
        "/usr/local/bin/zarrfs",
        "/sbin/mount.zarrfs",
        "/etc/systemd/system/zarrfs@.service",
        "/etc/systemd/user/zarrfs@.service",
    }


def test_second_time_changes_nothing(tmp_path: Path) -> None:
    install.install(placements(tmp_path))
    before = {path: path.lstat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert install.install(placements(tmp_path)) == []
    assert {path: path.lstat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_older_installation_is_replaced(tmp_path: Path) -> None:
    install.install(placements(tmp_path))
    link, unit = tmp_path / "sbin/mount.zarrfs", tmp_path / FILES[2]
    link.unlink()
    link.symlink_to("/old/venv/bin/zarrfs")
    unit.write_text(f"{UNIT_MARK}\nOld=yes\n")
    assert install.install(placements(tmp_path)) == [link, unit]
    assert link.readlink() == PROGRAM
    assert "Old" not in unit.read_text()


@pytest.mark.parametrize("name", FILES)
def test_what_is_not_ours_is_left_alone(tmp_path: Path, name: str) -> None:
    foreign = tmp_path / name
    foreign.parent.mkdir(parents=True)
    foreign.write_text("someone else's")
    with pytest.raises(MountError, match="is not of zarrfs"):
        install.install(placements(tmp_path))
    assert installed(tmp_path) == {name}
    assert remove(placements(tmp_path)) == []
    assert foreign.read_text() == "someone else's"


def test_link_to_another_program_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "sbin").mkdir()
    (tmp_path / "sbin/mount.zarrfs").symlink_to("/usr/bin/true")
    with pytest.raises(MountError, match="is not of zarrfs"):
        install.install(placements(tmp_path))


def test_removal_takes_everything_and_nothing_twice(tmp_path: Path) -> None:
    install.install(placements(tmp_path))
    (tmp_path / "bin/other").write_text("")
    assert len(remove(placements(tmp_path))) == len(FILES)
    assert installed(tmp_path) == {"bin/other"}
    assert remove(placements(tmp_path)) == []


def test_broken_link_of_ours_is_removed(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/zarrfs").symlink_to("/gone/bin/zarrfs")
    assert remove(placements(tmp_path)) == [tmp_path / "bin/zarrfs"]


def test_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MountError, match=r"cannot write .*/file/"):
        install.install(placements(tmp_path / "file"))


def test_program_that_is_not_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    with pytest.raises(MountError, match="install zarrfs with pip"):
        placements(tmp_path)


def verify(*units: Path) -> str:
    """Tell what ``systemd-analyze verify`` finds; nothing is what it should."""
    done = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=no", *units],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr + ("" if done.returncode == 0 else f"rc {done.returncode}")


@pytest.mark.parametrize("unit", FILES[2:])
def test_systemd_finds_no_fault_in_the_units(tmp_path: Path, unit: str) -> None:
    install.install(placements(tmp_path))
    instance = tmp_path / "zarrfs@era5.service"
    instance.write_text((tmp_path / unit).read_text())
    assert verify(instance) == ""


@pytest.mark.parametrize("unit", ["mnt-era5.mount", "mnt-era5.automount"])
def test_systemd_finds_no_fault_in_the_examples(unit: str) -> None:
    assert verify(install._unit_folder() / "examples" / unit) == ""


def test_verification_finds_faults(tmp_path: Path) -> None:
    install.install(placements(tmp_path))
    unit = tmp_path / "zarrfs@era5.service"
    unit.write_text((tmp_path / FILES[2]).read_text().replace("Type=notify", "Typ=notify"))
    assert "Typ" in verify(unit)


NAMESPACE_OPTIONS = {
    "ProtectSystem", "ProtectHome", "ProtectKernelTunables", "ProtectKernelModules",
    "ProtectKernelLogs", "ProtectControlGroups", "ProtectProc", "PrivateTmp", "PrivateDevices",
    "PrivateMounts", "PrivateUsers", "DynamicUser", "ReadWritePaths", "ReadOnlyPaths",
    "InaccessiblePaths", "BindPaths", "BindReadOnlyPaths", "TemporaryFileSystem", "RootDirectory",
    "RootImage", "MountFlags", "NoNewPrivileges",
}  # fmt: skip
NO_NEW_PRIVILEGES_OPTIONS = {
    "SystemCallFilter", "SystemCallArchitectures", "RestrictAddressFamilies", "RestrictNamespaces",
    "RestrictRealtime", "RestrictSUIDSGID", "LockPersonality", "MemoryDenyWriteExecute",
    "CapabilityBoundingSet",
}  # fmt: skip


@pytest.mark.parametrize("unit", FILES[2:])
def test_units_do_not_hide_the_mount(tmp_path: Path, unit: str) -> None:
    """A namespace hides the mount; NoNewPrivileges stops a user's fusermount3."""
    install.install(placements(tmp_path))
    lines = (tmp_path / unit).read_text().splitlines()
    keys = {line.partition("=")[0] for line in lines if not line.startswith("#")}
    assert not keys & NAMESPACE_OPTIONS
    if "user" in unit:
        assert not keys & NO_NEW_PRIVILEGES_OPTIONS
