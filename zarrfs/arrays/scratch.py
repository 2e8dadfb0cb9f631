"""A buffer for each thread to decode into, so that not every chunk takes fresh memory."""

from __future__ import annotations

import threading

# Larger chunks are decoded into memory of their own: each thread would hold on to that much.
MAX_SCRATCH_BYTES = 8 * 2**20

_threads = threading.local()


def scratch_buffer(size: int) -> memoryview | None:
    """Buffer of this thread to decode into, at least `size` bytes; ``None`` if that is much."""
    if size > MAX_SCRATCH_BYTES:
        return None
    buffer: memoryview | None = getattr(_threads, "buffer", None)
    if buffer is None or len(buffer) < size:
        buffer = _threads.buffer = memoryview(bytearray(size))
    return buffer
