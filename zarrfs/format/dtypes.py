"""Data type names of the Zarr specifications <-> NumPy dtypes.

`SCALAR_TYPES` is the one table of plain types, for v3 names and v2 type strings alike; types with
parameters have a function each. In memory elements have native byte order, but for structured
types, whose fields keep the order that they are declared in: v2's own, little-endian in v3.

Spec: Zarr v3, "Data types" and the registry's ``data-types``; Zarr v2, "Data type encoding".
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from zarrfs.errors import MetadataError, UnsupportedError
from zarrfs.format.documents import (
    Json,
    dotted,
    expect_choice,
    expect_integer,
    expect_list,
    expect_object,
    expect_string,
    is_integer,
    refuse_unknown,
    show,
    take,
)
from zarrfs.format.extensions import Extension, parse_essential_extension

if TYPE_CHECKING:
    from collections.abc import Callable

ByteOrder = Literal["little", "big"]

SCALAR_TYPES = {
    "bool": "b1",
    "int8": "i1",
    "int16": "i2",
    "int32": "i4",
    "int64": "i8",
    "uint8": "u1",
    "uint16": "u2",
    "uint32": "u4",
    "uint64": "u8",
    "float16": "f2",
    "float32": "f4",
    "float64": "f8",
    "complex64": "c8",
    "complex128": "c16",
}
"""v3 name -> v2 type string without its byte order, which is also NumPy's."""

OBJECT_TYPES = {"string": "vlen-utf8", "bytes": "vlen-bytes"}
"""v3 name of a type without fixed size -> the v2 object codec that makes it."""

MAX_ITEMSIZE = 2**24
"""Bytes of the largest element read: a bound for what one fill value takes in memory. The widest
elements met (records, fixed-length strings) have some ten thousand bytes."""

MAX_NESTING = 16
"""Structured types inside each other; NumPy itself recurses over them."""

_SCALAR_NAMES = {code: name for name, code in SCALAR_TYPES.items()}
_OBJECT_NAMES = {codec: name for name, codec in OBJECT_TYPES.items()}
_ALIASES = {"variable_length_bytes": "bytes", "structured": "struct"}
_UNITS = ("Y", "M", "W", "D", "h", "m", "s", "ms", "us", "μs", "ns", "ps", "fs", "as", "generic")
_MAX_SCALE = 2**31 - 1

_RAW_NAME = re.compile(r"r([0-9]{1,18})")
_V2_TYPE = re.compile(r"([<>|=]?)([a-zA-Z])([0-9]{0,18})(\[(?P<scale>[0-9]{0,10})(?P<unit>\w+)\])?")


@dataclass(frozen=True, slots=True)
class DataType:
    """One element's type."""

    name: str
    """The name in Zarr v3 and its extension registry, such as ``float32``; ``object`` for what
    only a v2 object codec can make (``json2``, ``vlen-array`` …)."""

    dtype: np.dtype[Any]
    """In memory: native byte order (structured fields as declared), ``object`` where elements
    have no fixed size."""


def parse_v3_dtype(value: Json, field: str = "data_type") -> DataType:
    """Parse the data type of a v3 array, or of a field of one.

    Raises
    ------
    MetadataError
        If the type or its configuration is malformed.
    UnsupportedError
        If zarrfs does not have the type.
    """
    return _v3_dtype(parse_essential_extension(value, field), field, MAX_NESTING)


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
        return DataType("struct", _v2_struct(value, field, MAX_NESTING)), None
    if isinstance(value, str) and re.fullmatch(r"[<>|=]?O[48]?", value):
        if object_codec is None:
            reason = f"{show(value)} needs an object codec as the first filter"
            raise MetadataError(reason, field=field)
        return DataType(_OBJECT_NAMES.get(object_codec, "object"), np.dtype(object)), None
    return _v2_simple(value, field)


# --- v3 -------------------------------------------------------------------------------------


