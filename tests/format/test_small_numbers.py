from __future__ import annotations

import bisect
import functools
import itertools
import sys
from fractions import Fraction
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.format.any_data_type import SMALL_FLOATS
from zarrfs.errors import UnsupportedError
from zarrfs.format.dtypes_v3 import parse_v3_dtype
from zarrfs.format.small_numbers import (
    SMALL_NUMBERS,
    nearest,
    python_number,
    small_dtype,
    small_number,
)


def all_of(name: str) -> Any:
    """Every number of a type of one byte."""
    return np.arange(2 ** SMALL_NUMBERS[name].bits, dtype="u1").view(small_dtype(name, ""))


@functools.cache
def finite_numbers(name: str) -> list[float]:
    """The numbers of a type of one byte that are finite, each once, sorted."""
    return sorted({value for value in map(float, all_of(name)) if np.isfinite(value)})


@functools.cache
def numbers_near(name: str) -> st.SearchStrategy[float]:
    """Draw what lies between two numbers of a type, most often in their middle or next to it."""
    finite = finite_numbers(name)
    middles = [(a + b) / 2 for a, b in itertools.pairwise(finite)]
    near = st.sampled_from(middles).flatmap(
        lambda middle: st.sampled_from([middle, *np.nextafter(middle, [-np.inf, np.inf])])
    )
    return near | st.floats(finite[0], finite[-1])


@pytest.mark.parametrize("name", SMALL_NUMBERS)
def test_table_is_what_ml_dtypes_has(name: str) -> None:
    number, dtype = SMALL_NUMBERS[name], small_dtype(name, "")
    assert small_number(dtype) is number
    assert dtype.itemsize == max(number.bits // 8, 1)
    if number.kind == "float":
        assert ml_dtypes.finfo(dtype).bits == number.bits  # type: ignore[no-untyped-call]  # ml_dtypes
        with np.errstate(all="ignore"):
            special = np.array([np.nan, np.inf], "f4").astype(dtype)
        if number.nan is None:
            assert not np.isnan(special.astype("f4")).any()
        else:
            assert special[:1].tobytes() == number.nan.to_bytes(dtype.itemsize, sys.byteorder)
        assert np.isinf(float(special[1])) == number.has_infinity
    else:
        limits = ml_dtypes.iinfo(dtype)  # type: ignore[no-untyped-call]  # ml_dtypes
        assert number.limits == (limits.min, limits.max)


def test_types_of_numpy_and_of_others_are_no_small_numbers() -> None:
    for dtype in ("i1", "f2", "V1", [("a", "i1")], ml_dtypes.int1):
        assert small_number(np.dtype(dtype)) is None


@pytest.mark.parametrize("name", [name for name in SMALL_FLOATS if name != "bfloat16"])
@given(data=st.data())
def test_numbers_become_the_nearest_half_to_even(name: str, data: st.DataObject) -> None:
    dtype = small_dtype(name, "")
    finite = finite_numbers(name)
    value = float(data.draw(numbers_near(name)))
    if not finite[0] <= value <= finite[-1]:
        return
    place = bisect.bisect_left(finite, value)
    around = finite[max(place - 1, 0) : place + 1]
    distances = [abs(Fraction(number) - Fraction(value)) for number in around]
    best = {n for n, distance in zip(around, distances, strict=True) if distance == min(distances)}
    got = nearest(value, dtype)
    assert float(got) in best
    # Powers of two have no last bit that could be even: ml_dtypes takes the greater.
    if len(best) == 2 and 0 not in best and name != "float8_e8m0fnu":
        assert got.tobytes()[0] % 2 == 0


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1 + 2**-8, 0x3F80),
        (1 + 2**-8 + 2**-40, 0x3F81),
        (-1 - 2**-8 - 2**-40, 0xBF81),
        (1 + 2**-8 - 2**-40, 0x3F80),
        (1e39, 0x7F80),
        (-1e300, 0xFF80),
        (3.39e38, 0x7F7F),
        (1e-300, 0),
        (-0.0, 0x8000),
        (0.5, 0x3F00),
    ],
)
def test_doubles_are_rounded_once(value: float, expected: int) -> None:
    got = nearest(value, np.dtype(ml_dtypes.bfloat16))
    assert got.tobytes() == expected.to_bytes(2, sys.byteorder)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("float8_e4m3fn", 449),
        ("float8_e5m2fnuz", float("inf")),
        ("float4_e2m1fn", -6.1),
        ("float8_e8m0fnu", -1e-45),
        ("float8_e8m0fnu", float("nan")),
    ],
)
def test_numbers_out_of_range_of_a_type_without_infinity_are_refused(
    name: str, value: float
) -> None:
    with pytest.raises(ValueError, match=r"^a number from "):
        nearest(value, small_dtype(name, ""))


def test_numbers_become_those_of_python() -> None:
    assert python_number(ml_dtypes.int4(-3)) == -3
    assert type(python_number(ml_dtypes.int4(-3))) is int
    assert type(python_number(ml_dtypes.bfloat16(0.5))) is float
    assert python_number(np.float32(0.5)) == 0.5


def test_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    message = r"^data_type: 'bfloat16' needs ml_dtypes: pip install 'zarrfs\[ml_dtypes\]'$"
    with pytest.raises(UnsupportedError, match=message):
        parse_v3_dtype("bfloat16")
    with pytest.raises(UnsupportedError, match=r"'float8_e5m2' needs"):
        parse_v3_dtype("complex_float8_e5m2")


def test_package_that_is_too_old_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(ml_dtypes, "float4_e2m1fn")
    with pytest.raises(UnsupportedError, match=r"'float4_e2m1fn' needs a newer ml_dtypes than \d"):
        parse_v3_dtype("float4_e2m1fn")


@pytest.mark.parametrize("value", [0, 1e-60, 2.0**-128, 2.0**-127])
def test_least_number_is_the_nearest_of_what_is_less(value: float) -> None:
    assert nearest(value, small_dtype("float8_e8m0fnu", "")).tobytes() == b"\0"


def test_numbers_between_the_two_least_of_float8_e8m0fnu_become_the_nearer() -> None:
    dtype = np.dtype(ml_dtypes.float8_e8m0fnu)
    least = 2.0**-127
    numbers = [0.0, least, least * 1.25, least * 1.75, least * 2]
    assert [float(nearest(number, dtype)) / least for number in numbers] == [1, 1, 1, 2, 2]
