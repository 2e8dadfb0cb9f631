"""Descriptions of arrays whose data types only Zarr v3 has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zarrfs.flat.element_order import flat_dtype
from zarrfs.format.metadata import ArrayMetadata
from zarrfs.format.metadata_v3 import parse_node
from zarrfs.views.description import ArrayDescription

if TYPE_CHECKING:
    from zarrfs.flat.element_order import Endian


def describe_v3(
    data_type: Any, fill_value: Any, shape: tuple[int, ...] = (2, 3), endian: Endian = "little"
) -> ArrayDescription:
    metadata = parse_node(
        {
            "zarr_format": 3,
            "node_type": "array",
            "shape": list(shape),
            "data_type": data_type,
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(shape)}},
            "chunk_key_encoding": {"name": "default"},
            "fill_value": fill_value,
            "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}],
        }
    )
    assert isinstance(metadata, ArrayMetadata)
    return ArrayDescription(
        metadata=metadata,
        dtype=flat_dtype(metadata, endian),
        chunk_shape=shape,
        shard_shape=None,
    )
