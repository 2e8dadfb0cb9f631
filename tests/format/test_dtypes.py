from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given

from tests.format.any_data_type import COMPLEX, v2_data_types, v2_json, v3_data_types, v3_json
from zarrfs.errors import MetadataError, UnsupportedError
from zarrfs.format.dtypes import MAX_ITEMSIZE, SCALAR_TYPES, DataType, carrier, dtype_text
from zarrfs.format.dtypes_v2 import parse_v2_dtype, serialise_v2_dtype
from zarrfs.format.dtypes_v3 import is_v3_name, parse_v3_dtype, serialise_v3_dtype
from zarrfs.format.small_numbers import SMALL_NUMBERS

ALL_PLAIN = [*SCALAR_TYPES, *SMALL_NUMBERS, *COMPLEX, "r24", "string", "bytes"]
"""v3 types without configuration."""

NESTED: Any = np.dtype(
    [("a", "<i2"), ("b", "S3"), ("c", [("x", ">f4"), ("y", "<U2")]), ("d", ">u2", (2, 3))]
)


def v3(name: str, **configuration: object) -> dict[str, object]:
    return {"name": name, "configuration": configuration}


@pytest.mark.parametrize("name", SCALAR_TYPES)
def test_scalar_types_are_what_numpy_calls_them(name: str) -> None:
    data_type = parse_v3_dtype(name)
    assert (data_type.name, data_type.dtype) == (name, np.dtype(name))
    assert data_type.dtype.isnative


@pytest.mark.parametrize(
    ("value", "name", "dtype"),
    [
        ({"name": "int8"}, "int8", "i1"),
        (v3("int8"), "int8", "i1"),
        ("r8", "r8", "V1"),
        ("r24", "r24", "V3"),
        (v3("raw_bytes", length_bytes=3), "r24", "V3"),
        (v3("null_terminated_bytes", length_bytes=5), "null_terminated_bytes", "S5"),
        (v3("fixed_length_utf32", length_bytes=16), "fixed_length_utf32", "U4"),
        (v3("numpy.datetime64", unit="ns", scale_factor=1), "numpy.datetime64", "M8[ns]"),
        (v3("numpy.datetime64", unit="μs", scale_factor=10), "numpy.datetime64", "M8[10us]"),
        (v3("numpy.timedelta64", unit="D", scale_factor=2**31 - 1), "numpy.timedelta64", None),
        (v3("numpy.timedelta64", unit="generic", scale_factor=1), "numpy.timedelta64", "m8"),
        (v3("numpy.datetime64", unit="generic", scale_factor=2), "numpy.datetime64", "M8"),
        ("string", "string", object),
        ("bytes", "bytes", object),
        ("variable_length_bytes", "bytes", object),
    ],
)
def test_v3_type_is_parsed(value: object, name: str, dtype: Any) -> None:
    data_type = parse_v3_dtype(value)
    expected = np.dtype("m8[2147483647D]" if dtype is None else dtype)
    assert (data_type.name, data_type.dtype) == (name, expected)


@pytest.mark.parametrize("name", ["struct", "structured"])
@pytest.mark.parametrize("as_pairs", [True, False])
def test_v3_struct_is_packed_and_little_endian(name: str, as_pairs: bool) -> None:
    inner = [("x", "float32"), ("y", v3("fixed_length_utf32", length_bytes=8))]
    outer = [("id", "int32"), ("flag", "uint8"), ("point", v3("struct", fields=fields(inner)))]
    data_type = parse_v3_dtype(v3(name, fields=fields(outer, as_pairs=as_pairs)))
    assert data_type.name == "struct"
    assert data_type.dtype == np.dtype(
        [("id", "<i4"), ("flag", "u1"), ("point", [("x", "<f4"), ("y", "<U2")])]
    )
    assert data_type.dtype.itemsize == 17


