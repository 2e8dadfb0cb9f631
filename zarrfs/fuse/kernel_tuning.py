"""Let the kernel read further ahead on one mount, and ask for more at a time.

Only root may. Others keep the kernel's defaults, unless sudo needs no password; a mount works with
either, and whatever fails here is told in the log and nowhere else.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import subprocess
from pathlib import Path

_log = logging.getLogger(__name__)

# The kernel's default is 128 KiB. `dd` of a compressed array is twice as fast with this, and no
# faster with 16 MiB.
READ_AHEAD_KB = 4096

# Reads ahead under way at a time, of all files of a mount: the default of 12 is used up by three
# programs. From the second on the kernel slows down who asks; three quarters, as it has itself.
MAX_BACKGROUND = 64
CONGESTION_THRESHOLD = 48

# Seconds that sudo and mount get: neither has anything to wait for.
COMMAND_SECONDS = 2.0


def tune(mountpoint: str, system: Path = Path("/sys")) -> dict[str, int]:
    """Raise the limits of a mount that is being served, as far as this user may.

    Parameters
    ----------
    mountpoint
        Where it is mounted.
    system
        Root of sysfs.

    Returns
    -------
    dict
        ``read_ahead_kb`` and ``max_background`` as they are now; only those that can be told.
    """
    device = Path(mountpoint).stat().st_dev
    major, minor = os.major(device), os.minor(device)
    read_ahead = system / "class/bdi" / f"{major}:{minor}" / "read_ahead_kb"
    connections = system / "fs/fuse/connections"
    if not (connections / str(minor)).exists() and os.geteuid() == 0:
        _run("mount", "-t", "fusectl", "none", str(connections))
    _raise(read_ahead, READ_AHEAD_KB)
    # In this order: the threshold is never above the limit.
    max_background = connections / str(minor) / "max_background"
    _raise(max_background, MAX_BACKGROUND)
    _raise(max_background.with_name("congestion_threshold"), CONGESTION_THRESHOLD)
    found = {"read_ahead_kb": _read(read_ahead), "max_background": _read(max_background)}
    return {name: value for name, value in found.items() if value is not None}


def _raise(setting: Path, value: int) -> None:
    """Set a number, unless it is higher already or cannot be set."""
    before = _read(setting)
    if before is None or before >= value:
        return
    try:
        setting.write_text(f"{value}\n")
    except OSError as error:
        if not _run("sudo", "-n", "tee", str(setting), text=f"{value}\n"):
            _log.info("%s stays %d: %s", setting, before, error.strerror)
            return
    _log.info("%s: %d, was %d", setting, value, before)


def _read(setting: Path) -> int | None:
    with contextlib.suppress(OSError, ValueError):
        return int(setting.read_text())
    return None


def _run(program: str, *arguments: str, text: str = "") -> bool:
    """Run a program without a terminal; whether it did its work in time."""
    path = shutil.which(program)
    if path is None:
        return False
    try:
        done = subprocess.run(
            [path, *arguments],
            input=text,
            text=True,
            capture_output=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
