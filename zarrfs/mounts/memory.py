"""How much memory a daemon may hold by default: a share of the machine's or its cgroup's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from zarrfs.arrays.memory import MACHINE_BYTES
from zarrfs.mounts.mountinfo import read_mounts

if TYPE_CHECKING:
    from zarrfs.mounts.mountinfo import MountEntry

SHARE = 0.25
"""Share of the memory taken by default."""

LARGEST_DEFAULT = 4 << 30
"""Bytes; more than this is given by ``-o memory=``, not taken."""


def default_memory() -> int:
    """Bytes for caches when nothing is said: a quarter of the memory, at most 4 GiB."""
    return min(LARGEST_DEFAULT, int(SHARE * available_memory()))


def available_memory() -> int:
    """Bytes of the machine, or of the tightest control group that holds this process."""
    limit = cgroup_limit(Path("/proc/self/cgroup").read_text(), read_mounts())
    return MACHINE_BYTES if limit is None else min(MACHINE_BYTES, limit)


def cgroup_limit(membership: str, mounts: list[MountEntry]) -> int | None:
    """Bytes of the tightest memory limit of this process's control groups, or ``None``.

    Parameters
    ----------
    membership
        Text of ``/proc/self/cgroup``: ``hierarchy:controllers:path`` lines (cgroups(7)).
    mounts
        Where those hierarchies are mounted, among other mounts.

    Notes
    -----
    A limit of an ancestor binds too. Version 1 says "no limit" with a number of its own near
    2**63, which the caller's `min` with the machine's memory takes care of.
    """
    limits = []
    for mount in mounts:
        if mount.fstype == "cgroup2":
            path, file_name = _group_path(membership, ""), "memory.max"
        elif mount.fstype == "cgroup" and "memory" in mount.options:
            path, file_name = _group_path(membership, "memory"), "memory.limit_in_bytes"
        else:
            continue
        if path is None:
            continue
        top = Path(mount.mountpoint)
        group = top / path.removeprefix(mount.root.rstrip("/")).lstrip("/")
        for folder in (group, *group.parents):
            if (limit := _read_limit(folder / file_name)) is not None:
                limits.append(limit)
            if folder == top:
                break
    return min(limits, default=None)


def _group_path(membership: str, controller: str) -> str | None:
    """Return the path of this process's group; version 2 names no controller."""
    for line in membership.splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            return path
    return None


def _read_limit(file: Path) -> int | None:
    try:
        text = file.read_text().strip()
    except OSError:
        return None  # the root of version 2 has no such file, nor a group without the controller
    return None if text == "max" else int(text)
