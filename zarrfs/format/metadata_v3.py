"""``zarr.json`` <-> the model. Law: ``parse(serialise(m)) == m``.

Spec: Zarr v3 core, "Metadata".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zarrfs.errors import MetadataError, UnsupportedError
from zarrfs.format.chunk_grids import parse_chunk_grid, parse_shape, serialise_chunk_grid
from zarrfs.format.chunk_keys import parse_chunk_key_encoding, serialise_chunk_key_encoding
from zarrfs.format.documents import (
    Json,
    expect_list,
    expect_object,
    is_integer,
    refuse_unknown,
    show,
    take,
)
from zarrfs.format.dtypes_v3 import parse_v3_dtype, serialise_v3_dtype
from zarrfs.format.extensions import (
    Extension,
    parse_essential_extension,
    parse_extensions,
    serialise_extension,
)
from zarrfs.format.fill_values import parse_v3_fill_value, serialise_v3_fill_value
from zarrfs.format.metadata import ArrayMetadata, GroupMetadata

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zarrfs.format.dtypes import ByteOrder

# Consolidated metadata lacks the name that an extension must have ("Additional fields"), and
# writers leave ``null`` in its place: it is read elsewhere, or not at all.
_GROUP_MEMBERS = ("zarr_format", "node_type", "attributes", "consolidated_metadata")
_ARRAY_MEMBERS = (
    *_GROUP_MEMBERS,
    "shape",
    "data_type",
    "chunk_grid",
    "chunk_key_encoding",
    "fill_value",
    "codecs",
    "storage_transformers",
    "dimension_names",
)


def parse_node(document: Mapping[str, Json]) -> ArrayMetadata | GroupMetadata:
    """Parse a v3 metadata document.

    Raises
    ------
    MetadataError
        If it is malformed; `field` names the member.
    UnsupportedError
        If it is valid, but needs an extension that zarrfs does not have. Codecs are not looked
        at here.
    """
    zarr_format = take(document, "zarr_format")
    if not is_integer(zarr_format) or zarr_format != 3:
        raise MetadataError(f"must be 3, not {show(zarr_format)}", field="zarr_format")
    node_type = take(document, "node_type")
    if node_type == "array":
        return _parse_array(document)
    if node_type == "group":
        return _parse_group(document)
    raise MetadataError(f'must be "array" or "group", not {show(node_type)}', field="node_type")


def _parse_group(document: Mapping[str, Json]) -> GroupMetadata:
    extra = refuse_unknown(document, _GROUP_MEMBERS)
    return GroupMetadata(zarr_format=3, attributes=_parse_attributes(document), extra=extra)


def _parse_array(document: Mapping[str, Json]) -> ArrayMetadata:
    extra = refuse_unknown(document, _ARRAY_MEMBERS)
    transformers = document.get("storage_transformers")
    if transformers is not None and expect_list(transformers, "storage_transformers"):
        reason = f"zarrfs has no storage transformers, such as {show(transformers[0])}"
        raise UnsupportedError(reason, field="storage_transformers")
    shape = parse_shape(take(document, "shape"))
    data_type = parse_v3_dtype(take(document, "data_type"))
    grid = parse_essential_extension(take(document, "chunk_grid"), "chunk_grid")
    keys = parse_essential_extension(take(document, "chunk_key_encoding"), "chunk_key_encoding")
    codecs = parse_extensions(take(document, "codecs"), "codecs")
    if not codecs:
        raise MetadataError("must have a codec that turns arrays into bytes", field="codecs")
    return ArrayMetadata(
        zarr_format=3,
        data_type=data_type,
        chunk_grid=parse_chunk_grid(grid, shape, "chunk_grid"),
        chunk_key_encoding=parse_chunk_key_encoding(keys, len(shape), "chunk_key_encoding"),
        fill_value=parse_v3_fill_value(
            take(document, "fill_value"), data_type, byte_order=_stored_byte_order(codecs)
        ),
        codecs=codecs,
        attributes=_parse_attributes(document),
        dimension_names=_parse_dimension_names(document.get("dimension_names"), len(shape)),
        extra=extra,
    )


def _parse_attributes(document: Mapping[str, Json]) -> Mapping[str, Json]:
    attributes = document.get("attributes")
    return {} if attributes is None else expect_object(attributes, "attributes")


def _parse_dimension_names(value: Json, ndim: int) -> tuple[str | None, ...] | None:
    """Parse names of dimensions, ``null`` where one has none. They need not be distinct."""
    if value is None:
        return None
    names = expect_list(value, "dimension_names")
    if len(names) != ndim or not all(name is None or isinstance(name, str) for name in names):
        reason = f"must be a list of {ndim} strings or nulls, not {show(value)}"
        raise MetadataError(reason, field="dimension_names")
    return tuple(names)


def _stored_byte_order(codecs: tuple[Extension, ...]) -> ByteOrder:
    """Byte order of the ``bytes`` codec, inside shards too; little-endian where none is given."""
    path = "codecs"
    while True:
        inner: Json = None
        for i, codec in enumerate(codecs):
            if codec.name in ("bytes", "endian") and codec.configuration.get("endian") == "big":
                return "big"
            if codec.name == "sharding_indexed" and "codecs" in codec.configuration:
                path = f"{path}[{i}].configuration.codecs"
                inner = codec.configuration["codecs"]
        if inner is None:
            return "little"
        codecs = parse_extensions(inner, path)


def serialise_node(metadata: ArrayMetadata | GroupMetadata) -> dict[str, Json]:
    """Return the v3 metadata document of a node, its members in the specification's order.

    Raises
    ------
    UnsupportedError
        If v3 has no such data type or fill value.
    """
    if isinstance(metadata, GroupMetadata):
        document: dict[str, Json] = {"zarr_format": 3, "node_type": "group"}
        return document | {"attributes": dict(metadata.attributes), **metadata.extra}
    document = {
        "zarr_format": 3,
        "node_type": "array",
        "shape": list(metadata.shape),
        "data_type": serialise_v3_dtype(metadata.data_type),
        "chunk_grid": serialise_chunk_grid(metadata.chunk_grid),
        "chunk_key_encoding": serialise_chunk_key_encoding(metadata.chunk_key_encoding),
        "fill_value": serialise_v3_fill_value(metadata.fill_value, metadata.data_type),
        "codecs": [serialise_extension(codec) for codec in metadata.codecs],
        "attributes": dict(metadata.attributes),
    }
    if metadata.dimension_names is not None:
        document["dimension_names"] = list(metadata.dimension_names)
    return {**document, **metadata.extra}
