"""Metadata of small nodes, and what of them a store holds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from zarrfs.format.metadata import ArrayMetadata, GroupMetadata
from zarrfs.format.node_documents import parse_documents

if TYPE_CHECKING:
    from zarrfs.format.metadata import ZarrFormat
    from zarrfs.stores.base import Store


DOCUMENT_V2: dict[str, Any] = {
    "zarr_format": 2,
    "shape": [6],
    "chunks": [3],
    "dtype": "<u2",
    "order": "C",
    "fill_value": 7,
}


def metadata(zarr_format: ZarrFormat = 3, **attributes: object) -> ArrayMetadata:
    if zarr_format == 3:
        documents: dict[str, dict[str, Any]] = {
            "zarr.json": {
                "zarr_format": 3,
                "node_type": "array",
                "shape": [6],
                "data_type": "uint16",
                "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [3]}},
                "chunk_key_encoding": {"name": "default"},
                "fill_value": 7,
                "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}],
                "attributes": attributes,
            }
        }
    else:
        documents = {".zarray": DOCUMENT_V2, ".zattrs": attributes}
    parsed = parse_documents(documents)
    assert isinstance(parsed, ArrayMetadata)
    return parsed


def group(zarr_format: ZarrFormat = 3, **attributes: object) -> GroupMetadata:
    return GroupMetadata(zarr_format=zarr_format, attributes=attributes)


def members(store: Store, key: str) -> Any:
    return json.loads(bytes(store.get(key)))


def keys(store: Store) -> list[str]:
    return list(store.list_prefix(""))
