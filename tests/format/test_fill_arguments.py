from __future__ import annotations

import datetime
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.format.any_data_type import bits, elements, v2_data_types, v3_data_types
from zarrfs.errors import MetadataError
from zarrfs.format.dtype_arguments import data_type_of
from zarrfs.format.fill_arguments import fill_value_of
from zarrfs.format.fill_values import default_fill_value

PAIR: Any = [("a", ">i2"), ("b", "<f4", (2, 2))]


def made(value: object, dtype: Any) -> Any:
    return fill_value_of(value, data_type_of(dtype)[0])


@given(data=st.data())
def test_element_is_taken_bit_for_bit(data: st.DataObject) -> None:
    data_type = data.draw(v3_data_types | v2_data_types.map(lambda parsed: parsed[0]))
    value = data.draw(elements(data_type))
    assert bits(fill_value_of(value, data_type), data_type) == bits(value, data_type)
    array = np.empty((), data_type.dtype)
    array[()] = value
    assert bits(fill_value_of(array, data_type), data_type) == bits(value, data_type)


@given(v3_data_types)
def test_none_is_the_default(data_type: Any) -> None:
    default = default_fill_value(data_type)
    assert bits(fill_value_of(None, data_type), data_type) == bits(default, data_type)


@pytest.mark.parametrize(
    ("value", "dtype", "expected"),
    [
        (0, "f8", np.float64(0)),
        (1, "f4", np.float32(1)),
        ("Infinity", "f4", np.float32("inf")),
        (float("inf"), "f2", np.float16("inf")),
        (1.0, "i4", np.int32(1)),
        (np.int64(3), "u1", np.uint8(3)),
        (np.float64(3), "u1", np.uint8(3)),
        (ml_dtypes.int4(3), "i1", np.int8(3)),
        (ml_dtypes.bfloat16(3), "f4", np.float32(3)),
        (0, bool, np.False_),
        (1, bool, np.True_),
        (np.bool_(True), bool, np.True_),
        (-1, "int4", ml_dtypes.int4(-1)),
        (0.5, "bfloat16", ml_dtypes.bfloat16(0.5)),
        (1 + 2j, "c8", np.complex64(1 + 2j)),
        (np.complex128(1 + 2j), "c8", np.complex64(1 + 2j)),
        (1, "c16", np.complex128(1)),
        ((1, "Infinity"), "c16", np.complex128(complex(1, float("inf")))),
        (b"ab", "S3", np.bytes_(b"ab")),
        (b"abc", "r24", np.void(b"abc")),
        (np.void(b"abc"), "bytes", b"abc"),
        (bytearray(b"ab"), "bytes", b"ab"),
        ("é", "U3", np.str_("é")),
        (np.str_("é"), "string", "é"),
        (5, "M8[D]", np.datetime64(5, "D")),
        (datetime.date(2020, 1, 1), "M8[D]", np.datetime64("2020-01-01")),
        (datetime.datetime(2020, 1, 1, 5), "M8[h]", np.datetime64("2020-01-01T05")),
        (np.datetime64("2020-01-01"), "M8[ns]", np.datetime64("2020-01-01", "ns")),
        ("2020-01-01T05", "M8[s]", np.datetime64("2020-01-01T05", "s")),
        (datetime.timedelta(1), "m8[h]", np.timedelta64(24, "h")),
        (np.timedelta64(10, "s"), "m8[5s]", np.timedelta64(2, (("s", 5)))),
    ],
)
def test_value_is_turned_into_an_element(value: Any, dtype: Any, expected: Any) -> None:
    found = made(value, dtype)
    assert type(found) is type(expected)
    assert found == expected


@pytest.mark.parametrize(
    "value", [1, 1 + 0j, (1, 0), np.float32(1), ml_dtypes.bfloat16(1), np.complex64(1)]
)
@pytest.mark.parametrize("dtype", ["complex_float16", "complex_bfloat16", "complex_float4_e2m1fn"])
def test_complex_numbers_of_two_fields_are_made_of_numbers(value: Any, dtype: str) -> None:
    found = made(value, dtype)
    assert (float(found["real"]), float(found["imag"])) == (1, 0)


def test_payload_of_a_nan_stays_where_the_type_is_the_same() -> None:
    nan = np.uint64(0x7FF8000000000123).view("f8")
    assert made(float(nan), "f8").tobytes() == nan.tobytes()
    assert made("0x7fc00123", "f4").view("u4") == 0x7FC00123
    assert np.isnan(made(float("nan"), "f4"))


@pytest.mark.parametrize("value", ["NaT", np.datetime64("NaT"), np.datetime64("NaT", "D")])
def test_no_time_is_one_in_any_unit(value: Any) -> None:
    assert np.isnat(made(value, "M8[s]"))


def test_objects_are_taken_as_they_are() -> None:
    data_type, _ = data_type_of(object, object_codec="json2")
    assert fill_value_of({"a": 1}, data_type) == {"a": 1}
    assert fill_value_of(None, data_type) is None


