from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from zarrfs.arrays.assignment import Edit, new_elements
from zarrfs.arrays.indexing import parse_selection
from zarrfs.codecs.base import ChunkSpec
from zarrfs.errors import AssignmentError
from zarrfs.format.chunk_grids import regular_grid

if TYPE_CHECKING:
    from types import EllipsisType

SHAPE = (5, 4)


def assigned(array: npt.NDArray[Any], index: Any, value: object) -> npt.NDArray[Any]:
    """Assign to a copy, chunk by chunk, as an array that is stored would."""
    result = array.copy()
    selection = parse_selection(index, array.shape)
    edit = Edit(selection, new_elements(value, array.dtype, selection), array.shape)
    grid = regular_grid(array.shape, tuple(max(1, n // 2) for n in array.shape))
    for coords, part in edit.parts(grid):
        boxes = zip(grid.axes, coords, strict=True)
        place: list[slice | EllipsisType] = [slice(a.start(c), a.start(c + 1)) for a, c in boxes]
        chunk = result[(*place, ...)]
        assert part.extent == chunk.shape
        if part.is_whole:
            spec = ChunkSpec(shape=grid.stored_shape(coords), dtype=array.dtype, fill_value=0)
            new = part.new_chunk(spec)
            assert (new.shape, new.dtype) == (spec.shape, spec.dtype)
            chunk[...] = new[tuple(slice(0, n) for n in chunk.shape)]
        else:
            part.apply(chunk)
    return result


@given(data=st.data())
def test_any_selection_and_value_that_broadcasts(data: st.DataObject) -> None:
    shape = data.draw(npst.array_shapes(min_dims=0, max_dims=3, max_side=6))
    index = data.draw(npst.basic_indices(shape, allow_newaxis=False))
    before = np.arange(np.prod(shape), dtype="i4").reshape(shape)
    target = before[index].shape
    stretched = [1 if data.draw(st.booleans()) else n for n in target]
    lacking = data.draw(st.integers(-2 if target else 0, len(target)))
    # A negative number lacks none, but has leading ones, which NumPy ignores.
    value_shape = (*([1] * -lacking), *stretched[max(0, lacking) :])
    value = -1 - np.arange(math.prod(value_shape)).reshape(value_shape)
    expected = before.copy()
    expected[index] = value
    np.testing.assert_array_equal(assigned(before, index, value), expected)


@pytest.mark.parametrize("dtype", ["i4", "u1", "f4", "f8", "c8", "?", "S3", "U2", "M8[s]", "O"])
@pytest.mark.parametrize(
    "value",
    [
        1,
        1.75,
        True,
        np.float64(2.5),
        np.int64(300),
        np.arange(4),
        np.arange(4.0) + 0.5,
        np.arange(4.0).astype(">f8"),
        [1, 2, 3, 4],
        np.ones((1, 1, 5, 4), "i2"),
        np.array(["1", "2", "3", "4"]),
        "7",
        b"7",
    ],
    ids=repr,
)
def test_elements_are_cast_as_numpy_casts_them(dtype: str, value: object) -> None:
    before = np.zeros(SHAPE, dtype)
    expected = before.copy()
    try:
        expected[...] = value
    except (ValueError, TypeError, OverflowError):
        with pytest.raises(AssignmentError, match=re.escape(f"elements of type {before.dtype}")):
            assigned(before, ..., value)
        return
    np.testing.assert_array_equal(assigned(before, ..., value), expected)


@pytest.mark.parametrize(
    ("dtype", "value", "message"),
    [
        ("u1", 300, "out of bounds"),
        ("i4", "x", "invalid literal"),
        ("f8", [[1, 2], [3]], "inhomogeneous"),
        ("f8", np.zeros(3), r"shape \(3,\) into shape \(5, 4\)"),
        ("f8", np.zeros((2, 5, 4)), r"shape \(2, 5, 4\) into shape \(5, 4\)"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(dtype: str, value: object, message: str) -> None:
    with pytest.raises(AssignmentError, match=message):
        assigned(np.zeros(SHAPE, dtype), ..., value)


def test_structured_elements() -> None:
    before = np.zeros(3, [("a", "i4"), ("b", "f8", (2,))])
    after = assigned(before, 1, (7, [1, 2]))
    assert after["a"].tolist() == [0, 7, 0]
    np.testing.assert_array_equal(after["b"], [[0, 0], [1, 2], [0, 0]])


PAIR = np.dtype([("real", "f2"), ("imag", "f2")])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.array([1 + 2j, 3]), [(1, 2), (3, 0)]),
        (np.array([1, 3], "i4"), [(1, 0), (3, 0)]),
        ([1 + 2j, 3], [(1, 2), (3, 0)]),
        (2j, [(0, 2), (0, 2)]),
        ([(1, 2), (3, 4)], [(1, 2), (3, 4)]),
        (np.array([(1, 2), (3, 4)], PAIR), [(1, 2), (3, 4)]),
        ([1e9, -1e9j], [(math.inf, 0), (0, -math.inf)]),
    ],
)
def test_numbers_are_complex_where_a_record_stands_for_them(
    value: object, expected: list[tuple[float, float]]
) -> None:
    assert new_elements(value, PAIR, parse_selection(..., (2,))).tolist() in (
        expected,
        expected[0],
    )


def test_what_is_no_number_is_no_complex_number() -> None:
    with pytest.raises(AssignmentError, match="cannot make elements"):
        new_elements(["a", "b"], PAIR, parse_selection(..., (2,)))


def test_an_element_that_is_a_list_is_one_element() -> None:
    element = np.empty((), object)
    element[()] = [1, 2]
    after = assigned(np.zeros(2, object), slice(None), element)
    assert after.tolist() == [[1, 2], [1, 2]]


def test_an_array_of_one_object_takes_an_element_and_no_array() -> None:
    after = assigned(np.zeros((), object), (), np.array("a", np.dtypes.StringDType()))
    assert after.tolist() == "a"


def test_one_element_for_a_huge_selection_takes_no_memory() -> None:
    selection = parse_selection(..., (10**15, 10**15))
    assert new_elements(1, np.dtype("f8"), selection).nbytes == 8


def test_whole_chunk_of_the_right_type_is_not_copied() -> None:
    values = np.arange(20.0).reshape(SHAPE)
    selection = parse_selection(..., SHAPE)
    [(_, part)] = Edit(selection, new_elements(values, values.dtype, selection), SHAPE).parts(
        regular_grid(SHAPE, SHAPE)
    )
    new = part.new_chunk(ChunkSpec(shape=SHAPE, dtype=values.dtype, fill_value=0.0))
    assert np.shares_memory(new, values)
