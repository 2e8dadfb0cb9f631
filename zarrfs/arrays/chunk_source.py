"""Chunks on demand: each is fetched and decoded once for everybody who wants it at the time.

Nobody waits here. Who wants a chunk leaves a function that takes it; it is called at once if the
chunk is kept, else on the decode thread that has just decoded it.
"""

from __future__ import annotations

import logging
import math
import threading
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from zarrfs.arrays.chunk_loading import ChunkLoading
from zarrfs.arrays.decode_pool import CORES
from zarrfs.arrays.failures import Failures, without_frames
from zarrfs.arrays.wanted_chunk import WantedChunk, nowhere
from zarrfs.errors import ChunkError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from zarrfs.arrays.chunk_cache import ChunkCache
    from zarrfs.arrays.chunk_io import ChunkReader, Loaded
    from zarrfs.arrays.decode_pool import DecodePool
    from zarrfs.arrays.fetch_pool import FetchPool
    from zarrfs.arrays.regions import Coords
    from zarrfs.arrays.spilled_chunks import SpilledChunk, SpilledChunks
    from zarrfs.arrays.wanted_chunk import Place, Receiver, WantedPart
    from zarrfs.codecs.base import Array
    from zarrfs.format.axes import Axis

_log = logging.getLogger(__name__)


class _Generation:
    """What is known and under way between one `forget` and the next."""

    __slots__ = ("failures", "wanted")

    def __init__(self, failure_ttl: float) -> None:
        self.wanted: dict[Coords, WantedChunk] = {}
        """Chunks queued or under way."""
        self.failures = Failures(failure_ttl)


