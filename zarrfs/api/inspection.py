"""What a node is, in words and numbers: the source of ``zarrfs info``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zarrfs.api.opening import find_node
from zarrfs.api.process_engine import process_engine
from zarrfs.arrays.hierarchy import ArrayNode, BrokenNode, GroupNode, stored_sizes
from zarrfs.errors import MetadataError, ViewError
from zarrfs.format.chunk_grids import chunk_shapes
from zarrfs.format.chunk_keys import serialise_chunk_key_encoding
from zarrfs.vfs.shown_arrays import ShownArrays
from zarrfs.views.registry import FORMATS
from zarrfs.views.values import json_value

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from zarrfs.arrays.hierarchy import Hierarchy, Node
    from zarrfs.format.documents import Json


def node_info(
    url: str | os.PathLike[str], *, storage_options: Mapping[str, str] | None = None
) -> dict[str, Json]:
    """Tell what the node at a URL is, as values that JSON has.

    Returns
    -------
    dict
        Of every node the ``url`` of its store, its ``path`` and ``kind`` (``array``, ``group``,
        ``directory`` or ``unreadable``). Of an array its metadata; ``n_objects``, the chunks or
        shards that it has room for, and how many are stored; its bytes, decoded and stored; and
        ``views``: for each file format ``None``, or why it cannot show the array. Of a group its
        ``children``; of an unreadable node the ``error``.

    Raises
    ------
    NodeNotFoundError
        If there is no Zarr node.
    StoreError
        If the store cannot be read.
    """
    hierarchy, node = find_node(url, storage_options, allow_empty=True)
    info: dict[str, Json] = {
        "url": hierarchy.store.url,
        "path": f"/{node.path}",
        "kind": _kind(node),
    }
    if isinstance(node, BrokenNode):
        info["error"] = str(node.error)
        info["views"] = dict.fromkeys(FORMATS, info["error"])
    elif isinstance(node, ArrayNode):
        info.update(_array_info(hierarchy, node))
    else:
        if isinstance(node, GroupNode):
            info["zarr_format"] = node.metadata.zarr_format
            info["attributes"] = json_value(node.metadata.attributes)
        info["children"] = {child.name: _kind(child) for child in hierarchy.children(node.path)}
    return info


def _kind(node: Node) -> str:
    names = {"ArrayNode": "array", "GroupNode": "group", "PrefixNode": "directory"}
    return names.get(type(node).__name__, "unreadable")


def _array_info(hierarchy: Hierarchy, node: ArrayNode) -> dict[str, Json]:
    metadata = node.metadata
    stored = list(stored_sizes(hierarchy.store, node))
    chunk_shape: Sequence[Json] = chunk_shapes(metadata.chunk_grid)
    shard_shape: Sequence[Json] | None = None
    arrays = ShownArrays(hierarchy.store, process_engine(), "little", check_after=0)
    views: dict[str, str | None] = {}
    for name, view in FORMATS.items():
        try:
            process_engine().source(hierarchy.store, node)  # says if nobody can read it
            array = arrays.get(node).description
            chunk_shape, shard_shape = array.chunk_shape, array.shard_shape
            view.files[0].lay_out(array)
        except (ViewError, MetadataError) as error:
            views[name] = str(error)
        else:
            views[name] = None
    return {
        "zarr_format": metadata.zarr_format,
        "shape": list(metadata.shape),
        "data_type": metadata.data_type.name,
        "dtype": str(metadata.dtype),
        "chunk_shape": list(chunk_shape),
        "shard_shape": shard_shape and list(shard_shape),
        "chunk_key_encoding": serialise_chunk_key_encoding(metadata.chunk_key_encoding),
        "codecs": [
            {"name": codec.name, "configuration": json_value(codec.configuration)}
            for codec in metadata.codecs
        ],
        "fill_value": json_value(metadata.fill_value),
        "dimension_names": json_value(metadata.dimension_names),
        "attributes": json_value(metadata.attributes),
        "n_objects": metadata.chunk_grid.n_chunks,
        "n_objects_stored": len(stored),
        # What an element without fixed size takes is known only when it is decoded.
        "nbytes": None if metadata.dtype.hasobject else metadata.size * metadata.dtype.itemsize,
        "nbytes_stored": sum(stored),
        "views": views,
    }
