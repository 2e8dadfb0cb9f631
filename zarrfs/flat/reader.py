"""Read any byte span of an array as a flat file.

A read that goes on where another ended is a view of a slab; a scattered one is gathered from
single chunks. Neither waits: what is not there yet is a `Future`.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

import numpy as np

from zarrfs.arrays.regions import box_shape, pieces
from zarrfs.errors import OffsetError
from zarrfs.flat.layout import boxes, slab_layout
from zarrfs.flat.slabs import FlatSlabs, SlabTable

if TYPE_CHECKING:
    from zarrfs.arrays.chunk_source import ChunkSource
    from zarrfs.arrays.regions import Coords, Piece
    from zarrfs.codecs.base import Array
    from zarrfs.errors import ChunkError
    from zarrfs.flat.readahead import ReadAhead
    from zarrfs.flat.slabs import Slab

Reply = memoryview | Future[memoryview]
"""The bytes asked for, now or as soon as they are there."""

# Slabs of about this many bytes, if rows of chunks are smaller than that; less where memory is
# short, so that 64 readers find room.
SLAB_BYTES = 8 * 2**20
_READERS = 64
# A row of chunks larger than this part of the memory is split.
_LARGEST_PART = 4


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
        layout = slab_layout(
            self._grid,
            dtype.itemsize,
            target=min(SLAB_BYTES, memory // _READERS),
            limit=memory // _LARGEST_PART,
        )
        self._slabs = FlatSlabs(source, dtype, layout, table)
        self.size = dtype.itemsize * int(np.prod(self._grid.shape, dtype=object))
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
        advice = readahead.observe(offset, size)
        first = self._slabs.layout.find(offset)
        last = self._slabs.layout.find(offset + size - 1)
        if not advice.is_sequential and any(
            self._slabs.find(slab) is None for slab in range(first, last + 1)
        ):
            return self._gather(offset, size)
        reply = self._from_slabs(offset, size, range(first, last + 1))
        self._prefetch(offset + size, advice.ahead, last)
        return reply

    def forget(self) -> None:
        """Drop all that was read; what is being read is delivered all the same."""
        self._slabs.drop()
        self._source.forget()

    def has_changed(self) -> bool:
        """Whether the store tells that objects read so far are not the same any more."""
        return self._source.reader.versions.changed()

    # --- from slabs -------------------------------------------------------------------------

    def _from_slabs(self, offset: int, size: int, wanted: range) -> Reply:
        slabs = [self._slabs.get(index) for index in wanted]
        if len(slabs) == 1 and slabs[0].is_ready and not slabs[0].errors:
            return self._view(slabs[0], offset, offset + size)
        reply: Future[memoryview] = Future()
        countdown = _Countdown(len(slabs))

        def one_ready() -> None:
            if countdown.is_last():
                self._reply_from(slabs, offset, size, reply)

        for slab in slabs:
            slab.when_ready(one_ready)
        return reply

    def _reply_from(
        self, slabs: list[Slab], offset: int, size: int, reply: Future[memoryview]
    ) -> None:
        error = self._error_in(slabs, offset, size)
        if error is not None:
            reply.set_exception(error)
            return
        views = [self._view(slab, offset, offset + size) for slab in slabs]
        reply.set_result(views[0] if len(views) == 1 else memoryview(b"".join(views)))

    def _view(self, slab: Slab, start: int, stop: int) -> memoryview:
        end = slab.offset + slab.size
        if stop >= end:
            slab.is_passed = True
        start = max(start, slab.offset)
        return slab.view(start, min(stop, end) - start)

    def _error_in(self, slabs: list[Slab], offset: int, size: int) -> ChunkError | None:
        """Find the error of a failed chunk that holds any byte of the span."""
        errors = {coords: error for slab in slabs for coords, error in slab.errors.items()}
        if errors:
            for _, piece in self._pieces(offset, size):
                if piece.coords in errors:
                    return errors[piece.coords]
        return None

    def _prefetch(self, offset: int, ahead: int, current: int) -> None:
        stop = min(offset + ahead, self.size)
        if offset >= stop:
            return
        for slab in range(current + 1, self._slabs.layout.find(stop - 1) + 1):
            if not self._slabs.prefetch(slab):
                return

    # --- from single chunks -----------------------------------------------------------------

    def _pieces(self, offset: int, size: int) -> list[tuple[int, Piece]]:
        """Pieces that hold a byte span, each with the number of its box in the span."""
        first, last = offset // self._dtype.itemsize, -(-(offset + size) // self._dtype.itemsize)
        return [
            (number, piece)
            for number, box in enumerate(boxes(self._grid.shape, first, last))
            for piece in pieces(self._grid, box)
        ]

    def _gather(self, offset: int, size: int) -> Reply:
        itemsize = self._dtype.itemsize
        first, last = offset // itemsize, -(-(offset + size) // itemsize)
        elements = np.empty(last - first, self._dtype)
        parts: list[Array] = []
        start = 0
        for box in boxes(self._grid.shape, first, last):
            shape = box_shape(box)
            stop = start + int(np.prod(shape, dtype=int))
            parts.append(elements[start:stop].reshape(shape))
            start = stop
        places: dict[Coords, list[tuple[Array, tuple[slice, ...]]]] = {}
        for number, piece in self._pieces(offset, size):
            place = (parts[number][piece.in_region], piece.in_chunk)
            places.setdefault(piece.coords, []).append(place)
        span = elements.view(np.uint8).data[offset - first * itemsize :][:size]
        fill_value = self._source.reader.spec.fill_value
        countdown = _Countdown(len(places))
        reply: Future[memoryview] = Future()
        errors: list[ChunkError] = []

        def receive(coords: Coords, chunk: Array | None, error: ChunkError | None) -> None:
            if error is not None:
                errors.append(error)
            else:
                for target, in_chunk in places[coords]:
                    target[...] = fill_value if chunk is None else chunk[in_chunk]
            if countdown.is_last():
                if errors:
                    reply.set_exception(errors[0])
                else:
                    reply.set_result(span)

        self._source.request(list(places), receive, keep=True, urgent=True)
        return span if reply.done() and not errors else reply


class _Countdown:
    """Tells the last of a known number of callers, on whatever threads they are."""

    def __init__(self, n: int) -> None:
        self._n = n
        self._lock = threading.Lock()

    def is_last(self) -> bool:
        with self._lock:
            self._n -= 1
            return self._n == 0
