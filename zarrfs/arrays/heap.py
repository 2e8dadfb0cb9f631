"""The C library's heap of this process: what large buffers freed goes back to the system."""

from __future__ import annotations

import ctypes

LARGE_BYTES = 4 * 2**20
"""Buffers from this size on are mappings of their own, gone when they are freed.

By default glibc raises this as such buffers come and go, up to 32 MiB, and then keeps what was
freed, in a heap per thread: with chunks of 8 MiB, read by 64 programs, the daemon took 260 to
300 MiB, and 223 to 241 MiB with 1 MiB here. Then, however, codecs that need a buffer for each
chunk, as blosc does, get fresh memory from the kernel every time: to read 1 GiB of blosc-lz4 chunks
of 1 MiB took 1.7 CPU seconds, and 0.9 with 4 MiB. zstd takes 160 KB for each chunk: in a process
that had 128 KiB as the threshold chunks of 64 KiB took 159 us each, and 137 with 4 MiB.
"""

KEPT_BYTES = 2 * LARGE_BYTES
"""Bytes that a thread's heap may keep free at its end; glibc's own ratio to the above."""

_M_TRIM_THRESHOLD = -1  # malloc.h
_M_MMAP_THRESHOLD = -3


def give_large_buffers_back() -> bool:
    """Have freed large buffers given back at once; whether this C library can be told so."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:  # not glibc
        return False
    return bool(mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES) and mallopt(_M_TRIM_THRESHOLD, KEPT_BYTES))
