from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.grids import axes, chunk_lengths, irregular_axes
from zarrfs.errors import MetadataError
from zarrfs.format.axes import Axis, IrregularAxis, RegularAxis, irregular_axis

LENGTHS = st.integers(0, 40)


@given(LENGTHS.flatmap(axes))
def test_axis_agrees_with_elements_dealt_out_one_by_one(axis: Axis) -> None:
    lengths = chunk_lengths(axis)
    owners = [chunk for chunk, length in enumerate(lengths) for _ in range(length)]
    assert axis.n_chunks == len(lengths)
    assert [axis.find(i) for i in range(axis.length)] == owners[: axis.length]
    starts = [min(sum(lengths[:chunk]), axis.length) for chunk in range(len(lengths) + 1)]
    assert [axis.start(chunk) for chunk in range(axis.n_chunks)] == starts[:-1]
    assert axis.start(axis.n_chunks) == axis.length
    assert [axis.stored_length(chunk) for chunk in range(axis.n_chunks)] == lengths
    if lengths:
        assert axis.stored_lengths == tuple(sorted(set(lengths)))


@given(LENGTHS.flatmap(irregular_axes))
def test_runs_make_the_axis_again(axis: IrregularAxis) -> None:
    assert irregular_axis(axis.length, axis.runs) == axis
    one_by_one = [(length, 1) for length, count in axis.runs for _ in range(count)]
    assert irregular_axis(axis.length, one_by_one) == axis


def test_neighbours_of_equal_length_are_one_run_and_none_is_none() -> None:
    axis = irregular_axis(8, [(2, 1), (2, 2), (3, 0), (1, 2)])
    assert axis.runs == ((2, 3), (1, 2))


def test_any_number_of_chunks_is_a_few_integers() -> None:
    axis = irregular_axis(10**15 + 10, [(1, 10**15), (7, 3)])
    assert (axis.n_chunks, axis.find(10**15 + 7)) == (10**15 + 2, 10**15 + 1)
    assert axis.start(10**15 + 1) == 10**15 + 7
    assert axis.runs == ((1, 10**15), (7, 3))


def test_chunks_that_do_not_cover_the_axis_are_refused() -> None:
    with pytest.raises(MetadataError, match=r"^x: has chunks for 7 elements, but .* has 8 there"):
        irregular_axis(8, [(3, 1), (4, 1)], "x")


def test_the_largest_length_counts_only_chunks_inside() -> None:
    assert irregular_axis(4, [(2, 2), (100, 1)]).stored_lengths == (2,)
    assert irregular_axis(0, [(5, 1), (9, 1)]).stored_lengths == (5,)
    assert irregular_axis(0, []).stored_lengths == (0,)


@given(LENGTHS.flatmap(axes), LENGTHS)
def test_resizing_keeps_all_chunks(axis: Axis, length: int) -> None:
    resized = axis.resized(length)
    assert resized.length == length
    kept = min(axis.n_chunks, resized.n_chunks)
    assert chunk_lengths(resized)[:kept] == chunk_lengths(axis)[:kept]
    back = resized.resized(axis.length)
    assert chunk_lengths(back) == chunk_lengths(axis)


@given(st.integers(1, 4).flatmap(lambda n: irregular_axes(36, n)), st.integers(37, 300))
def test_new_chunks_are_no_longer_than_others_and_divisible_as_they_are(
    axis: IrregularAxis, length: int
) -> None:
    old = [length for length, _ in axis.runs]
    new = [length for length, _ in axis.resized(length).runs]
    assert max(new) == max(old)
    assert math.gcd(*new) == math.gcd(*old)


def test_what_is_appended_at_a_time_is_one_chunk() -> None:
    axis = irregular_axis(59, [(31, 1), (28, 1)])
    for days in [31, 30, 29]:
        axis = axis.resized(axis.length + days)
    assert [length for length, _ in axis.runs] == [31, 28, 31, 30, 29]


def test_much_that_is_appended_is_cut_into_the_longest_chunks() -> None:
    assert irregular_axis(9, [(4, 1), (6, 1)]).resized(10**9).runs == (
        (4, 1),
        (6, (10**9 - 4) // 6),
        *[((10**9 - 4) % 6, 1)] * bool((10**9 - 4) % 6),
    )


def test_axis_without_chunks_grows_by_one() -> None:
    assert irregular_axis(0, []).resized(5).runs == ((5, 1),)
    assert RegularAxis(0, 0).resized(5) == RegularAxis(5, 5)


def test_growing_uses_chunks_past_the_end_first() -> None:
    axis = irregular_axis(2, itertools.repeat((2, 1), 4))
    assert axis.resized(8).runs == ((2, 4),)
