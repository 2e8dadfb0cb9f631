"""Files <-> the kernel's page cache: what it holds of them, and how to make it forget."""

from __future__ import annotations

import ctypes
import mmap
import os
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

ATTEMPTS = 100
"""A page that the kernel itself is at, to write or move it, is not dropped."""

_LIBC = ctypes.CDLL(None, use_errno=True)


def n_cached_pages(file: Path) -> int:
    """Count the pages of a file that the cache holds (mincore(2))."""
    size = file.stat().st_size
    if size == 0:
        return 0
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, prot=mmap.PROT_READ) as memory:
        pages = np.zeros(-(-size // mmap.PAGESIZE), np.uint8)
        content = np.frombuffer(memory, np.uint8)
        failed = _LIBC.mincore(
            ctypes.c_void_p(content.ctypes.data),
            ctypes.c_size_t(size),
            ctypes.c_void_p(pages.ctypes.data),
        )
        error = ctypes.get_errno()
        del content  # a mapping that is looked at cannot be closed
    if failed:
        raise OSError(error, os.strerror(error), str(file))
    return int((pages & 1).sum())


def drop_pages(files: Iterable[Path]) -> None:
    """Make the kernel forget what it holds of files; what was written to them must be synced.

    Raises
    ------
    RuntimeError
        If it holds some of it all the same: a file on tmpfs is nowhere else.
    """
    for file in files:
        with file.open("rb") as opened:
            for _ in range(ATTEMPTS):
                os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
                if (n := n_cached_pages(file)) == 0:
                    break
            else:
                raise RuntimeError(f"{n} pages of {file} stay in the page cache")
