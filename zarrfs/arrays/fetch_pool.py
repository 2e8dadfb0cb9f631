"""The threads that ask stores which take their time: many requests under way, within a bound.

A request waits for its store most of the time, so there are far more of these threads than cores;
what comes back is decoded on the threads that are as many as cores. Bytes count until they are
decoded: a store that is quicker than the decoder is not asked for more.
"""

from __future__ import annotations

import logging
import os
import threading
import weakref
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from zarrfs.arrays.decode_pool import DEFAULT_THREADS

if TYPE_CHECKING:
    from collections.abc import Callable

    from zarrfs.arrays.decode_pool import DecodePool

    Decode = Callable[[], None]
    Fetch = Callable[[], Decode | None]

_log = logging.getLogger(__name__)

# Requests under way of all files together. 32 chunks of 1 MiB hide 20 ms at 1.6 GB/s, more than two
# cores decode; servers and their libraries are usually set up for 10 to 100 connections.
MAX_REQUESTS = 32

# Requests that may be under way however large they are: as many as threads that decode.
LEAST_REQUESTS = DEFAULT_THREADS


class _Queued(NamedTuple):
    fetch: Fetch
    nbytes: int
    urgent: bool


class FetchPool:
    """Fetches on threads of its own and has the results decoded on others; urgent ones first.

    Parameters
    ----------
    decoding
        Runs what the fetches return.
    max_bytes
        Decoded bytes of what is under way, from the request until it is decoded; more if these are
        but `LEAST_REQUESTS`.
    """

    def __init__(self, decoding: DecodePool, max_bytes: int) -> None:
        self.n_threads = MAX_REQUESTS
        """Requests under way at a time, at most."""
        self._max_bytes = max_bytes
        self._decoding = decoding
        self._start()
        _pools.add(self)

    def _start(self) -> None:
        # Guards what follows; notified when there may be something to do.
        self._changed = threading.Condition()
        self._urgent: deque[_Queued] = deque()
        self._others: deque[_Queued] = deque()
        self._n_threads = 0
        self._n_idle = 0
        self._n_under_way = 0
        self._bytes_under_way = 0
        self._is_closed = False

    def n_requests(self, nbytes: int) -> int:
        """Return how many requests for so many decoded bytes each may be under way at a time."""
        return min(MAX_REQUESTS, max(LEAST_REQUESTS, self._max_bytes // max(1, nbytes)))

    def submit(self, fetch: Fetch, nbytes: int = 0, *, urgent: bool = False) -> None:
        """Queue a request.

        Parameters
        ----------
        fetch
            Asks the store, and returns what is to be done on a decode thread, if anything.
        nbytes
            Bytes that it takes until that is done.
        urgent
            It overtakes those that are not.
        """
        with self._changed:
            (self._urgent if urgent else self._others).append(_Queued(fetch, nbytes, urgent))
            n_queued = len(self._urgent) + len(self._others)
            if n_queued > self._n_idle and self._n_threads < MAX_REQUESTS:
                name = f"zarrfs-fetch-{self._n_threads}"
                self._n_threads += 1
                threading.Thread(target=self._work, name=name, daemon=True).start()
            self._changed.notify()

    def close(self) -> None:
        """Let the threads end once all that is queued was fetched; does not wait for them."""
        _pools.discard(self)
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def _work(self) -> None:
        while (queued := self._next()) is not None:
            decode = None
            try:
                decode = queued.fetch()
            except Exception:  # noqa: BLE001 (a fault in zarrfs; without this thread others starve)
                _log.exception("a fetch failed")
            if decode is None:
                self._ended(queued.nbytes)
            else:
                task = partial(self._decode, decode, queued.nbytes)
                self._decoding.submit(task, urgent=queued.urgent)
            del queued, decode

    def _next(self) -> _Queued | None:
        with self._changed:
            while True:
                queue = self._urgent or self._others
                if queue and self._fits(queue[0].nbytes):
                    self._n_under_way += 1
                    self._bytes_under_way += queue[0].nbytes
                    return queue.popleft()
                if self._is_closed and not queue:
                    return None
                self._n_idle += 1
                self._changed.wait()
                self._n_idle -= 1

    def _fits(self, nbytes: int) -> bool:
        is_little = self._bytes_under_way + nbytes <= self._max_bytes
        return is_little or self._n_under_way < LEAST_REQUESTS

    def _decode(self, decode: Decode, nbytes: int) -> None:
        try:
            decode()
        finally:
            self._ended(nbytes)

    def _ended(self, nbytes: int) -> None:
        with self._changed:
            self._n_under_way -= 1
            self._bytes_under_way -= nbytes
            self._changed.notify_all()


_pools: weakref.WeakSet[FetchPool] = weakref.WeakSet()
"""Those that are not closed."""


def _restart() -> None:
    for pool in _pools:
        pool._start()


os.register_at_fork(after_in_child=_restart)
