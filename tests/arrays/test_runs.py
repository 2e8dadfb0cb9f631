from __future__ import annotations

import numpy as np
import pytest

from zarrfs.arrays.placing import MAX_ROW_BYTES
from zarrfs.arrays.regions import Coords, Piece, pieces
from zarrfs.arrays.runs import LEAST_BOX_BYTES, RUN_BYTES, Runs, runs_in
from zarrfs.arrays.scratch import MAX_SCRATCH_BYTES
from zarrfs.codecs.base import ChunkSpec
from zarrfs.format.chunk_grids import regular_grid

LARGE = 2**14
assert LARGE**2 >= LEAST_BOX_BYTES


def spec(shape: tuple[int, ...], dtype: str = "u1") -> ChunkSpec:
    return ChunkSpec(shape=shape, dtype=np.dtype(dtype), fill_value=0)


def split(how: Runs, given: list[Piece], most: int) -> list[list[Coords]]:
    """Split pieces, and see that none is lost, and that runs are what they say."""
    found = list(how.split(given, most))
    assert [piece for stretch in found for piece in stretch.pieces] == given
    for stretch in found:
        assert given[stretch.first] == stretch.pieces[0]
        assert stretch.is_run == (how.length > 1 and len(stretch.pieces) > 1)
    return [[piece.coords for piece in stretch.pieces] for stretch in found]


@pytest.mark.parametrize(
    ("shape", "chunk", "axis", "length"),
    [
        ((LARGE, LARGE), (64, 2**9), 1, 32),
        ((LARGE, LARGE - 1), (64, 2**9), 1, 32),
        ((LARGE, 1000, LARGE), (8, 8, 64), 2, 256),
        ((LARGE, LARGE, 3), (64, 100, 3), 1, 164),
        ((LARGE, LARGE, 1, 1), (64, 100, 1, 1), 1, 164),
        ((LARGE, LARGE), (2**11, 2**9), 1, RUN_BYTES // 2**20),
    ],
    ids=["rows", "edge", "three axes", "colours", "of length 1", "bounded"],
)
def test_chunks_make_runs_along_the_last_axis_that_is_cut(
    shape: tuple[int, ...], chunk: tuple[int, ...], axis: int, length: int
) -> None:
    found = runs_in(shape, spec(chunk))
    assert (found.axis, found.length) == (axis, length)


@pytest.mark.parametrize(
    ("shape", "chunk"),
    [
        ((LARGE * LARGE,), spec((64,))),
        ((LARGE, LARGE), spec((64, LARGE))),
        ((LARGE, LARGE), spec((LARGE, LARGE))),
        ((LARGE, LARGE), spec((64, MAX_ROW_BYTES))),
        ((LARGE, LARGE), spec((2**13, 2**9))),
        ((100, 100), spec((10, 10))),
        ((LARGE, LARGE), spec((64, 64), "O")),
        ((LARGE, LARGE), spec((64, 64), "S0")),
        ((), spec(())),
    ],
    ids=["line", "whole rows", "one", "long rows", "large", "small", "objects", "empty", "scalar"],
)
def test_other_chunks_make_none(shape: tuple[int, ...], chunk: ChunkSpec) -> None:
    assert runs_in(shape, chunk).length == 1


def test_a_run_ends_with_the_row_at_its_length_and_at_chunks_that_are_cut() -> None:
    shape, chunk = (4, 14), (2, 3)
    box = ((1, 4), (1, 14))
    found = split(Runs(spec(chunk), 1, 2), list(pieces(regular_grid(shape, chunk), box)), 9)
    assert found == [
        [(0, 0)],
        [(0, 1), (0, 2)],
        [(0, 3)],
        [(0, 4)],
        [(1, 0)],
        [(1, 1), (1, 2)],
        [(1, 3)],
        [(1, 4)],
    ]


def test_pieces_that_do_not_follow_each_other_make_no_run() -> None:
    every_other = list(pieces(regular_grid((4, 12), (2, 3)), ((0, 4), (0, 12))))[::2]
    assert [len(run) for run in split(Runs(spec((2, 3)), 1, 8), every_other, 9)] == [1, 1, 1, 1]


def test_without_runs_there_are_so_many_pieces_at_once() -> None:
    eight = list(pieces(regular_grid((4, 12), (2, 3)), ((0, 4), (0, 12))))
    assert [len(part) for part in split(Runs(spec((2, 3)), 0, 1), eight, 3)] == [3, 3, 2]


def test_a_run_has_room_in_the_buffers_of_a_thread() -> None:
    assert RUN_BYTES <= MAX_SCRATCH_BYTES