def fields(pairs: list[tuple[str, Any]], *, as_pairs: bool = False) -> list[object]:
    if as_pairs:
        return [list(pair) for pair in pairs]
    return [{"name": name, "data_type": data_type} for name, data_type in pairs]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "data_type: must be a name or an object, not null"),
        ("r7", "data_type: must have a multiple of 8 bits, not 'r7'"),
        ("r0", "data_type: must have a multiple of 8 bits, not 'r0'"),
        (v3("raw_bytes"), "data_type.configuration.length_bytes: is missing"),
        (
            v3("raw_bytes", length_bytes=0),
            "data_type.configuration.length_bytes: must be an integer ≥ 1, not 0",
        ),
        (
            v3("fixed_length_utf32", length_bytes=6),
            "data_type.configuration.length_bytes: must be a multiple of 4, not 6",
        ),
        (
            v3("numpy.datetime64", unit="ns", scale_factor=2**31),
            "data_type.configuration.scale_factor: must be an integer from 1 to 2147483647, "
            "not 2147483648",
        ),
        (v3("struct", fields=[]), "data_type.configuration.fields: must have at least one field"),
        (
            v3("struct", fields=[["a", "int8"], ["a", "int8"]]),
            "data_type.configuration.fields: two fields have the same name",
        ),
        (
            v3("struct", fields=[["", "int8"]]),
            'data_type.configuration.fields[0].name: must be a non-empty string, not ""',
        ),
        (
            v3("struct", fields=[["a", "string"]]),
            "data_type.configuration.fields[0].data_type: 'string' has no fixed size, which a "
            "field must have",
        ),
        (
            v3("struct", fields=[["a"]]),
            'data_type.configuration.fields[0]: must be an object, not ["a"]',
        ),
    ],
)
def test_malformed_v3_type_is_refused(value: object, message: str) -> None:
    with pytest.raises(MetadataError) as error:
        parse_v3_dtype(value)
    assert str(error.value) == message
    assert not isinstance(error.value, UnsupportedError)


def test_unknown_unit_is_refused() -> None:
    with pytest.raises(MetadataError, match=r"^data_type\.configuration\.unit: must be "):
        parse_v3_dtype(v3("numpy.datetime64", unit="fortnight", scale_factor=1))


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ("float8", "data_type"),
        ("float128", "data_type"),
        ("r", "data_type"),
        ("R8", "data_type"),
        ("object", "data_type"),
        ("urn:example:datetime", "data_type"),
        (f"r{8 * MAX_ITEMSIZE + 8}", "data_type"),
        ("r800000000000000000", "data_type"),
        (v3("int8", endian="little"), "data_type.configuration.endian"),
        (v3("null_terminated_bytes", length_bytes=2**40), "data_type.configuration"),
        (v3("fixed_length_utf32", length_bytes=2**40), "data_type.configuration"),
        (v3("struct", fields=[["a", "int8"]], align=True), "data_type.configuration.align"),
        (
            v3("struct", fields=[["a", f"r{8 * MAX_ITEMSIZE}"], ["b", "int8"]]),
            "data_type.configuration.fields",
        ),
        (v3("struct", fields=[["a", "int3"]]), "data_type.configuration.fields[0].data_type"),
    ],
)
def test_v3_type_that_is_not_there_is_unsupported(value: object, field: str) -> None:
    with pytest.raises(UnsupportedError) as error:
        parse_v3_dtype(value)
    assert error.value.field == field


def test_unsupported_type_is_named() -> None:
    with pytest.raises(UnsupportedError, match="zarrfs has no data type 'float8'"):
        parse_v3_dtype("float8")


@pytest.mark.parametrize(("name", "code"), SCALAR_TYPES.items())
@pytest.mark.parametrize(("mark", "order"), [("<", "little"), (">", "big")])
def test_v2_scalar_type_is_native_with_its_stored_order(
    name: str, code: str, mark: str, order: str
) -> None:
    data_type, byte_order = parse_v2_dtype(mark + code)
    assert (data_type.name, data_type.dtype) == (name, np.dtype(name))
    assert data_type.dtype.isnative
    assert byte_order == (None if data_type.dtype.itemsize == 1 else order)


@pytest.mark.parametrize(
    ("value", "name", "dtype", "order"),
    [
        ("|b1", "bool", "b1", None),
        ("|u1", "uint8", "u1", None),
        ("i1", "int8", "i1", None),
        ("|S5", "null_terminated_bytes", "S5", None),
        ("|V3", "r24", "V3", None),
        (">U4", "fixed_length_utf32", "U4", "big"),
        ("<M8[ns]", "numpy.datetime64", "M8[ns]", "little"),
        (">m8[10us]", "numpy.timedelta64", "m8[10us]", "big"),
        ("<M8[μs]", "numpy.datetime64", "M8[us]", "little"),
        ("<M8", "numpy.datetime64", "M8", "little"),
        ("<m8[generic]", "numpy.timedelta64", "m8", "little"),
        ("<M8[2generic]", "numpy.datetime64", "M8", "little"),
    ],
)
def test_v2_type_is_parsed(value: str, name: str, dtype: str, order: str | None) -> None:
    data_type, byte_order = parse_v2_dtype(value)
    assert (data_type.name, data_type.dtype, byte_order) == (name, np.dtype(dtype), order)


@pytest.mark.parametrize(
    ("codec", "name"),
    [("vlen-utf8", "string"), ("vlen-bytes", "bytes"), ("json2", "object"), ("pickle", "object")],
)
@pytest.mark.parametrize("value", ["|O", "O", "|O8"])
def test_v2_object_type_is_what_its_codec_makes(value: str, codec: str, name: str) -> None:
    data_type, byte_order = parse_v2_dtype(value, object_codec=codec)
    assert (data_type.name, data_type.dtype, byte_order) == (name, np.dtype(object), None)


