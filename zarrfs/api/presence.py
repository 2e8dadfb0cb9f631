"""Whether an array that was opened is still the one in the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from zarrfs.arrays.node_reading import read_node
from zarrfs.arrays.nodes import ArrayNode, BrokenNode
from zarrfs.errors import KeyNotFoundError, NodeNotFoundError, NodeTypeError
from zarrfs.format.node_keys import V2_ARRAY, V3_DOCUMENT, metadata_key

if TYPE_CHECKING:
    from zarrfs.stores.base import Store


def present_array(store: Store, path: str) -> ArrayNode:
    """Return an array that was opened, as it is in the store now.

    Raises
    ------
    NodeNotFoundError
        If it is no more.
    MetadataError, StoreError
        If it cannot be read.
    """
    node = read_node(store, path)
    if isinstance(node, BrokenNode):
        raise node.error
    if not isinstance(node, ArrayNode):
        raise NodeNotFoundError(path or "/", "the array was deleted since it was opened")
    return node


class Presence:
    """Looks after one array. Only where the store can tell without a request."""

    def __init__(self, store: Store, node: ArrayNode) -> None:
        self._store = store
        self._path = node.path
        is_v3 = node.metadata.zarr_format == 3
        self._document = metadata_key(node.path, V3_DOCUMENT if is_v3 else V2_ARRAY)
        self._version: str | None = None
        """Of the document, when it last told of this array."""

    def check(self, node: ArrayNode) -> None:
        """Compare with the array as it was opened; shape and attributes may have changed.

        Its chunks would read as fill value if it was deleted, as anything if it was replaced.

        Raises
        ------
        NodeNotFoundError
            If it was deleted.
        NodeTypeError
            If another one has taken its place.
        MetadataError, StoreError
            If it cannot be read.
        """
        if not self._store.capabilities.cheap_stat:
            return
        try:
            version = self._store.stat(self._document).version
        except KeyNotFoundError:
            version = None
        if version is not None and version == self._version:
            return
        if _layout(present_array(self._store, self._path)) != _layout(node):
            what = f"the array {self._path or '/'!r} was replaced by another one"
            raise NodeTypeError(f"{what} since it was opened; open it again")
        self._version = version


def _layout(node: ArrayNode) -> tuple[object, ...]:
    """Return what chunks depend on, but for the shape of the array."""
    metadata = node.metadata
    # Key encodings of others need not be equal, nor is NaN to itself; NumPy cannot print times
    # without a unit.
    key = metadata.chunk_key_encoding.encode(tuple(range(1, metadata.ndim + 1)))
    fill_value = metadata.fill_value
    fill = fill_value.tobytes() if isinstance(fill_value, np.generic) else repr(fill_value)
    return metadata.data_type, metadata.chunk_grid.chunk_shape, key, fill, metadata.codecs
