"""Chunks that are wanted -> tasks of the threads, which fetch them, decode them and deliver them.

Where the store answers at once, decode threads do it all, several objects at a time. Where it takes
its time, each object is a request of its own on threads that only fetch.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Protocol

from zarrfs.arrays.batching import batches
from zarrfs.arrays.scratch import scratch_buffers
from zarrfs.errors import ZarrfsError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from zarrfs.arrays.batching import Batch
    from zarrfs.arrays.chunk_cache import ChunkCache
    from zarrfs.arrays.chunk_io import ChunkReader, FetchedChunks, Loaded
    from zarrfs.arrays.decode_pool import DecodePool
    from zarrfs.arrays.fetch_pool import FetchPool
    from zarrfs.arrays.regions import Coords
    from zarrfs.arrays.wanted_chunk import WantedChunk

    Remaining = dict[Coords, WantedChunk]
    """Chunks of one object that a task has begun and not delivered yet."""

_log = logging.getLogger(__name__)


class Order(Protocol):
    """Whom chunks are loaded for; called on any thread."""

    def begin(self, batch: Sequence[Coords]) -> Remaining:
        """Take on chunks, without those that another task has begun or finished meanwhile."""
        ...

    def deliver(self, key: str, coords: Coords, loaded: Loaded, wanted: WantedChunk) -> None:
        """Take a chunk of an object that was begun, or why it cannot be had."""
        ...


class ChunkLoading:
    """Loads the chunks of one array.

    Parameters
    ----------
    name
        Path of the array, for messages.
    reader
        Fetches and decodes.
    cache
        Has the memory for chunks that are to be kept.
    pool, fetching
        The threads that decode, and those that ask stores which take their time.
    """

    def __init__(
        self,
        name: str,
        reader: ChunkReader,
        cache: ChunkCache,
        pool: DecodePool,
        fetching: FetchPool,
    ) -> None:
        self._name = name
        self._reader = reader
        self._cache = cache
        self._pool = pool
        self._fetching = fetching

    def submit(
        self, order: Order, wanted: Sequence[Coords], *, urgent: bool, n_shares: int | None
    ) -> None:
        """Have chunks loaded, all of them in the end, whatever goes wrong.

        Parameters
        ----------
        order, wanted
            Whom for, and which.
        urgent
            They overtake those that are not.
        n_shares
            Tasks among which few chunks are divided; see `zarrfs.arrays.batching`. It has no
            meaning where each object is a request.
        """
        try:
            groups = self._reader.by_object(wanted)
        except Exception as error:  # noqa: BLE001 (a plug-in's chunk keys; nobody may wait for ever)
            reason = f"their keys cannot be told: {type(error).__name__}: {error}"
            for coords, one in order.begin(wanted).items():
                order.deliver("", coords, ZarrfsError(reason), one)
            return
        nbytes = self._reader.spec.nbytes
        if self._reader.has_quick_store:
            for task in batches(groups, nbytes, n_shares=n_shares):
                self._pool.submit(_Load(self, order, task), urgent=urgent)
            return
        for [(key, batch)] in batches(groups, nbytes, n_shares=None):
            fetch = partial(self.fetch, order, key, batch)
            self._fetching.submit(fetch, nbytes * len(batch), urgent=urgent)

    def load(self, order: Order, key: str, batch: Sequence[Coords]) -> None:
        """Fetch and decode chunks of an object, and deliver them; runs on a decode thread."""
        scratch = scratch_buffers(self._reader.spec.nbytes)
        decode = self.fetch(order, key, batch, scratch.encoded if scratch is not None else None)
        if decode is not None:
            decode()

    def fetch(
        self, order: Order, key: str, batch: Sequence[Coords], buffer: memoryview | None = None
    ) -> Callable[[], None] | None:
        """Fetch chunks of an object; return what decodes and delivers them, on a decode thread.

        ``None`` if nothing of it is to be decoded any more.
        """
        remaining = order.begin(batch)
        if not remaining:
            return None
        place = partial(self._place, remaining)
        try:
            fetched = self._reader.fetch(key, list(remaining), buffer, place)
        except Exception:  # noqa: BLE001 (a fault in zarrfs, and nobody may wait for ever)
            self._give_up(order, key, remaining)
            return None
        return partial(self._decode, order, fetched, remaining)

    def _decode(self, order: Order, fetched: FetchedChunks, remaining: Remaining) -> None:
        place = partial(self._place, remaining)
        try:
            scratch = scratch_buffers(self._reader.spec.nbytes)
            for coords, loaded in self._reader.decode([fetched], scratch, place):
                order.deliver(fetched.key, coords, loaded, remaining.pop(coords))
        except Exception:  # noqa: BLE001 (a fault in zarrfs, and nobody may wait for ever)
            self._give_up(order, fetched.key, remaining)

    def _place(self, remaining: Remaining, coords: Coords) -> memoryview | None:
        """Tell where a chunk goes: to where it is wanted, or to where it is kept."""
        wanted = remaining[coords]
        target = wanted.place(coords)
        if target is None and wanted.keep:
            if wanted.room is None:
                wanted.room = self._cache.reserve(self._reader.spec.nbytes)
            target = None if wanted.room is None else wanted.room.data
        return target

    def _give_up(self, order: Order, key: str, remaining: Remaining) -> None:
        """Deliver the exception that is being handled, a fault of zarrfs, for what is left."""
        _log.exception("chunks of %r could not be loaded", self._name)
        for coords, wanted in remaining.items():
            order.deliver(key, coords, ZarrfsError("internal error, see the log"), wanted)


class _Load:
    """A task. A class rather than a closure: thousands wait in the queue at a time."""

    __slots__ = ("batches", "loading", "order")

    def __init__(self, loading: ChunkLoading, order: Order, batches: list[Batch]) -> None:
        self.loading, self.order, self.batches = loading, order, batches

    def __call__(self) -> None:
        for key, batch in self.batches:
            self.loading.load(self.order, key, batch)
