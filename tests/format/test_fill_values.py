from __future__ import annotations

import base64
import json
import warnings
from typing import TYPE_CHECKING, Any, Literal

import ml_dtypes
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from zarr.core.dtype import get_data_type_from_native_dtype
from zarr.dtype import VariableLengthBytes, VariableLengthUTF8

from tests.format.any_data_type import bits as element_bits
from tests.format.any_data_type import elements, v2_data_types, v3_data_types
from zarrfs.errors import MetadataError, UnsupportedError
from zarrfs.format.dtypes_v2 import parse_v2_dtype
from zarrfs.format.dtypes_v3 import parse_v3_dtype
from zarrfs.format.fill_values import (
    default_fill_value,
    parse_v2_fill_value,
    parse_v3_fill_value,
    serialise_v2_fill_value,
    serialise_v3_fill_value,
)

if TYPE_CHECKING:
    import numpy.typing as npt

POINT = {"name": "struct", "configuration": {"fields": [["x", "float32"], ["r", "r16"]]}}
RECORD = np.dtype(
    [("a", "<i2"), ("b", "S3"), ("c", [("x", "<f4"), ("y", "<U2")]), ("t", "<M8[10us]")]
)
DTYPES = [
    np.dtype(code)
    for code in (
        *("b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16"),
        *("S5", "U4", "V3", "M8[ns]", "M8[10us]", "M8[D]", "m8[s]", "M8", "m8"),
    )
]


def bits(scalar: object) -> bytes:
    assert isinstance(scalar, np.generic)
    return scalar.tobytes()


def v3_fill(value: object, data_type: object) -> Any:
    return parse_v3_fill_value(value, parse_v3_dtype(data_type))


def v2_fill(value: object, dtype: object, object_codec: str | None = None) -> Any:
    return parse_v2_fill_value(value, parse_v2_dtype(dtype, object_codec=object_codec)[0])


# --- what zarr-python writes --------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("zarr_format", [2, 3])
# Half of what Hypothesis makes of float16 it drops again by itself.
@settings(max_examples=10, suppress_health_check=[HealthCheck.filter_too_much])
@given(data=st.data())
def test_scalars_written_by_zarr_python_are_read_back_bit_for_bit(
    dtype: np.dtype[Any], zarr_format: Literal[2, 3], data: st.DataObject
) -> None:
    scalars = data.draw(arrays(dtype, 8))
    if dtype.kind in "fc":  # zarr-python writes every NaN as "NaN"
        parts = scalars.view(f"f{dtype.itemsize // (2 if dtype.kind == 'c' else 1)}")
        parts[np.isnan(parts)] = np.nan
    parsed = read_back(scalars, zarr_format)
    assert np.array(parsed, dtype).tobytes() == scalars.tobytes()


def arrays(dtype: np.dtype[Any], length: int) -> st.SearchStrategy[Any]:
    if dtype.kind != "V":
        return st_numpy.arrays(dtype, length)
    size = dtype.itemsize * length
    return st.binary(min_size=size, max_size=size).map(lambda data: np.frombuffer(data, dtype))


@pytest.mark.parametrize("zarr_format", [2, 3])
@settings(max_examples=20)
@given(record=st_numpy.arrays(RECORD, ()))
def test_record_written_by_zarr_python_is_read_back_bit_for_bit(
    record: np.ndarray[Any, Any], zarr_format: Literal[2, 3]
) -> None:
    (parsed,) = read_back(record.reshape(1), zarr_format)
    assert parsed.dtype == RECORD
    assert bits(parsed) == record.tobytes()


