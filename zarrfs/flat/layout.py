"""Byte spans of a flat file <-> boxes of elements, and the slabs a flat file is read in.

Pure arithmetic: no store, no threads, no array data. A flat file holds the elements of an array
in C order. A *slab* is a span of it that is one box of elements: whole rows of chunks if they are
small enough, so that every chunk is decoded once; else rows along a later axis.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from zarrfs.arrays.regions import Box
    from zarrfs.format.chunk_grids import ChunkGrid


def boxes(shape: tuple[int, ...], start: int, stop: int) -> Iterator[Box]:
    """Split a run of elements in C order into boxes, in order, as few as there can be.

    Parameters
    ----------
    shape
        Shape of the array, in elements.
    start, stop
        The run, counted in elements from the first of the array.

    Yields
    ------
    Box
        At most ``2 * len(shape) - 1`` of them.
    """
    if start >= stop:
        return
    if len(shape) < 2:
        yield ((start, stop),) if shape else ()
        return
    stride = math.prod(shape[1:])
    first, head = divmod(start, stride)
    last, tail = divmod(stop, stride)
    if first == last:
        yield from _within(first, boxes(shape[1:], head, tail))
        return
    if head:
        yield from _within(first, boxes(shape[1:], head, stride))
        first += 1
    if first < last:
        yield ((first, last), *((0, n) for n in shape[1:]))
    yield from _within(last, boxes(shape[1:], 0, tail))


def _within(index: int, inner: Iterator[Box]) -> Iterator[Box]:
    for box in inner:
        yield ((index, index + 1), *box)


@dataclass(frozen=True, slots=True)
class SlabLayout:
    """How a flat file is cut into slabs; slabs are numbered in file order."""

    grid: ChunkGrid
    itemsize: int
    """Bytes of an element."""

    axis: int
    """Slabs are one element long on the axes before this one, whole on those after it."""

    n_rows: int
    """Chunks of a slab along `axis`."""

    @property
    def n_slabs(self) -> int:
        """Slabs of the whole file; 0 if it is empty."""
        if not self.grid.axes:
            return 1
        if not math.prod(self.grid.shape):
            return 0
        return math.prod(self.grid.shape[: self.axis]) * self._blocks

    @property
    def _blocks(self) -> int:
        return -(-self.grid.axes[self.axis].n_chunks // self.n_rows)

    def box(self, slab: int) -> Box:
        """Elements of a slab."""
        if not self.grid.axes:
            return ()
        shape = self.grid.shape
        lead, block = divmod(slab, self._blocks)
        leading: list[tuple[int, int]] = []
        for length in reversed(shape[: self.axis]):
            lead, index = divmod(lead, length)
            leading.append((index, index + 1))
        axis = self.grid.axes[self.axis]
        last = min((block + 1) * self.n_rows, axis.n_chunks)
        return (
            *reversed(leading),
            (axis.start(block * self.n_rows), axis.start(last)),
            *((0, n) for n in shape[self.axis + 1 :]),
        )

    def span(self, slab: int) -> tuple[int, int]:
        """First byte of a slab in the flat file, and its size in bytes."""
        offset, size, stride = 0, self.itemsize, 1
        for (start, stop), length in zip(
            reversed(self.box(slab)), reversed(self.grid.shape), strict=True
        ):
            offset += start * stride
            size *= stop - start
            stride *= length
        return offset * self.itemsize, size

    def find(self, offset: int) -> int:
        """Slab that holds a byte of the flat file."""
        if not self.grid.axes:
            return 0
        shape = self.grid.shape
        stride = math.prod(shape[self.axis + 1 :])
        lead, rest = divmod(offset // self.itemsize, shape[self.axis] * stride)
        chunk = self.grid.axes[self.axis].find(rest // stride)
        return lead * self._blocks + chunk // self.n_rows


def slab_layout(grid: ChunkGrid, itemsize: int, *, target: int, limit: int) -> SlabLayout:
    """Choose slabs: whole rows of chunks if such a row is within the limit.

    Parameters
    ----------
    grid
        Chunk grid of the array.
    itemsize
        Bytes of an element.
    target
        Rows smaller than this, in bytes, are taken several at a time.
    limit
        Largest slab wanted, in bytes. One row of chunks along the last axis may still be larger.
    """
    axis, row_bytes = 0, itemsize
    for axis in range(len(grid.axes)):
        row_bytes = _row_bytes(grid, itemsize, axis)
        if row_bytes <= limit:
            break
    return SlabLayout(grid, itemsize, axis, max(1, target // max(1, row_bytes)))


def _row_bytes(grid: ChunkGrid, itemsize: int, axis: int) -> int:
    row = grid.axes[axis]
    longest = min(row.chunk_length, row.length)
    return longest * math.prod(grid.shape[axis + 1 :]) * itemsize
