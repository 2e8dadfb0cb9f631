"""What the operating system refused -> the store error that says so, with the system's reason."""

from __future__ import annotations

import errno

from zarrfs.errors import (
    NoSpaceError,
    ReadOnlyError,
    StoreError,
    StorePermissionError,
    StoreTimeoutError,
)

_CLASSES: dict[int, type[StoreError]] = {
    errno.EACCES: StorePermissionError,
    errno.EPERM: StorePermissionError,
    errno.ENOSPC: NoSpaceError,
    errno.EDQUOT: NoSpaceError,
    errno.EROFS: ReadOnlyError,
    errno.ETIMEDOUT: StoreTimeoutError,
}


def store_error(operation: str, key: str, error: OSError, store: str) -> StoreError:
    """Return the `StoreError` for an `OSError`, to be raised ``from`` it."""
    error_class = _CLASSES.get(error.errno or 0, StoreError)
    return error_class(operation, key, error.strerror or str(error), store=store)
