"""JSON fill values -> scalars of the array's dtype, bit for bit.

Each kind of type has one function; signs of zero and payloads of NaN are kept.

Spec: Zarr v3, "Data types", "Permitted fill values", and the registry's ``data-types``; Zarr v2,
"Fill value encoding".
"""

from __future__ import annotations

import base64
import binascii
import re
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from zarrfs.errors import MetadataError
from zarrfs.format.documents import Json, dotted, expect_object, is_integer, show, take

if TYPE_CHECKING:
    from collections.abc import Callable

    from zarrfs.format.dtypes import ByteOrder, DataType

_NOT_A_TIME = -(2**63)
_HEX_BITS = re.compile(r"0x([0-9a-fA-F]+)")
_FLOAT_NAMES = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}

_OBJECT_ZEROS: dict[str, object] = {"string": "", "bytes": b"", "object": None}


def parse_v3_fill_value(
    value: Json,
    data_type: DataType,
    *,
    byte_order: ByteOrder = "little",
    field: str = "fill_value",
) -> object:
    """Parse the fill value of a v3 array.

    Parameters
    ----------
    value
        What the document holds.
    data_type
        Type of the array's elements.
    byte_order
        In which the ``bytes`` codec stores elements: the older form of a structured fill value
        is stored bytes.
    field
        Path of the member, for messages.

    Returns
    -------
    object
        A NumPy scalar, or ``str`` or ``bytes`` for a type without fixed size.

    Raises
    ------
    MetadataError
        If the value has a form that the type does not permit, or is out of its range.
    """
    if data_type.dtype.hasobject:
        return _OBJECTS[data_type.name](value, field)
    dtype = data_type.dtype
    if dtype.names and isinstance(value, str):
        stored = dtype.newbyteorder("<" if byte_order == "little" else ">")
        return np.array(_structured_from_base64(value, stored, field)).astype(dtype)[()]
    return _fixed(value, dtype, field)


def parse_v2_fill_value(value: Json, data_type: DataType, field: str = "fill_value") -> object:
    """Parse the fill value of a v2 array; ``null`` is the zero of the type.

    A time's zero is "not a time", as zarr-python has it: the specification leaves it open.
    Beyond the specification, ``0`` is read as the zero of any type and ``1`` as true: zarr 2
    wrote them.

    Raises
    ------
    MetadataError
        If the value has a form that the type does not permit, or is out of its range.
    """
    dtype = data_type.dtype
    zero = value is None or (is_integer(value) and value == 0)
    if dtype.hasobject:
        if data_type.name == "object":
            return value
        return _OBJECT_ZEROS[data_type.name] if zero else _OBJECTS[data_type.name](value, field)
    if value is None and dtype.kind in "mM":
        return _time(_NOT_A_TIME, dtype, field)
    if zero:
        return np.zeros((), dtype)[()]
    if dtype.kind == "b" and is_integer(value) and value == 1:
        return np.True_
    if dtype.kind == "c" and not isinstance(value, list):
        value = [value, 0]
    if dtype.names:
        return _structured_from_base64(value, dtype, field)
    return _fixed(value, dtype, field)


def _fixed(value: Json, dtype: np.dtype[Any], field: str) -> Any:
    """Scalar of a type with a fixed size."""
    return _BY_KIND[dtype.kind](value, dtype, field)


def _from_bytes(data: bytes, dtype: np.dtype[Any]) -> Any:
    return np.frombuffer(data, dtype)[0]


def _wrong(expected: str, value: Json, field: str) -> MetadataError:
    return MetadataError(f"must be {expected}, not {show(value)}", field=field)


# --- numbers ----------------------------------------------------------------------------------


def _bool(value: Json, dtype: np.dtype[Any], field: str) -> Any:
    if not isinstance(value, bool):
        raise _wrong("true or false", value, field)
    return dtype.type(value)


def _integer_within(value: Json, dtype: np.dtype[Any], field: str) -> int:
    """Check an integer, written as such or as a float without fraction (``1.0``, ``1e3``)."""
    limits = np.iinfo(dtype)
    integral = is_integer(value) or (isinstance(value, float) and value.is_integer())
    if not integral or not limits.min <= value <= limits.max:
        raise _wrong(f"an integer from {limits.min} to {limits.max}", value, field)
    return int(value)


def _integer(value: Json, dtype: np.dtype[Any], field: str) -> Any:
    return dtype.type(_integer_within(value, dtype, field))


def _time(value: Json, dtype: np.dtype[Any], field: str) -> Any:
    count = _NOT_A_TIME if value == "NaT" else _integer_within(value, np.dtype("i8"), field)
    return np.array(count, "i8").view(dtype)[()]


