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


def read_into(descriptor: int, buffer: memoryview, start: int) -> memoryview:
    """Read a file from `start` on into a buffer; return the part of it that was filled.

    That is all of it, unless the file ends before.
    """
    n_read = n = os.preadv(descriptor, [buffer], start)
    while n and n_read < len(buffer):
        n = os.preadv(descriptor, [buffer[n_read:]], start + n_read)
        n_read += n
    return buffer if n_read == len(buffer) else buffer[:n_read]


def will_need(descriptor: int) -> None:
    """Have the kernel read a file into its page cache; does not wait for it."""
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_WILLNEED)
