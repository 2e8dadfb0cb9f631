"""What the kernel is told about an entry."""

from __future__ import annotations

import os
import stat

from hypothesis import given
from hypothesis import strategies as st

from zarrfs.fuse.attributes import (
    BLOCK_SIZE,
    directory_link,
    disk_attributes,
    entry_attributes,
    no_entry,
)
from zarrfs.fuse.inodes import InodeNumber
from zarrfs.stores.base import DiskUsage
from zarrfs.vfs.entries import Entry, directory


@given(
    size=st.integers(0, 2**63 - 1),
    n_blocks=st.integers(0, 2**54),
    mode=st.integers(0, 0o777),
    mtime_ns=st.integers(0, 2**62),
)
def test_file_is_told_as_it_is(size: int, n_blocks: int, mode: int, mtime_ns: int) -> None:
    entry = Entry(is_directory=False, mode=mode, size=size, n_blocks=n_blocks, mtime_ns=mtime_ns)
    told = entry_attributes(entry, InodeNumber(77), 1.5)
    assert (told.st_ino, told.st_size, told.st_blocks) == (77, size, n_blocks)
    assert told.st_mode == stat.S_IFREG | mode
    assert (told.st_uid, told.st_gid, told.st_nlink) == (os.getuid(), os.getgid(), 1)
    assert told.st_mtime_ns == told.st_ctime_ns == told.st_atime_ns == mtime_ns
    assert (told.entry_timeout, told.attr_timeout) == (1.5, 1.5)
    assert told.st_blksize == BLOCK_SIZE


def test_directory_has_its_type() -> None:
    told = entry_attributes(directory(0), InodeNumber(77), 1)
    assert told.st_mode == stat.S_IFDIR | 0o555


def test_link_has_number_and_type() -> None:
    told = directory_link(InodeNumber(77))
    assert (told.st_ino, told.st_mode) == (77, stat.S_IFDIR)


def test_missing_name_is_remembered_as_such() -> None:
    told = no_entry(2.5)
    assert (told.st_ino, told.entry_timeout) == (0, 2.5)


def test_disk_is_told_in_its_blocks() -> None:
    told = disk_attributes(DiskUsage(total=2**40, free=2**39 + 5))
    assert told.f_blocks * told.f_frsize == 2**40
    assert told.f_bfree * told.f_frsize == told.f_bavail * told.f_frsize == 2**39
    assert told.f_namemax == 255


def test_store_without_a_size_has_a_pebibyte_free() -> None:
    told = disk_attributes(None)
    assert told.f_blocks == told.f_bavail == 2**50 // told.f_frsize
