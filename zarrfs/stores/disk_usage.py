"""Size of the disk that a path lies on, for stores of local files."""

from __future__ import annotations

import os

from zarrfs.stores.base import DiskUsage
from zarrfs.stores.os_errors import store_error


def disk_usage(path: str | bytes | os.PathLike[str], url: str) -> DiskUsage:
    """Return the size of the file system of a path, and what of it is free to this user.

    Raises
    ------
    StoreError
        If the path cannot be looked at; names the store by its `url`.
    """
    try:
        status = os.statvfs(path)
    except OSError as error:
        raise store_error("stat", "", error, url) from error
    return DiskUsage(
        total=status.f_blocks * status.f_frsize, free=status.f_bavail * status.f_frsize
    )
