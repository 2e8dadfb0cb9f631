"""Irregular grids for tests, and a plain model of them: a list of chunk lengths per axis."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import strategies as st

from zarrfs.format.axes import Axis, IrregularAxis, RegularAxis, irregular_axis
from zarrfs.format.chunk_grids import ChunkGrid

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from zarrfs.arrays.regions import Coords


@st.composite
def irregular_axes(draw: st.DrawFn, length: int, unit: int = 1) -> IrregularAxis:
    """Cut `length` elements into chunks that are multiples of `unit`; some may lie past the end."""
    runs: list[tuple[int, int]] = []
    covered = 0
    while covered < length:
        chunk_length = unit * draw(st.integers(1, max(1, length // unit)))
        count = draw(st.integers(1, 3))
        runs.append((chunk_length, count))
        covered += chunk_length * count
    past = draw(st.lists(st.tuples(st.integers(1, 3).map(lambda n: n * unit), st.just(2))))
    return irregular_axis(length, (*runs, *past))


def axes(length: int, unit: int = 1) -> st.SearchStrategy[Axis]:
    """Regular or irregular axes of `length` elements in chunks that are multiples of `unit`."""
    regular = st.integers(1, max(1, length // unit) + 2).map(
        lambda n: RegularAxis(length, n * unit)
    )
    return regular | irregular_axes(length, unit)


@st.composite
def grids(draw: st.DrawFn, shape: tuple[int, ...], unit: tuple[int, ...] = ()) -> ChunkGrid:
    """Grids of an array of `shape` whose chunks are multiples of `unit`."""
    units = unit or (1,) * len(shape)
    return ChunkGrid(tuple(draw(axes(n, u)) for n, u in zip(shape, units, strict=True)))


def document(grid: ChunkGrid) -> dict[str, Any]:
    """Return a grid as the member `chunk_grid`, by hand: ``rectilinear`` whatever its axes."""
    lengths = [
        axis.chunk_length if isinstance(axis, RegularAxis) else [list(run) for run in axis.runs]
        for axis in grid.axes
    ]
    configuration = {"kind": "inline", "chunk_shapes": lengths}
    return {"name": "rectilinear", "configuration": configuration}


def chunk_lengths(axis: Axis) -> list[int]:
    """Lengths in which the chunks of an axis are stored, one by one."""
    lengths = [length for length, count in axis.runs for _ in range(count)]
    ends = list(itertools.accumulate(lengths))
    return [n for n, end in zip(lengths, ends, strict=True) if end - n < axis.length]


def cut(
    data: npt.NDArray[Any], grid: ChunkGrid, fill: object
) -> Iterator[tuple[Coords, npt.NDArray[Any]]]:
    """Cut an array into chunks as they are stored, what lies over the edge filled up."""
    lengths = [chunk_lengths(axis) for axis in grid.axes]
    for coords in itertools.product(*(range(len(along)) for along in lengths)):
        shape = tuple(along[c] for along, c in zip(lengths, coords, strict=True))
        start = [sum(along[:c]) for along, c in zip(lengths, coords, strict=True)]
        chunk = np.full(shape, fill, data.dtype)
        part = data[tuple(slice(s, s + n) for s, n in zip(start, shape, strict=True))]
        chunk[tuple(slice(0, n) for n in part.shape)] = part
        yield coords, chunk
