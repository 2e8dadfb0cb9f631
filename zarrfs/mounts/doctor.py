"""Is this machine fit to mount? Each check is a value: what was found, and what mends it."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import re
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from zarrfs.errors import ZarrfsError
from zarrfs.fuse.kernel_tuning import (
    ENOUGH_READ_AHEAD_KB,
    NO_SYSFS,
    READ_AHEAD_KB,
    READ_ONLY,
    refusal,
    sudo_rule,
)
from zarrfs.mounts.mountinfo import read_mounts
from zarrfs.mounts.state import runtime_folder

DEVICE = Path("/dev/fuse")
FUSE_CONF = Path("/etc/fuse.conf")
CONNECTIONS = Path("/sys/fs/fuse/connections")
SUDO_RULE = Path("/etc/sudoers.d/zarrfs")

INSTALLERS = {"apt-get": "apt-get install -y", "dnf": "dnf install -y", "pacman": "pacman -S"}
"""How each family of distributions installs a package."""

# Debian's name of a package: Fedora's, Arch's.
PACKAGES = {
    "fuse3": ("fuse3", "fuse3"),
    "libfuse3-dev": ("fuse3-devel", "fuse3"),
    "pkg-config": ("pkgconf-pkg-config", "pkgconf"),
    "gcc": ("gcc", "gcc"),
    "python3-dev": ("python3-devel", "python"),
    "sudo": ("sudo", "sudo"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What one check found."""

    name: str
    ok: bool | None
    """``None``: neither right nor wrong, good to know."""

    found: str
    remedy: str = ""
    """The one command that mends it."""


def run_checks() -> list[Check]:
    """Do all checks, in the order in which a mount meets them."""
    return [
        check_device(),
        check_fusermount(),
        check_user_allow_other(),
        check_pyfuse3(),
        check_runtime_folder(),
        check_helper(),
        check_connections(),
        check_raising(),
        *check_read_ahead(),
        *check_extras(),
    ]


def check_device() -> Check:
    """Check that /dev/fuse is there, and that this user may open it."""
    name = "FUSE device"
    try:
        mode = DEVICE.stat().st_mode
    except OSError:
        mode = 0
    if not stat.S_ISCHR(mode):
        found = f"{DEVICE} is missing (a container needs --device {DEVICE} --cap-add SYS_ADMIN)"
        return Check(name=name, ok=False, found=found, remedy=_as_root("modprobe fuse"))
    if not os.access(DEVICE, os.R_OK | os.W_OK):
        found = f"{DEVICE} may not be opened by you (mode {stat.S_IMODE(mode):04o})"
        return Check(name=name, ok=False, found=found, remedy=_as_root(f"chmod 666 {DEVICE}"))
    return Check(name=name, ok=True, found=f"{DEVICE} can be opened")


def check_fusermount() -> Check:
    """Check that fusermount3 is there and set-uid root; root mounts without it."""
    name = "fusermount3"
    path = shutil.which("fusermount3")
    is_needed = os.geteuid() != 0
    if path is None:
        found = "fusermount3 is missing or cannot be run" + (
            "" if is_needed else "; root mounts without it, other users do not"
        )
        return Check(name=name, ok=not is_needed and None, found=found, remedy=_install("fuse3"))
    status = Path(path).stat()
    if status.st_uid != 0 or not status.st_mode & stat.S_ISUID:
        remedy = _as_root(f"sh -c 'chown root {path} && chmod 4755 {path}'")
        found = f"{path} is not set-uid root, so users other than root cannot mount"
        return Check(name=name, ok=not is_needed and None, found=found, remedy=remedy)
    return Check(name=name, ok=True, found=path)


def check_user_allow_other() -> Check:
    """Check whether users other than root may give ``-o allow_other``."""
    name = "user_allow_other"
    try:
        text = FUSE_CONF.read_text()
    except OSError:
        text = ""
    if re.search(r"^\s*user_allow_other\b", text, re.MULTILINE):
        return Check(name=name, ok=True, found=f"set in {FUSE_CONF}")
    return Check(
        name=name,
        ok=None,
        found=f"not set in {FUSE_CONF}: only root may use -o allow_other",
        remedy=_as_root(f"sh -c 'echo user_allow_other >> {FUSE_CONF}'"),
    )


def check_pyfuse3() -> Check:
    """Check that the Python binding to libfuse3 can be imported."""
    name = "pyfuse3"
    try:
        importlib.import_module("pyfuse3")
    except ModuleNotFoundError:
        packages = _install("fuse3", "libfuse3-dev", "pkg-config", "gcc", "python3-dev")
        return Check(
            name=name,
            ok=False,
            found="pyfuse3 is not installed (it is compiled, and needs libfuse3's headers)",
            remedy=f"{packages} && pip install 'zarrfs[mount]'",
        )
    except ImportError as error:
        return Check(
            name=name, ok=False, found=f"cannot be loaded: {error}", remedy=_install("fuse3")
        )
    return Check(name=name, ok=True, found=importlib.metadata.version("pyfuse3"))


