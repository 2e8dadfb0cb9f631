"""Data types of Zarr v2 <-> JSON: NumPy's type strings, and lists of fields.

``parse_v2_dtype(serialise_v2_dtype(t, order)) == (t, order)`` for every type that v2 has.

Spec: Zarr v2, "Data type encoding".
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from zarrfs.errors import MetadataError, UnsupportedError
from zarrfs.format import dtypes
from zarrfs.format.documents import (
    Json,
    expect_integer,
    expect_list,
    expect_string,
    is_integer,
    show,
)
from zarrfs.format.dtypes import MAX_NESTING, OBJECT_TYPES, SCALAR_TYPES, ByteOrder, DataType
from zarrfs.format.leaf_types import UNITS

if TYPE_CHECKING:
    from collections.abc import Iterator

_SCALAR_NAMES = {code: name for name, code in SCALAR_TYPES.items()}
_OBJECT_NAMES = {codec: name for name, codec in OBJECT_TYPES.items()}

_TYPE = re.compile(r"([<>|=]?)([a-zA-Z])([0-9]{0,18})(\[(?P<scale>[0-9]{0,10})(?P<unit>\w+)\])?")

_PLAIN_TYPES = {
    *SCALAR_TYPES,
    *("fixed_length_utf32", "null_terminated_bytes", "numpy.datetime64", "numpy.timedelta64"),
}
"""v3 names of the types of fixed size that v2 has, raw bits and records apart."""


def parse_v2_dtype(
    value: Json, *, object_codec: str | None = None, field: str = "dtype"
) -> tuple[DataType, ByteOrder | None]:
    """Parse the data type of a v2 array: a NumPy type string, or a list of fields.

    Parameters
    ----------
    value
        What the document holds, such as ``"<f4"`` or ``[["x", "<f4"], ["y", ">i2", [3]]]``.
    object_codec
        Id of the array's first filter (or compressor), which says what ``"|O"`` means.
    field
        Path of the member, for messages.

    Returns
    -------
    DataType
        With native byte order; fields of structured types keep theirs.
    ByteOrder or None
        Byte order in which elements are stored; ``None`` where elements have none, or more than
        one (structured), or no fixed size.

    Raises
    ------
    MetadataError
        If it is malformed.
    UnsupportedError
        If zarrfs does not have the type.
    """
    if isinstance(value, list):
        return _struct(value, field, MAX_NESTING), None
    if isinstance(value, str) and re.fullmatch(r"[<>|=]?O[48]?", value):
        if object_codec is None:
            reason = f"{show(value)} needs an object codec as the first filter"
            raise MetadataError(reason, field=field)
        return DataType(_OBJECT_NAMES.get(object_codec, "object"), np.dtype(object)), None
    return _simple(value, field)


def _simple(value: Json, field: str) -> tuple[DataType, ByteOrder | None]:
    match = _TYPE.fullmatch(expect_string(value, field))
    if match is None:
        raise UnsupportedError(f"zarrfs has no data type {show(value)}", field=field)
    order, kind, digits = match[1], match[2], match[3]
    size = int(digits or 0)
    unit, scale = match["unit"], int(match["scale"] or 1)
    name = _SCALAR_NAMES.get(f"{kind}{size}")
    if unit is None and name is not None:
        data_type = DataType(name, np.dtype(SCALAR_TYPES[name]))
    elif unit is None and kind == "S" and size:
        return dtypes.null_terminated_bytes(size, field), None
    elif unit is None and kind == "V" and size:
        return dtypes.raw_bytes(size, field), None
    elif unit is None and kind == "U" and size:
        data_type = dtypes.fixed_length_utf32(size, field)
    elif kind in "mM" and digits in ("", "8") and (unit or "generic") in UNITS and scale:
        data_type = dtypes.time(f"{kind}8", unit or "generic", scale, field)
    else:
        raise UnsupportedError(f"zarrfs has no data type {show(value)}", field=field)
    if kind in "biu" and size == 1:
        return data_type, None
    if order not in ("<", ">"):
        raise MetadataError(f"{show(value)} does not say its byte order, < or >", field=field)
    return data_type, "little" if order == "<" else "big"


def _struct(value: list[Json], field: str, nesting: int) -> DataType:
    """Parse a list of ``[name, type]`` and ``[name, type, shape]``, keeping byte orders."""
    dtypes.check_nesting(nesting, field)
    fields: list[tuple[str, DataType]] = []
    for i, member in enumerate(value):
        path = f"{field}[{i}]"
        if not isinstance(member, list) or len(member) not in (2, 3):
            reason = f"must be [name, type] or [name, type, shape], not {show(member)}"
            raise MetadataError(reason, field=path)
        name, data_type = member[0], member[1]
        if not isinstance(name, str):
            raise MetadataError(f"must be a string, not {show(name)}", field=f"{path}[0]")
        if isinstance(data_type, list):
            inner = _struct(data_type, f"{path}[1]", nesting - 1)
        else:
            inner, order = _simple(data_type, f"{path}[1]")
            inner = inner.in_byte_order(">" if order == "big" else "<")
        if len(member) == 3:
            inner = replace(inner, dtype=_subarray(inner.dtype, member[2], f"{path}[2]"))
        # A nameless field is the padding of an aligned type, named as NumPy names it.
        fields.append((name or f"f{i}", inner))
    return dtypes.struct(fields, field)


def _subarray(dtype: np.dtype[Any], value: Json, field: str) -> np.dtype[Any]:
    """Type of a field that is a small array of `dtype`."""
    lengths = [value] if is_integer(value) else expect_list(value, field)
    shape = tuple(expect_integer(length, field, minimum=1) for length in lengths)
    if len(shape) > 16:
        raise UnsupportedError(f"has {len(shape)} dimensions; zarrfs reads up to 16", field=field)
    dtypes.check_itemsize(dtype.itemsize * math.prod(shape), field)
    return np.dtype((dtype, shape))


def serialise_v2_dtype(data_type: DataType, byte_order: ByteOrder | None = None) -> Json:
    """Return the ``dtype`` of a v2 array: a NumPy type string, or a list of fields.

    Parameters
    ----------
    data_type
        Type of the array's elements.
    byte_order
        In which elements are stored, little-endian if ``None``. It has no meaning for types of
        single bytes, and for records, whose fields say their own.

    Raises
    ------
    UnsupportedError
        If Zarr v2 does not have the type.
    """
    if data_type.dtype.hasobject:
        if data_type.name in (*OBJECT_TYPES, "object"):
            return "|O"
        raise _not_in_v2(data_type)
    if data_type.name == "struct":
        return list(_fields(data_type))
    return _type_string(
        data_type, data_type.dtype.newbyteorder(">" if byte_order == "big" else "<")
    )


def _fields(data_type: DataType) -> Iterator[Json]:
    for name, inner in data_type.named_fields():
        base, shape = inner.dtype.base, inner.dtype.shape
        described = list(_fields(inner)) if inner.name == "struct" else _type_string(inner, base)
        yield [name, described, list(shape)] if shape else [name, described]


def _type_string(data_type: DataType, dtype: np.dtype[Any]) -> str:
    if data_type.name in _PLAIN_TYPES or data_type.name == f"r{8 * dtype.itemsize}":
        return dtype.str
    raise _not_in_v2(data_type)


def _not_in_v2(data_type: DataType) -> UnsupportedError:
    reason = f"Zarr v2 has no data type {data_type.name!r}; Zarr v3 has it (zarr_format=3)"
    return UnsupportedError(reason, field="dtype")