def test_v2_struct_keeps_the_byte_order_of_each_field() -> None:
    value = [
        ["a", "<i2"],
        ["b", "|S3"],
        ["c", [["x", ">f4"], ["y", "<U2"]]],
        ["d", ">u2", [2, 3]],
    ]
    data_type, byte_order = parse_v2_dtype(value)
    assert (data_type.name, data_type.dtype, byte_order) == ("struct", NESTED, None)
    assert data_type.dtype["d"].base == np.dtype(">u2")


def test_v2_subarray_may_have_its_length_for_shape() -> None:
    data_type, _ = parse_v2_dtype([["a", "<i2", 3]])
    assert data_type.dtype == np.dtype([("a", "<i2", (3,))])


def test_v2_padding_of_aligned_records_keeps_their_size() -> None:
    aligned = np.dtype([("a", "i1"), ("b", "<f8")], align=True)
    data_type, _ = parse_v2_dtype([list(item) for item in aligned.descr])
    assert data_type.dtype.itemsize == aligned.itemsize
    assert data_type.dtype.fields is not None
    assert data_type.dtype.fields["b"][1] == 8


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "dtype: must be a non-empty string, not null"),
        ({"name": "<f4"}, 'dtype: must be a non-empty string, not {"name": "<f4"}'),
        ("|i4", 'dtype: "|i4" does not say its byte order, < or >'),
        ("f8", 'dtype: "f8" does not say its byte order, < or >'),
        ("=U2", 'dtype: "=U2" does not say its byte order, < or >'),
        ("|O", 'dtype: "|O" needs an object codec as the first filter'),
        ([], "dtype: must have at least one field"),
        (["<f4"], 'dtype[0]: must be [name, type] or [name, type, shape], not "<f4"'),
        ([["a"]], 'dtype[0]: must be [name, type] or [name, type, shape], not ["a"]'),
        ([[1, "<f4"]], "dtype[0][0]: must be a string, not 1"),
        ([["a", "<f4", [0]]], "dtype[0][2]: must be an integer ≥ 1, not 0"),
        ([["a", "<f4", "3"]], 'dtype[0][2]: must be a list, not "3"'),
        ([["f1", "<f4"], ["", "|V4"]], "dtype: two fields have the same name"),
        ([["a", [["b", "f8"]]]], 'dtype[0][1][0][1]: "f8" does not say its byte order, < or >'),
    ],
)
def test_malformed_v2_type_is_refused(value: object, message: str) -> None:
    with pytest.raises(MetadataError) as error:
        parse_v2_dtype(value)
    assert str(error.value) == message
    assert not isinstance(error.value, UnsupportedError)


@pytest.mark.parametrize(
    "value",
    [
        "bfloat16",
        "<f16",
        "<i3",
        "<b2",
        "<f4,<i4",
        "|S0",
        "<U0",
        "|V0",
        "|S",
        "<M4[ns]",
        "<M8[fortnight]",
        "<M8[0s]",
        "<M8[9999999999s]",
        "<f8[ns]",
        "|S3[ns]",
        "|S99999999999",
        "<U99999999999",
        "|V99999999999",
        [["a", "|O"]],
        [["a", "<f4", [2**40]]],
        [["a", "<f4", [1] * 17]],
        [["a", f"|V{MAX_ITEMSIZE}"], ["b", "|u1"]],
    ],
)
def test_v2_type_that_is_not_there_is_unsupported(value: object) -> None:
    with pytest.raises(UnsupportedError):
        parse_v2_dtype(value)


def test_endless_nesting_is_unsupported() -> None:
    v2_type: Any = "<f4"
    v3_type: Any = "float32"
    for _ in range(100):
        v2_type = [["a", v2_type]]
        v3_type = v3("struct", fields=[["a", v3_type]])
    with pytest.raises(UnsupportedError, match="inside each other"):
        parse_v2_dtype(v2_type)
    with pytest.raises(UnsupportedError, match="inside each other"):
        parse_v3_dtype(v3_type)


# --- numbers that NumPy does not have -----------------------------------------------------------


@pytest.mark.parametrize("name", SMALL_NUMBERS)
def test_small_numbers_are_those_of_ml_dtypes(name: str) -> None:
    data_type = parse_v3_dtype(name)
    assert (data_type.name, data_type.dtype) == (name, np.dtype(getattr(ml_dtypes, name)))


