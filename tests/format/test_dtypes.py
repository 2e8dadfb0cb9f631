from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from zarrfs.errors import MetadataError, UnsupportedError
from zarrfs.format.dtypes import MAX_ITEMSIZE, SCALAR_TYPES
from zarrfs.format.dtypes_v2 import parse_v2_dtype
from zarrfs.format.dtypes_v3 import parse_v3_dtype

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
        (v3("numpy.datetime64", unit="generic", scale_factor=2), "data_type.configuration"),
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
        "<M8[2generic]",
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