@pytest.mark.parametrize(
    "value",
    [
        (1, [[2, 3], [4, 5]]),
        {"b": np.array([[2, 3], [4, 5]]), "a": 1},
        np.array((1, [[2, 3], [4, 5]]), [("a", "i8"), ("b", "f8", (2, 2))]),
        np.array((1, [[2, 3], [4, 5]]), PAIR)[()],
    ],
)
def test_record_is_made_of_its_fields(value: Any) -> None:
    expected = np.array((1, [[2, 3], [4, 5]]), PAIR)
    assert made(value, PAIR).tobytes() == expected.tobytes()


def test_one_number_stands_for_all_items_of_a_field() -> None:
    assert made((1, 2), PAIR)["b"].tolist() == [[2, 2], [2, 2]]
    assert made((None, None), PAIR).tobytes() == bytes(18)


def test_records_inside_of_records_are_made_of_tuples() -> None:
    nested: Any = [("p", [("x", "<f4"), ("c", "<c8")]), ("t", "<M8[s]")]
    found = made(((1.5, 2j), None), nested)
    assert found["p"]["x"] == 1.5
    assert found["p"]["c"] == 2j
    assert np.isnat(found["t"])


@pytest.mark.parametrize(
    ("value", "dtype", "message"),
    [
        (300, "u1", "fill_value: must be an integer from 0 to 255, not 300"),
        (0.5, "i4", "fill_value: must be an integer from "),
        (float("nan"), "i4", "fill_value: must be an integer from "),
        (True, "i4", "fill_value: must be an integer from "),
        (2, bool, "fill_value: must be true or false, not 2"),
        ("abc", "f8", "fill_value: must be a number, "),
        (b"abc", "f8", "fill_value: must be a number, "),
        ([1.0], "f8", "fill_value: must be a number, "),
        (1e39, "f4", "fill_value: 1e+39 is out of range of float32"),
        (10**400, "f8", "fill_value: 1000"),
        (1e39 + 0j, "c8", "fill_value: [1e+39, 0.0] is out of range of complex64"),
        (1e6, "complex_float16", "fill_value: [1000000.0, 0.0] is out of range of complex_float16"),
        (1j, "f8", "fill_value: must be a number, "),
        (8, "int4", "fill_value: must be an integer from -8 to 7, not 8"),
        (7, "float4_e2m1fn", "fill_value: must be a number from -6.0 to 6.0, not 7"),
        ("abc", "S5", 'fill_value: must be bytes, not "abc"'),
        (0, "S5", "fill_value: must be bytes, not 0"),
        (b"abc", "S2", "fill_value: must have at most 2 bytes, not 3"),
        (b"abc", "r16", "fill_value: must have 2 bytes, not 3"),
        ("abc", "U2", "fill_value: must have at most 2 characters, not 3"),
        (0, "string", "fill_value: must be a string, not 0"),
        ("\ud800", "U2", "fill_value: must be a string without lone surrogates"),
        (np.datetime64("2020-01-01T05"), "M8[D]", "fill_value: np.datetime64('2020-01-01T05'"),
        (np.datetime64(2**62, "D"), "M8[as]", "fill_value: np.datetime64('"),
        (np.datetime64(1, "D"), "M8", "fill_value: np.datetime64('1970-01-02') is no datetime64"),
        (np.timedelta64(1, "s"), "M8[s]", "fill_value: np.timedelta64(1,'s') is no datetime64[s]"),
        (
            datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC),
            "M8[s]",
            "fill_value: must be a time without time zone",
        ),
        (
            "2020-01-32",
            "M8[s]",
            'fill_value: must be a time, such as "2020-01-31T12:00", or a count',
        ),
        (
            "2020-01-01T00:00:00.5",
            "M8[s]",
            "fill_value: np.datetime64('2020-01-01T00:00:00.500') is",
        ),
        ("2020-01-01", "M8", "fill_value: np.datetime64('2020-01-01') is no datetime64"),
        ("2020-01-01", "m8[s]", "fill_value: must be an integer from "),
        ((1,), PAIR, "fill_value: must have 2 fields, not 1"),
        (1, PAIR, "fill_value: must be a tuple of all fields, or a mapping, not 1"),
        ({"a": 1}, PAIR, "fill_value.b: is missing"),
        ({"a": 1, "b": 1, "c": 1}, PAIR, "fill_value.c: is not a field of the data type"),
        ((1, [1, 2, 3]), PAIR, "fill_value.b: must have 2 items, not 3"),
        ((40000, 0), PAIR, "fill_value.a: must be an integer from -32768 to 32767, not 40000"),
    ],
)
def test_what_does_not_fit_is_refused(value: Any, dtype: Any, message: str) -> None:
    with pytest.raises(MetadataError) as error:
        made(value, dtype)
    assert str(error.value).startswith(message)
    assert error.value.field.startswith("fill_value")
