"""Shard indexes, read once and kept within a bound; many threads may want the same one."""

from __future__ import annotations

import threading
from collections import OrderedDict
from concurrent.futures import Future
from typing import TYPE_CHECKING

from zarrfs.byte_range import ByteRange

if TYPE_CHECKING:
    from collections.abc import Callable

    from zarrfs.codecs.sharding import ShardIndex

# 16 bytes an inner chunk: a million inner chunks per array. Counted apart from the memory budget.
MAX_BYTES = 16 * 2**20

# What an entry costs beside the index; a missing shard costs one too.
_ENTRY_BYTES = 200

IndexKey = tuple[str, str, int, ByteRange]
"""Key of the object, its version, and which shard in it: how deep, and where. A nested shard may
begin where the one around it does."""


class ShardIndexes:
    """Least recently used indexes of one array. ``None`` stands for a shard that is not there."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._indexes: OrderedDict[IndexKey, Future[ShardIndex | None]] = OrderedDict()
        self._by_object: dict[str, set[IndexKey]] = {}
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
                mine = self._indexes[key] = Future()
                self._by_object.setdefault(key[0], set()).add(key)
        if future is not None:
            return future.result()
        try:
            index = load()
        except BaseException as error:
            with self._lock:
                if self._indexes.get(key) is mine:
                    self._forget(key)
            mine.set_exception(error)
            raise
        with self._lock:
            if self._indexes.get(key) is mine:  # not forgotten meanwhile
                self._n_bytes += _size(index)
                self._keep_within_bound()
            mine.set_result(index)
        return index

    def drop(self, object_key: str) -> None:
        """Forget those of one object."""
        with self._lock:
            for key in list(self._by_object.get(object_key, ())):
                self._forget(key)

    def clear(self) -> None:
        """Forget all of them."""
        with self._lock:
            self._indexes.clear()
            self._by_object.clear()
            self._n_bytes = 0

    def _forget(self, key: IndexKey) -> None:
        future = self._indexes.pop(key)
        if future.done():
            self._n_bytes -= _size(future.result())
        siblings = self._by_object[key[0]]
        siblings.remove(key)
        if not siblings:
            del self._by_object[key[0]]

    def _keep_within_bound(self) -> None:
        for oldest, future in list(self._indexes.items()):
            if self._n_bytes <= self._max_bytes:
                break
            if future.done():
                self._forget(oldest)


def _size(index: ShardIndex | None) -> int:
    return _ENTRY_BYTES + (0 if index is None else index.nbytes)
