"""Members that were inflated lately, so that many small ranges cost one inflation.

Law: each `get` returns what `inflate` returns for its key; threads that ask for one key at the
same time share one call. The bytes kept stay under `limit_bytes`, but for one member of any size:
it had to be in memory whole anyway, and without it every range of it would inflate it again.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT_BYTES = 64 << 20
"""What one zip keeps inflated. An estimate: a few shards, little beside a mount's `memory`."""


class InflatedMembers:
    """A least-recently-used cache of byte strings; thread-safe."""

    def __init__(self, limit_bytes: int = LIMIT_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._lock = threading.Lock()
        # The order of insertion is the order of use. An unfinished future counts no bytes.
        self._members: dict[str, Future[bytes]] = {}

    @property
    def nbytes(self) -> int:
        """Bytes kept."""
        with self._lock:
            return self._count()

    def get(self, key: str, inflate: Callable[[], bytes]) -> bytes:
        """Return the member `key`, inflated now or kept; a failure is raised and not kept."""
        with self._lock:
            future = self._members.pop(key, None)
            is_ours = future is None
            if future is None:
                future = Future()
            self._members[key] = future
        if not is_ours:
            return future.result()
        try:
            data = inflate()
        except BaseException as error:
            with self._lock:
                self._members.pop(key, None)
            future.set_exception(error)
            raise
        with self._lock:
            future.set_result(data)
            self._evict()
        return data

    def _evict(self) -> None:
        finished = [key for key, future in self._members.items() if future.done()]
        excess = self._count() - self._limit_bytes
        for key in finished[:-1]:
            if excess <= 0:
                break
            excess -= len(self._members.pop(key).result())

    def _count(self) -> int:
        return sum(len(future.result()) for future in self._members.values() if future.done())