def _v3_dtype(extension: Extension, field: str, nesting: int) -> DataType:
    name = _ALIASES.get(extension.name, extension.name)
    if name == "struct":
        return DataType(name, _v3_struct(extension, field, nesting))
    if parameter := _PARAMETRISED.get(name):
        return parameter(extension, f"{field}.configuration")
    refuse_unknown(extension.configuration, (), f"{field}.configuration")
    if name in SCALAR_TYPES:
        return DataType(name, np.dtype(SCALAR_TYPES[name]))
    if name in OBJECT_TYPES:
        return DataType(name, np.dtype(object))
    if raw := _RAW_NAME.fullmatch(name):
        bits = int(raw[1])
        if bits == 0 or bits % 8:
            raise MetadataError(f"must have a multiple of 8 bits, not {name!r}", field=field)
        return _raw(bits // 8, field)
    raise UnsupportedError(f"zarrfs has no data type {extension.name!r}", field=field)


def _v3_length(extension: Extension, field: str, unit: int = 1) -> int:
    refuse_unknown(extension.configuration, ("length_bytes",), field)
    length = take(extension.configuration, "length_bytes", field)
    n_bytes = expect_integer(length, f"{field}.length_bytes", minimum=1)
    if n_bytes % unit:
        reason = f"must be a multiple of {unit}, not {n_bytes}"
        raise MetadataError(reason, field=f"{field}.length_bytes")
    return n_bytes


def _v3_raw_bytes(extension: Extension, field: str) -> DataType:
    return _raw(_v3_length(extension, field), field)


def _v3_null_terminated_bytes(extension: Extension, field: str) -> DataType:
    return _null_terminated_bytes(_v3_length(extension, field), field)


def _v3_fixed_length_utf32(extension: Extension, field: str) -> DataType:
    return _fixed_length_utf32(_v3_length(extension, field, 4) // 4, field)


def _v3_time(extension: Extension, field: str) -> DataType:
    refuse_unknown(extension.configuration, ("unit", "scale_factor"), field)
    unit = take(extension.configuration, "unit", field)
    scale = take(extension.configuration, "scale_factor", field)
    code = "M8" if extension.name == "numpy.datetime64" else "m8"
    return _time(
        code,
        expect_choice(unit, _UNITS, f"{field}.unit"),
        expect_integer(scale, f"{field}.scale_factor", minimum=1, maximum=_MAX_SCALE),
        field,
    )


_PARAMETRISED: dict[str, Callable[[Extension, str], DataType]] = {
    "fixed_length_utf32": _v3_fixed_length_utf32,
    "null_terminated_bytes": _v3_null_terminated_bytes,
    "numpy.datetime64": _v3_time,
    "numpy.timedelta64": _v3_time,
    "raw_bytes": _v3_raw_bytes,
}


def _v3_struct(extension: Extension, field: str, nesting: int) -> np.dtype[Any]:
    """Parse a ``struct``, or a ``structured`` with its pairs of name and type."""
    _check_nesting(nesting, field)
    configuration, path = extension.configuration, f"{field}.configuration"
    refuse_unknown(configuration, ("fields",), path)
    field = f"{path}.fields"
    members = expect_list(take(configuration, "fields", path), field)
    fields: list[tuple[str, np.dtype[Any]]] = []
    for i, member in enumerate(members):
        path = f"{field}[{i}]"
        if isinstance(member, list) and len(member) == 2:
            name, data_type = member
        else:
            member = expect_object(member, path)
            refuse_unknown(member, ("name", "data_type"), path)
            name, data_type = take(member, "name", path), take(member, "data_type", path)
        path_of_type = dotted(path, "data_type")
        element = _v3_dtype(
            parse_essential_extension(data_type, path_of_type), path_of_type, nesting - 1
        )
        if element.dtype.hasobject:
            reason = f"{element.name!r} has no fixed size, which a field must have"
            raise MetadataError(reason, field=path_of_type)
        name = expect_string(name, dotted(path, "name"))
        fields.append((name, element.dtype.newbyteorder("<")))
    return _struct(fields, field)


# --- v2 -------------------------------------------------------------------------------------


def _v2_simple(value: Json, field: str) -> tuple[DataType, ByteOrder | None]:
    match = _V2_TYPE.fullmatch(expect_string(value, field))
    if match is None:
        raise UnsupportedError(f"zarrfs has no data type {show(value)}", field=field)
    order, kind, digits = match[1], match[2], match[3]
    size = int(digits or 0)
    unit, scale = match["unit"], int(match["scale"] or 1)
    name = _SCALAR_NAMES.get(f"{kind}{size}")
    if unit is None and name is not None:
        data_type = DataType(name, np.dtype(SCALAR_TYPES[name]))
    elif unit is None and kind == "S" and size:
        return _null_terminated_bytes(size, field), None
    elif unit is None and kind == "V" and size:
        return _raw(size, field), None
    elif unit is None and kind == "U" and size:
        data_type = _fixed_length_utf32(size, field)
    elif kind in "mM" and digits in ("", "8") and (unit or "generic") in _UNITS and scale:
        data_type = _time(f"{kind}8", unit or "generic", scale, field)
    else:
        raise UnsupportedError(f"zarrfs has no data type {show(value)}", field=field)
    if kind in "biu" and size == 1:
        return data_type, None
    if order not in ("<", ">"):
        raise MetadataError(f"{show(value)} does not say its byte order, < or >", field=field)
    return data_type, "little" if order == "<" else "big"


def _v2_struct(value: list[Json], field: str, nesting: int) -> np.dtype[Any]:
    """Parse a list of ``[name, type]`` and ``[name, type, shape]``, keeping byte orders."""
    _check_nesting(nesting, field)
    fields: list[tuple[str, np.dtype[Any]]] = []
    for i, member in enumerate(value):
        path = f"{field}[{i}]"
        if not isinstance(member, list) or len(member) not in (2, 3):
            reason = f"must be [name, type] or [name, type, shape], not {show(member)}"
            raise MetadataError(reason, field=path)
        name, data_type = member[0], member[1]
        if not isinstance(name, str):
            raise MetadataError(f"must be a string, not {show(name)}", field=f"{path}[0]")
        if isinstance(data_type, list):
            dtype = _v2_struct(data_type, f"{path}[1]", nesting - 1)
        else:
            element, order = _v2_simple(data_type, f"{path}[1]")
            dtype = element.dtype.newbyteorder(">" if order == "big" else "<")
        if len(member) == 3:
            dtype = _subarray(dtype, member[2], f"{path}[2]")
        # A nameless field is the padding of an aligned type, named as NumPy names it.
        fields.append((name or f"f{i}", dtype))
    return _struct(fields, field)


def _subarray(dtype: np.dtype[Any], value: Json, field: str) -> np.dtype[Any]:
    """Type of a field that is a small array of `dtype`."""
    lengths = [value] if is_integer(value) else expect_list(value, field)
    shape = tuple(expect_integer(length, field, minimum=1) for length in lengths)
    if len(shape) > 16:
        raise UnsupportedError(f"has {len(shape)} dimensions; zarrfs reads up to 16", field=field)
    _check_itemsize(dtype.itemsize * math.prod(shape), field)
    return np.dtype((dtype, shape))


# --- types with parameters, by NumPy's parameters ----------------------------------------------


def _check_itemsize(itemsize: int, field: str) -> None:
    if itemsize > MAX_ITEMSIZE:
        reason = f"an element of {itemsize} bytes; zarrfs reads up to {MAX_ITEMSIZE}"
        raise UnsupportedError(reason, field=field)


def _check_nesting(nesting: int, field: str) -> None:
    if nesting == 0:
        reason = f"structured types inside each other; zarrfs reads up to {MAX_NESTING}"
        raise UnsupportedError(reason, field=field)


def _raw(n_bytes: int, field: str) -> DataType:
    _check_itemsize(n_bytes, field)
    return DataType(f"r{8 * n_bytes}", np.dtype(f"V{n_bytes}"))


def _null_terminated_bytes(n_bytes: int, field: str) -> DataType:
    _check_itemsize(n_bytes, field)
    return DataType("null_terminated_bytes", np.dtype(f"S{n_bytes}"))


def _fixed_length_utf32(n_characters: int, field: str) -> DataType:
    _check_itemsize(4 * n_characters, field)
    return DataType("fixed_length_utf32", np.dtype(f"U{n_characters}"))


def _time(code: str, unit: str, scale: int, field: str) -> DataType:
    """Type of moments (``M8``) or durations (``m8``) counted in `scale` `unit`."""
    name = "numpy.datetime64" if code == "M8" else "numpy.timedelta64"
    if unit == "generic":
        if scale != 1:
            reason = f"NumPy has no {name} without unit in steps of {scale}"
            raise UnsupportedError(reason, field=field)
        return DataType(name, np.dtype(code))
    if scale > _MAX_SCALE:
        raise UnsupportedError(f"NumPy has no {name} in steps of {scale}", field=field)
    return DataType(name, np.dtype(f"{code}[{scale}{unit}]"))


def _struct(fields: list[tuple[str, np.dtype[Any]]], field: str) -> np.dtype[Any]:
    """Type of packed records. Spec: registry, ``struct``: names are distinct, no padding."""
    if not fields:
        raise MetadataError("must have at least one field", field=field)
    if len({name for name, _ in fields}) < len(fields):
        raise MetadataError("two fields have the same name", field=field)
    _check_itemsize(sum(dtype.itemsize for _, dtype in fields), field)
    return np.dtype(fields)
