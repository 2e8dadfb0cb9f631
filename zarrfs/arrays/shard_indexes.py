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
        with self._lock:
            if self._indexes.get(key) is mine:  # not forgotten meanwhile
                self._n_bytes += _size(index)
                self._keep_within_bound()
            mine.set_result(index)
        return index

    def clear(self) -> None:
        """Forget all of them."""
        with self._lock:
            self._indexes.clear()
            self._n_bytes = 0

    def _keep_within_bound(self) -> None:
        for oldest, future in list(self._indexes.items()):
            if self._n_bytes <= self._max_bytes:
                break
            if future.done():
                self._n_bytes -= _size(future.result())
                del self._indexes[oldest]


def _size(index: ShardIndex | None) -> int:
    return _ENTRY_BYTES + (0 if index is None else index.nbytes)
