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

    from zarrfs.format.dtypes import DataType

_CONSOLIDATED = "consolidated_metadata"
_GROUP_MEMBERS = ("zarr_format", "node_type", "attributes")
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
    extra = _parse_extra(document, _GROUP_MEMBERS)
    return GroupMetadata(zarr_format=3, attributes=_parse_attributes(document), extra=extra)


def _parse_array(document: Mapping[str, Json]) -> ArrayMetadata:
    extra = _parse_extra(document, _ARRAY_MEMBERS)
    _check_storage_transformers(document.get("storage_transformers"))
    shape = parse_shape(take(document, "shape"))
    data_type = parse_v3_dtype(take(document, "data_type"))
    grid = parse_essential_extension(take(document, "chunk_grid"), "chunk_grid")
    keys = parse_essential_extension(take(document, "chunk_key_encoding"), "chunk_key_encoding")
    codecs = parse_extensions(take(document, "codecs"), "codecs")
    if not codecs:
        raise MetadataError("must have a codec that turns arrays into bytes", field="codecs")
    bytes_codec = _find_bytes_codec(codecs)
    _check_byte_order(bytes_codec, data_type)
    is_big = bytes_codec is not None and bytes_codec.configuration.get("endian") == "big"
    return ArrayMetadata(
        zarr_format=3,
        data_type=data_type,
        chunk_grid=parse_chunk_grid(grid, shape, "chunk_grid"),
        chunk_key_encoding=parse_chunk_key_encoding(keys, len(shape), "chunk_key_encoding"),
        fill_value=parse_v3_fill_value(
            take(document, "fill_value"), data_type, byte_order="big" if is_big else "little"
        ),
        codecs=codecs,
        attributes=_parse_attributes(document),
        dimension_names=_parse_dimension_names(document.get("dimension_names"), len(shape)),
        extra=extra,
    )


def _parse_extra(document: Mapping[str, Json], known: tuple[str, ...]) -> dict[str, Json]:
    """Return the members that are unknown and may be ignored.

    Consolidated metadata lacks the name that an extension must have ("Additional fields"), and
    writers leave ``null`` in its place. Of the one kind that there is it is read elsewhere.
    """
    consolidated = document.get(_CONSOLIDATED)
    is_inline = isinstance(consolidated, dict) and consolidated.get("kind") == "inline"
    is_known = consolidated is None or is_inline
    return refuse_unknown(document, (*known, _CONSOLIDATED) if is_known else known)


def _check_storage_transformers(value: Json) -> None:
    """Refuse storage transformers, but for those that say they may be left out."""
    transformers = () if value is None else parse_extensions(value, "storage_transformers")
    for transformer in transformers:
        if transformer.must_understand:
            reason = f"zarrfs has no storage transformers, such as {show(transformer.name)}"
            raise UnsupportedError(reason, field="storage_transformers")


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


def _find_bytes_codec(codecs: tuple[Extension, ...]) -> Extension | None:
    """Return the codec ``bytes``, inside shards too; ``None`` where another makes the bytes."""
    path = "codecs"
    while True:
        inner: Json = None
        for i, codec in enumerate(codecs):
            if codec.name in ("bytes", "endian"):
                return codec
            if codec.name == "sharding_indexed" and "codecs" in codec.configuration:
                path = f"{path}[{i}].configuration.codecs"
                inner = codec.configuration["codecs"]
        if inner is None:
            return None
        codecs = parse_extensions(inner, path)


def _check_byte_order(bytes_codec: Extension | None, data_type: DataType) -> None:
    """Refuse complex numbers whose byte order nobody tells, where NumPy has them as records.

    The codec sees to it for types that NumPy has. To it these are records, which may leave it out:
    those of early writers are little-endian (registry, ``structured``).
    """
    is_told = bytes_codec is None or bytes_codec.configuration.get("endian") is not None
    if not is_told and data_type.name.startswith("complex_") and data_type.dtype.itemsize > 2:
        reason = f"is missing, and numbers of {data_type.name} have more than one byte"
        raise MetadataError(reason, field="codecs.bytes.endian")


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
