"""Buffers of each thread to read and decode into, so that not every chunk takes fresh memory."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np

# Larger chunks take memory of their own: each thread would hold on to twice that much.
MAX_SCRATCH_BYTES = 8 * 2**20

# Compressors make incompressible chunks this much longer, at most.
ENCODED_EXCESS = 4096


@dataclass(frozen=True, slots=True)
class Scratch:
    """Two buffers, not to be shared between threads."""

    encoded: memoryview
    """For a chunk as it is stored."""

    decoded: memoryview
    """For the same chunk decoded."""


_threads = threading.local()


def scratch_buffers(size: int) -> Scratch | None:
    """Buffers of this thread for chunks of at least `size` bytes; ``None`` if that is much."""
    if size > MAX_SCRATCH_BYTES:
        return None
    scratch: Scratch | None = getattr(_threads, "scratch", None)
    if scratch is None or len(scratch.decoded) < size:
        scratch = _threads.scratch = Scratch(
            np.empty(size + ENCODED_EXCESS, np.uint8).data, np.empty(size, np.uint8).data
        )
    return scratch
