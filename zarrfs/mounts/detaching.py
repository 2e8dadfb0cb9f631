"""Take a mount off the tree of directories, or say who keeps it there."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from zarrfs.errors import MountBusyError, MountError
from zarrfs.mounts.mountinfo import mounted_at

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND_SECONDS = 10.0
"""For umount(8) or fusermount3(1), which ask the kernel only: they took 5 ms on a hanging mount."""

SCAN_SECONDS = 3.0
"""For looking at what all processes have open; one whose memory map is locked could hold us up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A process that uses a mount."""

    pid: int
    name: str
    what: str
    """The path that it has open, mapped, or as its working directory."""


def detach(mountpoint: str, *, lazy: bool = True) -> None:
    """Unmount, by absolute path; `lazy`: even while files are open, which stay usable.

    Raises
    ------
    MountBusyError
        If files are open. The message lists by whom.
    MountError
        If it fails for any other reason, such as permission.
    """
    if os.geteuid() == 0:
        # -c: without it umount(8) first asks a hanging mount for its attributes, and hangs.
        command = ["umount", "-c", *(["-l"] if lazy else []), mountpoint]
    else:
        command = ["fusermount3", "-uz" if lazy else "-u", mountpoint]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            timeout=COMMAND_SECONDS,
            check=False,
            text=True,
            env={**os.environ, "LC_ALL": "C"},  # what it says is looked at
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MountError(f"cannot unmount {mountpoint}: {error}") from error
    if done.returncode == 0:
        return
    reason = done.stderr.strip()
    if "busy" in reason:
        users = [f"{user.name} ({user.pid}): {user.what}" for user in find_users(mountpoint)]
        listed = " by" + "".join(f"\n  {user}" for user in users) + "\n" if users else "; "
        raise MountBusyError(
            f"{mountpoint} is in use{listed}close what is open there, or detach it with --lazy"
        )
    if mounted_at(mountpoint) is None:
        return  # someone else was quicker
    raise MountError(f"cannot unmount {mountpoint}: {reason}")


def find_users(mountpoint: str) -> list[User]:
    """Return the processes that have something of a mount open, as far as this user may see.

    Only /proc is read, nothing below the mount.
    """
    users: list[User] = []
    scan = threading.Thread(target=_scan, args=(mountpoint, users), daemon=True)
    scan.start()
    scan.join(SCAN_SECONDS)
    return list(users)


def _scan(mountpoint: str, users: list[User]) -> None:
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        # Processes end while we look, and those of other users are closed to us.
        with contextlib.suppress(OSError):
            path = next((path for path in _paths(folder) if _is_inside(path, mountpoint)), None)
            if path is not None:
                name = (folder / "comm").read_text().strip()
                users.append(User(pid=int(folder.name), name=name, what=path))


def _paths(process: Path) -> Iterator[str]:
    """Paths that a process has open or mapped; its own working directory counts for others only."""
    for link in (process / "fd").iterdir():
        with contextlib.suppress(OSError):
            yield str(link.readlink())
    if process.name != str(os.getpid()):
        yield str((process / "cwd").readlink())
        yield str((process / "root").readlink())
    for line in (process / "maps").read_text(errors="surrogateescape").splitlines():
        _, _, path = line.partition("/")  # the path is the only field with a slash
        if path:
            yield f"/{path}"


def _is_inside(path: str, mountpoint: str) -> bool:
    return path == mountpoint or path.startswith(mountpoint.rstrip("/") + "/")
