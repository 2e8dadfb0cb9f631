"""Boxes of elements <-> pieces of chunks. Pure arithmetic: no store, no threads, no array data."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from zarrfs.format.axes import Axis
    from zarrfs.format.chunk_grids import ChunkGrid

Coords = tuple[int, ...]
"""Position of a chunk in its grid."""

Box = tuple[tuple[int, int], ...]
"""A region of an array: first element and the one after the last, along each axis."""


class Piece(NamedTuple):
    """The part of a region that lies in one chunk; a tuple, for a slab may have thousands."""

    coords: Coords
    in_chunk: tuple[slice, ...]
    """Where it lies in the chunk."""

    in_region: tuple[slice, ...]
    """Where it lies in the region."""


def box_shape(box: Box) -> tuple[int, ...]:
    """Elements of a region along each axis."""
    return tuple(stop - start for start, stop in box)


def pieces(grid: ChunkGrid, box: Box, first: int = 0, stop: int | None = None) -> Iterator[Piece]:
    """Split a region into the chunks that hold it, in C order of their coordinates.

    Parameters
    ----------
    grid
        Chunk grid of the array.
    box
        The region; must lie inside the array. An empty one has no pieces.
    first, stop
        Which of the pieces to yield, counted in their order; all by default.

    Yields
    ------
    Piece
        Without overlap; all together they cover the region.
    """
    along_axes = [
        list(_along(axis, begin, end)) for axis, (begin, end) in zip(grid.axes, box, strict=True)
    ]
    for parts in itertools.islice(itertools.product(*along_axes), first, stop):
        yield Piece(*zip(*parts, strict=True)) if parts else Piece((), (), ())


def n_pieces(grid: ChunkGrid, box: Box) -> int:
    """Return how many chunks hold a region."""
    counts = (
        axis.find(stop - 1) - axis.find(start) + 1 if start < stop else 0
        for axis, (start, stop) in zip(grid.axes, box, strict=True)
    )
    return math.prod(counts)


def _along(axis: Axis, start: int, stop: int) -> Iterator[tuple[int, slice, slice]]:
    index = start
    while index < stop:
        chunk = axis.find(index)
        origin = axis.start(chunk)
        end = min(axis.start(chunk + 1), stop)
        yield chunk, slice(index - origin, end - origin), slice(index - start, end - start)
        index = end
