"""Data types of Zarr v3 <-> JSON, and the one table of them, to which plug-ins add theirs.

``parse_v3_dtype(serialise_v3_dtype(t)) == t`` for every type that was parsed here. Where more
than one name is read, the registered one is written: ``struct``, ``bytes``, ``r24``; zarr-python
3.1 knows a ``structured`` of pairs, which the registry forbids to write, and no ``r24``.

Spec: Zarr v3, "Data types"; registry, ``data-types``.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from zarrfs.errors import MetadataError, UnsupportedError
from zarrfs.format import dtypes
from zarrfs.format.documents import (
    Json,
    dotted,
    expect_list,
    expect_object,
    expect_string,
    refuse_unknown,
    take,
)
from zarrfs.format.dtypes import (
    MAX_NESTING,
    DataType,
    DataTypeDefinition,
    ParseInner,
)
from zarrfs.format.extensions import Extension, parse_essential_extension
from zarrfs.format.leaf_types import LEAF_TYPES, RAW_NAME
from zarrfs.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Mapping

ALIASES = MappingProxyType(
    {
        "binary": "bytes",
        "complex_float32": "complex64",
        "complex_float64": "complex128",
        "structured": "struct",
        "variable_length_bytes": "bytes",
    }
)
"""Other names -> those that are in the table."""


def parse_v3_dtype(value: Json, field: str = "data_type") -> DataType:
    """Parse the data type of a v3 array, or of a field of one.

    Raises
    ------
    MetadataError
        If the type or its configuration is malformed.
    UnsupportedError
        If zarrfs does not have the type, or a package that it needs.
    """
    return _parse(value, field, MAX_NESTING)


def _parse(value: Json, field: str, nesting: int) -> DataType:
    extension = parse_essential_extension(value, field)
    name = ALIASES.get(extension.name, extension.name)
    definition = _find(name)
    if definition is None:
        raise UnsupportedError(f"zarrfs has no data type {extension.name!r}", field=field)

    def parse_inner(value: Json, field: str) -> DataType:
        dtypes.check_nesting(nesting - 1, field)
        return _parse(value, field, nesting - 1)

    configuration = extension.configuration
    return definition.parse(Extension(name=name, configuration=configuration), field, parse_inner)


def serialise_v3_dtype(data_type: DataType) -> Json:
    """Return the ``data_type`` of a v3 array: a name, or an object if the type has parameters.

    Byte order is no part of it: fields of a structured type that are big-endian are told as the
    same numbers, and it is the codec ``bytes`` that stores them.

    Raises
    ------
    UnsupportedError
        If Zarr v3 does not have the type: objects of v2, fields that are small arrays.
    """
    if any(inner.dtype.subdtype is not None for inner in data_type.fields):
        reason = "Zarr v3 has no records with fields that are small arrays"
        raise UnsupportedError(reason, field="data_type")
    configuration = definition_of(data_type).configuration(data_type)
    name = data_type.name
    return {"name": name, "configuration": dict(configuration)} if configuration else name


def definition_of(data_type: DataType) -> DataTypeDefinition:
    """Return how a data type is read and written.

    Raises
    ------
    UnsupportedError
        If Zarr v3 does not have it, or its plug-in is gone.
    """
    definition = _find(data_type.name)
    if definition is None:
        reason = f"Zarr v3 has no data type {data_type.name!r} that zarrfs knows"
        raise UnsupportedError(reason, field="data_type")
    return definition


def is_v3_name(name: str) -> bool:
    """Whether Zarr v3 has a data type of this name that zarrfs knows."""
    return _find(ALIASES.get(name, name)) is not None


def _find(name: str) -> DataTypeDefinition | None:
    return DATA_TYPES.find("raw_bytes" if RAW_NAME.fullmatch(name) else name)


# --- records --------------------------------------------------------------------------------


def _parse_struct(extension: Extension, field: str, parse_inner: ParseInner) -> DataType:
    """Parse a ``struct``, or a ``structured`` with its pairs of name and type."""
    configuration, path = extension.configuration, f"{field}.configuration"
    refuse_unknown(configuration, ("fields",), path)
    field = f"{path}.fields"
    fields: list[tuple[str, DataType]] = []
    for i, member in enumerate(expect_list(take(configuration, "fields", path), field)):
        path = f"{field}[{i}]"
        if isinstance(member, list) and len(member) == 2:
            name, data_type = member
        else:
            members = expect_object(member, path)
            refuse_unknown(members, ("name", "data_type"), path)
            name, data_type = take(members, "name", path), take(members, "data_type", path)
        inner = parse_inner(data_type, dotted(path, "data_type"))
        if inner.dtype.hasobject:
            reason = f"{inner.name!r} has no fixed size, which a field must have"
            raise MetadataError(reason, field=dotted(path, "data_type"))
        name = expect_string(name, dotted(path, "name"))
        fields.append((name, inner.in_byte_order("<")))
    return dtypes.struct(fields, field)


def _fields(data_type: DataType) -> Mapping[str, Json]:
    return {
        "fields": [
            {"name": name, "data_type": serialise_v3_dtype(inner)}
            for name, inner in data_type.named_fields()
        ]
    }


def _parse_record(value: Json, data_type: DataType, field: str) -> Any:
    """Return a record from an object with one fill value per field. Spec: registry, ``struct``."""
    members, fields = expect_object(value, field), data_type.named_fields()
    unknown = set(members) - {name for name, _ in fields}
    if unknown:
        raise MetadataError("is not a field of the data type", field=dotted(field, min(unknown)))
    record = np.zeros((), data_type.dtype)
    for name, inner in fields:
        parse = definition_of(inner).parse_fill_value
        record[name] = parse(take(members, name, field), inner, dotted(field, name))
    return record[()]


def _serialise_record(value: Any, data_type: DataType) -> Json:
    return {
        name: definition_of(inner).serialise_fill_value(value[name], inner)
        for name, inner in data_type.named_fields()
    }


_STRUCT = DataTypeDefinition(
    parse=_parse_struct,
    configuration=_fields,
    parse_fill_value=_parse_record,
    serialise_fill_value=_serialise_record,
)

DATA_TYPES = Registry("data type", {**LEAF_TYPES, "struct": _STRUCT}, group="zarrfs.data_types")
"""Definitions of all data types of Zarr v3, by name; ``raw_bytes`` stands for ``r8``, ``r16`` …."""

register_data_type = DATA_TYPES.register
unregister_data_type = DATA_TYPES.unregister
list_data_types = DATA_TYPES.names
data_type_info = DATA_TYPES.info
