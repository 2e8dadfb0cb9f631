"""One budget of bytes for everything that is cached, however many files are open.

A holder takes bytes before it allocates and gives them back when the memory is gone. When the
budget is used up, the holders are asked to drop what they can; a demand for which even that makes
no room waits in line, and nobody takes spare bytes meanwhile.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from zarrfs.arrays.pages import Pages

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Reclaimer = Callable[[int, bool], int]
    """Asked to drop at least so many bytes, returns how many it did; the flag allows to drop what
    may be read again."""


MACHINE_BYTES = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
"""Bytes of memory of this machine. A chunk may exceed a budget, but not this."""


@dataclass(slots=True, eq=False)
class Lease:
    """Bytes of the budget that a buffer takes until its last view is gone."""

    size: int
    """Bytes."""

    descriptor: int | None = None
    """Of the buffer's memory, if other processes may share it; valid as long as the buffer."""

    is_ending: bool = False
    """Its holder has dropped it; only views, which do not last, are left."""


class MemoryBudget:
    """Bytes that may be held, and are.

    Parameters
    ----------
    limit
        Bytes.
    defer
        Runs a function on another thread, soon; may be called in a finalizer.

    Notes
    -----
    Buffers are given back by finalizers, which run wherever the last view dies, in whatever locks
    are held there. So the lock is reentrant, holders use it as their own, and under it no other
    lock is taken.
    """

    def __init__(self, limit: int, defer: Callable[[Callable[[], None]], None]) -> None:
        self.limit = limit
        """Bytes."""
        self.lock = threading.RLock()
        self._defer = defer
        self._used = 0
        self._leaving = 0
        self._aside = 0
        self._peak = 0
        self._reclaimers: list[weakref.WeakMethod[Reclaimer]] = []
        # Bounded by the reads in flight: each waits for at most the slabs that it touches.
        self._line: deque[tuple[int, Callable[[], None]]] = deque()
        self._is_line_called = False
        # Buffers given back, for others of their size: the last one, and two if nothing else is
        # held. A reader that goes on gives one back for each that it takes, and has two. Fresh
        # memory has to be zeroed by the kernel, and is in no cache of the processor: reading an
        # array whole took a third longer with it.
        self._spares: list[Pages] = []

    @property
    def is_short(self) -> bool:
        """Somebody waits in line for bytes."""
        return bool(self._line)

    @property
    def used(self) -> int:
        """Bytes held now."""
        return self._used

    @property
    def peak(self) -> int:
        """Most bytes ever held."""
        return self._peak

    def add_reclaimer(self, reclaimer: Reclaimer) -> None:
        """Register a method of a holder that can drop things, for as long as the holder lives.

        They are asked in order of registration.
        """
        with self.lock:
            self._reclaimers = [known for known in self._reclaimers if known() is not None]
            self._reclaimers.append(weakref.WeakMethod(reclaimer))

    def set_aside(self, size: int) -> None:
        """Leave bytes for what is allocated outside of the budget: at most half of it.

        The most that was ever asked for counts, until `reset_aside`.
        """
        size = min(size, self.limit // 2)
        if size > self._aside:  # asked at each read: without the lock where nothing changes
            with self.lock:
                self._aside = max(self._aside, size)

    def reset_aside(self) -> None:
        """Leave nothing aside any more."""
        with self.lock:
            self._aside = 0
            self.retry()

    def has_room(self, size: int) -> bool:
        """Whether so many bytes could be taken without dropping anything."""
        return not self._line and self._used + size <= self.limit - self._aside

    def take_spare(self, size: int) -> bool:
        """Take bytes if there is room, or what is not needed any more can make some."""
        with self.lock:
            return not self._line and self._take(size, demand=False)

    def request(self, size: int, start: Callable[[], None]) -> None:
        """Have `start` called, on another thread, as soon as bytes were taken for it.

        What may be read again is dropped for it. A request for more than the whole budget is met
        when nothing else is held.
        """
        with self.lock:
            if self._line or not self._take(size, demand=True):
                self._line.append((size, start))
                return
        self._defer(start)

    def give_back(self, size: int) -> None:
        """Return bytes to the budget."""
        with self.lock:
            self._used -= size
            self.retry()

    def retry(self) -> None:
        """Let those in line try again: there are bytes now, or something that may be dropped."""
        with self.lock:
            if self._line and not self._is_line_called:
                # Not here: this may be a finalizer, in the middle of anything.
                self._is_line_called = True
                self._defer(self._serve_line)

    def buffer(self, size: int, *, shared: bool = False) -> tuple[npt.NDArray[np.uint8], Lease]:
        """Allocate for bytes that were taken; given back when the last view is gone.

        What the buffer holds at first has no meaning. It is a memory mapping of its own: freed
        ones go back to the system at once, where the C library's heap would keep them.

        Parameters
        ----------
        size
            Bytes.
        shared
            Other processes are to write to it.

        Raises
        ------
        OSError
            If the system has no memory. The bytes are given back.
        """
        try:
            pages = self._recycled(size, shared=shared) or Pages(size, shared=shared)
            array = np.frombuffer(pages.memory, np.uint8)
        except BaseException:
            self.give_back(size)
            raise
        lease = Lease(size, pages.descriptor)
        weakref.finalize(array, self._end, lease, pages).atexit = False
        return array, lease

    def drop_spares(self) -> None:
        """Free the buffers that are kept for others of their size."""
        with self.lock:
            self._shrink_spares(0)

    def _recycled(self, size: int, *, shared: bool) -> Pages | None:
        """Take a spare buffer of a size; if there is none, others are freed."""
        with self.lock:
            for spare in reversed(self._spares):
                if spare.size == size and spare.is_shared == shared:
                    self._spares.remove(spare)
                    return spare
            self._shrink_spares(0)
        return None

    def _shrink_spares(self, most: int) -> None:
        """Free the oldest spare buffers until no more than so many bytes are left."""
        while self._spares and self._spare_bytes() > most:
            del self._spares[0]

    def _spare_bytes(self) -> int:
        # Counted anew, for freeing one may run finalizers that add others.
        return sum([spare.size for spare in self._spares])

    def expect(self, lease: Lease) -> None:
        """Count on bytes to come back: nothing else has to be dropped in their place."""
        with self.lock:
            if not lease.is_ending:
                lease.is_ending = True
                self._leaving += lease.size

    def _end(self, lease: Lease, pages: Pages) -> None:
        with self.lock:
            if lease.is_ending:
                self._leaving -= lease.size
            self.give_back(lease.size)
            self._spares.append(pages)
            self._shrink_spares(max(pages.size, 2 * pages.size - self._used))

    def _take(self, size: int, *, demand: bool) -> bool:
        limit = self.limit - self._aside
        need = self._used - self._leaving + size - limit
        for may_be_needed in (False, True) if demand else (False,):
            for reference in self._reclaimers:
                if need <= 0:
                    break
                reclaim = reference()
                if reclaim is not None:
                    need -= reclaim(need, may_be_needed)
        if self._used + size > limit and not (demand and self._used == 0):
            return False
        self._used += size
        self._peak = max(self._peak, self._used)
        self._shrink_spares(self.limit - self._used + size)  # what was taken may be one of them
        return True

    def _serve_line(self) -> None:
        while True:
            with self.lock:
                self._is_line_called = False
                if not self._line or not self._take(self._line[0][0], demand=True):
                    return
                _, start = self._line.popleft()
            start()
