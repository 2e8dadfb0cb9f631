"""What Python users give as ``fill_value`` -> an element of the data type.

Nothing is cut, rounded off to infinity or wrapped around in silence: what does not fit is a
`MetadataError`. As everywhere, decimal numbers become the nearest float.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from zarrfs.errors import MetadataError
from zarrfs.format.documents import Json, dotted, show, take
from zarrfs.format.fill_values import (
    default_fill_value,
    parse_v3_fill_value,
    serialise_v3_fill_value,
)
from zarrfs.format.scalars import element, parse_time, to_base64, wrong
from zarrfs.format.small_numbers import python_number, small_number

if TYPE_CHECKING:
    from zarrfs.format.dtypes import DataType


def fill_value_of(value: object, data_type: DataType, field: str = "fill_value") -> object:
    """Return the fill value that a Python user means, as `parse_v3_fill_value` has it.

    Parameters
    ----------
    value
        ``None`` for the default; a Python or NumPy scalar; for records a tuple of all fields or
        a mapping of their names; the strings that JSON has for floats (``"NaN"``,
        ``"0x7fc00001"``); for times ISO 8601 (``"2020-01-31"``) or their count of units too.
    data_type
        Type of the array's elements.
    field
        Path of the value, for messages.

    Raises
    ------
    MetadataError
        If the type has no such element: ``300`` or ``0.5`` for uint8, ``1e39`` for float32, a
        string or a time that would be cut.
    """
    if value is None:
        return default_fill_value(data_type)
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if data_type.name == "object":
        return value
    if data_type.name == "struct":
        return _record(value, data_type, field)
    dtype = data_type.dtype.newbyteorder("=")
    if isinstance(value, float) and dtype == np.float64:
        value = np.float64(value)  # a NaN keeps its payload
    if isinstance(value, np.generic) and value.dtype.newbyteorder("=") == dtype:
        return element(value, dtype)[()]
    if dtype.kind in "mM":
        return _time(value, data_type, field)
    form = _bytes_form(value, field) if _holds_bytes(data_type) else _number_form(value, dtype)
    result = parse_v3_fill_value(form, data_type, field=field)
    if _is_finite(form) and not _is_finite(serialise_v3_fill_value(result, data_type)):
        raise MetadataError(f"{show(form)} is out of range of {data_type.name}", field=field)
    return result


# --- numbers --------------------------------------------------------------------------------


def _number_form(value: object, dtype: np.dtype[Any]) -> Json:
    """Return what stands for a Python value in JSON, so that the parser of JSON can judge it."""
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    number = _plain(value)
    if isinstance(number, complex):
        return [number.real, number.imag]
    is_complex = dtype.kind == "c" or dtype.names is not None
    if is_complex and isinstance(number, int | float):
        return [number, 0.0]
    if dtype.kind == "b" and type(number) is int and number in (0, 1):
        return bool(number)
    return number


def _plain(value: object) -> object:
    return python_number(value) if isinstance(value, np.generic) else value


def _is_finite(form: Json) -> bool:
    numbers = form if isinstance(form, list) else [form]
    return all(
        isinstance(number, int) or (isinstance(number, float) and math.isfinite(number))
        for number in numbers
    )


# --- bytes ----------------------------------------------------------------------------------


def _holds_bytes(data_type: DataType) -> bool:
    if data_type.dtype.kind == "V":
        return data_type.dtype.names is None and not small_number(data_type.dtype)
    return data_type.dtype.kind == "S" or data_type.name == "bytes"


def _bytes_form(value: object, field: str) -> Json:
    if isinstance(value, np.void):
        value = value.tobytes()
    if not isinstance(value, bytes | bytearray | memoryview):
        raise wrong("bytes", value, field)
    return to_base64(bytes(value))


# --- times ----------------------------------------------------------------------------------


def _time(value: object, data_type: DataType, field: str) -> object:
    given: np.datetime64 | np.timedelta64
    if isinstance(value, np.datetime64 | np.timedelta64):
        given = value
    elif isinstance(value, datetime.datetime) and value.tzinfo is not None:
        raise MetadataError("must be a time without time zone", field=field)
    elif isinstance(value, datetime.date):
        given = np.datetime64(value)
    elif isinstance(value, datetime.timedelta):
        given = np.timedelta64(value)
    elif isinstance(value, str) and value != "NaT" and data_type.dtype.kind == "M":
        try:
            given = np.datetime64(value)
        except ValueError as error:
            reason = f'must be a time, such as "2020-01-31T12:00", or a count of units: {error}'
            raise MetadataError(reason, field=field) from error
    else:
        return parse_time(_number_form(value, data_type.dtype), data_type, field)
    dtype = data_type.dtype
    try:
        if given.dtype.kind == dtype.kind:
            made = element(given, dtype)
            if np.isnat(given) or made == given:
                return made[()]
    except (OverflowError, TypeError, ValueError):  # of units that cannot be turned into others
        pass
    raise MetadataError(f"{given!r} is no {dtype}", field=field)


# --- records --------------------------------------------------------------------------------


def _record(value: Any, data_type: DataType, field: str) -> object:
    names = data_type.dtype.names or ()
    if isinstance(value, np.void) and value.dtype.names is not None:
        value = {name: value[name] for name in value.dtype.names}
    if isinstance(value, tuple):
        if len(value) != len(names):
            reason = f"must have {len(names)} fields, not {len(value)}"
            raise MetadataError(reason, field=field)
        value = dict(zip(names, value, strict=True))
    if not isinstance(value, Mapping):
        raise wrong("a tuple of all fields, or a mapping", value, field)
    for name in value:
        if name not in names:
            raise MetadataError("is not a field of the data type", field=dotted(field, str(name)))
    record = np.zeros((), data_type.dtype)
    for name, inner in data_type.named_fields():
        path = dotted(field, name)
        base, shape = inner.dtype.base, inner.dtype.shape
        for index in np.ndindex(*shape):
            item = _item(take(value, name, field), index, shape, path)
            made = fill_value_of(item, replace(inner, dtype=base), path)
            record[name][index] = made
    return record[()]


def _item(value: Any, index: tuple[int, ...], shape: tuple[int, ...], field: str) -> object:
    """Take one item out of nested lists; what is no list stands for all items."""
    for i, length in zip(index, shape, strict=True):
        if isinstance(value, list) or (isinstance(value, np.ndarray) and value.ndim):
            if len(value) != length:
                raise MetadataError(f"must have {length} items, not {len(value)}", field=field)
            value = value[i]
    return value
