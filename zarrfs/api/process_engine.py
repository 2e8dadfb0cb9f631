"""The decode threads and memory that all arrays of this process share."""

from __future__ import annotations

import functools

from zarrfs.arrays.engine import Engine

# For all arrays of this process together: chunks of flat spans that were read.
MEMORY_BYTES = 256 * 2**20

# A failed chunk is not tried again for this many seconds.
FAILURE_TTL = 1.0


@functools.cache
def process_engine() -> Engine:
    """Return them, made when they are first needed."""
    return Engine(memory=MEMORY_BYTES, failure_ttl=FAILURE_TTL)
