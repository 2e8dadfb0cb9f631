"""JSON in the forms of Zarr v3 <-> scalars of one kind of type each, bit for bit.

Signs of zero and payloads of NaN are kept. Each pair obeys ``parse(serialise(x)) == x``.

Spec: Zarr v3, "Data types", "Permitted fill values", and the registry's ``data-types``.
"""

from __future__ import annotations

import base64
import binascii
import functools
import math
import re
import sys
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from zarrfs.errors import MetadataError
from zarrfs.format.documents import Json, is_integer, show
from zarrfs.format.small_numbers import nearest, small_number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zarrfs.format.dtypes import DataType

NOT_A_TIME = -(2**63)
"""Count of units that stands for no time at all."""

_HEX_BITS = re.compile(r"0x([0-9a-fA-F]+)")
_FLOAT_NAMES = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def element(value: object, dtype: np.dtype[Any]) -> np.ndarray[tuple[()], np.dtype[Any]]:
    """Return a value as a 0-d array of its type, in native byte order."""
    array = np.empty((), dtype.newbyteorder("="))
    array[()] = value
    return array


def wrong(expected: str, value: object, field: str) -> MetadataError:
    """Return the error that says what a value must be."""
    return MetadataError(f"must be {expected}, not {show(value)}", field=field)


def _from_bytes(data: bytes, dtype: np.dtype[Any]) -> Any:
    return np.frombuffer(data, dtype)[0]


# --- numbers ----------------------------------------------------------------------------------


def parse_bool(value: Json, data_type: DataType, field: str) -> Any:
    """Return a bool from ``true`` or ``false``; from ``0`` too, which zarrita wrote for false."""
    if is_integer(value) and value == 0:
        return np.False_
    if not isinstance(value, bool):
        raise wrong("true or false", value, field)
    return np.bool_(value)


def serialise_bool(value: Any, data_type: DataType) -> Json:
    """Return ``true`` or ``false``."""
    return bool(value)


def parse_integer(value: Json, data_type: DataType, field: str) -> Any:
    """Return an integer, written as such or as a float without fraction (``1.0``, ``1e3``)."""
    dtype = data_type.dtype
    small = small_number(dtype)
    low, high = small.limits if small else _limits(dtype)
    return dtype.type(_integer_within(value, low, high, field))


def serialise_integer(value: Any, data_type: DataType) -> Json:
    """Return the integer."""
    return int(value)


def _limits(dtype: np.dtype[Any]) -> tuple[int, int]:
    limits = np.iinfo(dtype)
    return int(limits.min), int(limits.max)


def _integer_within(value: Json, low: int, high: int, field: str) -> int:
    integral = is_integer(value) or (isinstance(value, float) and value.is_integer())
    if not integral or not low <= value <= high:
        raise wrong(f"an integer from {low} to {high}", value, field)
    return int(value)


def parse_time(value: Json, data_type: DataType, field: str) -> Any:
    """Return a time from its count of units, or from ``"NaT"``."""
    low, high = _limits(np.dtype("i8"))
    count = NOT_A_TIME if value == "NaT" else _integer_within(value, low, high, field)
    return np.array(count, "i8").view(data_type.dtype.newbyteorder("="))[()]


def serialise_time(value: Any, data_type: DataType) -> Json:
    """Return the count of units, or ``"NaT"``."""
    count = int(element(value, data_type.dtype).view("i8"))
    return "NaT" if count == NOT_A_TIME else count


def not_a_time(data_type: DataType) -> object:
    """Return the time that is none."""
    return np.array(NOT_A_TIME, "i8").view(data_type.dtype.newbyteorder("="))[()]


def parse_float(value: Json, data_type: DataType, field: str) -> Any:
    """Return a float from a number (rounded to the nearest), a name, or its bits in hex."""
    return _float(value, data_type.dtype, field)


def serialise_float(value: Any, data_type: DataType) -> Json:
    """Return the number or its name; the bits in hex of any NaN but the usual one."""
    return _float_json(element(value, data_type.dtype))


def parse_complex(value: Json, data_type: DataType, field: str) -> Any:
    """Return a complex number from the list of its real and imaginary part."""
    if not isinstance(value, list) or len(value) != 2:
        raise wrong("a list of real and imaginary part", value, field)
    part = _part(data_type.dtype)
    parts = (_float(item, part, f"{field}[{i}]").tobytes() for i, item in enumerate(value))
    return _from_bytes(b"".join(parts), data_type.dtype.newbyteorder("="))


def serialise_complex(value: Any, data_type: DataType) -> Json:
    """Return the list of its real and imaginary part."""
    parts = element(value, data_type.dtype).reshape(1).view(_part(data_type.dtype))
    return [_float_json(part) for part in parts]


