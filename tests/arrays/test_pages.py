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
