"""Decoded chunks that random reads may need again, least recently used first to go."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zarrfs.arrays.memory import MemoryBudget
    from zarrfs.arrays.regions import Coords
    from zarrfs.codecs.base import Array

CacheKey = tuple[object, "Coords"]
"""The array's own marker, and the chunk."""

# What an entry costs beside its data: dict slots, tuples, the ndarray object.
_ENTRY_BYTES = 400


class ChunkCache:
    """Chunks of all arrays of a mount, within its memory budget.

    A chunk that was never written is kept as ``None``.
    """

    def __init__(self, budget: MemoryBudget) -> None:
        self._budget = budget
        self._chunks: OrderedDict[CacheKey, Array | None] = OrderedDict()
        budget.add_reclaimer(self._reclaim)

    def get(self, owner: object, coords: Coords) -> tuple[bool, Array | None]:
        """Whether a chunk is kept, and the chunk."""
        with self._budget.lock:
            key = (owner, coords)
            if key not in self._chunks:
                return False, None
            self._chunks.move_to_end(key)
            return True, self._chunks[key]

    def put(self, owner: object, coords: Coords, chunk: Array | None) -> None:
        """Keep a chunk if there is room, or older chunks can make room."""
        key, cost = (owner, coords), _cost(chunk)
        with self._budget.lock:
            if key in self._chunks:
                return
            while not self._budget.take(cost, demand=False):
                if not self._chunks:
                    return
                self._drop(next(iter(self._chunks)))
            self._chunks[key] = chunk

    def drop(self, owner: object) -> None:
        """Forget all chunks of an array."""
        with self._budget.lock:
            for key in [key for key in self._chunks if key[0] is owner]:
                self._drop(key)

    def clear(self) -> None:
        """Forget everything, to give memory back."""
        with self._budget.lock:
            for key in list(self._chunks):
                self._drop(key)

    def _reclaim(self, size: int, demand: bool) -> None:
        if not demand:
            return
        while size > 0 and self._chunks:
            size -= self._drop(next(iter(self._chunks)))

    def _drop(self, key: CacheKey) -> int:
        cost = _cost(self._chunks.pop(key))
        self._budget.give_back(cost)
        return cost


def _cost(chunk: Array | None) -> int:
    return _ENTRY_BYTES + (0 if chunk is None else chunk.nbytes)
