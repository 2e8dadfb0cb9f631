"""Spans of a file by descriptor, without a file position, so any number of threads can read."""

from __future__ import annotations

import os


def read_span(descriptor: int, start: int, stop: int) -> bytes | bytearray:
    """Return bytes `start` to `stop` of a file; fewer only if the file ends before."""
    data = os.pread(descriptor, stop - start, start)
    if len(data) == stop - start:
        return data
    # Linux reads at most 0x7ffff000 bytes at a time, network file systems less.
    gathered = bytearray(data)
    while data and len(gathered) < stop - start:
        data = os.pread(descriptor, stop - start - len(gathered), start + len(gathered))
        gathered += data
    return gathered


def read_into(descriptor: int, buffer: memoryview, start: int = 0) -> int:
    """Read a file from `start` on to fill a buffer; fewer bytes only if the file ends before."""
    n_read = 0
    while n_read < len(buffer):
        n = os.preadv(descriptor, [buffer[n_read:]], start + n_read)
        if not n:
            break
        n_read += n
    return n_read


def will_need(descriptor: int) -> None:
    """Have the kernel read a file into its page cache; does not wait for it."""
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_WILLNEED)
