"""Stored chunks -> their bytes, decoded with numcodecs on two threads and thrown away: the floor.

Whoever reads the array does this, and fetches, places and delivers the chunks besides.
"""

from __future__ import annotations

import contextlib
import math
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numcodecs.blosc
import numcodecs.zstd
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from benchmarks.stored_arrays import StoredArray

N_THREADS = 2
EMPTY = 2**64 - 1
"""Offset of an inner chunk that was never written."""

DECODERS = {"blosc": numcodecs.blosc.Blosc, "zstd": numcodecs.zstd.Zstd}


def encoded_chunks(stored: StoredArray) -> list[bytes]:
    """Load all chunks, or inner chunks, as they are stored."""
    array = stored.array
    if array.shards is None:
        return [file.read_bytes() for file in stored.objects]
    n_inner = math.prod(s // c for s, c in zip(array.shards, array.chunks, strict=True))
    return [chunk for file in stored.objects for chunk in split(file.read_bytes(), n_inner)]


def split(shard: bytes, n_inner: int) -> Iterator[bytes]:
    """Cut a shard by the index at its end (codec ``sharding_indexed``; a CRC32C comes last)."""
    index = np.frombuffer(shard, "<u8", 2 * n_inner, len(shard) - 16 * n_inner - 4)
    for offset, size in index.reshape(-1, 2).tolist():
        if offset != EMPTY:
            yield shard[offset : offset + size]


def decoder(stored: StoredArray) -> Callable[[], None]:
    """Load all chunks of an array that has a codec, and return what decodes them."""
    array = stored.array
    codec = DECODERS[array.compressors[0]["name"]]()
    chunk_bytes = math.prod(array.chunks) * array.dtype.itemsize
    chunks = encoded_chunks(stored)

    def decode_part(part: Sequence[bytes]) -> None:
        target: Any = np.empty(chunk_bytes, np.uint8)
        for chunk in part:
            codec.decode(chunk, target)

    def decode() -> None:
        with _blosc_on_one_thread(), ThreadPoolExecutor(N_THREADS) as threads:
            list(threads.map(decode_part, [chunks[n::N_THREADS] for n in range(N_THREADS)]))

    return decode


@contextlib.contextmanager
def _blosc_on_one_thread() -> Iterator[None]:
    """Turn off the threads inside blosc, which are slower than ours."""
    before = numcodecs.blosc.use_threads
    numcodecs.blosc.use_threads = False
    try:
        yield
    finally:
        numcodecs.blosc.use_threads = before
