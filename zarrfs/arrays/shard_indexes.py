"""Shard indexes, read once and kept within a bound; many threads may want the same one."""

from __future__ import annotations

import threading
from collections import OrderedDict
from concurrent.futures import Future
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from zarrfs.codecs.sharding import ShardIndex

# 16 bytes an inner chunk: a million inner chunks per array. Counted apart from the memory budget.
MAX_BYTES = 16 * 2**20

IndexKey = tuple[str, int]
"""Key of the object, and where in it the shard begins (0 unless it is nested)."""


class ShardIndexes:
    """Least recently used indexes of one array. ``None`` stands for a shard that is not there."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._indexes: OrderedDict[IndexKey, Future[ShardIndex | None]] = OrderedDict()
        self._n_bytes = 0

    def get(self, key: IndexKey, load: Callable[[], ShardIndex | None]) -> ShardIndex | None:
        """Return an index, loading it in this thread unless another one is at it already.

        An error of `load` is raised in all threads that wait for it, and not kept.
        """
        with self._lock:
            future = self._indexes.get(key)
            if future is not None:
                self._indexes.move_to_end(key)
            else:
                mine: Future[ShardIndex | None] = Future()
                self._indexes[key] = mine
        if future is not None:
            return future.result()
        try:
            index = load()
        except BaseException as error:
            with self._lock:
                if self._indexes.get(key) is mine:
                    del self._indexes[key]
            mine.set_exception(error)
            raise
        mine.set_result(index)
        self._keep_within_bound(key, mine)
        return index

    def clear(self) -> None:
        """Forget all of them."""
        with self._lock:
            self._indexes.clear()
            self._n_bytes = 0

    def _keep_within_bound(self, key: IndexKey, loaded: Future[ShardIndex | None]) -> None:
        with self._lock:
            if self._indexes.get(key) is not loaded:
                return  # cleared meanwhile
            self._n_bytes += _size(loaded)
            for oldest in list(self._indexes):
                if self._n_bytes <= MAX_BYTES:
                    break
                if self._indexes[oldest].done():
                    self._n_bytes -= _size(self._indexes.pop(oldest))


def _size(loaded: Future[ShardIndex | None]) -> int:
    index = loaded.result()
    # A missing shard costs an entry too.
    return 200 if index is None else 200 + index.nbytes
