"""The arrays of a mount as flat files: one for each array, whichever formats show it."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zarrfs.flat.element_order import flat_dtype
from zarrfs.flat.reader import FlatArray
from zarrfs.flat.slabs import SlabTable
from zarrfs.views.description import ArrayDescription

if TYPE_CHECKING:
    from zarrfs.arrays.engine import Engine
    from zarrfs.arrays.hierarchy import ArrayNode
    from zarrfs.flat.element_order import Endian
    from zarrfs.stores.base import Store

# Arrays whose flat file is kept at hand; about 10 kB each without their data.
MAX_ARRAYS = 4096


@dataclass(slots=True, eq=False)
class ShownArray:
    """An array that can be shown as a flat file."""

    node: ArrayNode
    description: ArrayDescription
    flat: FlatArray
    mtime_ns: int
    """Newest of its metadata's change and a change of its data that was noticed."""
    checked_at: float
    """When its data was last asked for changes, by `time.monotonic`."""
    is_removed: bool = False
    """The array is no more; its chunks would read as the fill value."""


class ShownArrays:
    """Makes and keeps flat files; safe to use from many threads."""

    def __init__(self, store: Store, engine: Engine, endian: Endian, *, check_after: float) -> None:
        self._store = store
        self._engine = engine
        self._endian = endian
        self._check_after = check_after
        self._table = SlabTable(engine.budget, engine.pool)
        self._started_ns = time.time_ns()
        self._lock = threading.Lock()
        self._arrays: OrderedDict[str, ShownArray] = OrderedDict()

    def get(self, node: ArrayNode) -> ShownArray:
        """Return the flat file of an array as its metadata is now.

        Raises
        ------
        ViewError
            If its elements have no fixed size.
        UnsupportedError, MetadataError
            If it uses a codec that zarrfs does not have, or one that does not fit.
        """
        with self._lock:
            shown = self._arrays.get(node.path)
            if shown is not None and shown.node == node:
                self._arrays.move_to_end(node.path)
                return shown
        dtype = flat_dtype(node.metadata, self._endian)
        source = self._engine.source(self._store, node)
        object_shape = tuple(axis.chunk_length for axis in node.metadata.chunk_grid.axes)
        chunk_shape = source.reader.spec.shape
        made = ShownArray(
            node=node,
            description=ArrayDescription(
                metadata=node.metadata,
                dtype=dtype,
                chunk_shape=chunk_shape,
                shard_shape=object_shape if source.reader.is_sharded else None,
            ),
            flat=FlatArray(source, dtype, self._table, memory=self._engine.budget.limit),
            mtime_ns=node.mtime_ns or self._started_ns,
            checked_at=time.monotonic(),
        )
        with self._lock:
            shown = self._arrays.get(node.path)
            if shown is not None and shown.node == node:
                return shown  # another thread was faster
            self._arrays[node.path] = made
            if len(self._arrays) > MAX_ARRAYS:
                self._arrays.popitem(last=False)
        if shown is not None:
            made.mtime_ns = max(made.mtime_ns, time.time_ns())
            shown.flat.forget()
        return made

    def latest(self, shown: ShownArray) -> ShownArray:
        """Return an array as it is now, as far as is known; asks nobody."""
        with self._lock:
            return self._arrays.get(shown.node.path, shown)

    def remove(self, path: str) -> None:
        """Take note that there is no array at a path any more."""
        with self._lock:
            shown = self._arrays.pop(path, None)
        if shown is not None:
            shown.is_removed = True
            shown.flat.forget()

    def refresh_if_changed(self, shown: ShownArray) -> bool:
        """Forget an array's data if the store tells that it has changed since it was read.

        Asks the store no more often than every `check_after` seconds.
        """
        now = time.monotonic()
        if now - shown.checked_at < self._check_after:
            return False
        shown.checked_at = now
        if not shown.flat.has_changed():
            return False
        self._forget(shown)
        return True

    def forget(self, path: str) -> None:
        """Forget the data of an array and of all below a node; ``""`` is everything."""
        with self._lock:
            below = [
                shown
                for at, shown in self._arrays.items()
                if not path or at == path or at.startswith(f"{path}/")
            ]
        for shown in below:
            self._forget(shown)

    def give_memory_back(self) -> None:
        """Drop slabs and chunks that nobody is reading just now."""
        self._table.clear()
        self._engine.cache.clear()

    def _forget(self, shown: ShownArray) -> None:
        shown.flat.forget()
        shown.mtime_ns = max(shown.mtime_ns + 1, time.time_ns())
