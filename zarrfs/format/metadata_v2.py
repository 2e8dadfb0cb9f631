"""``.zarray``, ``.zgroup`` and ``.zattrs`` <-> the model, which is shaped like v3: v2 ends here.

Order and byte order become codecs, filters and compressor become ``numcodecs.*``; the latter may be
left out, as for zarr-python and zarrs. Unknown members are kept. Law: ``parse(serialise(m)) == m``,
for models that only v2 documents make. Spec: Zarr v2.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from zarrfs.errors import MetadataError, UnsupportedError
from zarrfs.format.array_filters import ARRAY_FILTERS
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
    without,
)
from zarrfs.format.dtypes import carrier
from zarrfs.format.dtypes_v2 import parse_v2_dtype, serialise_v2_dtype
from zarrfs.format.extensions import NUMCODECS, Extension
from zarrfs.format.fill_values import parse_v2_fill_value, serialise_v2_fill_value
from zarrfs.format.key_encodings import SeparatedKeys
from zarrfs.format.metadata import ArrayMetadata, GroupMetadata

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zarrfs.format.dtypes import ByteOrder, DataType

DIMENSIONS_ATTRIBUTE = "_ARRAY_DIMENSIONS"
"""Attribute in which xarray keeps the names of a v2 array's dimensions."""

_ARRAY_MEMBERS = (
    "zarr_format",
    "shape",
    "chunks",
    "dtype",
    "compressor",
    "fill_value",
    "order",
    "filters",
    "dimension_separator",
)
_FILTERS = frozenset(
    {
        *ARRAY_FILTERS,
        *("base64", "shuffle"),
        *("adler32", "crc32", "crc32c", "fletcher32", "jenkins_lookup3"),
        *("json2", "msgpack2", "pickle", "vlen-array", "vlen-bytes", "vlen-utf8"),
    }
)
"""Ids of codecs that are filters even if they come last."""

_DEFAULT_SHUFFLE = 4
"""``elementsize`` of numcodecs' ``shuffle``."""

_NETCDF_MARKS = frozenset({"_NCZARR_ARRAY", "_nczarr_array"})
"""Members in which netCDF's own arrays tell more, of ``.zarray`` until 4.9, then of ``.zattrs``."""

# zarr-python 3 writes an empty v3 member into groups when it consolidates.
_GROUP_MEMBERS = ("zarr_format", "consolidated_metadata")


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
    object_codec = steps[0].name.removeprefix(NUMCODECS) if steps else None
    data_type, byte_order = parse_v2_dtype(take(zarray, "dtype"), object_codec=object_codec)
    steps = tuple(_settled(step, data_type, zarray, zattrs) for step in steps)
    codecs = steps if data_type.dtype.hasobject else (_bytes_codec(byte_order), *steps)
    order = expect_choice(take(zarray, "order"), ("C", "F"), "order")
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
        fill_value=parse_v2_fill_value(take(zarray, "fill_value"), data_type),
        codecs=codecs,
        attributes=attributes,
        dimension_names=_dimension_names(attributes, len(shape)),
        extra=without(zarray, _ARRAY_MEMBERS),
    )


def parse_group(zgroup: Mapping[str, Json], zattrs: Mapping[str, Json] | None) -> GroupMetadata:
    """Parse the metadata documents of a v2 group; `zattrs` is ``None`` if there is none.

    The format may be a string, ``"2"``, as WEBKNOSSOS wrote it: arrays below are what they are.
    """
    if zgroup.get("zarr_format") != "2":
        _check_format(zgroup)
    return GroupMetadata(
        zarr_format=2,
        attributes=_parse_attributes(zattrs),
        extra=without(zgroup, _GROUP_MEMBERS),
    )


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


def _settled(
    codec: Extension,
    data_type: DataType,
    zarray: Mapping[str, Json],
    zattrs: Mapping[str, Json] | None,
) -> Extension:
    """Say of ``shuffle`` how long elements are, where its document leaves it to the reader.

    Without a number it is 4 to numcodecs, while in v3 it is the length of the array's elements.
    0 is that length to netCDF, and to numcodecs that nothing was shuffled: who wrote it decides.
    """
    if codec.name != f"{NUMCODECS}shuffle":
        return codec
    size, itemsize = codec.configuration.get("elementsize"), data_type.dtype.itemsize
    if size is None:
        size = _DEFAULT_SHUFFLE
    elif is_integer(size) and size == 0 and itemsize > 1:
        if data_type.dtype.kind not in "iuf" or not _is_of_netcdf(zarray, zattrs):
            reason = (
                "can be 0 for bytes alone: netCDF shuffles elements then, numcodecs nothing; write "
                f"{itemsize} or 1 into .zarray"
            )
            raise MetadataError(reason, field=f"codecs.{codec.name}.elementsize")
        size = itemsize
    return replace(codec, configuration={**codec.configuration, "elementsize": size})


def _is_of_netcdf(zarray: Mapping[str, Json], zattrs: Mapping[str, Json] | None) -> bool:
    return not _NETCDF_MARKS.isdisjoint(zarray) or not _NETCDF_MARKS.isdisjoint(zattrs or ())


