"""Read any byte span of an array as a flat file.

A read that goes on where another ended is a view of a slab; a scattered one is gathered from
single chunks. Neither waits: what is not there yet is a `Future`.
"""

from __future__ import annotations

import math
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

import numpy as np

from zarrfs.arrays.pages import Pages
from zarrfs.arrays.placing import put, region_of
from zarrfs.arrays.regions import box_shape, n_pieces, pieces
from zarrfs.errors import OffsetError
from zarrfs.flat.layout import boxes, slab_layout
from zarrfs.flat.readahead import BEHIND_BYTES, LAST_WINDOW_BYTES, SLABS_BEFORE_AHEAD
from zarrfs.flat.slab import FlatFile

if TYPE_CHECKING:
    from zarrfs.arrays.chunk_source import ChunkSource
    from zarrfs.arrays.regions import Box, Coords
    from zarrfs.codecs.base import Array
    from zarrfs.errors import ChunkError
    from zarrfs.flat.readahead import ReadAhead
    from zarrfs.flat.slab import Slab
    from zarrfs.flat.slabs import SlabTable

Reply = memoryview | Future[memoryview]
"""The bytes asked for, now or as soon as they are there."""

# Slabs of about this many bytes, if rows of chunks are smaller than that; less where memory is
# short, so that 64 readers find room.
SLAB_BYTES = 16 * 2**20
_READERS = 64
# A row of chunks larger than this part of the memory is split; no more is read ahead of a reader.
_LARGEST_PART = 4
# A scattered read of this part of a slab, or that needs more than this part of its chunks, pays for
# the slab by itself.
_WORTHY_PART = 16
_WORTHY_CHUNKS = 2


