from __future__ import annotations

from types import EllipsisType
from typing import TYPE_CHECKING, Any, SupportsIndex

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.grids import cut, grids
from zarrfs.arrays import indexing
from zarrfs.arrays.indexing import parse_selection
from zarrfs.errors import SelectionError
from zarrfs.format.chunk_grids import regular_grid

if TYPE_CHECKING:
    from zarrfs.format.chunk_grids import ChunkGrid

Part = SupportsIndex | slice | EllipsisType


@st.composite
def cases(draw: st.DrawFn) -> tuple[tuple[int, ...], ChunkGrid, Any]:
    """Shape, grid and an index, as NumPy takes it."""
    ndim = draw(st.integers(0, 3))
    shape = tuple(draw(st.integers(0, 12)) for _ in range(ndim))
    grid = draw(grids(shape))
    n_indexed = draw(st.integers(0, ndim))
    has_ellipsis = draw(st.booleans())
    at = draw(st.integers(0, n_indexed)) if has_ellipsis else n_indexed
    lengths = (
        [*shape[:at], *shape[ndim - (n_indexed - at) :]] if has_ellipsis else shape[:n_indexed]
    )
    parts: list[Part] = [draw(_part(length)) for length in lengths]
    if has_ellipsis:
        parts.insert(at, ...)
    if len(parts) == 1 and draw(st.booleans()):
        return shape, grid, parts[0]
    return shape, grid, tuple(parts)


def _part(length: int) -> st.SearchStrategy[Part]:
    ends = st.none() | st.integers(-length - 3, length + 3)
    steps = st.none() | st.integers(-5, 5).filter(bool)
    slices: st.SearchStrategy[Part] = st.builds(slice, ends, ends, steps)
    if length:
        slices |= st.integers(-length, length - 1) | st.integers(-length, length - 1).map(
            lambda at: np.int32(at)
        )
    return slices


@given(case=cases(), max_listed=st.sampled_from([0, indexing.MAX_LISTED]))
def test_selection_is_what_numpy_gives(
    case: tuple[tuple[int, ...], ChunkGrid, Any], max_listed: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(indexing, "MAX_LISTED", max_listed)
        check_selection(case)


def check_selection(case: tuple[tuple[int, ...], ChunkGrid, Any]) -> None:
    shape, grid, index = case
    array = np.arange(int(np.prod(shape))).reshape(shape)
    chunks = dict(cut(array, grid, -1))
    selection = parse_selection(index, shape)
    result = np.full(selection.full_shape, -1)
    seen = set()
    for piece in selection.pieces(grid):
        result[piece.in_region] = chunks[piece.coords][piece.in_chunk]
        assert piece.coords not in seen
        seen.add(piece.coords)
    expected = array[index]
    assert selection.shape == expected.shape
    assert np.array_equal(result.reshape(selection.shape), expected)


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (5, "index 5 is out of bounds for axis 0 with size 5"),
        (-6, "index -6 is out of bounds for axis 0 with size 5"),
        ((0, 0, 0), "too many indices: the array has 2 dimensions, but 3 were indexed"),
        ((0, ..., 0, 0), "too many indices"),
        ((..., ...), "single ellipsis"),
        (slice(None, None, 0), "slice step cannot be zero"),
        (slice(0.5), "axis 0"),
        (True, "only integers, slices"),
        (np.bool_(True), "only integers, slices"),
        (None, "only integers, slices"),
        ((0, "x"), "'x' along axis 1"),
        (1.0, "only integers, slices"),
        ([0, 1], "only integers, slices"),
        (np.array([0, 1]), "only integers, slices"),
    ],
)
def test_index_that_is_not_basic_is_refused(index: object, message: str) -> None:
    with pytest.raises(SelectionError, match=message):
        parse_selection(index, (5, 4))


def test_a_zero_dimensional_integer_array_is_an_integer() -> None:
    assert parse_selection(np.array(-1), (5,)).axes[0].start == 4


def test_chunks_without_number_take_no_memory() -> None:
    shape = (2**60, 3, 2**60)
    pieces = parse_selection(..., shape).pieces(regular_grid(shape, (1, 1, 1)))
    assert [next(pieces).coords for _ in range(3)] == [(0, 0, 0), (0, 0, 1), (0, 0, 2)]
