"""One budget of bytes for everything that is cached, however many files are open.

A holder takes bytes before it allocates and gives them back when the memory is gone. When the
budget is used up, the holders registered as reclaimers are asked to drop what they can.
"""

from __future__ import annotations

import mmap
import threading
import weakref
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Reclaimer = Callable[[int, bool], None]
    """Asked to drop at least so many bytes; the flag allows to drop what may be read again."""


class MemoryBudget:
    """Bytes that may be held, and are.

    The lock is reentrant and shared by all holders, so that there is no order to keep: memory is
    given back by finalizers, which run wherever the last reference dies.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        """Bytes."""
        self.lock = threading.RLock()
        self._used = 0
        self._peak = 0
        self._reclaimers: list[Reclaimer] = []
        self._on_release: list[Callable[[], None]] = []

    @property
    def used(self) -> int:
        """Bytes held now."""
        return self._used

    @property
    def peak(self) -> int:
        """Most bytes ever held."""
        return self._peak

    def add_reclaimer(self, reclaimer: Reclaimer) -> None:
        """Register a holder that can drop things; asked in order of registration."""
        self._reclaimers.append(reclaimer)

    def on_release(self, notify: Callable[[], None]) -> None:
        """Have `notify` called, in any thread, whenever bytes were given back."""
        self._on_release.append(notify)

    def take(self, size: int, *, demand: bool) -> bool:
        """Take bytes from the budget.

        Parameters
        ----------
        size
            Bytes.
        demand
            Somebody waits for them: what was read before may be dropped for it. Otherwise (read
            ahead) only what is not needed any more.

        Returns
        -------
        bool
            Whether they were taken. A demand for more than the whole budget is met when nothing
            else is held: one chunk must always be let in.
        """
        with self.lock:
            for reclaim in self._reclaimers:
                if self._used + size <= self.limit:
                    break
                reclaim(self._used + size - self.limit, demand)
            if self._used + size > self.limit and not (demand and self._used == 0):
                return False
            self._used += size
            self._peak = max(self._peak, self._used)
            return True

    def give_back(self, size: int) -> None:
        """Return bytes to the budget."""
        with self.lock:
            self._used -= size
        for notify in self._on_release:
            notify()

    def allocate(self, size: int, *, demand: bool) -> npt.NDArray[np.uint8] | None:
        """Take and allocate a buffer, given back when its last view is gone; ``None`` if full.

        The buffer is a memory mapping of its own: freed ones go back to the system at once,
        where the C library's heap would keep them.
        """
        if not self.take(size, demand=demand):
            return None
        if size == 0:
            return np.empty(0, np.uint8)
        buffer = np.frombuffer(mmap.mmap(-1, size), np.uint8)
        weakref.finalize(buffer, self.give_back, size)
        return buffer