def _part(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Type of the real and the imaginary part, in native byte order."""
    return dtype["real"].newbyteorder("=") if dtype.names else np.dtype(f"f{dtype.itemsize // 2}")


def _float(value: Json, dtype: np.dtype[Any], field: str) -> Any:
    dtype = dtype.newbyteorder("=")
    small, names = small_number(dtype), _named_floats(dtype)
    if isinstance(value, float) and not math.isfinite(value):
        value = _name(value)
    if isinstance(value, str):
        bits = _HEX_BITS.fullmatch(value)
        if bits and len(bits[1]) == 2 * dtype.itemsize:
            return _from_bits(int(bits[1], 16), dtype)
        if value in names:
            return names[value]
    if not isinstance(value, int | float) or isinstance(value, bool):
        forms = ["a number", *map(show, names), f'"0x" and {2 * dtype.itemsize} hex digits']
        raise wrong(f"{', '.join(forms[:-1])} or {forms[-1]}", value, field)
    try:
        number = float(value)
    except OverflowError:  # an integer of more than 308 digits
        number = math.inf if value > 0 else -math.inf
    if not small:
        with np.errstate(over="ignore"):  # the nearest of a number out of range is infinity
            return dtype.type(number)
    try:
        return nearest(number, dtype)
    except ValueError as error:
        raise wrong(str(error), value, field) from error


def _float_json(value: np.generic | np.ndarray[tuple[()], np.dtype[Any]]) -> Json:
    number = float(value)
    if math.isfinite(number):
        return number
    name = _name(number)
    if value.tobytes() == _named_floats(value.dtype)[name].tobytes():
        return name
    bits = int.from_bytes(value.tobytes(), sys.byteorder)
    return f"0x{bits:0{2 * value.dtype.itemsize}x}"


def _name(number: float) -> str:
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


@functools.lru_cache(maxsize=64)
def _named_floats(dtype: np.dtype[Any]) -> Mapping[str, Any]:
    """Return those floats of a type for which JSON has no number, by their names."""
    small = small_number(dtype)
    names: dict[str, Any] = {}
    if small is None:
        names["NaN"] = dtype.type(math.nan)
    elif small.nan is not None:
        names["NaN"] = _from_bits(small.nan, dtype)
    if small is None or small.has_infinity:
        names |= {"Infinity": dtype.type(math.inf), "-Infinity": dtype.type(-math.inf)}
    return MappingProxyType(names)


def _from_bits(bits: int, dtype: np.dtype[Any]) -> Any:
    """Return the float of some bits, without those that do not mean anything."""
    small = small_number(dtype)
    meaning = bits & (2**small.bits - 1) if small else bits
    return _from_bytes(meaning.to_bytes(dtype.itemsize, sys.byteorder), dtype)


# --- bytes and strings ------------------------------------------------------------------------


def from_base64(value: Json, field: str) -> bytes:
    """Return the bytes that a string in Base64 stands for."""
    if not isinstance(value, str):
        raise wrong("a string in Base64", value, field)
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise wrong("a string in Base64", value, field) from error


def to_base64(data: bytes) -> str:
    """Return bytes as a string in Base64."""
    return base64.b64encode(data).decode("ascii")


def parse_bytes(value: Json, data_type: DataType, field: str) -> bytes:
    """Return bytes of any length from Base64 or a list of their values."""
    if isinstance(value, list):
        if not all(is_integer(byte) and 0 <= byte <= 255 for byte in value):
            raise wrong("a list of integers from 0 to 255", value, field)
        return bytes(value)
    return from_base64(value, field)


def serialise_bytes(value: Any, data_type: DataType) -> Json:
    """Return Base64, which is shorter than a list, and what zarr-python reads."""
    return to_base64(value)


def parse_raw(value: Json, data_type: DataType, field: str) -> Any:
    """Return raw bits from a list of bytes, or Base64."""
    data = of_length(parse_bytes(value, data_type, field), data_type.dtype, field)
    return _from_bytes(data, data_type.dtype)


def serialise_raw(value: Any, data_type: DataType) -> Json:
    """Return the list of bytes."""
    return list(element(value, data_type.dtype).tobytes())


def of_length(data: bytes, dtype: np.dtype[Any], field: str) -> bytes:
    """Check that bytes are one element."""
    if len(data) != dtype.itemsize:
        reason = f"must have {dtype.itemsize} bytes, not {len(data)}"
        raise MetadataError(reason, field=field)
    return data


def parse_null_terminated(value: Json, data_type: DataType, field: str) -> Any:
    """Return bytes of a greatest length from Base64."""
    data, most = from_base64(value, field), data_type.dtype.itemsize
    if len(data) > most:
        raise MetadataError(f"must have at most {most} bytes, not {len(data)}", field=field)
    return np.array(data, data_type.dtype)[()]


def parse_text(value: Json, data_type: DataType, field: str) -> str:
    """Return a string that UTF-8 has."""
    if not isinstance(value, str):
        raise wrong("a string", value, field)
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise wrong("a string without lone surrogates", value, field) from error
    return value


def serialise_text(value: Any, data_type: DataType) -> Json:
    """Return the string."""
    return str(value)


def parse_utf32(value: Json, data_type: DataType, field: str) -> Any:
    """Return a string of a greatest length."""
    text, most = parse_text(value, data_type, field), data_type.dtype.itemsize // 4
    if len(text) > most:
        raise MetadataError(f"must have at most {most} characters, not {len(text)}", field=field)
    return np.array(text, data_type.dtype.newbyteorder("="))[()]
