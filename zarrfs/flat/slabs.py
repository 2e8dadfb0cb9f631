"""Slabs being assembled or ready: each chunk is decoded once and put straight into its place.

A slab is a buffer in file order, so that a read is answered with a view of it: gathering from
decoded chunks for each read was five times slower.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from zarrfs.arrays.decode_pool import DEFAULT_THREADS
from zarrfs.arrays.placing import is_at, place_of, region_of
from zarrfs.arrays.regions import box_shape, pieces
from zarrfs.errors import ChunkError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    import numpy.typing as npt

    from zarrfs.arrays.chunk_source import ChunkSource
    from zarrfs.arrays.decode_pool import DecodePool
    from zarrfs.arrays.memory import Lease, MemoryBudget
    from zarrfs.arrays.regions import Coords, Piece
    from zarrfs.codecs.base import Array
    from zarrfs.flat.layout import SlabLayout
    from zarrfs.flat.readahead import ReadAhead


# Bytes of chunks in decode that are not counted in the budget; only larger chunks are.
DECODE_BYTES = 8 * 2**20


@dataclass(frozen=True, slots=True, eq=False)
class FlatFile:
    """One flat file, as its slabs are made."""

    source: ChunkSource
    dtype: np.dtype[Any]
    """Of the elements in the file."""

    layout: SlabLayout
    readers: WeakSet[ReadAhead] = field(default_factory=WeakSet)
    """Those who have it open; changed under the budget's lock."""

    streamed: set[int] = field(default_factory=set)
    """Slabs made for a reader that comes to them in order; changed under the budget's lock."""


class Slab:
    """One slab of one flat file, from the moment somebody wants it.

    It knows neither the table nor, once it is ready, who waited for it: so its buffer is freed as
    soon as the last reference goes.
    """

    def __init__(self, file: FlatFile, index: int, budget: MemoryBudget, *, urgent: bool) -> None:
        self.file = file
        self.index = index
        self.offset, self.size = file.layout.span(index)
        """Span in the flat file, in bytes."""
        self.is_ready = False
        """Every chunk is in its place or has failed."""
        self.errors: dict[Coords, ChunkError] = {}
        """Chunks that could not be had; their bytes in the buffer mean nothing."""
        self.lease: Lease | None = None
        self._budget = budget
        self._is_urgent = urgent
        self._buffer: npt.NDArray[np.uint8] | None = None
        self._elements: Array | None = None
        self._pieces: dict[Coords, Piece] = {}
        self._n_missing = 0
        self._lock = threading.Lock()
        self._waiters: list[Callable[[Slab], None]] = []

    @property
    def is_stale(self) -> bool:
        """Whether it holds failures that have been remembered long enough."""
        return self.is_ready and not all(map(self.file.source.remembers_failure, self.errors))

    def view(self, offset: int, size: int) -> memoryview:
        """Bytes of the slab by their offset in the flat file; holds on to the buffer."""
        assert self._buffer is not None
        start = offset - self.offset
        return self._buffer.data[start : start + size]

    def when_ready(self, notify: Callable[[Slab], None]) -> None:
        """Have `notify` called with the slab when it is ready, at once if it is."""
        with self._lock:
            if not self.is_ready:
                self._waiters.append(notify)
                return
        notify(self)

    def hasten(self) -> None:
        """Let its chunks overtake those that nobody waits for."""
        with self._lock:
            wanted = [] if self._is_urgent else list(self._pieces)
            self._is_urgent = True
        if wanted:
            self.file.source.hasten(wanted)

    def fill(self) -> None:
        """Allocate the buffer, whose bytes were taken, and request the chunks.

        On a decode thread: a slab may have thousands of chunks.
        """
        file = self.file
        box = file.layout.box(self.index)
        self._pieces = {piece.coords: piece for piece in pieces(file.source.reader.grid, box)}
        self._n_missing = len(self._pieces)
        wanted = list(self._pieces)
        try:
            self._buffer, self.lease = self._budget.buffer(self.size)
        except (OSError, MemoryError) as error:
            reason = f"no memory for {self.size} bytes: {error}"
            for coords in wanted:
                self._receive(coords, None, ChunkError(file.source.name, "", reason))
            return
        self._elements = self._buffer.view(file.dtype).reshape(box_shape(box))
        # A chunk that other slabs need too is worth keeping.
        file.source.request(
            wanted,
            self._receive,
            place=self._place,
            keep=file.layout.shares_chunks,
            urgent=self._is_urgent,
        )

    def _place(self, coords: Coords) -> memoryview | None:
        return place_of(self._region(self._pieces[coords]), self.file.source.reader.spec)

    def _region(self, piece: Piece) -> Array:
        assert self._elements is not None
        return region_of(self._elements, piece.in_region)

    def _receive(self, coords: Coords, chunk: Array | None, error: ChunkError | None) -> None:
        piece = self._pieces[coords]
        if error is not None:
            self.errors[coords] = error
        else:
            region = self._region(piece)
            if chunk is None:
                region[...] = self.file.source.reader.spec.fill_value
            elif not is_at(chunk, place_of(region, self.file.source.reader.spec)):
                region[...] = chunk[piece.in_chunk]
        with self._lock:
            self._n_missing -= 1
            if self._n_missing:
                return
            self._elements, self._pieces = None, {}
            self.is_ready = True
            waiters, self._waiters = self._waiters, []
        for notify in waiters:
            notify(self)
        self._budget.retry()  # it may be dropped from now on


