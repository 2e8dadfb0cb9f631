"""The threads that fetch and decode. Their number is fixed; they live as long as the pool.

A process that is forked has none of its parent's threads, and gets its own; tasks that the parent
had queued are not its business.

Not `concurrent.futures`: its threads are joined when the interpreter ends, so that one storage
request that never returns would keep the process for ever; and its queue may not be put into
from a finalizer, where memory is given back.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger(__name__)

CORES = os.cpu_count() or 1
"""Tasks that can decode at a time."""

# Two more than cores: decoding fills the cores, the others wait for storage meanwhile.
# 4 threads on 2 cores were faster from a cold disk in 5 of 6 runs and never slower from memory.
DEFAULT_THREADS = min(32, CORES + 2)


class DecodePool:
    """Runs tasks on a fixed number of threads; urgent ones overtake the others."""

    def __init__(self, n_threads: int = DEFAULT_THREADS) -> None:
        self.n_threads = n_threads
        """Tasks that run at a time."""
        self._start()
        _pools.add(self)

    def _start(self) -> None:
        self._urgent: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._others: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._tokens: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"zarrfs-decode-{i}", daemon=True)
            for i in range(self.n_threads)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, task: Callable[[], None], *, urgent: bool = False) -> None:
        """Queue a task. It must not wait for another one. Safe to call from a finalizer."""
        (self._urgent if urgent else self._others).put(task)
        self._tokens.put(True)

    def close(self) -> None:
        """Let the threads end once all queued tasks have run; does not wait for them."""
        _pools.discard(self)
        for _ in self._threads:
            self._tokens.put(False)

    def _work(self) -> None:
        while self._tokens.get():
            try:
                task = self._urgent.get_nowait()
            except queue.Empty:
                task = self._others.get()
            try:
                task()
            except Exception:  # noqa: BLE001 (a fault in zarrfs; without this thread others starve)
                _log.exception("a decode task failed")
            del task


_pools: weakref.WeakSet[DecodePool] = weakref.WeakSet()
"""Those that are not closed."""


def _restart() -> None:
    for pool in _pools:
        pool._start()


os.register_at_fork(after_in_child=_restart)