def _parse_codec(value: Json, field: str) -> Extension:
    members = expect_object(value, field)
    codec_id = expect_string(take(members, "id", field), dotted(field, "id"))
    return Extension(name=f"{NUMCODECS}{codec_id}", configuration=without(members, ("id",)))


def _bytes_codec(byte_order: ByteOrder | None) -> Extension:
    return Extension(name="bytes", configuration={"endian": byte_order} if byte_order else {})


def _dimension_names(attributes: Mapping[str, Json], ndim: int) -> tuple[str, ...] | None:
    names = attributes.get(DIMENSIONS_ATTRIBUTE)
    if isinstance(names, list) and len(names) == ndim and all(isinstance(n, str) for n in names):
        return tuple(names)
    return None


def serialise_array(metadata: ArrayMetadata) -> tuple[dict[str, Json], dict[str, Json] | None]:
    """Return ``.zarray`` of an array, its members in the specification's order, and ``.zattrs``.

    The names of dimensions are the attribute that xarray has for them. What the model cannot
    tell, whether a last filter is the compressor, is decided by its id: what only rearranges or
    checks is a filter.

    Raises
    ------
    UnsupportedError
        If it is no array of v2; `field` is a member of the model. What v3 metadata can become
        one, `zarrfs.format.conversion.array_to_v2` tells.
    """
    codecs = list(metadata.codecs)
    order = "C"
    if codecs and codecs[0].name == "transpose":
        order = _serialise_order(codecs.pop(0), metadata.ndim)
    byte_order = None
    if not metadata.dtype.hasobject:
        byte_order = _serialise_byte_order(codecs.pop(0) if codecs else None, metadata)
    steps = [_serialise_codec(codec) for codec in codecs]
    compressor = steps.pop() if steps and steps[-1]["id"] not in _FILTERS else None
    chunk_shape, keys = metadata.chunk_grid.chunk_shape, metadata.chunk_key_encoding
    if chunk_shape is None:
        raise UnsupportedError("Zarr v2 has chunks of one shape only", field="chunk_grid")
    if not isinstance(keys, SeparatedKeys) or keys.name != "v2":
        reason = f"Zarr v2 has chunk keys of encoding 'v2' only, not {keys.name!r}"
        raise UnsupportedError(reason, field="chunk_key_encoding")
    zarray = {
        "zarr_format": 2,
        "shape": list(metadata.shape),
        "chunks": list(chunk_shape),
        "dtype": serialise_v2_dtype(metadata.data_type, byte_order),
        "compressor": compressor,
        "fill_value": serialise_v2_fill_value(metadata.fill_value, metadata.data_type),
        "order": order,
        "filters": steps or None,
        "dimension_separator": keys.separator,
        **metadata.extra,
    }
    return zarray, with_dimension_names(metadata) or None


def serialise_group(metadata: GroupMetadata) -> tuple[dict[str, Json], dict[str, Json] | None]:
    """Return ``.zgroup`` of a group, and ``.zattrs``."""
    return {"zarr_format": 2, **metadata.extra}, dict(metadata.attributes) or None


def with_dimension_names(metadata: ArrayMetadata) -> dict[str, Json]:
    """Return an array's attributes with the names of its dimensions among them, if it has some.

    Raises
    ------
    UnsupportedError
        If a dimension has no name where others have: xarray's attribute has no room for that.
    """
    attributes = dict(metadata.attributes)
    if metadata.dimension_names is not None:
        if None in metadata.dimension_names:
            reason = "Zarr v2 holds a name for each dimension, or none"
            raise UnsupportedError(reason, field="dimension_names")
        attributes[DIMENSIONS_ATTRIBUTE] = list(metadata.dimension_names)
    return attributes


def _serialise_order(transpose: Extension, ndim: int) -> str:
    if transpose.configuration != {"order": list(reversed(range(ndim)))}:
        reason = f"Zarr v2 has all dimensions reversed, not {show(transpose.configuration)}"
        raise UnsupportedError(reason, field="codecs")
    return "F"


def _serialise_byte_order(codec: Extension | None, metadata: ArrayMetadata) -> ByteOrder | None:
    if codec is None or codec.name != "bytes":
        found = "none" if codec is None else show(codec.name)
        reason = f"Zarr v2 makes bytes of elements by the codec 'bytes', not {found}"
        raise UnsupportedError(reason, field="codecs")
    byte_order: ByteOrder | None = codec.configuration.get("endian")
    if (byte_order is not None) != _has_byte_order(metadata.data_type):
        reason = f"must say its byte order as {metadata.data_type.name!r} has one, or not"
        raise UnsupportedError(f"the codec 'bytes' {reason}", field="codecs")
    return byte_order


def _has_byte_order(data_type: DataType) -> bool:
    """Whether the type string says one; fields of a record say their own."""
    return data_type.name != "struct" and not carrier(data_type.dtype).str.startswith("|")


def _serialise_codec(codec: Extension) -> dict[str, Json]:
    if not codec.name.startswith(NUMCODECS):
        reason = f"Zarr v2 has no codec {show(codec.name)} here"
        raise UnsupportedError(reason, field="codecs")
    if "id" in codec.configuration:
        reason = f"Zarr v2 names codecs by 'id', so {codec.name!r} can have no setting of that name"
        raise UnsupportedError(reason, field="codecs")
    return {"id": codec.name.removeprefix(NUMCODECS), **codec.configuration}
