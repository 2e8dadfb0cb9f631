"""One slab of a flat file: each chunk is decoded once and put straight into its place.

A slab is a buffer in file order, so that a read is answered with a view of it: gathering from
decoded chunks for each read was five times slower. All but large chunks are decoded by processes,
run by run; whatever these cannot have, and all others, come from the array's `ChunkSource`.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from zarrfs.arrays.decode_process import Part
from zarrfs.arrays.placing import place_of, put, region_of
from zarrfs.arrays.regions import box_shape, n_pieces, pieces
from zarrfs.errors import ChunkError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import numpy as np
    import numpy.typing as npt

    from zarrfs.arrays.chunk_source import ChunkSource
    from zarrfs.arrays.engine import Engine
    from zarrfs.arrays.memory import Lease
    from zarrfs.arrays.regions import Box, Coords, Piece
    from zarrfs.codecs.base import Array, ChunkSpec
    from zarrfs.flat.layout import SlabLayout
    from zarrfs.flat.readahead import ReadAhead

# Larger chunks are decoded by threads, which are as fast with them and take less memory. `dd` of
# 1 GiB of chunks of 512 KiB took 0.7 s with processes and 1.1 with threads (lz4), 1.25 and 1.65
# (zstd), 0.72 and 0.78 (uncompressed); of 1 MiB 1.04 and 1.08 (zstd), 0.66 and 0.64 (lz4).
PROCESS_BYTES = 512 * 2**10

# Bytes of a slab that a process is given at a time: some 20 ms of work, and all of most slabs.
PART_BYTES = 8 * 2**20


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

    passed: set[int] = field(default_factory=set)
    """Slabs dropped since all have read them, which the kernel has; under the same lock."""

    @property
    def portable_reader(self) -> bytes | None:
        """The reader for a process, if processes are the faster ones, and can have it."""
        reader = self.source.reader
        is_worth = reader.has_quick_store and reader.spec.nbytes <= PROCESS_BYTES
        return reader.portable if is_worth else None


class Slab:
    """One slab of one flat file, from the moment somebody wants it.

    It knows neither the table nor, once it is ready, who waited for it: so its buffer is freed as
    soon as the last reference goes.
    """

    def __init__(self, file: FlatFile, index: int, engine: Engine, *, urgent: bool) -> None:
        self.file = file
        self.index = index
        self.offset, self.size = file.layout.span(index)
        """Span in the flat file, in bytes."""
        self.is_ready = False
        """Every chunk is in its place or has failed."""
        self.errors: dict[Coords, ChunkError] = {}
        """Chunks that could not be had; their bytes in the buffer mean nothing."""
        self.lease: Lease | None = None
        self._engine = engine
        self._is_urgent = urgent
        self._buffer: npt.NDArray[np.uint8] | None = None
        self._elements: Array | None = None
        self._pieces: dict[Coords, Piece] = {}
        self._n_missing = 1
        """Chunks under way, and parts that processes are at; one more until `fill` has ended."""
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
        """Allocate the buffer, whose bytes were taken, and have the chunks decoded.

        On a decode thread: a slab may have thousands of chunks.
        """
        file, box = self.file, self.file.layout.box(self.index)
        # What other slabs need too is to be kept, and processes keep nothing.
        reader = None if file.layout.shares_chunks else file.portable_reader
        is_shared = reader is not None and self._engine.processes.start()
        try:
            self._buffer, self.lease = self._engine.budget.buffer(self.size, shared=is_shared)
        except (OSError, MemoryError) as error:
            reason = f"no memory for {self.size} bytes: {error}"
            for piece in pieces(file.source.reader.grid, box):
                self.errors[piece.coords] = ChunkError(file.source.name, "", reason)
        else:
            self._elements = self._buffer.view(file.dtype).reshape(box_shape(box))
            if reader is not None and is_shared:
                self._fill_by_processes(reader, box)
            else:
                self._request(pieces(file.source.reader.grid, box))
        self._arrived()

    def _fill_by_processes(self, reader: bytes, box: Box) -> None:
        source = self.file.source
        n_chunks = n_pieces(source.reader.grid, box)
        n_parts = -(-self.size // PART_BYTES)
        self._n_missing += n_parts
        for first, stop in pairwise(n_chunks * i // n_parts for i in range(n_parts + 1)):
            part = Part(
                reader=reader,
                revision=source.revision,
                dtype=self.file.dtype,
                box=box,
                first=first,
                stop=stop,
            )
            self._engine.pool.submit(partial(self._fill_part, part), urgent=self._is_urgent)

    def _fill_part(self, part: Part) -> None:
        """Have a process decode a part; request what it could not have.

        Where scattered reads came before, the chunks that they have left are not decoded again.
        """
        source = self.file.source
        assert self.lease is not None
        assert self.lease.descriptor is not None
        of_part = partial(pieces, source.reader.grid, part.box, part.first, part.stop)
        done = None
        if not source.has_any(piece.coords for piece in of_part()):
            done = self._engine.processes.decode(part, self.lease.descriptor, self.size)
        if done is None:
            self._request(of_part())
        else:
            source.reader.counters.add(**done.counted)
            source.reader.versions.add(done.versions)
            if done.failed:
                self._request(piece for piece in of_part() if piece.coords in done.failed)
        self._arrived()

    def _request(self, wanted: Iterable[Piece]) -> None:
        """Have chunks decoded by threads."""
        by_coords = {piece.coords: piece for piece in wanted}
        with self._lock:
            self._pieces = {**self._pieces, **by_coords}
            self._n_missing += len(by_coords)
        is_shared = self.file.layout.shares_chunks
        self.file.source.request(
            list(by_coords),
            self._receive,
            place=self._place,
            keep=is_shared,
            part=(lambda coords: by_coords[coords].in_chunk) if is_shared else None,
            urgent=self._is_urgent,
        )

    def _place(self, coords: Coords) -> memoryview | None:
        return place_of(self._region(self._pieces[coords]), self._spec)

    @property
    def _spec(self) -> ChunkSpec:
        return self.file.source.reader.spec

    def _region(self, piece: Piece) -> Array:
        assert self._elements is not None
        return region_of(self._elements, piece.in_region)

    def _receive(self, coords: Coords, chunk: Array | None, error: ChunkError | None) -> None:
        piece = self._pieces[coords]
        if error is not None:
            self.errors[coords] = error
        else:
            put(self._region(piece), self._place(coords), chunk, piece.in_chunk, self._spec)
        self._arrived()

    def _arrived(self) -> None:
        with self._lock:
            self._n_missing -= 1
            if self._n_missing:
                return
            self._elements, self._pieces = None, {}
            self.is_ready = True
            waiters, self._waiters = self._waiters, []
        for notify in waiters:
            notify(self)
        self._engine.budget.retry()  # it may be dropped from now on
