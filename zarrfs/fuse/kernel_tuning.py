"""Let the kernel read further ahead on one mount, and ask for more at a time.

How far it reads ahead is set by root, or by sudo if that needs no password; how much it asks for at
a time, by whoever mounted, too. A mount works with the kernel's defaults as well: whatever fails
here is told in the log and nowhere else.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

_log = logging.getLogger(__name__)

SYSTEM = Path("/sys")

# The kernel's default is 128 KiB. `dd` of a compressed array is twice as fast with this, and no
# faster with 16 MiB.
READ_AHEAD_KB = 4096

# As much as the largest request: from here on more read-ahead gains less than a fourth.
ENOUGH_READ_AHEAD_KB = 1024

# Reads ahead under way at a time, of all files of a mount: the default of 12 is used up by three
# programs. From the second on the kernel slows down who asks; three quarters, as it has itself.
MAX_BACKGROUND = 64
CONGESTION_THRESHOLD = 48

READ_ONLY = "sysfs is mounted read-only"
NO_SYSFS = "sysfs is not mounted"
"""Nobody raises limits then, not even root: as in many containers."""

# Seconds that sudo and mount get: neither has anything to wait for.
COMMAND_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelLimits:
    """What the kernel does on one mount, as far as it can be told."""

    read_ahead_kb: int | None
    """KiB that it reads ahead of a program in a file."""

    max_background: int | None
    """Reads ahead that it has under way at a time, in all files."""

    def known(self) -> dict[str, int]:
        """Return those that can be told, by name."""
        found = {"read_ahead_kb": self.read_ahead_kb, "max_background": self.max_background}
        return {name: value for name, value in found.items() if value is not None}


def tune(device: int, system: Path = SYSTEM) -> KernelLimits:
    """Raise the limits of a mount that is being served, as far as this user may.

    Parameters
    ----------
    device
        Number of the mounted file system, ``st_dev``.
    system
        Where sysfs is.
    """
    read_ahead = system / f"class/bdi/{os.major(device)}:{os.minor(device)}" / "read_ahead_kb"
    connections = system / "fs/fuse/connections"
    connection = connections / str(os.minor(device))
    if os.geteuid() == 0 and not connection.exists() and not connections.is_mount():
        fault = _fault_of("mount", "-t", "fusectl", "none", str(connections))
        _log.info("fusectl at %s: %s", connections, fault or "mounted")
    # In this order: the threshold is never above the limit.
    limits = KernelLimits(
        read_ahead_kb=_raise(read_ahead, READ_AHEAD_KB),
        max_background=_raise(connection / "max_background", MAX_BACKGROUND),
    )
    _raise(connection / "congestion_threshold", CONGESTION_THRESHOLD)
    return limits


def refusal(system: Path = SYSTEM) -> str:
    """Tell why this user's mounts keep the kernel's read-ahead; nothing if they do not."""
    devices = system / "class/bdi"
    if not devices.exists():
        return NO_SYSFS
    if os.access(devices, os.W_OK):
        return ""
    if os.statvfs(devices).f_flag & os.ST_RDONLY:
        return READ_ONLY
    # No device has this number, so nothing is written: if it is tee that complains, it was let.
    fault = _fault_by_sudo(devices / "0:0/read_ahead_kb", 0)
    return "" if fault.partition(":")[0].endswith("tee") else fault


def sudo_rule() -> str:
    """Return the line of sudoers(5) by which this user may set read-ahead, and nothing else.

    Notes
    -----
    A wildcard in place of the regular expression (sudo 1.9.10 and later) would match blanks and
    slashes, and so let every file be written.
    """
    return (
        f"#{os.geteuid()} ALL=(root) NOPASSWD: /usr/bin/tee ^/sys/class/bdi/0:[0-9]+/read_ahead_kb$"
    )


def _raise(setting: Path, value: int) -> int | None:
    """Set a number, unless it is higher already or cannot be set; return what it is then."""
    before = _read(setting)
    if before is None or before >= value:
        return before
    try:
        setting.write_text(f"{value}\n")
    except OSError as error:
        fault = error.strerror
        # The settings of a connection belong to who made it: sudo is not needed for them.
        if isinstance(error, PermissionError) and setting.name == "read_ahead_kb":
            by_sudo = _fault_by_sudo(setting, value)
            fault = by_sudo and f"{fault}; {by_sudo}"
        if fault:
            _log.info("%s stays %d: %s", setting, before, fault)
            return before
    _log.info("%s: %d, was %d", setting, value, before)
    return _read(setting)


def _read(setting: Path) -> int | None:
    try:
        return int(setting.read_text())
    except OSError as error:
        _log.info("%s cannot be read: %s", setting, error.strerror)
    except ValueError as error:
        _log.info("%s cannot be read: %s", setting, error)
    return None


def _fault_by_sudo(setting: Path, value: int) -> str:
    return _fault_of("sudo", "-n", "tee", str(setting), text=f"{value}\n")


def _fault_of(program: str, *arguments: str, text: str = "") -> str:
    """Run a program without a terminal, for a while; return why it failed, or nothing."""
    path = shutil.which(program)
    if path is None:
        return f"there is no program {program}"
    try:
        process = subprocess.Popen(
            [path, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        return f"{program} cannot be run: {error.strerror}"
    try:
        _, words = process.communicate(text, timeout=COMMAND_SECONDS)
    except subprocess.TimeoutExpired:
        # It may be root's by now, and then is not ours to end. So it is not waited for either,
        # as subprocess.run would.
        with contextlib.suppress(PermissionError):
            process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(COMMAND_SECONDS)
        return f"{program} took more than {COMMAND_SECONDS:g} s"
    finally:
        for pipe in (process.stdin, process.stderr):
            if pipe:
                pipe.close()
    if process.returncode == 0:
        return ""
    lines = words.strip().splitlines() or [f"{program} ended with {process.returncode}"]
    return lines[-1]
