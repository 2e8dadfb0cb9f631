"""Unmount, and see the daemon end. Every wait is bounded: a mount that hangs hangs nobody here."""

from __future__ import annotations

import contextlib
import os

from zarrfs.errors import MountError
from zarrfs.mounts.detaching import detach
from zarrfs.mounts.doctor import CONNECTIONS, check_connections
from zarrfs.mounts.liveness import probe, wait_for_end
from zarrfs.mounts.mountinfo import MountEntry, absolute_mountpoint, mounted_at
from zarrfs.mounts.state import Record, find_daemon

UNMOUNT_SECONDS = 30.0
"""How long a daemon may take to end, by default."""

ABORT_SECONDS = 3.0
"""How long it may take once its connection to the kernel was cut."""


def unmount(
    mountpoint: str | os.PathLike[str], *, lazy: bool = False, timeout: float = UNMOUNT_SECONDS
) -> bool:
    """Unmount, and wait for the daemon to end.

    Parameters
    ----------
    mountpoint
        Path of the mount. A dead mount is cleared.
    lazy
        Take it off the tree even if files are open there. They stay usable until they are
        closed; root cuts them off after `timeout`, and with them a mount that hangs.
    timeout
        Seconds to wait for the daemon.

    Returns
    -------
    bool
        Whether the daemon has ended. Only after `lazy` it may still run: until the last file
        is closed.

    Raises
    ------
    MountBusyError
        If files are open there.
    MountError
        If it is not a mount of zarrfs, or the daemon does not end.
    """
    path = absolute_mountpoint(os.fspath(mountpoint))
    entry = mounted_at(path)
    if entry is None or not entry.is_zarrfs:
        what = f"holds a mount of type {entry.fstype}" if entry else "is not a mount point"
        raise MountError(f"{path} {what}, not a mount of zarrfs; `zarrfs list` shows those")
    found = find_daemon(path)
    if found is None and probe([path]) == ["dead"]:
        detach(path)
        return True
    detach(path, lazy=lazy)
    if found is None:
        return not lazy  # another user's daemon: its end cannot be seen
    folder, record = found
    if wait_for_end(record.pid, record.started, timeout):
        return True
    if not lazy:
        raise MountError(
            f"{path} is unmounted, but its daemon (pid {record.pid}) still runs "
            f"after {timeout:g} s; its log is {folder.log}"
        )
    return _abort(entry, record) if os.geteuid() == 0 else False


def _abort(entry: MountEntry, record: Record) -> bool:
    """Cut the connection of a detached mount: whoever waits for it gets an error at once."""
    switch = CONNECTIONS / entry.connection / "abort"
    if not switch.exists() and not check_connections().ok:
        raise MountError(
            f"{entry.mountpoint} is detached, but its daemon (pid {record.pid}) still runs and "
            "cannot be cut off, as fusectl is not mounted; "
            f"run: mount -t fusectl none {CONNECTIONS} && echo 1 > {switch}"
        )
    with contextlib.suppress(OSError):  # it ended meanwhile
        switch.write_text("1")
    if wait_for_end(record.pid, record.started, ABORT_SECONDS):
        return True
    raise MountError(
        f"{entry.mountpoint} is detached, but its daemon does not end; run: kill -9 {record.pid}"
    )
