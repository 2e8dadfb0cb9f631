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
