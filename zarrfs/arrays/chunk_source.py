"""Chunks on demand: each is fetched and decoded once for everybody who wants it at the time.

Nobody waits here. Who wants a chunk leaves a function that takes it; it is called at once if the
chunk is kept, else on the decode thread that has just decoded it.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Protocol

import numpy as np

from zarrfs.errors import ChunkError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from zarrfs.arrays.chunk_cache import ChunkCache
    from zarrfs.arrays.chunk_io import ChunkReader, Loaded
    from zarrfs.arrays.decode_pool import DecodePool
    from zarrfs.arrays.regions import Coords
    from zarrfs.codecs.base import Array

_log = logging.getLogger(__name__)

# Chunks of one object are decoded in tasks of about this many bytes: enough to merge the byte
# ranges of small inner chunks, few enough to occupy all threads.
TASK_BYTES = 4 * 2**20

# Failures remembered per array; one more forgets them all, which only costs decoding again.
MAX_FAILURES = 10_000

_scratch = threading.local()


class Receiver(Protocol):
    """Takes a chunk, on any thread. The array may be overwritten once it has returned."""

    def __call__(self, coords: Coords, chunk: Array | None, error: ChunkError | None) -> None:
        """Take a decoded chunk, ``None`` for one never written, or why it cannot be had."""
        ...


class ChunkSource:
    """The chunks of one array, decoded once for all who want them.

    Parameters
    ----------
    name
        Path of the array, for messages.
    reader
        Fetches and decodes.
    cache, pool
        Shared with other arrays.
    failure_ttl
        Seconds for which a failure is remembered and not tried again.
    """

    def __init__(
        self,
        name: str,
        reader: ChunkReader,
        cache: ChunkCache,
        pool: DecodePool,
        *,
        failure_ttl: float,
    ) -> None:
        self.name = name
        self.reader = reader
        self._cache = cache
        self._pool = pool
        self.failure_ttl = failure_ttl
        """Seconds."""
        self._lock = threading.Lock()
        self._wanted: dict[Coords, list[tuple[Receiver, bool]]] = {}
        self._failures: dict[Coords, tuple[float, ChunkError]] = {}
        self._generation = 0

    def request(
        self, wanted: Iterable[Coords], receive: Receiver, *, keep: bool, urgent: bool
    ) -> None:
        """Have `receive` called once for each chunk wanted.

        Parameters
        ----------
        wanted
            The chunks.
        receive
            Called on this thread for chunks that are kept or known to fail, else on a decode
            thread, in any order.
        keep
            Whether a chunk is worth keeping for later.
        urgent
            Somebody waits for just these chunks.
        """
        to_load: list[Coords] = []
        for coords in wanted:
            with self._lock:
                receivers = self._wanted.get(coords)
                if receivers is not None:
                    receivers.append((receive, keep))
                    continue
                kept, chunk = self._cache.get(self, coords)
                error = None if kept else self._known_failure(coords)
                if not kept and error is None:
                    self._wanted[coords] = [(receive, keep)]
                    to_load.append(coords)
                    continue
            receive(coords, chunk, error)
        for key, group in self.reader.by_object(to_load).items():
            for batch in self._batches(group):
                self._pool.submit(_Task(self, key, batch, self._generation), urgent=urgent)

    def forget(self) -> None:
        """Drop all that is remembered; what is being decoded is delivered, but not kept."""
        with self._lock:
            self._generation += 1
            self._failures.clear()
        self._cache.drop(self)
        self.reader.forget()

    def load(self, key: str, batch: Sequence[Coords], generation: int) -> None:
        """Decode a batch and hand it out; runs on a decode thread."""
        scratch = _scratch_buffer(self.reader.spec.nbytes)
        remaining = set(batch)
        try:
            for coords, loaded in self.reader.load(key, batch, scratch):
                remaining.discard(coords)
                self._deliver(key, coords, loaded, generation)
        finally:
            # Only a fault in zarrfs gets here with something left: nobody may wait for ever.
            for coords in remaining:
                error = ChunkError(self.name, key, "internal error, see the log")
                self._deliver(key, coords, error, generation)

    def _deliver(self, key: str, coords: Coords, loaded: Loaded, generation: int) -> None:
        chunk = loaded if isinstance(loaded, np.ndarray) else None
        error = self._failed(key, coords, loaded) if isinstance(loaded, Exception) else None
        with self._lock:
            current = generation == self._generation
            keep = any(keep for _, keep in self._wanted[coords])
        if error is None and current and keep:
            # A copy of its own: the chunk may lie in the scratch buffer, or hold on to the
            # encoded bytes that it was decoded from.
            chunk = None if chunk is None else chunk.copy()
            self._cache.put(self, coords, chunk)
        with self._lock:
            receivers = self._wanted.pop(coords)
            if error is not None and current:
                if len(self._failures) >= MAX_FAILURES:
                    self._failures.clear()
                self._failures[coords] = (time.monotonic() + self.failure_ttl, error)
        for receive, _ in receivers:
            receive(coords, chunk, error)

    def _failed(self, key: str, coords: Coords, cause: Exception) -> ChunkError:
        if isinstance(cause, ChunkError):
            return cause
        error = ChunkError(self.name, key, str(cause))
        error.__cause__ = cause
        with self._lock:
            # A whole shard that cannot be read fails for each of its inner chunks: said once.
            known = any(error.args == other.args for _, other in self._failures.values())
        if not known:
            _log.error("%s (chunk %s)", error, coords)
        error.is_logged = True
        return error

    def _known_failure(self, coords: Coords) -> ChunkError | None:
        known = self._failures.get(coords)
        if known is None:
            return None
        expiry, error = known
        if time.monotonic() < expiry:
            return error
        del self._failures[coords]
        return None

    def _batches(self, group: list[Coords]) -> Iterator[list[Coords]]:
        n = max(1, TASK_BYTES // max(1, self.reader.spec.nbytes))
        for first in range(0, len(group), n):
            yield group[first : first + n]


class _Task:
    """A batch to decode. A class rather than a closure: thousands wait in the queue at a time."""

    __slots__ = ("batch", "generation", "key", "source")

    def __init__(self, source: ChunkSource, key: str, batch: list[Coords], generation: int) -> None:
        self.source, self.key, self.batch, self.generation = source, key, batch, generation

    def __call__(self) -> None:
        self.source.load(self.key, self.batch, self.generation)


def _scratch_buffer(size: int) -> memoryview:
    """Buffer of this thread to decode into, at least `size` bytes; grows, and shrinks if idle."""
    buffer: memoryview | None = getattr(_scratch, "buffer", None)
    if buffer is None or not size <= len(buffer) <= 4 * size + 2**20:
        buffer = _scratch.buffer = memoryview(bytearray(size))
    return buffer
