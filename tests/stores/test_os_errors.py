"""Each refusal of the operating system becomes the store error that says it."""

from __future__ import annotations

import errno
import os

import pytest

from zarrfs.errors import (
    NoSpaceError,
    ReadOnlyError,
    StoreError,
    StorePermissionError,
    StoreTimeoutError,
)
from zarrfs.stores.os_errors import store_error


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.EACCES, StorePermissionError),
        (errno.EPERM, StorePermissionError),
        (errno.ENOSPC, NoSpaceError),
        (errno.EDQUOT, NoSpaceError),
        (errno.EROFS, ReadOnlyError),
        (errno.ETIMEDOUT, StoreTimeoutError),
        (errno.EIO, StoreError),
        (errno.ESTALE, StoreError),
    ],
)
def test_error_number_chooses_the_class(number: int, expected: type[StoreError]) -> None:
    error = store_error("set", "a/k", OSError(number, os.strerror(number)), "/store")
    assert type(error) is expected
    assert (error.operation, error.key, error.store) == ("set", "a/k", "/store")
    assert error.reason == os.strerror(number)


def test_error_without_a_number_keeps_its_text() -> None:
    assert store_error("get", "k", OSError("odd"), "/store").reason == "odd"