@pytest.mark.parametrize("name", COMPLEX)
def test_complex_numbers_that_numpy_lacks_are_two_fields(name: str) -> None:
    part = np.dtype(name.removeprefix("complex_"))
    expected: Any = np.dtype([("real", part), ("imag", part)])
    assert parse_v3_dtype(name) == DataType(name, expected)


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("complex_float32", "complex64"),
        ("complex_float64", "complex128"),
        ("binary", "bytes"),
        ("variable_length_bytes", "bytes"),
    ],
)
def test_alias_is_the_type_that_it_stands_for(alias: str, name: str) -> None:
    assert parse_v3_dtype(alias) == parse_v3_dtype(name)
    assert is_v3_name(alias)
    assert serialise_v3_dtype(parse_v3_dtype(alias)) == name


def test_carrier_has_a_byte_order_that_can_be_set() -> None:
    bfloat16 = np.dtype(ml_dtypes.bfloat16)
    record: Any = np.dtype([("a", bfloat16, (2,)), ("b", [("c", "<f4"), ("d", ml_dtypes.int4)])])
    expected: Any = [("a", "=u2", (2,)), ("b", [("c", "<f4"), ("d", "u1")])]
    assert carrier(record) == np.dtype(expected)
    assert carrier(bfloat16).newbyteorder(">") != carrier(bfloat16).newbyteorder("<")
    assert carrier(np.dtype(">i2")) == np.dtype(">i2")


def test_text_of_a_dtype_makes_it_again() -> None:
    for dtype in ("<f4", ">i2", "|u1", "<M8[ns]", "bfloat16", "float8_e5m2", "int4"):
        assert dtype_text(np.dtype(dtype)) == dtype


# --- written ------------------------------------------------------------------------------------


@given(v3_data_types)
def test_v3_type_is_read_back_as_it_was_written(data_type: DataType) -> None:
    assert parse_v3_dtype(serialise_v3_dtype(data_type)) == data_type


@given(v3_json)
def test_v3_type_of_registered_name_is_written_as_it_was_read(value: Any) -> None:
    assert serialise_v3_dtype(parse_v3_dtype(value)) == value


@given(v2_json)
def test_v2_type_is_written_as_it_was_read(value: Any) -> None:
    assert serialise_v2_dtype(*parse_v2_dtype(value)) == value


@given(v2_data_types)
def test_v2_type_has_the_same_numbers_in_either_format(parsed: tuple[DataType, Any]) -> None:
    data_type, _ = parsed
    if has_arrays(data_type):
        with pytest.raises(UnsupportedError, match="small arrays"):
            serialise_v3_dtype(data_type)
    else:
        expected = data_type.in_byte_order("<") if data_type.name == "struct" else data_type
        assert parse_v3_dtype(serialise_v3_dtype(data_type)) == expected


def has_arrays(data_type: DataType) -> bool:
    return data_type.dtype.shape != () or any(map(has_arrays, data_type.fields))


@pytest.mark.parametrize("name", ALL_PLAIN)
def test_plain_type_is_written_as_its_name(name: str) -> None:
    assert serialise_v3_dtype(parse_v3_dtype(name)) == name


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (v3("raw_bytes", length_bytes=3), "r24"),
        (
            v3("numpy.datetime64", unit="μs", scale_factor=10),
            v3("numpy.datetime64", unit="us", scale_factor=10),
        ),
        (
            v3("structured", fields=[["a", "complex_float32"], ["b", "r8"]]),
            v3("struct", fields=fields([("a", "complex64"), ("b", "r8")])),
        ),
    ],
)
def test_registered_name_is_written(value: Any, written: Any) -> None:
    assert serialise_v3_dtype(parse_v3_dtype(value)) == written


@pytest.mark.parametrize(
    ("value", "order", "written"),
    [
        ("int32", "big", ">i4"),
        ("int32", None, "<i4"),
        ("uint8", "big", "|u1"),
        ("r24", None, "|V3"),
        ("string", None, "|O"),
        ("bytes", None, "|O"),
    ],
)
def test_v2_type_is_written(value: Any, order: Any, written: str) -> None:
    assert serialise_v2_dtype(parse_v3_dtype(value), order) == written


def test_objects_are_written_for_v2_alone() -> None:
    data_type, _ = parse_v2_dtype("|O", object_codec="json2")
    assert serialise_v2_dtype(data_type) == "|O"
    with pytest.raises(UnsupportedError, match="Zarr v3 has no data type 'object'"):
        serialise_v3_dtype(data_type)


@pytest.mark.parametrize(
    "value",
    ["bfloat16", "int4", "complex_float16", v3("struct", fields=[["a", "complex_bfloat16"]])],
)
def test_types_that_v2_has_not_are_refused(value: Any) -> None:
    with pytest.raises(UnsupportedError, match=r"^dtype: Zarr v2 has no data type '"):
        serialise_v2_dtype(parse_v3_dtype(value))


def test_objects_that_v2_has_not_are_refused() -> None:
    with pytest.raises(UnsupportedError, match="Zarr v2 has no data type 'tensor'"):
        serialise_v2_dtype(DataType("tensor", np.dtype(object)))
