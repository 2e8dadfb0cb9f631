"""A process of its own for a library, which keeps all the memory that it has had.

Who reads an array to memory asks the kernel for as much of it each time, and on a virtual machine
the kernel waits for the host: 1 GiB of fresh memory took from 0.3 to 3 CPU seconds within minutes,
where decoding took 0.6. Libraries in process are compared without that.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING
from unittest import mock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Executor

KEEPING = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(2**40),
    "MALLOC_ARENA_MAX": "1",
}
"""For glibc, read when a process starts: one heap for all threads and all buffers, whose end does
not go back to the kernel when it is freed (mallopt(3))."""


@contextlib.contextmanager
def worker() -> Iterator[Executor]:
    """Start a process that runs one function after the other."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as executor:
        with mock.patch.dict(os.environ, KEEPING):
            executor.submit(os.getpid).result()
        yield executor
