"""Items -> something done for each of them, on the threads of the pool and the calling one.

At any moment no more items are taken than there are threads, so that a generator of millions of
them takes no memory. An error ends it: no further item is taken, and the first error is raised
once nothing is under way any more.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")

# A thread of the pool goes back to the queue after so long: others want to read meanwhile.
TURN_SECONDS = 0.02


class Threads(Protocol):
    """A pool of threads."""

    @property
    def n_threads(self) -> int:
        """Tasks that run at a time, at most."""
        ...

    def submit(self, task: Callable[[], None], /) -> None:
        """Have a task run on one of them."""
        ...


def for_each(
    pool: Threads, items: Iterable[T], function: Callable[[T], None], *, n_items: int
) -> None:
    """Call a function for each item; return when all calls have.

    Parameters
    ----------
    pool
        Threads that help; not to be called on one of them.
    items
        Taken one at a time, by whichever thread is free.
    function
        Called on any thread.
    n_items
        How many there are at most: as many threads are of use.

    Raises
    ------
    Exception
        The first that the function, or the items, raised.
    """
    work = _Work(pool, items, function)
    for _ in range(min(n_items, pool.n_threads) - 1):
        pool.submit(work.help)
    work.finish()


class _Work(Generic[T]):
    def __init__(self, pool: Threads, items: Iterable[T], function: Callable[[T], None]) -> None:
        self._pool = pool
        self._items = iter(items)
        self._function = function
        # Guards what follows and the iterator; notified when the last helper has left.
        self._changed = threading.Condition()
        self._n_helpers = 0
        self._is_over = False
        self._error: Exception | None = None

    def help(self) -> None:
        """Do some of it, and ask for another turn if there is more."""
        with self._changed:
            if self._is_over:
                return
            self._n_helpers += 1
        end_of_turn = time.monotonic() + TURN_SECONDS
        try:
            while self._do_one() and time.monotonic() < end_of_turn:
                pass
        finally:
            with self._changed:
                self._n_helpers -= 1
                is_over = self._is_over
                if not self._n_helpers:
                    self._changed.notify_all()
        if not is_over:
            self._pool.submit(self.help)

    def finish(self) -> None:
        """Do the rest of it, and wait for the helpers."""
        try:
            while self._do_one():
                pass
        finally:
            with self._changed:
                self._is_over = True  # an interrupt may have come
                self._changed.wait_for(lambda: not self._n_helpers)
        if self._error is not None:
            raise self._error

    def _do_one(self) -> bool:
        """Whether there was one to do, and it went well."""
        try:
            with self._changed:
                if self._is_over:
                    return False
                try:
                    item = next(self._items)
                except StopIteration:
                    self._is_over = True
                    return False
            self._function(item)
        except Exception as error:  # noqa: BLE001 (it is raised by the calling thread)
            with self._changed:
                self._is_over = True
                self._error = self._error or error
            return False
        return True
