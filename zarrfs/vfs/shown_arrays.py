"""The arrays of a mount as flat files: one for each array, whichever formats show it."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from zarrfs.errors import MetadataError, ViewError
from zarrfs.flat.element_order import flat_dtype
from zarrfs.flat.reader import FlatArray
from zarrfs.flat.slabs import SlabTable
from zarrfs.format.chunk_grids import chunk_shapes
from zarrfs.views.description import ArrayDescription

if TYPE_CHECKING:
    from collections.abc import Hashable

    from zarrfs.arrays.engine import Engine
    from zarrfs.arrays.hierarchy import ArrayNode
    from zarrfs.flat.element_order import Endian
    from zarrfs.stores.base import Store

_log = logging.getLogger(__name__)

# Arrays kept at hand although no file of them is open; about 3 kB each without their data.
MAX_ARRAYS = 10_000


@dataclass(slots=True, eq=False, weakref_slot=True)
class ShownArray:
    """An array that can be shown as a flat file."""

    node: ArrayNode
    description: ArrayDescription
    flat: FlatArray
    mtime_ns: int
    """Newest of its metadata's change and a change of its data that was noticed."""
    checked_at: float
    """When its data was last asked for changes, by `time.monotonic`."""
    version: Hashable = field(default_factory=object)
    """Another one whenever its data has changed."""
    sizes: dict[Hashable, int] = field(default_factory=dict)
    """Sizes of its files, in bytes, as far as anybody asked."""
    check: threading.Lock = field(default_factory=threading.Lock)
    """Held while its data is asked for changes: who opens it at that time wants to know too."""


class ShownArrays:
    """Makes and keeps flat files; safe to use from many threads.

    Parameters
    ----------
    store, engine
        The store, and the threads and memory to read it with.
    endian
        Byte order of the flat files.
    check_after
        Seconds between two questions whether an array's data has changed.
    """

    def __init__(self, store: Store, engine: Engine, endian: Endian, *, check_after: float) -> None:
        self._store = store
        self._engine = engine
        self._endian = endian
        self._check_after = check_after
        self._table = SlabTable(engine)
        self._started_ns = time.time_ns()
        self._lock = threading.Lock()
        # All that anybody holds, so that an array never has two flat files; and the last used.
        self._arrays: WeakValueDictionary[str, ShownArray] = WeakValueDictionary()
        self._recent: OrderedDict[str, ShownArray] = OrderedDict()

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
                return self._used(shown)
        try:
            made = self._make(node)
        except (MetadataError, ViewError):
            raise
        except Exception as error:
            # One wrong array must not take its whole directory down.
            _log.exception("array %r cannot be shown", f"/{node.path}")
            raise ViewError("internal error, see the log") from error
        with self._lock:
            shown = self._arrays.get(node.path)
            if shown is not None:
                if shown.node == node:
                    return self._used(shown)  # another thread was faster
                # The kernel drops its pages when the time changes.
                made.mtime_ns = max(made.mtime_ns, shown.mtime_ns + 1, time.time_ns())
            self._arrays[node.path] = made
            self._used(made)
        if shown is not None:
            shown.flat.forget()
        return made

    def version(self, shown: ShownArray) -> Hashable:
        """Return what is another thing as soon as an array's data is known to have changed.

        Asks the store whether the array's data has changed since it was read, no more often than
        every `check_after` seconds, and forgets it if so.
        """
        with shown.check:
            now = time.monotonic()
            if now - shown.checked_at >= self._check_after:
                if shown.flat.has_changed():
                    self._forget(shown)
                shown.checked_at = now
        return shown.version

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
        self._engine.pool.submit(self._engine.processes.rest)  # waits until they have ended
        self._engine.pool.submit(self._engine.spilled.clear)  # waits for the disk

    def _make(self, node: ArrayNode) -> ShownArray:
        dtype = flat_dtype(node.metadata, self._endian)
        source = self._engine.source(self._store, node)
        shard_shape = tuple(chunk_shapes(node.metadata.chunk_grid))
        description = ArrayDescription(
            metadata=node.metadata,
            dtype=dtype,
            chunk_shape=tuple(chunk_shapes(source.reader.grid)),
            shard_shape=shard_shape if source.reader.is_sharded else None,
        )
        return ShownArray(
            node=node,
            description=description,
            flat=FlatArray(source, dtype, self._table, memory=self._engine.budget.limit),
            mtime_ns=node.mtime_ns or self._started_ns,
            checked_at=time.monotonic(),
        )

    def _used(self, shown: ShownArray) -> ShownArray:
        path = shown.node.path
        self._recent[path] = shown
        self._recent.move_to_end(path)
        if len(self._recent) > MAX_ARRAYS:
            self._recent.popitem(last=False)
        return shown

    def _forget(self, shown: ShownArray) -> None:
        shown.flat.forget()
        with self._lock:
            shown.version = object()
            shown.mtime_ns = max(shown.mtime_ns + 1, time.time_ns())
