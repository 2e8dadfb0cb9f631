"""Byte spans of a flat file <-> boxes of elements, and the slabs a flat file is read in.

Pure arithmetic: no store, no threads, no array data. A flat file holds the elements of an array
in C order. A *slab* is a span of it that is one box of elements: whole rows of chunks if they are
small enough, so that every chunk is decoded once; else a part of such a row.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from zarrfs.arrays.regions import Box
    from zarrfs.format.axes import Axis
    from zarrfs.format.chunk_grids import ChunkGrid


_start, _first_slab = attrgetter("start"), attrgetter("first_slab")


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
class Stretch:
    """Part of an axis in which the cuts between slabs repeat."""

    start: int
    """First element along the axis."""

    stop: int
    """The element after the last."""

    first_slab: int
    """Its first slab, counted along the axis."""

    period: int
    """Elements after which the cuts repeat: one or several rows of chunks."""

    step: int
    """Elements of a slab: the period, or less where a row of chunks is too large."""

    @property
    def n_slabs(self) -> int:
        """Slabs along the stretch."""
        full, rest = divmod(self.stop - self.start, self.period)
        return full * self.n_parts + -(-rest // self.step)

    @property
    def n_parts(self) -> int:
        """Slabs of a period."""
        return -(-self.period // self.step)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlabLayout:
    """How a flat file is cut into slabs; slabs are numbered in file order."""

    shape: tuple[int, ...]
    """Of the array, in elements."""

    itemsize: int
    """Bytes of an element."""

    axis: int
    """Slabs are one element long on the axes before this one, whole on those after it."""

    stretches: tuple[Stretch, ...]
    """Of `axis`, all of it in order; one if its chunks are equal."""

    shares_chunks: bool
    """A chunk may lie in several slabs."""

    @property
    def slab_bytes(self) -> int:
        """Bytes of the largest slab."""
        if not self.shape:
            return self.itemsize
        steps = (min(part.step, part.stop - part.start) for part in self.stretches)
        return max(steps, default=0) * self._stride

    def box(self, slab: int) -> Box:
        """Elements of a slab."""
        if not self.shape:
            return ()
        lead, block = divmod(slab, self._n_blocks)
        leading: list[tuple[int, int]] = []
        for length in reversed(self.shape[: self.axis]):
            lead, index = divmod(lead, length)
            leading.append((index, index + 1))
        here = self.stretches[bisect_right(self.stretches, block, key=_first_slab) - 1]
        period, part = divmod(block - here.first_slab, here.n_parts)
        base = here.start + period * here.period
        start = base + part * here.step
        stop = min(start + here.step, base + here.period, here.stop)
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
        here = self.stretches[bisect_right(self.stretches, index, key=_start) - 1]
        period, rest = divmod(index - here.start, here.period)
        block = here.first_slab + period * here.n_parts + rest // here.step
        return lead * self._n_blocks + block

    @property
    def _stride(self) -> int:
        """Bytes from one index along `axis` to the next."""
        return self.itemsize * math.prod(self.shape[self.axis + 1 :])

    @property
    def _n_blocks(self) -> int:
        """Slabs along `axis`."""
        last = self.stretches[-1]
        return last.first_slab + last.n_slabs


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
        Largest slab wanted, in bytes, at least `target`. Only one element may be larger.
    """
    shape = grid.shape
    strides = [itemsize * math.prod(shape[axis + 1 :]) for axis in range(len(shape))]
    axis = next((axis for axis, stride in enumerate(strides) if stride <= limit), len(shape) - 1)
    if axis < 0:
        return SlabLayout(shape=(), itemsize=itemsize, axis=0, stretches=(), shares_chunks=False)
    stretches = tuple(_stretches(grid.axes[axis], max(1, strides[axis]), target, limit))
    return SlabLayout(
        shape=shape,
        itemsize=itemsize,
        axis=axis,
        stretches=stretches,
        shares_chunks=any(part.step < part.period for part in stretches)
        or any(length > 1 for before in grid.axes[:axis] for _, _, length in _runs(before)),
    )


def _stretches(axis: Axis, stride: int, target: int, limit: int) -> Iterator[Stretch]:
    """Cut an axis: small runs of chunks together up to the target, each large one by itself."""
    first_slab, together = 0, 0
    for start, stop, length in _runs(axis):
        is_small = (stop - start) * stride <= target
        if together < start and not (is_small and (stop - together) * stride <= target):
            yield Stretch(
                start=together,
                stop=start,
                first_slab=first_slab,
                period=start - together,
                step=start - together,
            )
            first_slab, together = first_slab + 1, start
        if is_small and stop < axis.length:
            continue
        if is_small:
            period = step = stop - together
        elif length * stride <= limit:
            period = step = length * max(1, target // (length * stride))
        else:
            # As few as can be, and equal, since all chunks of the row are decoded for each.
            period, n_slabs = length, -(-length // max(1, limit // stride))
            step = -(-length // n_slabs)
        stretch = Stretch(
            start=together, stop=stop, first_slab=first_slab, period=period, step=step
        )
        yield stretch
        first_slab, together = first_slab + stretch.n_slabs, stop


def _runs(axis: Axis) -> Iterator[tuple[int, int, int]]:
    """Yield runs of equal chunks: first element, the one after the last, length of a chunk."""
    start = 0
    for chunk_length, count in axis.runs:
        stop = min(start + chunk_length * count, axis.length)
        if start < stop:
            yield start, stop, min(chunk_length, stop - start)
        start = stop
