"""Entries -> the attributes that the kernel is told."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pyfuse3

if TYPE_CHECKING:
    from zarrfs.fuse.inodes import InodeNumber
    from zarrfs.stores.base import DiskUsage
    from zarrfs.vfs.entries import Entry

# What programs should read at a time: one request of the kernel at its largest.
BLOCK_SIZE = 2**20

# Total and free size where the store has none: 0 makes `df` leave the mount out, and file
# managers refuse to write; rclone says 1 PiB too.
UNKNOWN_DISK_BYTES = 2**50
_STATFS_BLOCK_BYTES = 4096
_MAX_NAME_BYTES = 255


def entry_attributes(entry: Entry, number: InodeNumber, timeout: float) -> pyfuse3.EntryAttributes:
    """Return the attributes of an entry.

    Parameters
    ----------
    entry
        What the file system says.
    number
        Its inode.
    timeout
        Seconds for which the kernel may believe them.
    """
    attributes = pyfuse3.EntryAttributes()
    kind = stat.S_IFDIR if entry.is_directory else stat.S_IFREG
    attributes.st_ino = pyfuse3.InodeT(number)
    attributes.st_mode = pyfuse3.ModeT(kind | entry.mode)
    attributes.st_nlink = 1
    attributes.st_uid = os.getuid()
    attributes.st_gid = os.getgid()
    attributes.st_size = entry.size
    attributes.st_blocks = entry.n_blocks
    attributes.st_blksize = BLOCK_SIZE
    attributes.st_mtime_ns = attributes.st_ctime_ns = attributes.st_atime_ns = entry.mtime_ns
    attributes.entry_timeout = attributes.attr_timeout = timeout
    return attributes


def directory_link(number: InodeNumber) -> pyfuse3.EntryAttributes:
    """Return what a listing tells of ``.`` and ``..``; the kernel takes number and type only."""
    attributes = pyfuse3.EntryAttributes()
    attributes.st_ino = pyfuse3.InodeT(number)
    attributes.st_mode = pyfuse3.ModeT(stat.S_IFDIR)
    return attributes


def no_entry(timeout: float) -> pyfuse3.EntryAttributes:
    """Return the answer that a name does not exist, which the kernel may remember."""
    attributes = pyfuse3.EntryAttributes()
    attributes.st_ino = pyfuse3.InodeT(0)
    attributes.entry_timeout = timeout
    return attributes


def disk_attributes(usage: DiskUsage | None) -> pyfuse3.StatvfsData:
    """Return what statfs(2) tells; 1 PiB where the store has no size of its own."""
    total, free = (usage.total, usage.free) if usage else (UNKNOWN_DISK_BYTES,) * 2
    statfs = pyfuse3.StatvfsData()
    statfs.f_bsize = statfs.f_frsize = _STATFS_BLOCK_BYTES
    statfs.f_blocks = total // _STATFS_BLOCK_BYTES
    statfs.f_bfree = statfs.f_bavail = free // _STATFS_BLOCK_BYTES
    statfs.f_files = statfs.f_ffree = statfs.f_favail = 0
    statfs.f_namemax = _MAX_NAME_BYTES
    return statfs
