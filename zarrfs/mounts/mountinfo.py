"""The kernel's table of mounts <-> values. Reads /proc only, so a hanging mount cannot hang it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

FSTYPE = "fuse.zarrfs"
"""File system type of every mount of zarrfs, as the kernel shows it."""

_ESCAPE = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True, kw_only=True)
class MountEntry:
    """One line of /proc/self/mountinfo."""

    mountpoint: str
    """Absolute path in this mount namespace."""

    root: str
    """Folder of the file system that is mounted there; ``/`` for the whole."""

    fstype: str
    """Type and subtype, such as ``fuse.zarrfs``."""

    source: str
    """What is mounted: for FUSE its ``fsname``."""

    device: str
    """``MAJOR:MINOR`` of the mounted file system."""

    options: frozenset[str]
    """Options of this mount point and of the file system, together."""

    @property
    def is_zarrfs(self) -> bool:
        """Whether zarrfs made this mount."""
        return self.fstype == FSTYPE

    @property
    def connection(self) -> str:
        """Number of the FUSE connection, its name below ``/sys/fs/fuse/connections``."""
        return self.device.partition(":")[2]


def parse_mountinfo(text: str) -> list[MountEntry]:
    """Read the lines of a mountinfo file, in the kernel's order: later mounts cover earlier ones.

    Notes
    -----
    Format: proc(5), ``/proc/[pid]/mountinfo``; the optional fields end at a lone ``-``.
    """
    entries = []
    for line in text.splitlines():
        fields = line.split(" ")
        end = fields.index("-", 6)
        fstype, source, super_options = fields[end + 1 : end + 4]
        entries.append(
            MountEntry(
                mountpoint=_unescape(fields[4]),
                root=_unescape(fields[3]),
                fstype=_unescape(fstype),
                source=_unescape(source),
                device=fields[2],
                options=frozenset(fields[5].split(",")) | frozenset(super_options.split(",")),
            )
        )
    return entries


def read_mounts() -> list[MountEntry]:
    """All mounts of this process's mount namespace."""
    # os.fsdecode: a mount point is bytes, and need not be UTF-8.
    return parse_mountinfo(os.fsdecode(Path("/proc/self/mountinfo").read_bytes()))


def mounted_at(mountpoint: str) -> MountEntry | None:
    """Return what is mounted at an absolute path, the topmost if mounts are stacked."""
    for entry in reversed(read_mounts()):
        if entry.mountpoint == mountpoint:
            return entry
    return None


def absolute_mountpoint(path: str) -> str:
    """Return the absolute path of a mount point as the kernel names it.

    Nothing at or below a mount is touched before the table of mounts was asked, since a dead
    or hanging mount would answer with an error, or not at all.
    """
    plain = os.path.abspath(path)  # noqa: PTH100 - Path.resolve() would follow into the mount
    known = {entry.mountpoint for entry in read_mounts()}
    if plain in known:
        return plain
    parent, name = os.path.split(plain)
    beside = os.path.join(os.path.realpath(parent), name)  # noqa: PTH118 - str, as the table
    return beside if beside in known else os.path.realpath(plain)


def _unescape(field: str) -> str:
    return _ESCAPE.sub(lambda match: chr(int(match.group(1), 8)), field)
