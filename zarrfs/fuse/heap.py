"""The C library's heap of this process: what large buffers freed goes back to the system."""

from __future__ import annotations

import ctypes

LARGE_BYTES = 2**20
"""Buffers from this size on are mappings of their own, gone when they are freed.

By default glibc raises this as such buffers come and go, up to 32 MiB, and then keeps what was
freed, in a heap per thread: with chunks of 8 MiB, read by 64 programs, the daemon took 260 to
300 MiB, and 223 to 241 MiB with this. Reading was no slower.
"""

_M_MMAP_THRESHOLD = -3  # malloc.h


def give_large_buffers_back() -> bool:
    """Have freed large buffers given back at once; whether this C library can be told so."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:  # not glibc
        return False
    return bool(mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES))
