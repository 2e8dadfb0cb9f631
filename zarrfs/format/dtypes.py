"""What a data type is, for both formats: its name in Zarr v3 and its NumPy dtype in memory.

`dtypes_v3` and `dtypes_v2` turn the names of the specifications into these values and back.
In memory elements have native byte order, but for structured types, whose fields keep the order
that they are declared in: v2's own, little-endian in v3.

Spec: Zarr v3, "Data types" and the registry's ``data-types``; Zarr v2, "Data type encoding".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from zarrfs.errors import MetadataError, UnsupportedError
from zarrfs.format.documents import Json
from zarrfs.format.small_numbers import small_number

if TYPE_CHECKING:
    from zarrfs.format.extensions import Extension

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

MAX_TIME_SCALE = 2**31 - 1
"""Units in one step of a time: what NumPy holds, and the registry permits."""


@dataclass(frozen=True, slots=True)
class DataType:
    """One element's type."""

    name: str
    """The name in Zarr v3 and its extension registry, such as ``float32``; ``object`` for what
    only a v2 object codec can make (``json2``, ``vlen-array`` …)."""

    dtype: np.dtype[Any]
    """In memory: native byte order (structured fields as declared), ``object`` where elements
    have no fixed size. Complex numbers that NumPy does not have are a structured type of the
    fields ``real`` and ``imag``."""

    fields: tuple[DataType, ...] = ()
    """Of a ``struct``, the types of its fields, in the order of ``dtype.names``. A field of v2
    that is a small array has the array as its dtype."""

    def named_fields(self) -> list[tuple[str, DataType]]:
        """Return the fields of a ``struct`` with their names."""
        record = self.dtype.base
        return [
            (name, replace(inner, dtype=record[name]))
            for name, inner in zip(record.names or (), self.fields, strict=True)
        ]

    def in_byte_order(self, order: Literal["<", ">", "="]) -> DataType:
        """Return the same type with elements, and all their fields, in one byte order."""
        fields = tuple(inner.in_byte_order(order) for inner in self.fields)
        return replace(self, dtype=self.dtype.newbyteorder(order), fields=fields)


ParseInner = Callable[[Json, str], DataType]
"""Parses a data type inside of another, from its JSON and the path of that, for messages."""


def zero(data_type: DataType) -> object:
    """Return the element whose bytes are all zero."""
    return np.zeros((), data_type.dtype)[()]


def no_configuration(data_type: DataType) -> Mapping[str, Json]:
    """Return the configuration of a type without parameters."""
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class DataTypeDefinition:
    """How a data type of Zarr v3 is read and written: what a plug-in registers under its name.

    Where the NumPy dtype does not tell all parameters, `parse` may return a subclass of
    `DataType` that does.
    """

    parse: Callable[[Extension, str, ParseInner], DataType]
    """Make the type of its name and configuration; raises `MetadataError` or `UnsupportedError`.
    The second argument is its path, for messages; the third parses types inside of it."""

    parse_fill_value: Callable[[Json, DataType, str], object]
    """Make an element of its JSON: a NumPy scalar of the dtype, any value where that is
    ``object``; raises `MetadataError`. The third argument is its path, for messages."""

    serialise_fill_value: Callable[[Any, DataType], Json]
    """Write such an element as JSON."""

    configuration: Callable[[DataType], Mapping[str, Json]] = no_configuration
    """Return the configuration that `parse` was given; empty for a type without parameters."""

    default_fill_value: Callable[[DataType], object] = zero
    """Return the fill value of an array that is created without one."""


# --- types with parameters, by NumPy's parameters ----------------------------------------------


def raw_bytes(n_bytes: int, field: str) -> DataType:
    """Return the type of `n_bytes` bytes without meaning."""
    check_itemsize(n_bytes, field)
    return DataType(f"r{8 * n_bytes}", np.dtype(f"V{n_bytes}"))


def null_terminated_bytes(n_bytes: int, field: str) -> DataType:
    """Return the type of bytes that are filled up with zeros."""
    check_itemsize(n_bytes, field)
    return DataType("null_terminated_bytes", np.dtype(f"S{n_bytes}"))


def fixed_length_utf32(n_characters: int, field: str) -> DataType:
    """Return the type of strings that are filled up with zeros."""
    check_itemsize(4 * n_characters, field)
    return DataType("fixed_length_utf32", np.dtype(f"U{n_characters}"))


def time(code: str, unit: str, scale: int, field: str) -> DataType:
    """Return the type of moments (``M8``) or durations (``m8``) counted in `scale` `unit`.

    Without a unit the scale has no meaning, and is dropped as in NumPy's type strings.
    """
    name = "numpy.datetime64" if code == "M8" else "numpy.timedelta64"
    if scale > MAX_TIME_SCALE:
        raise UnsupportedError(f"NumPy has no {name} in steps of {scale}", field=field)
    step = "" if unit == "generic" else f"[{scale}{unit}]"
    return DataType(name, np.dtype(f"{code}{step}"))


def struct(fields: list[tuple[str, DataType]], field: str) -> DataType:
    """Return the type of packed records. Spec: registry, ``struct``: distinct names, no padding."""
    if not fields:
        raise MetadataError("must have at least one field", field=field)
    if len({name for name, _ in fields}) < len(fields):
        raise MetadataError("two fields have the same name", field=field)
    check_itemsize(sum(inner.dtype.itemsize for _, inner in fields), field)
    dtype: np.dtype[Any] = np.dtype([(name, inner.dtype) for name, inner in fields])
    return DataType("struct", dtype, tuple(inner for _, inner in fields))


def check_itemsize(itemsize: int, field: str) -> None:
    """Refuse elements of more bytes than `MAX_ITEMSIZE`."""
    if itemsize > MAX_ITEMSIZE:
        reason = f"an element of {itemsize} bytes; zarrfs reads up to {MAX_ITEMSIZE}"
        raise UnsupportedError(reason, field=field)


def check_nesting(nesting: int, field: str) -> None:
    """Refuse a type inside of others, of which no more may be nested if `nesting` is 0."""
    if nesting == 0:
        reason = f"structured types inside each other; zarrfs reads up to {MAX_NESTING}"
        raise UnsupportedError(reason, field=field)


# --- byte order and names -----------------------------------------------------------------------


def carrier(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return a dtype of the same bytes whose byte order NumPy can set.

    ``newbyteorder`` of bfloat16 and its like does nothing (ml_dtypes 0.6): unsigned integers of
    their size stand for them, in fields too.
    """
    if dtype.subdtype is not None:
        base, shape = dtype.subdtype
        return np.dtype((carrier(base), shape))
    if dtype.names is not None:
        return np.dtype([(name, carrier(dtype[name])) for name in dtype.names])
    return np.dtype(f"u{dtype.itemsize}") if small_number(dtype) else dtype


def dtype_text(dtype: np.dtype[Any]) -> str:
    """Return what `numpy.dtype` makes the type of again: ``"<f4"``; ``"bfloat16"`` by its name."""
    return dtype.name if small_number(dtype) else dtype.str
