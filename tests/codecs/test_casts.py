from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import cast_value_rs
import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contracts.codec_contract import random_array
from zarrfs.codecs.casts import ROUNDINGS, Cast
from zarrfs.codecs.number_types import NumberType, find_number_type

PLAIN = [np.dtype(c) for c in ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8")]
SMALL = [
    np.dtype(getattr(ml_dtypes, name))
    for name in (
        *("int2", "int4", "uint2", "uint4", "bfloat16", "float4_e2m1fn", "float6_e2m3fn"),
        *("float6_e3m2fn", "float8_e3m4", "float8_e4m3", "float8_e4m3b11fnuz", "float8_e4m3fn"),
        *("float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz", "float8_e8m0fnu"),
    )
]


def number_of(dtype: np.dtype[Any]) -> NumberType:
    number = find_number_type(dtype)
    assert number is not None
    return number


def exact(value: Any) -> Fraction | float:
    """Return a number as it is: a fraction, or infinity or NaN."""
    number = int(value) if np.asarray(value).dtype.kind in "iu" else float(value)
    return Fraction(number) if math.isfinite(number) else float(number)


def round_exactly(number: Fraction, quantum: Fraction, rounding: str) -> Fraction:
    """Round to a multiple of a quantum."""
    low = number // quantum
    rest = number / quantum - low
    if rest == 0:
        return number
    is_negative = number < 0
    up = {
        "nearest-even": rest > Fraction(1, 2) or (rest == Fraction(1, 2) and low % 2 == 1),
        "nearest-away": rest > Fraction(1, 2) or (rest == Fraction(1, 2) and not is_negative),
        "towards-zero": is_negative,
        "towards-positive": True,
        "towards-negative": False,
    }[rounding]
    return (low + up) * quantum


@np.errstate(invalid="ignore")  # of signalling NaNs
def reference(value: Any, target: NumberType, rounding: str, mode: str | None) -> Any:
    """Cast one number, by the text of the registry; ``ValueError`` where it has no place."""
    number = exact(value)
    finfo = target.finfo() if target.kind == "float" else None
    if isinstance(number, float):
        if finfo is None or str(np.array(number).astype(target.component)) != str(number):
            raise ValueError
        return number
    if finfo is None:
        rounded = round_exactly(number, Fraction(1), rounding)
        low, high = map(Fraction, target.limits())
        if mode == "wrap":
            return (int(rounded) - int(low)) % 2**target.n_bits + int(low)
    else:
        size = max(abs(number), Fraction(1, 2**2000))
        exponent = size.numerator.bit_length() - size.denominator.bit_length()
        exponent -= Fraction(2) ** exponent > size
        least = finfo.minexp - finfo.nmant
        quantum = Fraction(2) ** max(exponent - finfo.nmant, least)
        rounded = round_exactly(number, quantum, rounding)
        low, high = Fraction(float(finfo.min)), Fraction(float(finfo.max))
    if low <= rounded <= high:
        return rounded
    if mode != "clamp":
        raise ValueError
    if finfo is not None and np.isinf(np.array(np.inf).astype(target.component)):
        return math.inf if rounded > 0 else -math.inf
    return high if rounded > high else low


@np.errstate(invalid="ignore")  # of signalling NaNs
def interesting(dtype: np.dtype[Any], seed: int) -> Any:
    """Return numbers of a type: random bits, small ones, and the extremes."""
    number = number_of(dtype)
    bits = random_array((4,), number.carrier, 2 * seed + 1) & (2**number.n_bits - 1)
    values = [bits.astype(number.carrier).view(dtype)]
    rng = np.random.default_rng(seed)
    with np.errstate(all="ignore"):
        if number.kind == "float":
            near = (rng.normal(0, 10 ** rng.uniform(-3, 21), 3)).astype("f4").astype(dtype)
            half = np.array([0.5, 1.5, 2.5]).astype(dtype) * dtype.type(1)
            values += [near, half]
        else:
            low, high = number.limits()
            limits = np.array([low, high], number.plain)
            powers = [2**n + d for n in range(number.n_bits - 1) for d in (-1, 0, 1)]
            some = np.array([p for p in powers if p <= high], number.plain)
            values += [limits.astype(dtype), rng.choice(some, 4).astype(dtype)]
    return np.concatenate(values)


@given(
    st.sampled_from(PLAIN + SMALL),
    st.sampled_from(PLAIN + SMALL),
    st.sampled_from(list(ROUNDINGS)),
    st.sampled_from([None, "clamp", "wrap"]),
    st.integers(0, 2**31),
)
def test_numbers_are_cast_by_the_text_of_the_registry(
    source: np.dtype[Any], target: np.dtype[Any], rounding: str, mode: Any, seed: int
) -> None:
    numbers = number_of(source), number_of(target)
    cast = Cast(source=numbers[0], target=numbers[1], rounding=rounding, out_of_range=mode)
    for value in interesting(source, seed):
        array = np.array([value], source)
        if source == target:
            assert cast(array).tobytes() == array.tobytes()
            continue
        try:
            expected = reference(value, numbers[1], rounding, mode)
        except ValueError:
            with pytest.raises(ValueError, match=r"has no place in"):
                cast(array)
            continue
        result = cast(array)
        assert result.dtype == target
        got = exact(result[0])
        assert got == expected or (got != got and expected != expected), (value, got, expected)


@given(
    st.sampled_from(PLAIN),
    st.sampled_from(PLAIN),
    st.sampled_from(list(ROUNDINGS)),
    st.sampled_from([None, "clamp", "wrap"]),
    st.integers(0, 2**31),
)
def test_numbers_are_cast_as_the_rust_library_does(
    source: np.dtype[Any], target: np.dtype[Any], rounding: str, mode: Any, seed: int
) -> None:
    if mode == "wrap" and target.kind == "f":
        mode = None
    cast = Cast(
        source=number_of(source), target=number_of(target), rounding=rounding, out_of_range=mode
    )
    rust_rounding: Any = rounding
    for value in interesting(source, seed):
        array = np.array([value], source)
        try:
            expected = cast_value_rs.cast_array(
                array, target_dtype=target, rounding_mode=rust_rounding, out_of_range_mode=mode
            )
        except ValueError:
            with pytest.raises(ValueError, match="has no place in"):
                cast(array)
            continue
        np.testing.assert_array_equal(cast(array), expected)


@pytest.mark.parametrize("target", ["f4", "f2", ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn])
def test_sign_of_zero_is_kept(target: Any) -> None:
    cast = Cast(
        source=number_of(np.dtype("f8")),
        target=number_of(np.dtype(target)),
        rounding="nearest-even",
        out_of_range=None,
    )
    assert np.signbit(cast(np.array([-0.0, 0.0])).astype("f4")).tolist() == [True, False]


def test_whole_arrays_are_cast() -> None:
    cast = Cast(
        source=number_of(np.dtype("f4")),
        target=number_of(np.dtype("i1")),
        rounding="nearest-even",
        out_of_range="clamp",
    )
    assert cast(np.array([-1000, -1.5, 2.5, 1000], "f4")).tolist() == [-128, -2, 2, 127]
    assert cast(np.array([], "f4")).dtype == np.int8


def test_what_is_clamped_to_a_type_without_infinity_is_its_limit() -> None:
    target = np.dtype(ml_dtypes.float4_e2m1fn)
    cast = Cast(
        source=number_of(np.dtype("f4")),
        target=number_of(target),
        rounding="nearest-even",
        out_of_range="clamp",
    )
    numbers = np.array([-1e9, -6.5, -6, 0.5, 6, 100], "f4")
    assert cast(numbers).astype("f8").tolist() == [-6, -6, -6, 0.5, 6, 6]
