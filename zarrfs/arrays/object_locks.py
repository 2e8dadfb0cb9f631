"""One lock per stored object, so that threads that change parts of it lose nothing of each other's.

Reading an object, changing it and storing it again is done under its lock. The locks are those of
this process: other processes that write the same object lose to whoever stores it last.
"""

from __future__ import annotations

import os
import threading

# Objects share locks, so that there are no more of them; that two which are written at the same
# time share one is rare, and costs only waiting. A thread holds one at a time: no deadlock.
N_LOCKS = 1024

_locks = [threading.Lock() for _ in range(N_LOCKS)]


def object_lock(store_url: str, key: str) -> threading.Lock:
    """Lock of one object, the same for all stores of that URL."""
    return _locks[hash(f"{store_url}/{key}") % N_LOCKS]


def _renew() -> None:
    _locks[:] = [threading.Lock() for _ in _locks]


# Threads that hold one are not there in a process that was forked.
os.register_at_fork(after_in_child=_renew)
