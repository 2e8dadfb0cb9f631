"""What Python users give as ``dtype`` -> a data type, and the byte order that they asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from zarrfs.errors import MetadataError, UnsupportedError
from zarrfs.format import dtypes
from zarrfs.format.documents import dotted, show
from zarrfs.format.dtypes import MAX_NESTING, SCALAR_TYPES, ByteOrder, DataType
from zarrfs.format.dtypes_v2 import parse_v2_dtype
from zarrfs.format.dtypes_v3 import is_v3_name, parse_v3_dtype
from zarrfs.format.small_numbers import small_number

_NAMES = {
    bool: "bool",
    int: "int64",
    float: "float64",
    complex: "complex128",
    str: "string",
    bytes: "bytes",
}
_BY_CODE = {code: name for name, code in SCALAR_TYPES.items()}
_BYTE_ORDERS: Mapping[str, ByteOrder] = {"<": "little", ">": "big"}


def data_type_of(
    value: object, *, object_codec: str | None = None
) -> tuple[DataType, ByteOrder | None]:
    """Return the data type that a Python user means.

    Parameters
    ----------
    value
        A name of Zarr v3 (``"float64"``, ``"bfloat16"``, ``"string"``, ``"r24"``) or its JSON
        object; whatever `numpy.dtype` takes (``"<f4"``, ``np.float32``, lists of fields, ml_dtypes'
        types); ``bool``, ``int``, ``float``, ``complex``; ``str`` and ``bytes``, which have no
        fixed size; `numpy.dtypes.StringDType`; a `DataType`.
    object_codec
        Id of a v2 array's first filter, which says what the objects of ``"|O"`` are.

    Returns
    -------
    DataType
        With native byte order; fields of structured types keep theirs, padding is left out.
    ByteOrder or None
        The byte order that was asked for; ``None`` if none was, or it has no meaning, or NumPy
        does not tell: ``np.dtype("<f4")`` is ``np.dtype("f4")`` where that is native.

    Raises
    ------
    MetadataError
        If it is no data type.
    UnsupportedError
        If zarrfs does not have it.
    """
    if isinstance(value, DataType):
        return value, None
    if isinstance(value, type) and value in _NAMES:
        return parse_v3_dtype(_NAMES[value], "dtype"), None
    if isinstance(value, Mapping) and "name" in value:
        return parse_v3_dtype(dict(value), "dtype"), None
    if isinstance(value, list) and all(isinstance(member, list) for member in value):
        return parse_v2_dtype(value)
    if isinstance(value, str):
        name = "string" if value == "str" else value
        if is_v3_name(name):
            return parse_v3_dtype(name, "dtype"), None
    dtype = _numpy_dtype(value)
    if dtype == np.dtype(object):
        return _objects(object_codec), None
    data_type = _of_numpy(dtype, "dtype", MAX_NESTING)
    if dtype.names is not None or data_type.dtype.hasobject:
        return data_type, None
    mark = value[:1] if isinstance(value, str) else dtype.byteorder
    has_order = dtype.newbyteorder("S") != dtype
    return data_type.in_byte_order("="), _BYTE_ORDERS.get(mark) if has_order else None


def _numpy_dtype(value: Any) -> np.dtype[Any]:
    try:
        if value is not None:  # which NumPy takes for float64
            dtype: np.dtype[Any] = np.dtype(value)
            return dtype
    except (TypeError, ValueError, SyntaxError) as error:
        if isinstance(value, str):
            reason = f"zarrfs has no data type {show(value)}"
            raise UnsupportedError(reason, field="dtype") from error
    raise MetadataError(f"must be a data type, not {show(value)}", field="dtype")


def _objects(object_codec: str | None) -> DataType:
    if object_codec is None:
        reason = (
            'objects must say what they are: "string", "bytes", or in Zarr v2 an object codec '
            "(vlen-utf8, json2 …) as the first filter"
        )
        raise MetadataError(reason, field="dtype")
    return parse_v2_dtype("|O", object_codec=object_codec)[0]


def _of_numpy(dtype: np.dtype[Any], field: str, nesting: int) -> DataType:
    """Return the data type of a NumPy dtype, in its byte order."""
    if isinstance(dtype, np.dtypes.StringDType):
        return parse_v3_dtype("string", field)
    if dtype.subdtype is not None:
        reason = "an element cannot be an array; give the array itself more dimensions"
        raise MetadataError(reason, field=field)
    if dtype.names is not None:
        return _struct(dtype, field, nesting)
    code = dtype.str[1:]
    if small_number(dtype):
        return DataType(dtype.name, dtype)
    if dtype.isbuiltin != 2 and code in _BY_CODE:
        return DataType(_BY_CODE[code], dtype)
    if dtype.isbuiltin != 2 and dtype.kind in "SUVmM":
        if not dtype.itemsize:
            raise MetadataError(f"{code[0]!r} does not say its length, as in 'S8'", field=field)
        return replace(parse_v2_dtype(f"<{code}", field=field)[0], dtype=dtype)
    raise UnsupportedError(f"zarrfs has no data type {dtype.name!r}", field=field)


def _struct(dtype: np.dtype[Any], field: str, nesting: int) -> DataType:
    dtypes.check_nesting(nesting, field)
    fields = []
    for name in dtype.names or ():
        path, of_field = dotted(field, name), dtype[name]
        inner = _of_numpy(of_field.base, path, nesting - 1)
        if of_field.subdtype is not None:
            inner = replace(inner, dtype=np.dtype((inner.dtype, of_field.shape)))
        fields.append((name, inner))
    return dtypes.struct(fields, field)
