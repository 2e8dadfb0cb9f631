"""Which arrays are open in this process: who changes an object tells all that may remember it."""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zarrfs.arrays.chunk_source import ChunkSource
    from zarrfs.arrays.regions import Coords
    from zarrfs.stores.base import Store

# Places that nobody reads any more are looked for when there are twice as many as after the last
# time, and at least so many.
_MIN_PLACES = 64


class OpenSources:
    """The sources of chunks that are in use, by the place of their array."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sources: dict[str, weakref.WeakSet[ChunkSource]] = {}
        self._max_places = _MIN_PLACES

    def __len__(self) -> int:
        """Places that are remembered; of some of them no source may be left."""
        return len(self._sources)

    def add(self, store: Store, prefix: str, source: ChunkSource) -> None:
        """Tell of a source, for as long as it lives."""
        with self._lock:
            if len(self._sources) >= self._max_places:
                self._sources = {place: known for place, known in self._sources.items() if known}
                self._max_places = max(_MIN_PLACES, 2 * len(self._sources))
            self._sources.setdefault(_place(store, prefix), weakref.WeakSet()).add(source)

    def object_changed(self, store: Store, prefix: str, key: str, coords: Coords) -> None:
        """Have the chunks of an object forgotten that has been replaced or deleted."""
        for source in self._at(_place(store, prefix)):
            if len(coords) == len(source.reader.grid.axes):
                source.drop(key, source.reader.chunks_of(coords))
            else:  # the array has been replaced by one of other dimensions
                source.forget()

    def node_changed(self, store: Store, prefix: str) -> None:
        """Have all forgotten that is remembered of an array, or of all arrays below a group."""
        place = _place(store, prefix)
        with self._lock:
            below = [known for at, known in self._sources.items() if at.startswith(place)]
            sources = [source for known in below for source in known]
        for source in sources:
            source.forget()

    def _at(self, place: str) -> list[ChunkSource]:
        with self._lock:
            return list(self._sources.get(place, ()))


def _place(store: Store, prefix: str) -> str:
    """Name of an array, the same whichever part of its URL was taken for the store's."""
    return f"{store.url}/{prefix}"