def read_back(scalars: npt.NDArray[Any], zarr_format: Literal[2, 3]) -> list[Any]:
    """Write the elements of a 1-d array as zarr-python does; return what we read."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zarr-python warns of types without a specification
        theirs = get_data_type_from_native_dtype(scalars.dtype)
        name: Any = theirs.to_json(zarr_format=zarr_format)
        written = [theirs.to_json_scalar(scalar, zarr_format=zarr_format) for scalar in scalars]
    values = [list(value) if isinstance(value, tuple) else value for value in written]
    if zarr_format == 2:
        return [v2_fill(value, as_lists(name["name"])) for value in values]
    return [v3_fill(value, name) for value in values]


def as_lists(value: Any) -> Any:
    return [as_lists(item) for item in value] if isinstance(value, list | tuple) else value


@given(st.binary(), st.text())
def test_variable_length_scalars_written_by_zarr_python_are_read_back(
    data: bytes, text: str
) -> None:
    theirs = VariableLengthBytes().to_json_scalar(data, zarr_format=3)
    assert v3_fill(theirs, "variable_length_bytes") == data
    assert v2_fill(theirs, "|O", "vlen-bytes") == data
    theirs = VariableLengthUTF8().to_json_scalar(text, zarr_format=3)
    assert v3_fill(theirs, "string") == text
    assert v2_fill(theirs, "|O", "vlen-utf8") == text


# --- floats -------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [2, 4, 8])
@given(data=st.data())
def test_bits_in_hex_are_kept(size: int, data: st.DataObject) -> None:
    stored = data.draw(st.binary(min_size=size, max_size=size))
    parsed = v3_fill(f"0x{stored.hex()}", f"float{8 * size}")
    assert np.array(parsed).astype(f">f{size}").tobytes() == stored


@pytest.mark.parametrize(
    ("name", "nan"), [("float16", "7e00"), ("float32", "7fc00000"), ("float64", "7ff8" + "0" * 12)]
)
def test_nan_is_the_quiet_one_of_the_specification(name: str, nan: str) -> None:
    assert bits(v3_fill("NaN", name)) == bits(v3_fill(f"0x{nan}", name))


def test_negative_zero_keeps_its_sign() -> None:
    assert np.signbit(v3_fill(-0.0, "float32"))
    assert np.signbit(v2_fill(-0.0, "<f8"))
    assert np.signbit(v3_fill([-0.0, -0.0], "complex64").real)
    assert np.signbit(v3_fill([0.0, -0.0], "complex64").imag)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, 1.0),
        ("Infinity", np.inf),
        ("-Infinity", -np.inf),
        (1e39, np.inf),
        (-(10**400), -np.inf),
        (10**400, np.inf),
        (0.1, np.float32(0.1)),
    ],
)
def test_number_is_rounded_to_the_nearest_float(value: object, expected: float) -> None:
    parsed = v3_fill(value, "float32")
    assert isinstance(parsed, np.float32)
    assert parsed == expected


@pytest.mark.parametrize("part", ["real", "imag"])
def test_complex_parts_keep_their_payloads(part: str) -> None:
    value = ["0x7fa00001" if name == part else "-Infinity" for name in ("real", "imag")]
    parsed = v3_fill(value, "complex64")
    assert bits(getattr(parsed, part)) == bits(v3_fill("0x7fa00001", "float32"))


# --- other forms --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "data_type", "expected"),
    [
        (True, "bool", np.True_),
        (255, "uint8", np.uint8(255)),
        (-128.0, "int8", np.int8(-128)),
        (2**64 - 1, "uint64", np.uint64(2**64 - 1)),
        ([1, 2, 3], "r24", np.void(b"\1\2\3")),
        ("AQID", "r24", np.void(b"\1\2\3")),
        ([1, 2, 3], "bytes", b"\1\2\3"),
        ("AQID", "bytes", b"\1\2\3"),
        ("", "bytes", b""),
        ("héllo 世界", "string", "héllo 世界"),
        ({"x": 1, "r": [1, 2]}, POINT, np.array((1, b"\1\2"), [("x", "<f4"), ("r", "V2")])[()]),
    ],
)
def test_v3_form_is_parsed(value: object, data_type: object, expected: Any) -> None:
    parsed = v3_fill(value, data_type)
    assert type(parsed) is type(expected)
    assert parsed == expected


def test_zero_is_the_bool_that_early_writers_of_v3_meant() -> None:
    assert v3_fill(0, "bool") is np.False_


def test_not_a_time_has_a_name_and_a_number() -> None:
    data_type = {"name": "numpy.datetime64", "configuration": {"unit": "s", "scale_factor": 3}}
    for value in ("NaT", -(2**63)):
        assert np.isnat(v3_fill(value, data_type))
    assert v3_fill(2, data_type) == np.datetime64(6, "s")
    assert v3_fill(2, data_type).dtype == np.dtype("M8[3s]")


def test_field_of_a_record_keeps_its_payload() -> None:
    record = v3_fill({"x": "0x7fa00001", "r": [0, 0]}, POINT)
    assert bits(record) == bytes.fromhex("0100a07f0000")


def test_stored_record_is_read_in_its_byte_order() -> None:
    data_type = parse_v3_dtype(POINT)
    stored = base64.b64encode(bytes.fromhex("3f8000000102")).decode()
    record: Any = parse_v3_fill_value(stored, data_type, byte_order="big")
    assert (record["x"], bits(record["r"]), record.dtype) == (1.0, b"\1\2", data_type.dtype)


def test_v2_record_is_read_in_the_byte_order_of_its_fields() -> None:
    record = v2_fill(base64.b64encode(bytes.fromhex("3f800000")).decode(), [["x", ">f4"]])
    assert record["x"] == 1.0


@pytest.mark.parametrize(
    ("value", "data_type", "message"),
    [
        (1, "bool", ": must be true or false, not 1"),
        ("0", "bool", ': must be true or false, not "0"'),
        (300, "uint8", ": must be an integer from 0 to 255, not 300"),
        (-1, "uint8", ": must be an integer from 0 to 255, not -1"),
        (1.5, "int8", ": must be an integer from -128 to 127, not 1.5"),
        (float("nan"), "int8", ": must be an integer from -128 to 127, not NaN"),
        (1e300, "int8", ": must be an integer from -128 to 127, not 1e+300"),
        (True, "int8", ": must be an integer from -128 to 127, not true"),
        ("1", "int8", ': must be an integer from -128 to 127, not "1"'),
        (None, "int8", ": must be an integer from -128 to 127, not null"),
        (
            "0x7fc0",
            "float32",
            ': must be a number, "NaN", "Infinity", "-Infinity" or "0x" and 8 hex digits, '
            'not "0x7fc0"',
        ),
        (1, "complex64", ": must be a list of real and imaginary part, not 1"),
        ([1], "complex64", ": must be a list of real and imaginary part, not [1]"),
        ([1, 2, 3], "r16", ": must have 2 bytes, not 3"),
        ([1, 256], "r16", ": must be a list of integers from 0 to 255, not [1, 256]"),
        ([True, 1], "r16", ": must be a list of integers from 0 to 255, not [true, 1]"),
        ({}, "r16", ": must be a string in Base64, not {}"),
        ("A", "bytes", ': must be a string in Base64, not "A"'),
        ("é", "bytes", ': must be a string in Base64, not "é"'),
        (1, "string", ": must be a string, not 1"),
        ("\ud800", "string", r': must be a string without lone surrogates, not "\ud800"'),
        ({"x": 1}, POINT, ".r: is missing"),
        ({"x": 1, "r": [0, 0], "y": 1}, POINT, ".y: is not a field of the data type"),
        ({"x": [], "r": [0, 0]}, POINT, None),
        ([1, 2], POINT, ": must be an object, not [1, 2]"),
        ("AQID", POINT, ": must have 6 bytes, not 3"),
    ],
)
def test_form_that_the_type_does_not_permit_is_refused(
    value: object, data_type: object, message: str | None
) -> None:
    with pytest.raises(MetadataError) as error:
        v3_fill(value, data_type)
    assert str(error.value).startswith(f"fill_value{message or '.x: must be a number'}")


@pytest.mark.parametrize("value", [True, None, [], {}, "nan", "0x", "+Infinity", "1.0"])
def test_other_forms_are_no_float(value: object) -> None:
    with pytest.raises(MetadataError, match=r"^fill_value: must be a number, "):
        v3_fill(value, "float64")


def test_fixed_length_strings_must_fit() -> None:
    with pytest.raises(MetadataError, match="must have at most 2 characters, not 3"):
        v2_fill("abc", "<U2")
    with pytest.raises(MetadataError, match="must have at most 2 bytes, not 3"):
        v2_fill("AQID", "|S2")


# --- v2 -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [None, 0])
@pytest.mark.parametrize(
    "dtype", ["|b1", "<i4", ">f8", "<c8", "|S1", "<U4", "|V3", [["a", ">f4"], ["b", "<U2"]]]
)
def test_v2_null_and_zero_are_the_zero_of_the_type(dtype: object, value: object) -> None:
    data_type, _ = parse_v2_dtype(dtype)
    parsed = parse_v2_fill_value(value, data_type)
    assert np.array(parsed, data_type.dtype).tobytes() == bytes(data_type.dtype.itemsize)


def test_v2_null_of_a_time_is_not_a_time() -> None:
    assert np.isnat(v2_fill(None, "<M8[s]"))
    assert v2_fill(0, "<M8[s]") == np.datetime64(0, "s")


@pytest.mark.parametrize(
    ("codec", "value", "expected"),
    [
        ("vlen-utf8", None, ""),
        ("vlen-utf8", 0, ""),
        ("vlen-utf8", "a", "a"),
        ("vlen-bytes", None, b""),
        ("vlen-bytes", 0, b""),
        ("vlen-bytes", "AQID", b"\1\2\3"),
        ("json2", None, None),
        ("json2", 0, 0),
        ("json2", {"a": [1]}, {"a": [1]}),
    ],
)
def test_v2_objects_have_the_python_value(codec: str, value: object, expected: object) -> None:
    assert v2_fill(value, "|O", codec) == expected


def test_v2_bool_may_be_a_one() -> None:
    assert v2_fill(1, "|b1") is np.True_
    with pytest.raises(MetadataError, match="must be true or false, not 2"):
        v2_fill(2, "|b1")


@pytest.mark.parametrize(
    ("value", "dtype", "expected"),
    [
        ("0", "|u1", 0),
        ("-128", "|i1", -128),
        ("18446744073709551615", "<u8", 2**64 - 1),
        ("9223372036854775807", ">i8", 2**63 - 1),
        ("0", "<f4", 0.0),
        ("-1.5e-3", ">f8", -1.5e-3),
    ],
)
def test_v2_number_may_stand_in_a_string(value: str, dtype: str, expected: float) -> None:
    parsed: Any = v2_fill(value, dtype)
    assert parsed == expected
    assert parsed.dtype == np.dtype(dtype).newbyteorder("=")


@pytest.mark.parametrize("value", ["", " 0", "0 ", "+1", "01", "1_0", "0x1", "1.5", "128", "٣"])
def test_v2_string_that_is_no_number_of_the_type_is_refused(value: str) -> None:
    with pytest.raises(MetadataError, match="must be an integer from -128 to 127, not"):
        v2_fill(value, "|i1")


@pytest.mark.parametrize(("value", "expected"), [("z", b"z"), ("\0", b""), ("=", b"=")])
def test_v2_single_character_may_stand_for_itself(value: str, expected: bytes) -> None:
    assert v2_fill(value, "|S1") == expected
    assert v2_fill("eg==", ">S1") == b"z"


@pytest.mark.parametrize(("value", "dtype"), [("é", "|S1"), ("zz", "|S1"), ("z", "|S2")])
def test_v2_other_text_that_is_not_base64_is_refused(value: str, dtype: str) -> None:
    with pytest.raises(MetadataError, match="must "):
        v2_fill(value, dtype)


def test_v3_number_in_a_string_is_refused() -> None:
    with pytest.raises(MetadataError, match="must be an integer"):
        v3_fill("0", "uint8")


def test_v2_complex_may_be_its_real_part() -> None:
    assert v2_fill(1.5, "<c8") == 1.5
    assert np.isnan(v2_fill("NaN", "<c16").real)


def test_v2_float_has_its_names() -> None:
    assert np.isnan(v2_fill("NaN", ">f4"))
    assert v2_fill("-Infinity", "<f2") == -np.inf


# --- numbers that NumPy does not have -----------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "data_type", "expected"),
    [
        (1, "bfloat16", "803f"),
        ("NaN", "bfloat16", "c07f"),
        ("Infinity", "bfloat16", "807f"),
        ("0xffa1", "bfloat16", "a1ff"),
        ("NaN", "float8_e5m2", "7e"),
        ("-Infinity", "float8_e4m3", "f8"),
        ("NaN", "float8_e8m0fnu", "ff"),
        (1.5, "float4_e2m1fn", "03"),
        ("0xff", "float4_e2m1fn", "0f"),
        ("0xff", "float6_e2m3fn", "3f"),
        (-1, "int4", "0f"),
        (-2, "int2", "02"),
        (15, "uint4", "0f"),
        ([1, "NaN"], "complex_bfloat16", "803fc07f"),
        (["-Infinity", "0x7c01"], "complex_float16", "00fc017c"),
        ([-1, "0x07"], "complex_float4_e2m1fn", "0a07"),
    ],
)
def test_small_numbers_are_parsed(value: Any, data_type: str, expected: str) -> None:
    assert bits(v3_fill(value, data_type)).hex() == expected


@pytest.mark.parametrize(
    ("value", "data_type", "message"),
    [
        (8, "int4", "must be an integer from -8 to 7, not 8"),
        (-1, "uint2", "must be an integer from 0 to 3, not -1"),
        ("NaN", "float6_e2m3fn", 'must be a number or "0x" and 2 hex digits, not "NaN"'),
        (float("nan"), "float4_e2m1fn", 'must be a number or "0x" and 2 hex digits, not "NaN"'),
        (
            "Infinity",
            "float8_e4m3fn",
            'must be a number, "NaN" or "0x" and 2 hex digits, not "Infinity"',
        ),
        (500, "float8_e4m3fn", "must be a number from -448.0 to 448.0, not 500"),
        (10**400, "float8_e4m3fn", "must be a number from -448.0 to 448.0, not 1000"),
        ([1, 7], "complex_float4_e2m1fn", "must be a number from -6.0 to 6.0, not 7"),
        (1, "complex_float16", "must be a list of real and imaginary part, not 1"),
    ],
)
def test_small_numbers_out_of_range_are_refused(value: Any, data_type: str, message: str) -> None:
    with pytest.raises(MetadataError) as error:
        v3_fill(value, data_type)
    assert message in str(error.value)


def test_stored_record_of_bfloat16_is_read_in_its_byte_order() -> None:
    record = {"name": "struct", "configuration": {"fields": [["x", "bfloat16"]]}}
    stored = base64.b64encode(b"\x3f\x80").decode()
    parsed: Any = parse_v3_fill_value(stored, parse_v3_dtype(record), byte_order="big")
    assert parsed["x"] == 1


# --- written ------------------------------------------------------------------------------------


@given(data=st.data())
def test_v3_fill_value_is_read_back_byte_for_byte(data: st.DataObject) -> None:
    data_type = data.draw(v3_data_types)
    value = data.draw(elements(data_type))
    written = json.loads(json.dumps(serialise_v3_fill_value(value, data_type), allow_nan=False))
    again = parse_v3_fill_value(written, data_type)
    assert element_bits(again, data_type) == element_bits(value, data_type)
    assert type(again) is type(value)


@given(data=st.data())
def test_v2_fill_value_is_read_back_byte_for_byte_or_refused(data: st.DataObject) -> None:
    data_type, _ = data.draw(v2_data_types)
    value = data.draw(elements(data_type))
    if data_type.dtype.kind in "fc" and "0x" in str(serialise_v3_fill_value(value, data_type)):
        with pytest.raises(UnsupportedError, match="NaN of other bits, 0x"):
            serialise_v2_fill_value(value, data_type)
        return
    written = serialise_v2_fill_value(value, data_type)
    again = parse_v2_fill_value(json.loads(json.dumps(written, allow_nan=False)), data_type)
    assert element_bits(again, data_type) == element_bits(value, data_type)


@pytest.mark.parametrize(
    ("value", "data_type", "written"),
    [
        (np.float32("nan"), "float32", "NaN"),
        (np.uint32(0x7FA00001).view("f4"), "float32", "0x7fa00001"),
        (np.float32(-np.inf), "float32", "-Infinity"),
        (np.float16(0.5), "float16", 0.5),
        (np.complex64(complex(1, np.inf)), "complex64", [1.0, "Infinity"]),
        (np.void(b"\1\2\3"), "r24", [1, 2, 3]),
        (b"\1\2\3", "bytes", "AQID"),
        ("é", "string", "é"),
        (np.bool_(True), "bool", True),
        (ml_dtypes.int4(-8), "int4", -8),
        (ml_dtypes.bfloat16(0.5), "bfloat16", 0.5),
        (
            np.datetime64("NaT", "s"),
            {"name": "numpy.datetime64", "configuration": {"unit": "s", "scale_factor": 1}},
            "NaT",
        ),
        (np.array((1, b"\1\2"), [("x", "<f4"), ("r", "V2")])[()], POINT, {"x": 1.0, "r": [1, 2]}),
    ],
)
def test_v3_fill_value_is_written(value: Any, data_type: Any, written: Any) -> None:
    assert serialise_v3_fill_value(value, parse_v3_dtype(data_type)) == written


def test_v2_objects_are_written_as_json() -> None:
    json2, _ = parse_v2_dtype("|O", object_codec="json2")
    assert serialise_v2_fill_value({"a": [1, None]}, json2) == {"a": [1, None]}
    text, _ = parse_v2_dtype("|O", object_codec="vlen-utf8")
    assert serialise_v2_fill_value("é", text) == "é"
    with pytest.raises(
        MetadataError, match=r"^fill_value: must be JSON, not a value of type bytes"
    ):
        serialise_v2_fill_value(b"a", json2)


def test_v2_refuses_fill_values_of_types_that_it_has_not() -> None:
    with pytest.raises(UnsupportedError, match="Zarr v2 has no data type 'int4'"):
        serialise_v2_fill_value(ml_dtypes.int4(1), parse_v3_dtype("int4"))


@pytest.mark.parametrize("data_type", ["int2", "bool", "complex_bfloat16", "r24", POINT])
def test_default_is_zero(data_type: Any) -> None:
    parsed = parse_v3_dtype(data_type)
    assert element_bits(default_fill_value(parsed), parsed) == bytes(parsed.dtype.itemsize)


def test_default_of_times_is_not_a_time_and_of_others_empty() -> None:
    time: Any = default_fill_value(parse_v2_dtype("<M8[s]")[0])
    assert np.isnat(time)
    assert default_fill_value(parse_v3_dtype("string")) == ""
    assert default_fill_value(parse_v3_dtype("bytes")) == b""
    assert default_fill_value(parse_v2_dtype("|O", object_codec="json2")[0]) is None
    least: Any = default_fill_value(parse_v3_dtype("float8_e8m0fnu"))
    assert float(least) == 2.0**-127


@pytest.mark.parametrize("dtype", ["<f4", "<c8"])
def test_v2_refuses_a_nan_that_it_has_no_name_for(dtype: str) -> None:
    nan = np.array([0x7FA00001, 0], "u4").view(dtype)[0]
    with pytest.raises(UnsupportedError, match="no form for a NaN of other bits, 0x7fa00001;"):
        serialise_v2_fill_value(nan, parse_v2_dtype(dtype)[0])
