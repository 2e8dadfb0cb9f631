"""Fill values of both formats: JSON <-> scalars of the array's dtype, bit for bit.

``parse(serialise(x)) == x``, byte for byte. The forms of v3 are those of each type's definition;
v2 differs in a few, which are here.

Spec: Zarr v3, "Data types", "Permitted fill values", and the registry's ``data-types``; Zarr v2,
"Fill value encoding".
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from zarrfs.errors import MetadataError, UnsupportedError
from zarrfs.format.documents import Json, is_integer, show
from zarrfs.format.dtypes import carrier, zero
from zarrfs.format.dtypes_v2 import serialise_v2_dtype
from zarrfs.format.dtypes_v3 import definition_of
from zarrfs.format.scalars import element, from_base64, of_length, to_base64

if TYPE_CHECKING:
    from zarrfs.format.dtypes import ByteOrder, DataType

_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,19})(\.[0-9]{1,18})?([eE][-+]?[0-9]{1,3})?")


def default_fill_value(data_type: DataType) -> object:
    """Return the fill value of an array that is created without one, and v2's ``null``.

    The zero of the type, ``""`` or ``b""``, ``None`` for objects; for times "not a time", as
    zarr-python has it: the specifications leave it open. A record is zero in all its bytes.
    float8_e8m0fnu has no zero: its least number, whose bits are zero, takes the place.
    """
    if data_type.name == "object":
        return None
    return definition_of(data_type).default_fill_value(data_type)


# --- v3 -------------------------------------------------------------------------------------


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
    if data_type.name == "struct" and isinstance(value, str):
        return _stored_record(value, data_type.dtype, byte_order, field)
    return definition_of(data_type).parse_fill_value(value, data_type, field)


def serialise_v3_fill_value(value: object, data_type: DataType) -> Json:
    """Return the ``fill_value`` of a v3 array.

    Parameters
    ----------
    value
        As `parse_v3_fill_value` returns it.
    data_type
        Type of the array's elements.

    Raises
    ------
    UnsupportedError
        If Zarr v3 does not have the type.
    """
    return definition_of(data_type).serialise_fill_value(value, data_type)


def _stored_record(value: str, dtype: np.dtype[Any], byte_order: ByteOrder, field: str) -> Any:
    data = of_length(from_base64(value, field), dtype, field)
    in_memory = carrier(dtype)
    stored = in_memory.newbyteorder("<" if byte_order == "little" else ">")
    return np.frombuffer(data, stored).astype(in_memory).view(dtype)[0]


# --- v2 -------------------------------------------------------------------------------------


def parse_v2_fill_value(value: Json, data_type: DataType, field: str = "fill_value") -> object:
    """Parse the fill value of a v2 array; ``null`` is `default_fill_value`.

    Beyond the specification, ``0`` is read as the zero of any type and ``1`` as true: zarr 2
    wrote them. So is a number in a string, ``"0"``, as n5-zarr and bioformats2raw wrote it, and
    a single character itself, which is nothing in Base64, as netCDF writes it.

    Raises
    ------
    MetadataError
        If the value has a form that the type does not permit, or is out of its range.
    """
    if data_type.name == "object":
        return value
    if value is None:
        return default_fill_value(data_type)
    if is_integer(value) and value == 0:
        return default_fill_value(data_type) if data_type.dtype.hasobject else zero(data_type)
    kind = data_type.dtype.kind
    if kind == "b" and is_integer(value) and value == 1:
        return np.True_
    if data_type.dtype == np.dtype("S1") and isinstance(value, str) and len(value) == 1:
        value = to_base64(value.encode())
    if kind in "iuf" and isinstance(value, str) and _NUMBER.fullmatch(value):
        value = json.loads(value)
    if kind == "c" and not isinstance(value, list):
        value = [value, 0]
    if data_type.name == "struct":
        data = of_length(from_base64(value, field), data_type.dtype, field)
        return np.frombuffer(data, data_type.dtype)[0]
    return definition_of(data_type).parse_fill_value(value, data_type, field)


def serialise_v2_fill_value(value: object, data_type: DataType) -> Json:
    """Return the ``fill_value`` of a v2 array.

    Raises
    ------
    UnsupportedError
        If Zarr v2 does not have the type, or no form for the value: it names only one NaN.
    MetadataError
        If the value of an array of objects is not JSON.
    """
    serialise_v2_dtype(data_type)
    if data_type.name == "object":
        return _json_object(value)
    if data_type.dtype.kind == "V":
        return to_base64(element(value, data_type.dtype).astype(data_type.dtype).tobytes())
    document = definition_of(data_type).serialise_fill_value(value, data_type)
    for number in document if isinstance(document, list) else [document]:
        if data_type.dtype.kind in "fc" and isinstance(number, str) and number.startswith("0x"):
            reason = f"Zarr v2 has no form for a NaN of other bits, {number}; Zarr v3 has"
            raise UnsupportedError(reason, field="fill_value")
    return document


def _json_object(value: object) -> Json:
    try:
        json.dumps(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise MetadataError(f"must be JSON, not {show(value)}", field="fill_value") from error
    return value
