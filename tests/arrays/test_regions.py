from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.grids import cut, grids
from zarrfs.arrays.regions import Box, box_shape, pieces
from zarrfs.format.chunk_grids import ChunkGrid, regular_grid


@st.composite
def grids_and_boxes(draw: st.DrawFn) -> tuple[ChunkGrid, Box]:
    ndim = draw(st.integers(0, 3))
    shape = tuple(draw(st.integers(0, 9)) for _ in range(ndim))
    edges = [sorted((draw(st.integers(0, n)), draw(st.integers(0, n)))) for n in shape]
    return draw(grids(shape)), tuple((start, stop) for start, stop in edges)


@given(grids_and_boxes())
def test_pieces_cover_the_region_once_with_the_right_elements(case: tuple[ChunkGrid, Box]) -> None:
    grid, box = case
    array = np.arange(int(np.prod(grid.shape))).reshape(grid.shape)
    region = array[tuple(slice(start, stop) for start, stop in box)]
    result = np.full(box_shape(box), -1)
    seen = np.zeros(box_shape(box), int)
    chunks = dict(cut(array, grid, -1))
    for piece in pieces(grid, box):
        chunk = chunks[piece.coords]
        result[piece.in_region] = chunk[piece.in_chunk]
        seen[piece.in_region] += 1
    assert np.array_equal(result, region)
    assert (seen == 1).all()


@given(grids_and_boxes())
def test_pieces_come_in_c_order_one_for_each_chunk(case: tuple[ChunkGrid, Box]) -> None:
    coords = [piece.coords for piece in pieces(*case)]
    assert coords == sorted(set(coords))


@given(grids_and_boxes(), st.integers(0, 5), st.none() | st.integers(0, 9))
def test_some_of_the_pieces_are_those_at_their_place_among_all(
    case: tuple[ChunkGrid, Box], first: int, stop: int | None
) -> None:
    assert list(pieces(*case, first, stop)) == list(pieces(*case))[first:stop]


def test_a_zero_dimensional_region_is_one_piece() -> None:
    (piece,) = pieces(regular_grid((), ()), ())
    assert (piece.coords, piece.in_chunk, piece.in_region) == ((), (), ())
