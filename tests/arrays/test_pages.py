from __future__ import annotations

import mmap
import os

import pytest

from zarrfs.arrays.pages import Pages


def test_shared_memory_is_that_of_its_descriptor() -> None:
    pages = Pages(100, shared=True)
    assert pages.descriptor is not None
    pages.memory[:3] = b"abc"
    assert mmap.mmap(pages.descriptor, 100)[:4] == b"abc\0"
    descriptor = pages.descriptor
    del pages
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_memory_is_free_though_another_process_has_it_mapped() -> None:
    pages = Pages(2**20, shared=True)
    assert pages.descriptor is not None
    theirs = os.dup(pages.descriptor)
    mapped = mmap.mmap(theirs, 2**20)
    mapped[:] = bytes(2**20)
    assert os.fstat(theirs).st_blocks * 512 == 2**20
    del pages
    assert os.fstat(theirs).st_blocks == 0
    os.close(theirs)
