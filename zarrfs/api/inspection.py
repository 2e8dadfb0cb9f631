"""What a node is, in words and numbers: the source of ``zarrfs info``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zarrfs.api.opening import open_hierarchy, process_engine
from zarrfs.arrays.hierarchy import ArrayNode, BrokenNode, GroupNode, stored_sizes
from zarrfs.errors import MetadataError, NodeNotFoundError, ViewError
from zarrfs.stores.urls import redact
from zarrfs.vfs.shown_arrays import ShownArrays
from zarrfs.views.registry import FORMATS
from zarrfs.views.values import json_value

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from zarrfs.arrays.hierarchy import Hierarchy, Node
    from zarrfs.format.documents import Json
    from zarrfs.format.extensions import Extension


def node_info(
    url: str | os.PathLike[str], *, storage_options: Mapping[str, str] | None = None
) -> dict[str, Json]:
    """Tell what the node at a URL is, as values that JSON has.

    Returns
    -------
    dict
        Of every node ``url``, ``kind`` (``array``, ``group``, ``directory`` or ``unreadable``) and
        ``views``: for each file format ``None``, or why it cannot show the node. Of an array also
        its metadata, ``n_chunks``, ``n_objects_stored``, ``nbytes`` and ``nbytes_stored``; of a
        group its children; of an unreadable node the ``error``.

    Raises
    ------
    NodeNotFoundError
        If there is no Zarr node.
    StoreError
        If the store cannot be read.
    """
    hierarchy, path = open_hierarchy(url, storage_options)
    try:
        node = hierarchy.node(path)
    except NodeNotFoundError:
        raise NodeNotFoundError(redact(str(url))) from None
    info: dict[str, Json] = {"url": hierarchy.store.url, "path": f"/{path}", "kind": _kind(node)}
    if isinstance(node, BrokenNode):
        info["error"] = str(node.error)
    elif isinstance(node, ArrayNode):
        info.update(_array_info(hierarchy, node))
    else:
        if isinstance(node, GroupNode):
            info["zarr_format"] = node.metadata.zarr_format
            info["attributes"] = json_value(node.metadata.attributes)
        info["children"] = {child.name: _kind(child) for child in hierarchy.children(path)}
    if isinstance(node, ArrayNode | BrokenNode):
        info["views"] = {name: _why_missing(hierarchy, node, name) for name in FORMATS}
    return info


def _kind(node: Node) -> str:
    names = {"ArrayNode": "array", "GroupNode": "group", "PrefixNode": "directory"}
    return names.get(type(node).__name__, "unreadable")


def _array_info(hierarchy: Hierarchy, node: ArrayNode) -> dict[str, Json]:
    metadata = node.metadata
    grid, encoding = metadata.chunk_grid, metadata.chunk_key_encoding
    stored = list(stored_sizes(hierarchy.store, node))
    return {
        "zarr_format": metadata.zarr_format,
        "shape": list(metadata.shape),
        "data_type": metadata.data_type.name,
        "dtype": str(metadata.dtype),
        "chunk_grid": [axis.chunk_length for axis in grid.axes],
        "chunk_key_encoding": {"name": encoding.name, "separator": encoding.separator},
        "codecs": [_codec(codec) for codec in metadata.codecs],
        "fill_value": json_value(metadata.fill_value),
        "dimension_names": json_value(metadata.dimension_names),
        "attributes": json_value(metadata.attributes),
        "n_chunks": grid.n_chunks,
        "n_objects_stored": len(stored),
        "nbytes": metadata.size * metadata.dtype.itemsize,
        "nbytes_stored": sum(stored),
    }


def _codec(codec: Extension) -> Json:
    return {"name": codec.name, "configuration": json_value(codec.configuration)}


def _why_missing(hierarchy: Hierarchy, node: ArrayNode | BrokenNode, name: str) -> str | None:
    if isinstance(node, BrokenNode):
        return str(node.error)
    arrays = ShownArrays(hierarchy.store, process_engine(), "little", check_after=0)
    try:
        FORMATS[name].files[0].lay_out(arrays.get(node).description)
    except (ViewError, MetadataError) as error:
        return str(error)
    return None
