"""The data types of Zarr v3 that have no others inside: what their names and configurations mean.

`LEAF_TYPES` is the table; `dtypes_v3` adds records, and what plug-ins register.

Spec: Zarr v3, "Data types"; registry, ``data-types``. ``null_terminated_bytes`` and ``raw_bytes``
are zarr-python's names, the latter another way to say ``r*``.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from zarrfs.errors import MetadataError
from zarrfs.format import dtypes, scalars
from zarrfs.format.documents import Json, expect_choice, expect_integer, refuse_unknown, take
from zarrfs.format.dtypes import SCALAR_TYPES, DataType, DataTypeDefinition, ParseInner
from zarrfs.format.small_numbers import SMALL_NUMBERS, small_dtype

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zarrfs.format.extensions import Extension

UNITS = ("Y", "M", "W", "D", "h", "m", "s", "ms", "us", "μs", "ns", "ps", "fs", "as", "generic")
"""Of times, as NumPy names them."""

RAW_NAME = re.compile(r"r([0-9]{1,18})")
"""Raw bits, of which there are as many as the number says."""


def _parse_number(extension: Extension, field: str, parse_inner: ParseInner) -> DataType:
    refuse_unknown(extension.configuration, (), f"{field}.configuration")
    return DataType(extension.name, _number(extension.name, field))


def _number(name: str, field: str) -> np.dtype[Any]:
    if name in SCALAR_TYPES:
        return np.dtype(SCALAR_TYPES[name])
    if name in SMALL_NUMBERS:
        return small_dtype(name, field)
    part = _number(name.removeprefix("complex_"), field).newbyteorder("<")
    return np.dtype([("real", part), ("imag", part)])


def _parse_object(extension: Extension, field: str, parse_inner: ParseInner) -> DataType:
    refuse_unknown(extension.configuration, (), f"{field}.configuration")
    return DataType(extension.name, np.dtype(object))


def _no_text(data_type: DataType) -> object:
    return ""


def _no_bytes(data_type: DataType) -> object:
    return b""


def _length(extension: Extension, field: str, unit: int = 1) -> int:
    refuse_unknown(extension.configuration, ("length_bytes",), field)
    length = take(extension.configuration, "length_bytes", field)
    n_bytes = expect_integer(length, f"{field}.length_bytes", minimum=1)
    if n_bytes % unit:
        reason = f"must be a multiple of {unit}, not {n_bytes}"
        raise MetadataError(reason, field=f"{field}.length_bytes")
    return n_bytes


def _parse_raw_bytes(extension: Extension, field: str, parse_inner: ParseInner) -> DataType:
    path, bits = f"{field}.configuration", RAW_NAME.fullmatch(extension.name)
    if bits is None:
        return dtypes.raw_bytes(_length(extension, path), path)
    refuse_unknown(extension.configuration, (), path)
    n_bits = int(bits[1])
    if n_bits == 0 or n_bits % 8:
        raise MetadataError(f"must have a multiple of 8 bits, not {extension.name!r}", field=field)
    return dtypes.raw_bytes(n_bits // 8, field)


def _parse_null_terminated(extension: Extension, field: str, parse_inner: ParseInner) -> DataType:
    path = f"{field}.configuration"
    return dtypes.null_terminated_bytes(_length(extension, path), path)


def _parse_utf32(extension: Extension, field: str, parse_inner: ParseInner) -> DataType:
    path = f"{field}.configuration"
    return dtypes.fixed_length_utf32(_length(extension, path, 4) // 4, path)


def _length_bytes(data_type: DataType) -> Mapping[str, Json]:
    return {"length_bytes": data_type.dtype.itemsize}


def _parse_time(extension: Extension, field: str, parse_inner: ParseInner) -> DataType:
    path = f"{field}.configuration"
    refuse_unknown(extension.configuration, ("unit", "scale_factor"), path)
    unit = take(extension.configuration, "unit", path)
    scale = take(extension.configuration, "scale_factor", path)
    return dtypes.time(
        "M8" if extension.name == "numpy.datetime64" else "m8",
        expect_choice(unit, UNITS, f"{path}.unit"),
        expect_integer(scale, f"{path}.scale_factor", minimum=1, maximum=dtypes.MAX_TIME_SCALE),
        path,
    )


def _unit_and_scale(data_type: DataType) -> Mapping[str, Json]:
    unit, scale = np.datetime_data(data_type.dtype)
    return {"unit": unit, "scale_factor": scale}


_BOOL = DataTypeDefinition(
    parse=_parse_number,
    parse_fill_value=scalars.parse_bool,
    serialise_fill_value=scalars.serialise_bool,
)
_INTEGER = DataTypeDefinition(
    parse=_parse_number,
    parse_fill_value=scalars.parse_integer,
    serialise_fill_value=scalars.serialise_integer,
)
_FLOAT = DataTypeDefinition(
    parse=_parse_number,
    parse_fill_value=scalars.parse_float,
    serialise_fill_value=scalars.serialise_float,
)
_COMPLEX = DataTypeDefinition(
    parse=_parse_number,
    parse_fill_value=scalars.parse_complex,
    serialise_fill_value=scalars.serialise_complex,
)
_TIME = DataTypeDefinition(
    parse=_parse_time,
    configuration=_unit_and_scale,
    parse_fill_value=scalars.parse_time,
    serialise_fill_value=scalars.serialise_time,
    default_fill_value=scalars.not_a_time,
)


def _by_kind(name: str) -> DataTypeDefinition:
    """Return how a number of `SCALAR_TYPES` is read and written."""
    kind = np.dtype(SCALAR_TYPES[name]).kind
    return {"b": _BOOL, "i": _INTEGER, "u": _INTEGER, "f": _FLOAT, "c": _COMPLEX}[kind]


_SMALL_FLOATS = [name for name, number in SMALL_NUMBERS.items() if number.kind == "float"]

LEAF_TYPES = MappingProxyType(
    {
        **{name: _by_kind(name) for name in SCALAR_TYPES},
        **dict.fromkeys(SMALL_NUMBERS, _INTEGER),
        **dict.fromkeys(_SMALL_FLOATS, _FLOAT),
        **{f"complex_{part}": _COMPLEX for part in ("float16", *_SMALL_FLOATS)},
        "bytes": DataTypeDefinition(
            parse=_parse_object,
            parse_fill_value=scalars.parse_bytes,
            serialise_fill_value=scalars.serialise_bytes,
            default_fill_value=_no_bytes,
        ),
        "fixed_length_utf32": DataTypeDefinition(
            parse=_parse_utf32,
            configuration=_length_bytes,
            parse_fill_value=scalars.parse_utf32,
            serialise_fill_value=scalars.serialise_text,
        ),
        "null_terminated_bytes": DataTypeDefinition(
            parse=_parse_null_terminated,
            configuration=_length_bytes,
            parse_fill_value=scalars.parse_null_terminated,
            serialise_fill_value=scalars.serialise_bytes,
        ),
        "numpy.datetime64": _TIME,
        "numpy.timedelta64": _TIME,
        "raw_bytes": DataTypeDefinition(
            parse=_parse_raw_bytes,
            parse_fill_value=scalars.parse_raw,
            serialise_fill_value=scalars.serialise_raw,
        ),
        "string": DataTypeDefinition(
            parse=_parse_object,
            parse_fill_value=scalars.parse_text,
            serialise_fill_value=scalars.serialise_text,
            default_fill_value=_no_text,
        ),
    }
)
"""Name -> how it is read and written; ``raw_bytes`` is all ``r*`` too."""