class FlatArray:
    """One array as the bytes of its elements in C order; shared by all who have it open.

    Parameters
    ----------
    source
        The array's chunks.
    dtype
        Of the elements in the file: the array's, perhaps in another byte order.
    table
        Where its slabs are kept.
    memory
        Budget of the table, in bytes.
    """

    def __init__(
        self, source: ChunkSource, dtype: np.dtype[Any], table: SlabTable, *, memory: int
    ) -> None:
        self._source = source
        self._grid = source.reader.grid
        self._dtype = dtype
        self._layout = slab_layout(
            self._grid,
            dtype.itemsize,
            target=min(SLAB_BYTES, memory // _READERS),
            limit=memory // _LARGEST_PART,
        )
        self._slab_bytes = self._layout.slab_bytes
        # One slab ahead hides the decoding of it; latency takes more. It is not begun before the
        # one behind may be dropped; nor when the kernel, which itself reads ahead of a program,
        # just looks into a slab: behind each part of a file two were decoded in vain, now one.
        near = max(self._slab_bytes, SLAB_BYTES) - BEHIND_BYTES
        ahead = near if source.reader.has_quick_store else max(near, LAST_WINDOW_BYTES)
        self._most_ahead = min(ahead, memory // _LARGEST_PART)
        # Slow stores are the ones to read ahead of, also where that may be for nothing.
        is_quick = source.reader.has_quick_store
        self._before_ahead = SLABS_BEFORE_AHEAD * self._slab_bytes if is_quick else 0
        self._file = FlatFile(source, dtype, self._layout)
        self._table = table
        self.size = dtype.itemsize * math.prod(self._grid.shape)
        """Bytes of the flat file."""

    def read(self, offset: int, size: int, readahead: ReadAhead) -> Reply:
        """Read bytes; fewer at the end of the file, as `pread` does.

        Parameters
        ----------
        offset, size
            Byte span, which may start and end inside an element.
        readahead
            The open file's.

        Returns
        -------
        memoryview or Future
            Exactly the bytes of the span, up to the end of the file. The future raises
            `ChunkError` if any of them belongs to a chunk that cannot be had.

        Raises
        ------
        OffsetError
            If the span starts before the file or has a negative size.
        """
        if offset < 0 or size < 0:
            raise OffsetError(f"there are no {size} bytes at offset {offset}")
        size = min(size, self.size - offset)
        if size <= 0:
            return memoryview(b"")
        advice = readahead.observe(
            offset, size, before_ahead=self._before_ahead, most_ahead=self._most_ahead
        )
        self._table.add_reader(self._file, readahead)
        first, last = self._layout.find(offset), self._layout.find(offset + size - 1)
        if not advice.is_sequential and not all(
            self._table.is_ready(self._file, slab) for slab in range(first, last + 1)
        ):
            wanted = list(boxes(self._grid.shape, *self._elements(offset, size)))
            if not self._is_worth_slabs(size, wanted, first, last):
                return self._gather(offset, size, wanted)
        if first == last:
            reply = self._from_slab(offset, size, first, in_order=advice.is_sequential)
        else:
            slabs = range(first, last + 1)
            reply = self._from_slabs(offset, size, slabs, in_order=advice.is_sequential)
        if advice.is_sequential:
            self._table.drop_passed(self._file, first, behind=BEHIND_BYTES)
        self._prefetch(*advice.ahead)
        return reply

    def _is_worth_slabs(self, size: int, wanted: list[Box], first: int, last: int) -> bool:
        """Whether a scattered read takes so much that it may as well have the slabs."""
        if _WORTHY_PART * size >= self._slab_bytes:
            return True
        if self._source.reader.reads_parts:
            return False
        whole = (self._layout.box(slab) for slab in {first, last})
        n_wanted = sum(n_pieces(self._grid, box) for box in wanted)
        return _WORTHY_CHUNKS * n_wanted > sum(n_pieces(self._grid, box) for box in whole)

    def slab_end(self, offset: int) -> int:
        """Return the end of the slab that holds a byte: up to there, a read is one view."""
        start, size = self._layout.span(self._layout.find(offset))
        return start + size

    def forget(self) -> None:
        """Drop all that was read; what is being read is delivered all the same."""
        # In this order: a slab begun before has old chunks, and none of those may stay.
        self._source.forget()
        self._table.drop(self._file)

    def has_changed(self) -> bool:
        """Whether the store tells that objects read so far are not the same any more."""
        return self._source.reader.versions.changed()

    # --- from slabs -------------------------------------------------------------------------

    def _from_slab(self, offset: int, size: int, index: int, *, in_order: bool) -> Reply:
        slab = self._table.get(self._file, index, in_order=in_order)
        if slab.is_ready and not slab.errors:
            return slab.view(offset, size)
        reply: Future[memoryview] = Future()

        def answer(slab: Slab) -> None:
            error = self._error_in(slab, offset, size)
            if error is not None:
                reply.set_exception(error)
            else:
                reply.set_result(slab.view(offset, size))

        slab.when_ready(answer)
        return reply

    def _from_slabs(self, offset: int, size: int, indices: range, *, in_order: bool) -> Reply:
        """Copy from several slabs, from each as soon as it is ready.

        To hold on to one while waiting for memory for another could wait for ever.
        """
        # Not from the heap, which 64 of these at a time left 15 MiB larger.
        span = memoryview(Pages(size).memory)
        parts = _Parts(len(indices), span)

        def copy(slab: Slab) -> None:
            start = max(offset, slab.offset)
            stop = min(offset + size, slab.offset + slab.size)
            error = self._error_in(slab, start, stop - start)
            if error is None:
                span[start - offset : stop - offset] = slab.view(start, stop - start)
            parts.arrived(error)

        for index in indices:
            self._table.get(self._file, index, in_order=in_order).when_ready(copy)
        return parts.reply()

    def _error_in(self, slab: Slab, offset: int, size: int) -> ChunkError | None:
        """Find the error of a failed chunk that holds any byte of a span of a slab."""
        if slab.errors:
            for box in boxes(self._grid.shape, *self._elements(offset, size)):
                for piece in pieces(self._grid, box):
                    if piece.coords in slab.errors:
                        return slab.errors[piece.coords].again()
        return None

    def _prefetch(self, start: int, stop: int) -> None:
        """Have the slabs made that begin in a span."""
        stop = min(stop, self.size)
        if start < stop:
            begun = self._layout.find(start - 1) if start else -1
            for slab in range(begun + 1, self._layout.find(stop - 1) + 1):
                if not self._table.prefetch(self._file, slab):
                    return

    # --- from single chunks -----------------------------------------------------------------

    def _elements(self, offset: int, size: int) -> tuple[int, int]:
        """First element of a byte span and the one after the last."""
        itemsize = self._dtype.itemsize
        return offset // itemsize, -(-(offset + size) // itemsize)

    def _gather(self, offset: int, size: int, wanted: list[Box]) -> Reply:
        first, last = self._elements(offset, size)
        elements = np.empty(last - first, self._dtype)
        places: dict[Coords, list[tuple[Array, tuple[slice, ...]]]] = {}
        start = 0
        for box in wanted:
            shape = box_shape(box)
            stop = start + math.prod(shape)
            part = elements[start:stop].reshape(shape)
            start = stop
            for piece in pieces(self._grid, box):
                place = (region_of(part, piece.in_region), piece.in_chunk)
                places.setdefault(piece.coords, []).append(place)
        reader = self._source.reader
        start = offset - first * self._dtype.itemsize
        parts = _Parts(len(places), elements.view(np.uint8).data[start : start + size])

        def receive(coords: Coords, chunk: Array | None, error: ChunkError | None) -> None:
            if error is None:
                for region, in_chunk in places[coords]:
                    put(region, None, chunk, in_chunk, reader.spec)
            parts.arrived(error)

        def read_parts() -> None:
            whole: list[Coords] = []
            for coords, regions in places.items():
                try:
                    for region, in_chunk in regions:
                        put(region, None, reader.read_part(coords, in_chunk), (), reader.spec)
                except Exception:  # noqa: BLE001 (who loads the chunk whole is told what it is)
                    whole.append(coords)
                else:
                    parts.arrived(None)
            self._source.request(whole, receive, keep=True, urgent=True)

        if reader.reads_parts:
            self._table.engine.pool.submit(read_parts, urgent=True)
        else:
            keep = self._source.is_worth_keeping(places)
            self._source.request(list(places), receive, keep=keep, urgent=True)
        return parts.reply()


class _Parts:
    """A reply whose parts are written on whatever threads, and complete with the last of them."""

    def __init__(self, n_parts: int, span: memoryview) -> None:
        self._n_missing = n_parts
        self._span = span
        self._error: ChunkError | None = None
        self._future: Future[memoryview] = Future()
        self._lock = threading.Lock()

    def arrived(self, error: ChunkError | None) -> None:
        """Count a part that was written or failed."""
        with self._lock:
            self._error = self._error or error
            self._n_missing -= 1
            if self._n_missing:
                return
        if self._error is not None:
            self._future.set_exception(self._error)
        else:
            self._future.set_result(self._span)

    def reply(self) -> Reply:
        """Return the bytes if they are there already."""
        return self._span if self._future.done() and self._error is None else self._future
