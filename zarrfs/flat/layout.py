"""Byte spans of a flat file <-> boxes of elements, and the slabs a flat file is read in.

Pure arithmetic: no store, no threads, no array data. A flat file holds the elements of an array
in C order. A *slab* is a span of it that is one box of elements: whole rows of chunks if they are
small enough, so that every chunk is decoded once; else a part of such a row.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class SlabLayout:
    """How a flat file is cut into slabs; slabs are numbered in file order."""

    shape: tuple[int, ...]
    """Of the array, in elements."""

    itemsize: int
    """Bytes of an element."""

    axis: int
    """Slabs are one element long on the axes before this one, whole on those after it."""

    period: int
    """Elements along `axis` after which the cuts repeat: one or several rows of chunks."""

    step: int
    """Elements of a slab along `axis`: the period, or less where a row of chunks is too large."""

    shares_chunks: bool
    """A chunk may lie in several slabs."""

    @property
    def slab_bytes(self) -> int:
        """Bytes of a slab that is not cut short by an edge."""
        return min(self.step, self.shape[self.axis]) * self._stride if self.shape else self.itemsize

    def box(self, slab: int) -> Box:
        """Elements of a slab."""
        if not self.shape:
            return ()
        lead, block = divmod(slab, self._n_blocks)
        leading: list[tuple[int, int]] = []
        for length in reversed(self.shape[: self.axis]):
            lead, index = divmod(lead, length)
            leading.append((index, index + 1))
        period, part = divmod(block, -(-self.period // self.step))
        start = period * self.period + part * self.step
        stop = min(start + self.step, (period + 1) * self.period, self.shape[self.axis])
        return (*reversed(leading), (start, stop), *((0, n) for n in self.shape[self.axis + 1 :]))

    def span(self, slab: int) -> tuple[int, int]:
        """First byte of a slab in the flat file, and its size in bytes."""
        offset, size, stride = 0, self.itemsize, self.itemsize
        for (start, stop), length in zip(
            reversed(self.box(slab)), reversed(self.shape), strict=True
        ):
            offset += start * stride
            size *= stop - start
            stride *= length
        return offset, size

    def find(self, offset: int) -> int:
        """Slab that holds a byte of the flat file."""
        if not self.shape:
            return 0
        lead, index = divmod(offset // self._stride, self.shape[self.axis])
        period, rest = divmod(index, self.period)
        return lead * self._n_blocks + period * -(-self.period // self.step) + rest // self.step

    @property
    def _stride(self) -> int:
        """Bytes from one index along `axis` to the next."""
        return self.itemsize * math.prod(self.shape[self.axis + 1 :])

    @property
    def _n_blocks(self) -> int:
        """Slabs along `axis`."""
        full, rest = divmod(self.shape[self.axis], self.period)
        return full * -(-self.period // self.step) + -(-rest // self.step)


def slab_layout(grid: ChunkGrid, itemsize: int, *, target: int, limit: int) -> SlabLayout:
    """Choose slabs: whole rows of chunks if such a row is within the limit.

    Parameters
    ----------
    grid
        Chunk grid of the array.
    itemsize
        Bytes of an element.
    target
        Rows of chunks smaller than this, in bytes, are taken several at a time.
    limit
        Largest slab wanted, in bytes. Only one element may be larger.
    """
    shape = grid.shape
    lengths = [max(1, min(axis.chunk_length, axis.length)) for axis in grid.axes]
    strides = [itemsize * math.prod(shape[axis + 1 :]) for axis in range(len(shape))]
    axis = next((axis for axis, stride in enumerate(strides) if stride <= limit), len(shape) - 1)
    if axis < 0:
        return SlabLayout(
            shape=(), itemsize=itemsize, axis=0, period=1, step=1, shares_chunks=False
        )
    length, stride = lengths[axis], max(1, strides[axis])
    if length * stride <= limit:
        period = step = length * max(1, target // (length * stride))
    else:
        # As few as can be, and equal, since all chunks of the row are decoded for each of them.
        period, n_slabs = length, -(-length // max(1, limit // stride))
        step = -(-length // n_slabs)
    return SlabLayout(
        shape=shape,
        itemsize=itemsize,
        axis=axis,
        period=period,
        step=step,
        shares_chunks=step < period or any(length > 1 for length in lengths[:axis]),
    )
