from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.grids import axes
from zarrfs.errors import MetadataError, UnsupportedError
from zarrfs.format.axes import Axis, RegularAxis, irregular_axis
from zarrfs.format.rectilinear import MAX_RUNS, parse_axes, serialise_axis


@given(st.integers(0, 30).flatmap(axes))
def test_axis_survives_writing(axis: Axis) -> None:
    assert parse_axes([serialise_axis(axis)], (axis.length,), "x") == (axis,)


def test_lengths_of_the_specification_are_parsed() -> None:
    # The example of the specification, "Example".
    lengths = [4, [1, 2, 3], [[4, 2]], [[1, 3], 3], [4, 4, 4]]
    assert parse_axes(lengths, (6,) * 5, "x") == (
        RegularAxis(6, 4),
        irregular_axis(6, [(1, 1), (2, 1), (3, 1)]),
        irregular_axis(6, [(4, 2)]),
        irregular_axis(6, [(1, 3), (3, 1)]),
        irregular_axis(6, [(4, 3)]),
    )


def test_empty_axis_may_have_no_chunks() -> None:
    assert parse_axes([[]], (0,), "x")[0].n_chunks == 0
    assert parse_axes([[3]], (0,), "x")[0].n_chunks == 0


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        (5, "x: must be a list, not 5"),
        ([5, 5], "x: has 2 dimensions, but the array has 1"),
        ([0], "x[0]: must be an integer ≥ 1, not 0"),
        ([2**63], "x[0]: must be an integer ≥ 1 and < 2**63, not 9223372036854775808"),
        (["5"], 'x[0]: must be an integer ≥ 1 or a list of them, not "5"'),
        ([None], "x[0]: must be an integer ≥ 1 or a list of them, not null"),
        ([True], "x[0]: must be an integer ≥ 1 or a list of them, not true"),
        ([[]], "x[0]: has chunks for 0 elements, but the array has 6 there"),
        ([[3, 2]], "x[0]: has chunks for 5 elements, but the array has 6 there"),
        ([[6, 0]], "x[0][1]: must be an integer ≥ 1 or a pair [length, count] of them, not 0"),
        ([[[6]]], "x[0][0]: must be an integer ≥ 1 or a pair [length, count] of them, not [6]"),
        ([[[6, 1, 1]]], "x[0][0]: must be an integer ≥ 1 or a pair"),
        ([[[6, 0]]], "x[0][0]: must be an integer ≥ 1 or a pair"),
        ([[[-6, 1]]], "x[0][0]: must be an integer ≥ 1 or a pair"),
        ([[[6, True]]], "x[0][0]: must be an integer ≥ 1 or a pair"),
        ([[6.0]], "x[0][0]: must be an integer ≥ 1 or a pair"),
        ([[{}]], "x[0][0]: must be an integer ≥ 1 or a pair"),
    ],
)
def test_lengths_that_do_not_fit_are_refused(lengths: Any, message: str) -> None:
    with pytest.raises(MetadataError) as error:
        parse_axes(lengths, (6,), "x")
    assert str(error.value).startswith(message)


def test_too_many_runs_are_refused_unseen() -> None:
    with pytest.raises(UnsupportedError, match=r"^x\[0\]: has 1048577 entries"):
        parse_axes([[None] * (MAX_RUNS + 1)], (6,), "x")
