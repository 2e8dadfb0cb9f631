"""Nodes of a store -> changed: deleted, or their documents rewritten.

No array data are written here, but deleting a node deletes its chunks. Each document is replaced
whole; when nodes are deleted, documents go before chunks, so that what is left after a fault is
never an array with chunks missing.

Rewriting reads a document and stores it changed: of two processes that do so at once the last one
wins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zarrfs.arrays.claims import require_unclaimed
from zarrfs.arrays.consolidation import drop_consolidated
from zarrfs.arrays.node_reading import StoredDocuments, parse_node, read_documents
from zarrfs.arrays.nodes import ArrayNode, BrokenNode, GroupNode
from zarrfs.errors import MetadataError, NodeNotFoundError, NodeTypeError
from zarrfs.format.documents import dump_json
from zarrfs.format.node_documents import Documents, is_array, with_attributes, with_shape
from zarrfs.format.node_keys import DOCUMENTS, ancestors, key_prefix, metadata_key, node_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zarrfs.arrays.hierarchy import Hierarchy
    from zarrfs.format.chunk_grids import ChunkGrid
    from zarrfs.format.documents import Json
    from zarrfs.stores.base import Store


def delete_node(hierarchy: Hierarchy, path: str) -> None:
    """Delete a node, all nodes below it and all their chunks.

    Raises
    ------
    NodeNotFoundError
        If there is none. The root of a store is one only if it is an array or group.
    NodeExistsError
        If a process is about to create an array below it.
    StoreError
        If the store fails.
    """
    store = hierarchy.store
    if not (documents_at(store, path) if not path else has_keys(store, path)):
        raise NodeNotFoundError(path or "/")
    drop_consolidated(store, _groups_above(store, path))
    delete_keys(store, path)
    hierarchy.forget()


def write_attributes(
    hierarchy: Hierarchy, path: str, attributes: Mapping[str, Json]
) -> ArrayNode | GroupNode:
    """Replace the attributes of a node; all else in its documents stays as it is.

    Returns
    -------
    ArrayNode or GroupNode
        The node as it is now.

    Raises
    ------
    NodeNotFoundError
        If there is no array or group at `path`.
    MetadataError
        If the attributes cannot be written as JSON, or the node's documents not be understood.
    StoreError
        If the store fails.
    """
    before = _expect_documents(hierarchy.store, path)
    return _rewrite(hierarchy, path, before, with_attributes(before, attributes))


def write_shape(hierarchy: Hierarchy, path: str, grid: ChunkGrid) -> ArrayNode:
    """Give an array the shape of a grid; its chunks stay as they are.

    Raises
    ------
    NodeNotFoundError
        If there is no array at `path`.
    MetadataError
        If the array's documents cannot be understood.
    StoreError
        If the store fails.
    """
    before = _expect_documents(hierarchy.store, path)
    if not is_array(before):
        raise NodeTypeError(f"{path or '/'} is a group, not an array")
    node = _rewrite(hierarchy, path, before, with_shape(before, grid))
    assert isinstance(node, ArrayNode)
    return node


def _rewrite(
    hierarchy: Hierarchy, path: str, before: Documents, documents: Documents
) -> ArrayNode | GroupNode:
    """Store those documents of a node that are changed."""
    data = dumped(documents)
    node = new_node(path, documents, data)
    # A v2 group's consolidated metadata hold its own documents too.
    drop_consolidated(hierarchy.store, _groups_above(hierarchy.store, path), itself=path)
    for name, members in documents.items():
        if members is not before.get(name):
            hierarchy.store.set(metadata_key(path, name), data[name])
    hierarchy.forget()
    return node


def _groups_above(store: Store, path: str) -> dict[str, Documents]:
    """Documents of the groups above a node, but for those that are malformed."""
    groups = {}
    for above in ancestors(path):
        try:
            found = read_documents(store, above)
        except MetadataError:
            continue
        if found is not None:
            groups[above] = found.members
    return groups


def _expect_documents(store: Store, path: str) -> Documents:
    stored = read_documents(store, path)
    if stored is None:
        raise NodeNotFoundError(path or "/")
    return stored.members


# --- for creating too --------------------------------------------------------------------------


def dumped(documents: Documents) -> dict[str, bytes]:
    """Write documents as JSON."""
    return {name: dump_json(members) for name, members in documents.items()}


def new_node(path: str, documents: Documents, data: Mapping[str, bytes]) -> ArrayNode | GroupNode:
    """Return the node that documents make, so that nothing is stored that cannot be read."""
    stored = StoredDocuments(members=documents, data=b"".join(data.values()))
    node = parse_node(path, stored, 0)
    if isinstance(node, BrokenNode):
        raise node.error
    return node


def documents_at(store: Store, path: str) -> bool:
    """Whether metadata documents are at a path, malformed ones included."""
    try:
        return read_documents(store, path) is not None
    except MetadataError:
        return True


def has_keys(store: Store, path: str) -> bool:
    """Whether anything lies below a path."""
    return next(iter(store.list_prefix(key_prefix(path))), None) is not None


def delete_keys(store: Store, path: str, *, but_for: str | None = None) -> None:
    """Delete all below a path, but for one's own claim; nothing if others are at work there."""
    require_unclaimed(store, path, but_for=but_for)
    for name in DOCUMENTS:
        store.delete(metadata_key(path, name))
    for key in store.list_prefix(key_prefix(path)):
        if node_name(key) in DOCUMENTS:
            store.delete(key)
    for key in store.list_prefix(key_prefix(path)):
        if key != but_for:
            store.delete(key)
