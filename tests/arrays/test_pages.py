from __future__ import annotations

import mmap
import os
from typing import Literal

import numpy as np
import pytest

from zarrfs.arrays.pages import LARGE_COPY_BYTES, Pages, own_copy


def test_shared_memory_is_that_of_its_descriptor() -> None:
    pages = Pages(100, shared=True)
    assert pages.descriptor is not None
    pages.memory[:3] = b"abc"
    assert mmap.mmap(pages.descriptor, 100)[:4] == b"abc\0"
    descriptor = pages.descriptor
    del pages
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


@pytest.mark.parametrize("n", [10, LARGE_COPY_BYTES])
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_copy_of_its_own_is_equal_and_independent(n: int, order: Literal["C", "F"]) -> None:
    array = np.asarray(np.arange(2 * n, dtype="<u2").reshape(2, n), order=order)
    copy = own_copy(array)
    assert np.array_equal(copy, array)
    array[0, 0] = 7
    assert copy[0, 0] == 0


def test_elements_that_are_objects_are_copied_too() -> None:
    array = np.full(LARGE_COPY_BYTES, "text", object)
    assert own_copy(array)[-1] == "text"
