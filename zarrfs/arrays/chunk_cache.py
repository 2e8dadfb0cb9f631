"""Decoded chunks that may be needed again, least recently used first to go.

Who decodes a chunk that is to be kept asks for memory first and decodes to there. Memory that a
chunk gives up goes to the next one: fresh memory for each made random reads take twice as long.

Where memory is full, others do not go for chunks that nobody has asked for of late: random reads of
more than it holds would only replace what they never meet again. Keeping made them a third slower.
"""

from __future__ import annotations

import weakref
from collections import OrderedDict
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection

    import numpy.typing as npt

    from zarrfs.arrays.memory import MemoryBudget
    from zarrfs.arrays.regions import Coords
    from zarrfs.codecs.base import Array

CacheKey = tuple[object, "Coords"]
"""The array's own marker, and the chunk."""

# What an entry costs beside its data: dict slots, tuples, the ndarray object.
_ENTRY_BYTES = 400

# From this size on, chunks take memory from the budget's buffers, which goes back to the system; it
# is in whole pages, so that smaller ones are the heap's. With scattered reads the daemon took
# 20 MiB more when the heap held them all.
LARGE_BYTES = 256 * 2**10

# Chunks are remembered to have been asked for until others of so many times the memory were: about
# as long as they would be kept. No more than so many.
_SEEN_PART = 2
MAX_SEEN = 10_000

# Chunks may fill the whole budget, but what goes beyond this part of it makes room for read-ahead:
# else a mount that has seen many random reads would never read ahead again.
_PART_KEPT = 2


class ChunkCache:
    """Chunks of all arrays of a mount, within its memory budget.

    A chunk that was never written is kept as ``None``.
    """

    def __init__(self, budget: MemoryBudget) -> None:
        self._budget = budget
        self._chunks: OrderedDict[CacheKey, Array | None] = OrderedDict()
        self._n_bytes = 0
        self._seen: OrderedDict[CacheKey, int] = OrderedDict()
        """Bytes of chunks that were asked for, the latest last."""
        self._n_bytes_seen = 0
        budget.add_reclaimer(self._reclaim)

    @property
    def n_chunks(self) -> int:
        """Chunks that are kept, of all arrays."""
        return len(self._chunks)

    def get(self, owner: object, coords: Coords) -> tuple[bool, Array | None]:
        """Whether a chunk is kept, and the chunk."""
        with self._budget.lock:
            key = (owner, coords)
            if key not in self._chunks:
                return False, None
            self._chunks.move_to_end(key)
            return True, self._chunks[key]

    def is_worth(self, owner: object, wanted: Collection[Coords], nbytes: int) -> bool:
        """Whether to keep chunks that are read together, and may or may not be needed again.

        Parameters
        ----------
        owner, wanted
            The chunks.
        nbytes
            Bytes of one.
        """
        with self._budget.lock:
            is_known = False
            for coords in wanted:
                key = (owner, coords)
                seen = self._seen.pop(key, 0)
                is_known = is_known or seen > 0 or key in self._chunks
                self._seen[key] = nbytes
                self._n_bytes_seen += nbytes - seen
            most = _SEEN_PART * self._budget.limit
            while self._seen and (self._n_bytes_seen > most or len(self._seen) > MAX_SEEN):
                self._n_bytes_seen -= self._seen.popitem(last=False)[1]
            return is_known or self._budget.has_room(len(wanted) * nbytes)

    def reserve(self, nbytes: int) -> npt.NDArray[np.uint8] | None:
        """Return memory for a chunk to keep, if there is room, or older chunks can make room.

        It counts until the last view of it is gone, whether it is put or not.
        """
        with self._budget.lock:
            if not self._make_room(nbytes):
                return None
            if nbytes < LARGE_BYTES:
                array = np.empty(nbytes, np.uint8)
                weakref.finalize(array, self._budget.give_back, nbytes).atexit = False
                return array
            try:
                return self._budget.buffer(nbytes)[0]
            except OSError:  # the system has none: then the chunk is not kept
                return None

    def copy_to_keep(self, chunk: Array, room: npt.NDArray[np.uint8] | None) -> Array | None:
        """Return a chunk in memory that was reserved; ``None`` if there is no room for it.

        As it was decoded it may lie in a scratch buffer, or hold on to what it was decoded from.

        Parameters
        ----------
        chunk
            Decoded.
        room
            What was reserved for it, perhaps: there it may lie already.
        """
        if chunk.dtype.hasobject:  # nobody can tell what its elements take
            return None
        if room is None or room.nbytes != chunk.nbytes:
            room = self.reserve(chunk.nbytes)
            if room is None:
                return None
        if np.may_share_memory(chunk, room):
            return chunk
        kept: Array = np.ndarray(chunk.shape, chunk.dtype, room.data)
        kept[...] = chunk
        return kept

    def put(self, owner: object, coords: Coords, chunk: Array | None) -> None:
        """Keep a chunk, if there is room for the entry.

        Parameters
        ----------
        owner, coords
            Which chunk.
        chunk
            In memory that was reserved; ``None`` for one that was never written.
        """
        key = (owner, coords)
        with self._budget.lock:
            if key not in self._chunks and self._make_room(_ENTRY_BYTES):
                self._chunks[key] = chunk
                self._n_bytes += _cost(chunk)

    def drop(self, owner: object) -> None:
        """Forget all chunks of an array."""
        with self._budget.lock:
            for key in [key for key in self._chunks if key[0] is owner]:
                self._drop(key)
            for key in [key for key in self._seen if key[0] is owner]:
                self._n_bytes_seen -= self._seen.pop(key)

    def drop_chunk(self, owner: object, coords: Coords) -> None:
        """Forget one chunk, if it is kept."""
        with self._budget.lock:
            if (owner, coords) in self._chunks:
                self._drop((owner, coords))

    def clear(self) -> None:
        """Forget everything, to give memory back."""
        with self._budget.lock:
            for key in list(self._chunks):
                self._drop(key)
            self._seen.clear()
            self._n_bytes_seen = 0

    def _reclaim(self, size: int, may_be_needed: bool) -> int:
        kept = 0 if may_be_needed else self._budget.limit // _PART_KEPT
        dropped = 0
        while dropped < size and self._n_bytes > kept:
            dropped += self._drop(next(iter(self._chunks)))
        return dropped

    def _make_room(self, size: int) -> bool:
        while not self._budget.take_spare(size):
            if self._budget.is_short or self._n_bytes < size:
                return False
            self._drop(next(iter(self._chunks)))
        return True

    def _drop(self, key: CacheKey) -> int:
        cost = _cost(self._chunks.pop(key))
        self._n_bytes -= cost
        self._budget.give_back(_ENTRY_BYTES)
        return cost


def _cost(chunk: Array | None) -> int:
    return _ENTRY_BYTES + (0 if chunk is None else chunk.nbytes)
