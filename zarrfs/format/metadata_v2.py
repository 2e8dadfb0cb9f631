"""``.zarray``, ``.zgroup`` and ``.zattrs`` -> the model, which is shaped like v3: v2 ends here.

Order and byte order become codecs, filters and compressor become ``numcodecs.*``. Members that
old writers left out have their defaults, and unknown ones are ignored. Spec: Zarr v2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zarrfs.errors import MetadataError
from zarrfs.format.chunk_grids import parse_chunk_shape, parse_shape
from zarrfs.format.chunk_keys import parse_separator
from zarrfs.format.documents import (
    Json,
    dotted,
    expect_choice,
    expect_list,
    expect_object,
    expect_string,
    is_integer,
    show,
    take,
)
from zarrfs.format.dtypes import parse_v2_dtype
from zarrfs.format.extensions import Extension
from zarrfs.format.fill_values import parse_v2_fill_value
from zarrfs.format.key_encodings import SeparatedKeys
from zarrfs.format.metadata import ArrayMetadata, GroupMetadata

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zarrfs.format.dtypes import ByteOrder

DIMENSIONS_ATTRIBUTE = "_ARRAY_DIMENSIONS"
"""Attribute in which xarray keeps the names of a v2 array's dimensions."""


def parse_array(zarray: Mapping[str, Json], zattrs: Mapping[str, Json] | None) -> ArrayMetadata:
    """Parse the metadata documents of a v2 array; `zattrs` is ``None`` if there is none.

    Returns
    -------
    ArrayMetadata
        Its codecs are, in order of encoding: ``transpose`` for order ``F``, ``bytes``, then each
        filter and the compressor as ``numcodecs.<id>``, acting on bytes as in v2. Arrays of
        objects have no ``bytes``: their first filter is the object codec that makes bytes.

    Raises
    ------
    MetadataError
        If a document is malformed; `field` names the member.
    UnsupportedError
        If zarrfs does not have the data type. Codecs are not looked at here.
    """
    _check_format(zarray)
    shape = parse_shape(take(zarray, "shape"))
    steps = _parse_filters_and_compressor(zarray)
    object_codec = steps[0].name.removeprefix("numcodecs.") if steps else None
    data_type, byte_order = parse_v2_dtype(take(zarray, "dtype"), object_codec=object_codec)
    codecs = steps if data_type.dtype.hasobject else (_bytes_codec(byte_order), *steps)
    order = expect_choice(zarray.get("order", "C"), ("C", "F"), "order")
    if order == "F" and len(shape) > 1:
        reversed_axes = list(reversed(range(len(shape))))
        transpose = Extension(name="transpose", configuration={"order": reversed_axes})
        codecs = (transpose, *codecs)
    separator = zarray.get("dimension_separator")
    attributes = _parse_attributes(zattrs)
    return ArrayMetadata(
        zarr_format=2,
        data_type=data_type,
        chunk_grid=parse_chunk_shape(take(zarray, "chunks"), shape, "chunks"),
        chunk_key_encoding=SeparatedKeys(
            "v2", "." if separator is None else parse_separator(separator, "dimension_separator")
        ),
        fill_value=parse_v2_fill_value(zarray.get("fill_value"), data_type),
        codecs=codecs,
        attributes=attributes,
        dimension_names=_dimension_names(attributes, len(shape)),
    )


def parse_group(zgroup: Mapping[str, Json], zattrs: Mapping[str, Json] | None) -> GroupMetadata:
    """Parse the metadata documents of a v2 group; `zattrs` is ``None`` if there is none."""
    _check_format(zgroup)
    return GroupMetadata(zarr_format=2, attributes=_parse_attributes(zattrs))


def _check_format(document: Mapping[str, Json]) -> None:
    zarr_format = take(document, "zarr_format")
    if not is_integer(zarr_format) or zarr_format != 2:
        raise MetadataError(f"must be 2, not {show(zarr_format)}", field="zarr_format")


def _parse_attributes(zattrs: Mapping[str, Json] | None) -> Mapping[str, Json]:
    return {} if zattrs is None else zattrs


def _parse_filters_and_compressor(zarray: Mapping[str, Json]) -> tuple[Extension, ...]:
    filters = zarray.get("filters")
    compressor = zarray.get("compressor")
    steps = [
        _parse_codec(item, f"filters[{i}]")
        for i, item in enumerate([] if filters is None else expect_list(filters, "filters"))
    ]
    if compressor is not None:
        steps.append(_parse_codec(compressor, "compressor"))
    return tuple(steps)


def _parse_codec(value: Json, field: str) -> Extension:
    members = expect_object(value, field)
    codec_id = expect_string(take(members, "id", field), dotted(field, "id"))
    configuration = {name: member for name, member in members.items() if name != "id"}
    return Extension(name=f"numcodecs.{codec_id}", configuration=configuration)


def _bytes_codec(byte_order: ByteOrder | None) -> Extension:
    return Extension(name="bytes", configuration={"endian": byte_order} if byte_order else {})


def _dimension_names(attributes: Mapping[str, Json], ndim: int) -> tuple[str, ...] | None:
    names = attributes.get(DIMENSIONS_ATTRIBUTE)
    if isinstance(names, list) and len(names) == ndim and all(isinstance(n, str) for n in names):
        return tuple(names)
    return None
