from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given

from tests.format.any_data_type import v2_data_types, v3_data_types, v3_json
from zarrfs.errors import MetadataError, UnsupportedError
from zarrfs.format.dtype_arguments import data_type_of
from zarrfs.format.dtypes_v3 import parse_v3_dtype

if TYPE_CHECKING:
    from zarrfs.format.dtypes import DataType


@pytest.mark.parametrize(
    ("value", "name", "dtype", "order"),
    [
        ("float64", "float64", "f8", None),
        ("<f4", "float32", "f4", "little"),
        (">i2", "int16", "i2", "big"),
        ("|u1", "uint8", "u1", None),
        (">u1", "uint8", "u1", None),
        ("int", "int64", "i8", None),
        (np.dtype(">f8"), "float64", "f8", "big"),
        (np.float32, "float32", "f4", None),
        (np.dtype("?"), "bool", "?", None),
        (bool, "bool", "?", None),
        (int, "int64", "i8", None),
        (float, "float64", "f8", None),
        (complex, "complex128", "c16", None),
        (str, "string", object, None),
        ("str", "string", object, None),
        (bytes, "bytes", object, None),
        ("bytes", "bytes", object, None),
        (np.dtypes.StringDType(), "string", object, None),
        ("S5", "null_terminated_bytes", "S5", None),
        (">U4", "fixed_length_utf32", "U4", "big"),
        ("V3", "r24", "V3", None),
        ("r24", "r24", "V3", None),
        ("M8[ns]", "numpy.datetime64", "M8[ns]", None),
        (">m8[10us]", "numpy.timedelta64", "m8[10us]", "big"),
        (np.dtype("M8"), "numpy.datetime64", "M8", None),
        ("bfloat16", "bfloat16", ml_dtypes.bfloat16, None),
        (ml_dtypes.int4, "int4", ml_dtypes.int4, None),
        (np.dtype(ml_dtypes.float8_e5m2), "float8_e5m2", ml_dtypes.float8_e5m2, None),
        ("complex_float16", "complex_float16", [("real", "<f2"), ("imag", "<f2")], None),
        ([("a", ">i2"), ("b", "<f4", (2,))], "struct", [("a", ">i2"), ("b", "<f4", (2,))], None),
        ([["a", ">i2"]], "struct", [("a", ">i2")], None),
        ("i4,f8", "struct", [("f0", "<i4"), ("f1", "<f8")], None),
        ([("a", ml_dtypes.int4)], "struct", [("a", ml_dtypes.int4)], None),
    ],
)
def test_data_type_is_what_the_user_means(
    value: Any, name: str, dtype: Any, order: str | None
) -> None:
    data_type, byte_order = data_type_of(value)
    assert (data_type.name, data_type.dtype, byte_order) == (name, np.dtype(dtype), order)


def test_padding_is_left_out() -> None:
    data_type, _ = data_type_of(np.dtype([("a", "i1"), ("b", "<f8")], align=True))
    assert data_type.dtype == np.dtype([("a", "i1"), ("b", "<f8")])


@given(v3_json)
def test_json_of_zarr_is_taken(value: Any) -> None:
    assert data_type_of(value) == (parse_v3_dtype(value), None)


@given(v3_data_types)
def test_data_type_is_taken_as_it_is(data_type: DataType) -> None:
    assert data_type_of(data_type) == (data_type, None)


@given(v2_data_types)
def test_numpy_dtype_is_the_data_type_that_has_it(parsed: tuple[DataType, Any]) -> None:
    data_type, order = parsed
    stored = data_type.dtype
    if data_type.name != "struct":
        stored = stored.newbyteorder(">" if order == "big" else "<")
    found, byte_order = data_type_of(stored)
    assert found == data_type
    assert (byte_order == "big") == (order == "big")


def test_objects_are_what_their_codec_makes() -> None:
    assert data_type_of(object, object_codec="vlen-utf8")[0].name == "string"
    assert data_type_of("O", object_codec="json2")[0].name == "object"
    with pytest.raises(MetadataError, match=r"^dtype: objects must say what they are: "):
        data_type_of(object)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "dtype: must be a data type, not null"),
        (3, "dtype: must be a data type, not 3"),
        ("S", "dtype: 'S' does not say its length, as in 'S8'"),
        (np.str_, "dtype: 'U' does not say its length, as in 'S8'"),
        (np.dtype(("<f4", (2,))), "dtype: an element cannot be an array; give the array itself"),
        ([("a", np.dtypes.StringDType())], "dtype: must be a data type, not a value of type list"),
        (np.dtype([]), "dtype: must have at least one field"),
        ({"name": "r7"}, "dtype: must have a multiple of 8 bits, not 'r7'"),
    ],
)
def test_what_is_no_data_type_is_refused(value: Any, message: str) -> None:
    with pytest.raises(MetadataError) as error:
        data_type_of(value)
    assert str(error.value).startswith(message)


def nested(depth: int) -> Any:
    dtype: Any = np.dtype("f4")
    for _ in range(depth):
        dtype = np.dtype([("a", dtype)])
    return dtype


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("float8", 'dtype: zarrfs has no data type "float8"'),
        ("rational", 'dtype: zarrfs has no data type "rational"'),
        (np.longdouble, "dtype: zarrfs has no data type '"),
        (ml_dtypes.int1, "dtype: zarrfs has no data type 'int1'"),
        ([("a", object)], "dtype.a: zarrfs has no data type 'object'"),
        ({"name": "decimal"}, "dtype: zarrfs has no data type 'decimal'"),
        (nested(17), "dtype.a.a.a"),
    ],
)
def test_what_zarrfs_has_not_is_unsupported(value: Any, message: str) -> None:
    with pytest.raises(UnsupportedError) as error:
        data_type_of(value)
    assert str(error.value).startswith(message)