class SlabTable:
    """Slabs of any number of flat files, within a memory budget that others may share.

    A slab may be dropped once it is ready. A reader's view keeps the buffer alive, and its bytes
    taken from the budget, until the reply is sent.
    """

    def __init__(self, budget: MemoryBudget, pool: DecodePool) -> None:
        self._budget = budget
        self._pool = pool
        self._slabs: OrderedDict[tuple[FlatFile, int], Slab] = OrderedDict()
        budget.add_reclaimer(self._reclaim)

    def get(self, file: FlatFile, index: int, *, in_order: bool = False) -> Slab:
        """Find the slab that a reader needs now, or start it; perhaps not ready.

        Parameters
        ----------
        file, index
            The slab.
        in_order
            The reader comes to slabs in their order, and leaves them behind.
        """
        key = (file, index)
        with self._budget.lock:
            if in_order:
                file.streamed.add(index)
            slab = self._slabs.get(key)
            if slab is not None and not slab.is_stale:
                self._slabs.move_to_end(key)
                if not slab.is_ready:
                    self._pool.submit(slab.hasten, urgent=True)
                return slab
            if slab is not None:
                self._drop(key)
            slab = self._slabs[key] = Slab(file, index, self._budget, urgent=True)
        self._budget.request(slab.size, slab.fill)
        return slab

    def prefetch(self, file: FlatFile, index: int) -> bool:
        """Start on a slab if there is room for it without hurting anybody; whether it is there."""
        key = (file, index)
        with self._budget.lock:
            if key in self._slabs:
                return True
            slab = Slab(file, index, self._budget, urgent=False)
            if not self._budget.take_spare(slab.size):
                return False
            self._slabs[key] = slab
            file.streamed.add(index)
        # Quickly, lest the fillings of slabs that follow queue up behind this one's chunks.
        self._pool.submit(slab.fill, urgent=True)
        return True

    def drop_passed(self, file: FlatFile, index: int) -> None:
        """Drop the slabs before one that all readers in order have left behind.

        The kernel keeps what it was given; the memory is of more use to the slabs ahead.
        """
        with self._budget.lock:
            if min(file.streamed, default=index) >= index:  # asked at each read
                return
            current, ahead = _uses(file)
            for passed in sorted(file.streamed - current - ahead):
                slab = self._slabs.get((file, passed))
                if slab is None:
                    file.streamed.discard(passed)
                elif passed < index and slab.is_ready:
                    self._drop((file, passed))

    def is_ready(self, file: FlatFile, index: int) -> bool:
        """Whether a slab is there and need not be waited for."""
        with self._budget.lock:
            slab = self._slabs.get((file, index))
            return slab is not None and slab.is_ready and not slab.is_stale

    def add_reader(self, file: FlatFile, reader: ReadAhead) -> None:
        """Take note of an open file, so that the slabs around its reads are spared."""
        if reader not in file.readers:
            with self._budget.lock:
                file.readers.add(reader)
        # At each read, for it is forgotten when the mount is idle. Each thread holds a chunk as
        # it is stored and as it is decoded.
        in_decode = 2 * DEFAULT_THREADS * file.source.reader.spec.nbytes
        self._budget.set_aside(in_decode - DECODE_BYTES)

    def drop(self, file: FlatFile) -> None:
        """Forget the slabs of a file. One being assembled is finished for those who wait."""
        with self._budget.lock:
            for key in [key for key in self._slabs if key[0] is file]:
                self._drop(key)

    def clear(self) -> None:
        """Forget all slabs that are ready, to give memory back."""
        with self._budget.lock:
            for key in [key for key, slab in self._slabs.items() if slab.is_ready]:
                self._drop(key)
            self._budget.reset_aside()
            self._budget.drop_spare()

    def _reclaim(self, size: int, may_be_needed: bool) -> int:
        dropped = 0
        for slab in self._droppable(may_be_needed):
            if dropped >= size:
                break
            self._drop((slab.file, slab.index))
            dropped += slab.size
        return dropped

    def _droppable(self, may_be_needed: bool) -> Iterator[Slab]:
        """Yield the slabs that are ready, those to miss least first.

        What no reader comes to any more; then what was read ahead, since doing without does not
        make others do without; last what is being read, the one unused for longest first.
        """
        ready = [slab for slab in self._slabs.values() if slab.is_ready]
        uses = {file: _uses(file) for file in {slab.file for slab in ready}}
        current = [slab for slab in ready if slab.index in uses[slab.file][0]]
        ahead = [slab for slab in ready if slab.index in uses[slab.file][1]]
        kept = {*current, *ahead}
        yield from (slab for slab in ready if slab not in kept)
        if may_be_needed:
            yield from reversed(ahead)
            yield from current

    def _drop(self, key: tuple[FlatFile, int]) -> None:
        slab = self._slabs.pop(key)
        slab.file.streamed.discard(slab.index)
        if slab.lease is not None:
            self._budget.expect(slab.lease)


def _uses(file: FlatFile) -> tuple[set[int], set[int]]:
    """Return the slabs that readers of a file are in, and the others that lie ahead of them."""
    current: set[int] = set()
    ahead: set[int] = set()
    for reader in file.readers:
        for position, advised in reader.windows():
            here = file.layout.find(position)
            current.add(here)
            ahead.update(range(here + 1, file.layout.find(max(position, advised - 1)) + 1))
    return current, ahead - current