def _float(value: Json, dtype: np.dtype[Any], field: str) -> Any:
    """Float from a number (rounded to the nearest, half to even), a name, or its bits in hex."""
    if isinstance(value, str):
        bits = _HEX_BITS.fullmatch(value)
        if bits and len(bits[1]) == 2 * dtype.itemsize:
            data = int(bits[1], 16).to_bytes(dtype.itemsize, sys.byteorder)
            return _from_bytes(data, dtype)
        value = _FLOAT_NAMES.get(value, value)
    if not isinstance(value, int | float) or isinstance(value, bool):
        digits = 2 * dtype.itemsize
        expected = f'a number, "NaN", "Infinity", "-Infinity" or "0x" and {digits} hex digits'
        raise _wrong(expected, value, field)
    try:
        number = float(value)
    except OverflowError:  # an integer of more than 308 digits
        number = float("inf") if value > 0 else float("-inf")
    with np.errstate(over="ignore"):  # the nearest of a number out of range is infinity
        return dtype.type(number)


def _complex(value: Json, dtype: np.dtype[Any], field: str) -> Any:
    if not isinstance(value, list) or len(value) != 2:
        raise _wrong("a list of real and imaginary part", value, field)
    part = np.dtype(f"f{dtype.itemsize // 2}")
    parts = (_float(item, part, f"{field}[{i}]").tobytes() for i, item in enumerate(value))
    return _from_bytes(b"".join(parts), dtype)


# --- bytes and strings ------------------------------------------------------------------------


def _base64(value: Json, field: str) -> bytes:
    if not isinstance(value, str):
        raise _wrong("a string in Base64", value, field)
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _wrong("a string in Base64", value, field) from error


def _bytes(value: Json, field: str) -> bytes:
    """Bytes from Base64 or a list of their values."""
    if isinstance(value, list):
        if not all(is_integer(byte) and 0 <= byte <= 255 for byte in value):
            raise _wrong("a list of integers from 0 to 255", value, field)
        return bytes(value)
    return _base64(value, field)


def _raw(value: Json, dtype: np.dtype[Any], field: str) -> Any:
    """Raw bits; or, as `dtype` has fields, a record."""
    if dtype.names:
        return _structured(value, dtype, field)
    return _from_bytes(_of_length(_bytes(value, field), dtype, field), dtype)


def _of_length(data: bytes, dtype: np.dtype[Any], field: str) -> bytes:
    if len(data) != dtype.itemsize:
        reason = f"must have {dtype.itemsize} bytes, not {len(data)}"
        raise MetadataError(reason, field=field)
    return data


def _null_terminated(value: Json, dtype: np.dtype[Any], field: str) -> Any:
    data = _base64(value, field)
    if len(data) > dtype.itemsize:
        reason = f"must have at most {dtype.itemsize} bytes, not {len(data)}"
        raise MetadataError(reason, field=field)
    return np.array(data, dtype)[()]


def _text(value: Json, field: str) -> str:
    if not isinstance(value, str):
        raise _wrong("a string", value, field)
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise _wrong("a string without lone surrogates", value, field) from error
    return value


def _utf32(value: Json, dtype: np.dtype[Any], field: str) -> Any:
    text, most = _text(value, field), dtype.itemsize // 4
    if len(text) > most:
        raise MetadataError(f"must have at most {most} characters, not {len(text)}", field=field)
    return np.array(text, dtype)[()]


# --- records ----------------------------------------------------------------------------------


def _structured(value: Json, dtype: np.dtype[Any], field: str) -> Any:
    """Record from an object with one fill value per field. Spec: registry, ``struct``."""
    members = expect_object(value, field)
    names = dtype.names or ()
    for name in members:
        if name not in names:
            raise MetadataError("is not a field of the data type", field=dotted(field, name))
    record = np.zeros((), dtype)
    for name in names:
        record[name] = _fixed(take(members, name, field), dtype[name], dotted(field, name))
    return record[()]


def _structured_from_base64(value: Json, dtype: np.dtype[Any], field: str) -> Any:
    return _from_bytes(_of_length(_base64(value, field), dtype, field), dtype)


_BY_KIND: dict[str, Callable[[Json, np.dtype[Any], str], Any]] = {
    "b": _bool,
    "i": _integer,
    "u": _integer,
    "f": _float,
    "c": _complex,
    "m": _time,
    "M": _time,
    "S": _null_terminated,
    "U": _utf32,
    "V": _raw,
}

_OBJECTS: dict[str, Callable[[Json, str], object]] = {"string": _text, "bytes": _bytes}
