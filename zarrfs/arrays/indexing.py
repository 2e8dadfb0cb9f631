"""Basic selections, as NumPy has them -> what to read and how to turn it into the result.

Integers (negative ones too), slices with steps, and one Ellipsis. Pure arithmetic.
"""

from __future__ import annotations

import itertools
import math
import operator
from dataclasses import dataclass
from types import EllipsisType
from typing import TYPE_CHECKING, SupportsIndex

from zarrfs.arrays.regions import Piece
from zarrfs.errors import SelectionError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from zarrfs.format.axes import Axis
    from zarrfs.format.chunk_grids import ChunkGrid

BasicIndex = SupportsIndex | slice | EllipsisType

_Along = tuple[int, slice, slice]

MAX_LISTED = 2**16
"""Chunks along an axis that are listed, for speed; of more, each is found when it is needed."""


@dataclass(frozen=True, slots=True)
class AxisSelection:
    """What is selected along one axis: `count` elements, `step` apart, from `start` on."""

    start: int
    step: int
    """Never 0; negative counts down."""
    count: int
    is_integer: bool
    """One element, whose axis the result does not have."""


@dataclass(frozen=True, slots=True)
class Selection:
    """A basic selection of an array of a known shape."""

    axes: tuple[AxisSelection, ...]

    @property
    def full_shape(self) -> tuple[int, ...]:
        """Shape of the result before the axes of integers are taken away."""
        return tuple(axis.count for axis in self.axes)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the result."""
        return tuple(axis.count for axis in self.axes if not axis.is_integer)

    @property
    def has_steps(self) -> bool:
        """Whether elements are left out or turned round along any axis."""
        return any(axis.step != 1 for axis in self.axes)

    def n_pieces(self, grid: ChunkGrid) -> int:
        """Return how many chunks hold something of it, at most: a large step may leave some out."""
        return math.prod(self._n_along(grid))

    def _n_along(self, grid: ChunkGrid) -> list[int]:
        """Return the same along each axis."""
        counts = []
        for axis, chosen in zip(grid.axes, self.axes, strict=True):
            last = chosen.start + (chosen.count - 1) * chosen.step
            n_chunks = abs(axis.find(last) - axis.find(chosen.start)) + 1 if chosen.count else 0
            counts.append(n_chunks)
        return counts

    def pieces(self, grid: ChunkGrid) -> Iterator[Piece]:
        """Split the selection into the chunks that hold it, each once.

        Their regions are those of a result that still has the axes of integers.
        """
        along = list(zip(grid.axes, self.axes, strict=True))
        combinations: Iterator[tuple[_Along, ...]]
        if max(self._n_along(grid), default=0) <= MAX_LISTED:
            combinations = itertools.product(*(list(_along(*axis)) for axis in along))
        else:
            combinations = _combinations(along)
        for parts in combinations:
            yield Piece(*zip(*parts, strict=True)) if parts else Piece((), (), ())


def parse_selection(index: object, shape: tuple[int, ...]) -> Selection:
    """Understand the index of ``array[index]``.

    Raises
    ------
    SelectionError
        If an integer is out of bounds, there are too many indices, or one is of another kind.
    """
    indices = list(index) if isinstance(index, tuple) else [index]
    n_ellipsis = sum(part is Ellipsis for part in indices)
    if n_ellipsis > 1:
        raise SelectionError("an index can only have a single ellipsis ('...')")
    if len(indices) - n_ellipsis > len(shape):
        raise SelectionError(
            f"too many indices: the array has {len(shape)} dimensions, "
            f"but {len(indices) - n_ellipsis} were indexed"
        )
    rest = [slice(None)] * (len(shape) - len(indices) + n_ellipsis)
    at = next((i for i, part in enumerate(indices) if part is Ellipsis), len(indices))
    indices[at : at + n_ellipsis] = rest
    return Selection(
        tuple(
            _parse_axis(part, axis, length)
            for axis, (part, length) in enumerate(zip(indices, shape, strict=True))
        )
    )


def _parse_axis(part: object, axis: int, length: int) -> AxisSelection:
    if isinstance(part, slice):
        try:
            start, stop, step = part.indices(length)
        except (TypeError, ValueError) as error:
            raise SelectionError(f"cannot use {part} along axis {axis}: {error}") from error
        return AxisSelection(start, step, len(range(start, stop, step)), is_integer=False)
    try:
        if isinstance(part, bool) or not isinstance(part, SupportsIndex):
            raise TypeError
        at = operator.index(part)
    except TypeError:
        # Arrays have `__index__` too, which works for one integer.
        raise SelectionError(
            f"only integers, slices and '...' are valid indices, not {part!r} along axis {axis}"
        ) from None
    if not -length <= at < length:
        raise SelectionError(f"index {at} is out of bounds for axis {axis} with size {length}")
    return AxisSelection(at % length, 1, 1, is_integer=True)


def _combinations(along: list[tuple[Axis, AxisSelection]]) -> Iterator[tuple[_Along, ...]]:
    """Yield what `itertools.product` does, which keeps all of it in memory."""
    if not along:
        yield ()
        return
    for first in _along(*along[0]):
        for rest in _combinations(along[1:]):
            yield (first, *rest)


def _along(axis: Axis, chosen: AxisSelection) -> Iterator[_Along]:
    """Split what is selected along an axis: chunk, elements of it, their place in the result."""
    done = 0
    while done < chosen.count:
        first = chosen.start + done * chosen.step
        chunk = axis.find(first)
        origin = axis.start(chunk)
        # Elements that are still inside this chunk, going up or down.
        room = axis.start(chunk + 1) - 1 - first if chosen.step > 0 else first - origin
        n = min(room // abs(chosen.step) + 1, chosen.count - done)
        begin = first - origin
        last = begin + (n - 1) * chosen.step
        end = last + (1 if chosen.step > 0 else -1)
        yield chunk, slice(begin, end if end >= 0 else None, chosen.step), slice(done, done + n)
        done += n
