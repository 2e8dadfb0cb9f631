from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.arrays import STANDARD_ARRAYS
from benchmarks.parts import box, chunks_in

ARRAY = dataclasses.replace(STANDARD_ARRAYS["i"], shape=(6, 4, 8), chunks=(4, 2, 3))
FLAT = np.arange(6 * 4 * 8, dtype="<u2").reshape(ARRAY.shape)


@pytest.mark.parametrize(
    ("n", "step"), [(1, 1), (4, 4), (8, 8), (16, 16), (32, 32), (64, 64), (24, 96), (96, 96)]
)
def test_box_holds_the_elements_of_the_span(n: int, step: int) -> None:
    for start in range(0, FLAT.size - n + 1, step):
        expected = np.arange(start, start + n)
        assert np.array_equal(FLAT[box(ARRAY, 2 * start, 2 * n)].ravel(), expected)


@given(st.integers(0, 191), st.integers(1, 192))
def test_span_is_a_box_or_refused(start: int, n: int) -> None:
    try:
        selection = box(ARRAY, 2 * start, 2 * n)
    except ValueError:
        return
    assert np.array_equal(FLAT[selection].ravel(), np.arange(start, start + n))


def test_span_that_ends_in_another_row_is_no_box() -> None:
    with pytest.raises(ValueError, match="no box"):
        box(ARRAY, 4, 16)


def test_chunks_of_a_box_are_those_that_overlap_it() -> None:
    assert chunks_in(ARRAY, (slice(3, 5), slice(2, 4), slice(0, 4))) == {
        (0, 1, 0),
        (0, 1, 1),
        (1, 1, 0),
        (1, 1, 1),
    }
