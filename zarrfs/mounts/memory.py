"""How much memory a daemon may hold by default: a share of the machine's or its cgroup's."""

from __future__ import annotations

import os
from pathlib import Path

SHARE = 0.25
"""Share of the memory taken by default."""

LARGEST_DEFAULT = 4 << 30
"""Bytes; more than this is given by ``-o memory=``, not taken."""


def default_memory() -> int:
    """Bytes for caches when nothing is said: a quarter of the memory, at most 4 GiB."""
    return min(LARGEST_DEFAULT, int(SHARE * available_memory()))


def available_memory() -> int:
    """Bytes of the machine, or of the tightest control group that holds this process."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = cgroup_limit(
        Path("/proc/self/cgroup").read_text(), Path("/proc/self/mountinfo").read_text()
    )
    return machine if limit is None else min(machine, limit)


def cgroup_limit(membership: str, mountinfo: str) -> int | None:
    """Bytes of the tightest memory limit of this process's control groups, or ``None``.

    Parameters
    ----------
    membership
        Text of ``/proc/self/cgroup``: ``hierarchy:controllers:path`` lines (cgroups(7)).
    mountinfo
        Text of ``/proc/self/mountinfo``: where those hierarchies are mounted.

    Notes
    -----
    A limit of an ancestor binds too. Version 1 says "no limit" with a number of its own near
    2**63, which the caller's `min` with the machine's memory takes care of.
    """
    limits = []
    for folder, root, file_name in _memory_hierarchies(mountinfo):
        path = _group_path(membership, unified=file_name == "memory.max")
        if path is None:
            continue
        inside = path.removeprefix(root) if root != "/" else path
        group = folder / inside.strip("/")
        while True:
            limit = _read_limit(group / file_name)
            if limit is not None:
                limits.append(limit)
            if group == folder:
                break
            group = group.parent
    return min(limits, default=None)


def _memory_hierarchies(mountinfo: str) -> list[tuple[Path, str, str]]:
    """Mounted hierarchies that may limit memory: folder, root in the hierarchy, file name."""
    found = []
    for line in mountinfo.splitlines():
        fields = line.split(" ")
        end = fields.index("-", 6)
        fstype, _, super_options = fields[end + 1 : end + 4]
        if fstype == "cgroup2":
            found.append((Path(fields[4]), fields[3], "memory.max"))
        elif fstype == "cgroup" and "memory" in super_options.split(","):
            found.append((Path(fields[4]), fields[3], "memory.limit_in_bytes"))
    return found


def _group_path(membership: str, *, unified: bool) -> str | None:
    for line in membership.splitlines():
        _, controllers, path = line.split(":", 2)
        if (controllers == "") if unified else ("memory" in controllers.split(",")):
            return path
    return None


def _read_limit(file: Path) -> int | None:
    try:
        text = file.read_text().strip()
    except OSError:
        return None  # the root of version 2 has no such file, nor a group without the controller
    return None if text == "max" else int(text)