class ChunkSource:
    """The chunks of one array, decoded once for all who want them.

    Parameters
    ----------
    name
        Path of the array, for messages.
    reader
        Fetches and decodes.
    cache, spilled, pool, fetching
        Shared with other arrays.
    failure_ttl
        Seconds for which a failure is remembered and not tried again.
    """

    def __init__(
        self,
        name: str,
        reader: ChunkReader,
        cache: ChunkCache,
        spilled: SpilledChunks,
        pool: DecodePool,
        fetching: FetchPool,
        *,
        failure_ttl: float,
    ) -> None:
        self.name = name
        self.reader = reader
        self._cache = cache
        self._spilled = spilled
        self._loading = ChunkLoading(name, reader, cache, pool, fetching)
        self._failure_ttl = failure_ttl
        # A row of chunks are those that share their place on the axes up to this one.
        self._n_row_axes = 1 + next(
            (i for i, axis in enumerate(reader.grid.axes) if _is_cut(axis)), 0
        )
        self._lock = threading.Lock()
        self._generation = _Generation(self._failure_ttl)
        self.revision = 0
        """Grows whenever `drop` or `forget` say that data has changed."""

    def request(
        self,
        wanted: Iterable[Coords],
        receive: Receiver,
        *,
        place: Place = nowhere,
        keep: bool,
        part: WantedPart | None = None,
        urgent: bool,
    ) -> None:
        """Have `receive` called once for each chunk wanted.

        Parameters
        ----------
        wanted
            The chunks.
        receive
            Called on this thread for chunks that are kept or known to fail, else on a decode
            thread, in any order.
        place
            Where a chunk goes if it goes there as it is: it may be decoded to there, and then
            lies there when it is received. See `zarrfs.arrays.placing`.
        keep
            Whether a chunk is worth keeping for later.
        part
            What `receive` looks at, where the other parts of all these chunks are wanted soon, and
            memory may not hold as many: they are kept in a file then, which this thread reads.
        urgent
            Somebody waits for just these chunks.
        """
        to_load: list[Coords] = []
        spilled: list[Coords] = []
        n_kept = 0
        generation = self._generation
        for coords in wanted:
            wanted_part = part(coords) if part is not None and self._spilled.is_on else None
            with self._lock:
                known = generation.wanted.get(coords)
                if known is not None:
                    known.add(receive, keep=keep, part=wanted_part)
                    if urgent and known.hasten():
                        to_load.append(coords)
                    continue
                if wanted_part is not None and self._spilled.has(generation, coords):
                    spilled.append(coords)
                    continue
                is_kept, chunk = self._cache.get(generation, coords)
                error = None if is_kept else generation.failures.find(coords)
                if not is_kept and error is None:
                    generation.wanted[coords] = WantedChunk(place=place, urgent=urgent)
                    generation.wanted[coords].add(receive, keep=keep, part=wanted_part)
                    to_load.append(coords)
                    continue
            n_kept += is_kept
            receive(coords, chunk, error)
        if n_kept:
            self.reader.counters.add(chunk_cache_hits=n_kept)
        # What nobody waits for has a task for each object, so that it is soon overtaken.
        n_shares = CORES if urgent else None
        if to_load:
            order = _Order(self, generation)
            self._loading.submit(order, to_load, urgent=urgent, n_shares=n_shares)
        if part is not None and spilled:
            lost = list(self._not_read_back(spilled, receive, part, generation))
            if lost:
                self.request(lost, receive, place=place, keep=keep, part=part, urgent=urgent)

    def has_any(self, wanted: Iterable[Coords]) -> bool:
        """Whether any of some chunks is kept or under way, and so need not be decoded again."""
        generation = self._generation
        if not (generation.wanted or self._cache.n_chunks):
            return False
        return any(
            coords in generation.wanted or self._cache.get(generation, coords)[0]
            for coords in wanted
        )

    def is_worth_keeping(self, wanted: Collection[Coords]) -> bool:
        """Whether to keep chunks of one scattered read, by what was asked for before."""
        return self._cache.is_worth(self._generation, wanted, self.reader.spec.nbytes)

    def hasten(self, wanted: Iterable[Coords]) -> None:
        """Let chunks that were requested without urgency overtake others: they are waited for."""
        generation = self._generation
        with self._lock:
            known = [(coords, generation.wanted.get(coords)) for coords in wanted]
            queued = [coords for coords, one in known if one is not None and one.hasten()]
        # A task for each object, so that all threads overtake what was queued before.
        if queued:
            self._loading.submit(_Order(self, generation), queued, urgent=True, n_shares=None)

    def remembers_failure(self, coords: Coords) -> bool:
        """Whether a chunk failed, not longer ago than failures are remembered; takes no lock."""
        return self._generation.failures.has(coords)

    def drop(self, key: str, changed: Iterable[Coords]) -> None:
        """Drop what is remembered of chunks of one object, which has been replaced.

        What is being read of them is delivered to those who asked for it before.
        """
        self.reader.forget_object(key)
        with self._lock:
            generation = self._generation
            self.revision += 1
            is_any_kept = self._cache.n_chunks or self._spilled.n_chunks
            if not (generation.failures or generation.wanted or is_any_kept):
                return
            for coords in changed:
                generation.failures.drop(coords)
                known = generation.wanted.get(coords)
                if known is not None and known.is_begun:
                    known.is_stale = True
                    del generation.wanted[coords]
                self._cache.drop_chunk(generation, coords)
                self._spilled.drop_chunk(generation, coords)

    def forget(self) -> None:
        """Drop all that is remembered.

        What is being read is delivered to those who asked for it before, and to nobody else.
        """
        self.reader.forget()
        with self._lock:
            last, self._generation = self._generation, _Generation(self._failure_ttl)
            self.revision += 1
        self._cache.drop(last)
        self._spilled.drop(last)

    def _begun(self, generation: _Generation, batch: Sequence[Coords]) -> dict[Coords, WantedChunk]:
        with self._lock:
            return {
                coords: wanted
                for coords in batch
                if (wanted := generation.wanted.get(coords)) and wanted.begin()
            }

    def _deliver(
        self, generation: _Generation, key: str, coords: Coords, loaded: Loaded, wanted: WantedChunk
    ) -> None:
        chunk, error = loaded if isinstance(loaded, np.ndarray) else None, None
        if isinstance(loaded, Exception):
            error = self._failed(key, coords, loaded, generation)
        with self._lock:
            is_worth = not wanted.is_stale and generation is self._generation
            to_spill = is_worth and wanted.spill and self._n_unread(coords, wanted) > 0
            to_keep = is_worth and wanted.keep
        spilled = self._spill(coords, chunk, generation) if to_spill and chunk is not None else None
        to_keep = to_keep or (to_spill and spilled is None)
        if to_keep and chunk is not None:
            kept = self._cache.copy_to_keep(chunk, wanted.room)
            to_keep, chunk = kept is not None, chunk if kept is None else kept
        wanted.room = None
        with self._lock:
            if not wanted.is_stale:
                if error is None and generation is self._generation:
                    if to_keep:
                        self._cache.put(generation, coords, chunk)
                    if spilled is not None:
                        n_unread = self._n_unread(coords, wanted)
                        self._spilled.keep(generation, coords, spilled, n_unread)
                        spilled = None
                del generation.wanted[coords]
            elif error is not None:
                generation.failures.drop(coords)
        if spilled is not None:
            self._spilled.discard(spilled)
        for receive in wanted.receivers:
            try:
                receive(coords, chunk, None if error is None else error.again())
            except Exception:  # noqa: BLE001 (a fault in zarrfs; the others still get their chunk)
                _log.exception("a chunk of %r could not be handed out", self.name)

    def _spill(self, coords: Coords, chunk: Array, generation: _Generation) -> SpilledChunk | None:
        spilled = self._spilled.write(chunk, (generation, coords[: self._n_row_axes]))
        if spilled is not None:
            self.reader.counters.add(chunks_spilled=1, bytes_spilled=chunk.nbytes)
        return spilled

    def _n_unread(self, coords: Coords, wanted: WantedChunk) -> int:
        """Elements of a chunk, those out of the array not counted, in no part that is wanted."""
        axes = zip(self.reader.grid.axes, coords, strict=True)
        return math.prod(axis.start(c + 1) - axis.start(c) for axis, c in axes) - wanted.n_read

    def _not_read_back(
        self,
        spilled: Iterable[Coords],
        receive: Receiver,
        part: WantedPart,
        generation: _Generation,
    ) -> Iterator[Coords]:
        """Hand out parts of chunks that are in the file; yield those that are not any more."""
        n_hits = 0
        for coords in spilled:
            chunk = self._spilled.read(generation, coords, part(coords))
            if chunk is None:
                yield coords
            else:
                n_hits += 1
                receive(coords, chunk, None)
        self.reader.counters.add(spill_hits=n_hits)

    def _failed(
        self, key: str, coords: Coords, cause: Exception, generation: _Generation
    ) -> ChunkError:
        """Remember a failure, and say it in the log unless it was said a moment ago."""
        error = ChunkError(self.name, key, str(cause))
        error.__cause__ = without_frames(cause)
        error.is_logged = True
        with self._lock:
            is_new = generation.failures.add(coords, error)
        if is_new:
            _log.error("%s (chunk %s)", error, coords)
        return error


class _Order:
    """Chunks of one generation, as they are loaded."""

    __slots__ = ("begin", "deliver")

    def __init__(self, source: ChunkSource, generation: _Generation) -> None:
        self.begin = partial(source._begun, generation)
        self.deliver = partial(source._deliver, generation)


def _is_cut(axis: Axis) -> bool:
    """Whether chunks have several elements along an axis."""
    return any(length > 1 for length, _ in axis.runs)
