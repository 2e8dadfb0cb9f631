"""Slabs being assembled or ready: each chunk is decoded once and put straight into its place.

A slab is a buffer in file order, so that a read is answered with a view of it: gathering from
decoded chunks for each read was five times slower.
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Any

from zarrfs.arrays.regions import box_shape, pieces

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import numpy.typing as npt

    from zarrfs.arrays.chunk_source import ChunkSource
    from zarrfs.arrays.decode_pool import DecodePool
    from zarrfs.arrays.memory import MemoryBudget
    from zarrfs.arrays.regions import Coords, Piece
    from zarrfs.codecs.base import Array
    from zarrfs.errors import ChunkError
    from zarrfs.flat.layout import SlabLayout


class Slab:
    """One slab of one flat file, from the moment somebody wants it."""

    def __init__(self, owner: FlatSlabs, index: int) -> None:
        self.owner = owner
        self.index = index
        self.offset, self.size = owner.layout.span(index)
        """Span in the flat file, in bytes."""
        self.is_ready = False
        """Every chunk is in its place or has failed."""
        self.errors: dict[Coords, ChunkError] = {}
        """Chunks that could not be had; their bytes in the buffer mean nothing."""
        self.is_passed = False
        """A reader has come to its end: not needed for reading on."""
        self._buffer: npt.NDArray[np.uint8] | None = None
        self._elements: Array | None = None
        self._pieces: dict[Coords, Piece] = {}
        self._lock = threading.Lock()
        self._n_missing = 0
        self._waiters: list[Callable[[], None]] = []
        self._expiry = math.inf

    @property
    def is_stale(self) -> bool:
        """Whether it holds failures that have been remembered long enough."""
        return time.monotonic() > self._expiry

    @property
    def is_allocated(self) -> bool:
        """Whether memory was found for it."""
        return self._buffer is not None

    def view(self, offset: int, size: int) -> memoryview:
        """Bytes of the slab by their offset in the flat file; holds on to the buffer."""
        assert self._buffer is not None
        start = offset - self.offset
        return self._buffer.data[start : start + size]

    def when_ready(self, notify: Callable[[], None]) -> None:
        """Have `notify` called when the slab is ready, at once if it is."""
        with self._lock:
            if not self.is_ready:
                self._waiters.append(notify)
                return
        notify()

    def allocate(self, budget: MemoryBudget, *, demand: bool) -> bool:
        """Get the buffer, if the budget has room for it."""
        self._buffer = budget.allocate(self.size, demand=demand)
        return self._buffer is not None

    def fill(self) -> None:
        """Request the chunks; on a decode thread, for a slab may have thousands."""
        assert self._buffer is not None
        owner = self.owner
        box = owner.layout.box(self.index)
        self._elements = self._buffer.view(owner.dtype).reshape(box_shape(box))
        self._pieces = {piece.coords: piece for piece in pieces(owner.layout.grid, box)}
        self._n_missing = len(self._pieces)
        owner.source.request(list(self._pieces), self._place, keep=False, urgent=False)

    def _place(self, coords: Coords, chunk: Array | None, error: ChunkError | None) -> None:
        assert self._elements is not None
        piece = self._pieces[coords]
        if error is not None:
            self.errors[coords] = error
            self._expiry = time.monotonic() + self.owner.source.failure_ttl
        elif chunk is None:
            self._elements[piece.in_region] = self.owner.source.reader.spec.fill_value
        else:
            self._elements[piece.in_region] = chunk[piece.in_chunk]
        with self._lock:
            self._n_missing -= 1
            if self._n_missing:
                return
            self.is_ready = True
            # Cleared, or the slab and those who wait for it would keep each other alive.
            waiters, self._waiters = self._waiters, []
        self._elements, self._pieces = None, {}
        self.owner.table.wake()
        for notify in waiters:
            notify()


class FlatSlabs:
    """How one flat file is made into slabs."""

    def __init__(
        self, source: ChunkSource, dtype: np.dtype[Any], layout: SlabLayout, table: SlabTable
    ) -> None:
        self.source = source
        self.dtype = dtype
        """Of the elements in the file."""
        self.layout = layout
        self.table = table

    def get(self, index: int) -> Slab:
        """Return the slab that a reader needs now; perhaps not ready."""
        return self.table.get(self, index)

    def prefetch(self, index: int) -> bool:
        """Start on a slab if there is room for it without hurting anybody."""
        return self.table.prefetch(self, index)

    def find(self, index: int) -> Slab | None:
        """Return a slab if it is there already."""
        return self.table.find(self, index)

    def drop(self) -> None:
        """Forget all slabs of this file."""
        self.table.drop(self)


class SlabTable:
    """All slabs of a mount, within its memory budget.

    A slab may be dropped once it is ready. A reader's view keeps the buffer alive, and its bytes
    taken from the budget, until the reply is sent. A demand that finds no room waits in line; what
    waits is bounded by the reads in flight.
    """

    def __init__(self, budget: MemoryBudget, pool: DecodePool) -> None:
        self._budget = budget
        self._pool = pool
        self._slabs: OrderedDict[tuple[FlatSlabs, int], Slab] = OrderedDict()
        self._waiting: deque[Slab] = deque()
        budget.add_reclaimer(self._reclaim)
        budget.on_release(self.wake)

    def get(self, owner: FlatSlabs, index: int) -> Slab:
        """Find a slab or start it, in line if there is no memory."""
        with self._budget.lock:
            slab = self._slabs.get((owner, index))
            if slab is not None and not slab.is_stale:
                self._slabs.move_to_end((owner, index))
                return slab
            slab = self._slabs[owner, index] = Slab(owner, index)
            if self._waiting or not slab.allocate(self._budget, demand=True):
                self._waiting.append(slab)
                return slab
        self._pool.submit(slab.fill, urgent=True)
        return slab

    def prefetch(self, owner: FlatSlabs, index: int) -> bool:
        """Start a slab if there is spare room; whether it is there or started."""
        with self._budget.lock:
            if (owner, index) in self._slabs:
                return True
            slab = Slab(owner, index)
            if self._waiting or not slab.allocate(self._budget, demand=False):
                return False
            self._slabs[owner, index] = slab
        self._pool.submit(slab.fill)
        return True

    def find(self, owner: FlatSlabs, index: int) -> Slab | None:
        """Return a slab that is there, being built or ready."""
        with self._budget.lock:
            return self._slabs.get((owner, index))

    def drop(self, owner: FlatSlabs) -> None:
        """Forget the slabs of a file. One being built is finished for those who wait for it."""
        with self._budget.lock:
            for key in [key for key in self._slabs if key[0] is owner]:
                if self._slabs[key].is_allocated:
                    del self._slabs[key]

    def clear(self) -> None:
        """Forget all slabs that are ready, to give memory back."""
        with self._budget.lock:
            for key in [key for key, slab in self._slabs.items() if slab.is_ready]:
                del self._slabs[key]

    def _reclaim(self, size: int, demand: bool) -> None:
        for key, slab in list(self._slabs.items()):
            if size <= 0:
                return
            if slab.is_ready and (demand or slab.is_passed):
                del self._slabs[key]
                size -= slab.size

    def wake(self) -> None:
        """Let those in line try again: memory was given back, or a slab may be dropped now."""
        # Not here: this may be a finalizer, in the middle of anything.
        if self._waiting:
            self._pool.submit(self._start_waiting, urgent=True)

    def _start_waiting(self) -> None:
        while True:
            with self._budget.lock:
                if not self._waiting or not self._waiting[0].allocate(self._budget, demand=True):
                    return
                slab = self._waiting.popleft()
            slab.fill()