def check_runtime_folder() -> Check:
    """Check that the folder for records, sockets and logs is there and ours."""
    name = "runtime folder"
    try:
        folder = runtime_folder()
    except ZarrfsError as error:
        return Check(name=name, ok=False, found=str(error), remedy='export XDG_RUNTIME_DIR="$HOME"')
    return Check(name=name, ok=True, found=str(folder))


def check_helper() -> Check:
    """Check whether mount(8) finds its helper: fstab and ``mount -t zarrfs`` need it."""
    name = "mount helper"
    helper = Path("/sbin/mount.zarrfs")
    if os.access(helper, os.X_OK):
        return Check(name=name, ok=True, found=f"{helper} -> {helper.resolve()}")
    return Check(
        name=name,
        ok=None,
        found=f"no {helper}: `mount -t zarrfs` and fstab do not work",
        remedy=_as_root("zarrfs install-helper"),
    )


def check_connections() -> Check:
    """Check whether root can tune and abort FUSE connections."""
    name = "fusectl"
    if any(entry.fstype == "fusectl" for entry in read_mounts()):
        return Check(name=name, ok=True, found=f"mounted at {CONNECTIONS}")
    return Check(
        name=name,
        ok=None,
        found=f"not mounted at {CONNECTIONS}: hanging mounts cannot be aborted",
        remedy=_as_root(f"mount -t fusectl none {CONNECTIONS}"),
    )


def check_raising() -> Check:
    """Check whether the kernel can be made to read further ahead on this user's mounts."""
    name = "read-ahead limit"
    why = refusal()
    if not why:
        return Check(name=name, ok=True, found=f"your mounts raise it to {READ_AHEAD_KB} KiB")
    of_sysfs = {READ_ONLY: "mount -o remount,rw /sys", NO_SYSFS: "mount -t sysfs sysfs /sys"}
    if why in of_sysfs:
        remedy = _as_root(of_sysfs[why])
    elif shutil.which("sudo") is None:
        remedy = _install("sudo").removeprefix("sudo ")
    else:
        remedy = _as_root(f"sh -c 'umask 337; echo \"{sudo_rule()}\" > {SUDO_RULE}'")
    found = f"your mounts keep the kernel's, mostly 128 KiB, and push pages instead: {why}"
    return Check(name=name, ok=None, found=found, remedy=remedy)


def check_read_ahead() -> list[Check]:
    """Check how far the kernel reads ahead on each mount of zarrfs."""
    checks = []
    for entry in read_mounts():
        setting = Path(f"/sys/class/bdi/{entry.device}/read_ahead_kb")
        if not entry.is_zarrfs:
            continue
        try:
            kib = int(setting.read_text())
        except OSError:
            continue  # unmounted meanwhile, or sysfs is not there
        is_enough = kib >= ENOUGH_READ_AHEAD_KB
        checks.append(
            Check(
                name="read-ahead",
                ok=True if is_enough else None,
                found=f"{kib} KiB on {entry.mountpoint}" + ("" if is_enough else ", pages pushed"),
                remedy="" if is_enough else _as_root(f"sh -c 'echo {READ_AHEAD_KB} > {setting}'"),
            )
        )
    return checks


def check_extras() -> list[Check]:
    """Check which optional packages are there, by the extra that installs them."""
    extras: dict[str, list[str]] = {}
    for requirement in importlib.metadata.requires("zarrfs") or []:
        match = re.match(r"([A-Za-z0-9._-]+).*;.*\bextra\s*==\s*['\"]([^'\"]+)['\"]", requirement)
        if match and match[1] != "zarrfs":
            extras.setdefault(match[2], []).append(match[1])
    return [_check_extra(extra, packages) for extra, packages in extras.items()]


def _check_extra(extra: str, packages: list[str]) -> Check:
    missing = [package for package in packages if not _is_installed(package)]
    return Check(
        name=f"extra {extra}",
        ok=None if missing else True,
        found=f"{', '.join(missing)} not installed" if missing else ", ".join(packages),
        remedy=f"pip install 'zarrfs[{extra}]'" if missing else "",
    )


def _is_installed(package: str) -> bool:
    try:
        importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _as_root(command: str) -> str:
    return command if os.geteuid() == 0 else f"sudo {command}"


def _install(*packages: str) -> str:
    for family, installer in enumerate(INSTALLERS):
        if shutil.which(installer):
            names = [name if family == 0 else PACKAGES[name][family - 1] for name in packages]
            return _as_root(f"{INSTALLERS[installer]} {' '.join(dict.fromkeys(names))}")
    return f"install {' '.join(packages)} with the system's package manager"
