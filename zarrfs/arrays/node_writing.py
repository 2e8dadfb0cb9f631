"""Nodes -> a store: arrays and groups created, deleted, their documents rewritten.

No array data are written here, but deleting a node deletes its chunks. Each document is replaced
whole; groups come before what lies in them, and when nodes are deleted, documents go before
chunks, so that what is left after a fault is never an array with chunks missing.

Rewriting reads a document and stores it changed: of two processes that do so at once the last one
wins. Creating is safe where the store can test and set: one of two wins, the other is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zarrfs.arrays.consolidation import drop_consolidated
from zarrfs.arrays.node_reading import StoredDocuments, parse_node, read_documents
from zarrfs.arrays.nodes import ArrayNode, BrokenNode, GroupNode
from zarrfs.errors import (
    MetadataError,
    NodeExistsError,
    NodeNameError,
    NodeNotFoundError,
    NodeTypeError,
)
from zarrfs.format.documents import dump_json
from zarrfs.format.metadata import GroupMetadata
from zarrfs.format.node_documents import (
    Documents,
    is_array,
    main_document,
    serialise_documents,
    with_attributes,
    with_shape,
    zarr_format_of,
)
from zarrfs.format.node_keys import (
    DOCUMENTS,
    ancestors,
    key_prefix,
    metadata_key,
    node_name,
    node_name_fault,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zarrfs.arrays.hierarchy import Hierarchy
    from zarrfs.format.chunk_grids import ChunkGrid
    from zarrfs.format.documents import Json
    from zarrfs.format.metadata import ArrayMetadata, ZarrFormat
    from zarrfs.stores.base import Store


def create_array(
    hierarchy: Hierarchy, path: str, metadata: ArrayMetadata, *, overwrite: bool = False
) -> ArrayNode:
    """Create an array; missing groups above it are created too, in its format.

    Parameters
    ----------
    hierarchy
        Where.
    path
        Its node path, ``""`` for the root.
    metadata
        What to create.
    overwrite
        Deletes what is at `path` first, all nodes and chunks below it included.

    Raises
    ------
    NodeExistsError
        If there is a node already, or other keys, and `overwrite` is not given. A plain directory
        at the root of a store is never deleted.
    NodeNameError
        If a part of the path is no name for a node.
    NodeTypeError
        If an array, or a group of the other format, lies above it.
    MetadataError
        If the metadata cannot be written, or a document above cannot be read.
    StoreError
        If the store fails; ``ReadOnlyError`` if it cannot be written.
    """
    node = _create(hierarchy, path, serialise_documents(metadata), overwrite=overwrite)
    assert isinstance(node, ArrayNode)
    return node


def create_group(
    hierarchy: Hierarchy, path: str, metadata: GroupMetadata, *, overwrite: bool = False
) -> GroupNode:
    """Create a group; see `create_array`. A plain directory becomes one, and keeps what is in it.

    Raises
    ------
    NodeExistsError, NodeNameError, NodeTypeError, MetadataError, StoreError
        As `create_array`.
    """
    node = _create(hierarchy, path, serialise_documents(metadata), overwrite=overwrite)
    assert isinstance(node, GroupNode)
    return node


def delete_node(hierarchy: Hierarchy, path: str) -> None:
    """Delete a node, all nodes below it and all their chunks.

    Raises
    ------
    NodeNotFoundError
        If there is none. The root of a store is one only if it is an array or group.
    StoreError
        If the store fails.
    """
    store = hierarchy.store
    if not (_documents_at(store, path) if not path else _has_keys(store, path)):
        raise NodeNotFoundError(path or "/")
    drop_consolidated(store, ancestors(path))
    _delete_keys(store, path)
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


# --- creating ---------------------------------------------------------------------------------


def _new_node(path: str, documents: Documents) -> ArrayNode | GroupNode:
    """Return the node that documents make, so that nothing is stored that cannot be read."""
    data = b"".join(map(dump_json, documents.values()))
    node = parse_node(path, StoredDocuments(members=documents, data=data), 0)
    if isinstance(node, BrokenNode):
        raise node.error
    return node


def _create(
    hierarchy: Hierarchy, path: str, documents: Documents, *, overwrite: bool
) -> ArrayNode | GroupNode:
    node = _new_node(path, documents)
    store, zarr_format = hierarchy.store, zarr_format_of(documents)
    for name in path.split("/") if path else ():
        fault = node_name_fault(name, zarr_format)
        if fault is not None:
            raise NodeNameError(f"no node can be created at {path!r}: {fault}")
    missing = [above for above in ancestors(path) if not _is_group(store, above, path, zarr_format)]
    is_taken = _has_keys(store, path)
    if is_taken:
        _check_free(store, path, wants_array=is_array(documents), overwrite=overwrite)
    drop_consolidated(store, ancestors(path))
    if is_taken and overwrite:
        _delete_keys(store, path)
    group = GroupMetadata(zarr_format=zarr_format, attributes={})
    for above in missing:
        if not _store_new(store, above, serialise_documents(group)):
            _is_group(store, above, path, zarr_format)  # another process was faster
    if not _store_new(store, path, documents):
        raise _taken(path)
    hierarchy.forget()
    return node


def _is_group(store: Store, above: str, path: str, zarr_format: ZarrFormat) -> bool:
    """Whether a group is above a node that is to be created, and not only a plain directory."""
    stored = read_documents(store, above)
    if stored is None:
        return False
    if is_array(stored.members):
        reason = f"{above or '/'!r} is an array, and nodes lie in groups"
        raise NodeTypeError(f"no node can be created at {path!r}: {reason}")
    found = zarr_format_of(stored.members)
    if found != zarr_format:
        reason = f"{above or '/'!r} is a group of Zarr v{found}, and no place for one of"
        raise NodeTypeError(
            f"no node can be created at {path!r}: {reason} v{zarr_format} (zarr_format={found})"
        )
    return True


def _check_free(store: Store, path: str, *, wants_array: bool, overwrite: bool) -> None:
    """Refuse to create a node where keys are, unless they may be deleted or can stay."""
    has_documents = _documents_at(store, path)
    if overwrite and (has_documents or path):
        return
    if has_documents:
        raise _taken(path)
    if wants_array or overwrite:
        reason = "there are keys that belong to no node; delete them, or choose another place"
        raise NodeExistsError(f"no array can be created at {path or '/'!r}: {reason}")


def _taken(path: str) -> NodeExistsError:
    return NodeExistsError(f"there is an array or group at {path or '/'!r}; overwrite replaces it")


def _store_new(store: Store, path: str, documents: Documents) -> bool:
    """Store the documents of a node; whether no other process was faster, if that can be told."""
    main = main_document(documents)
    key, data = metadata_key(path, main), dump_json(documents[main])
    if not store.capabilities.conditional:
        store.set(key, data)
    elif not store.set_new(key, data):
        return False
    for name, members in documents.items():
        if name != main:
            store.set(metadata_key(path, name), dump_json(members))
    return True


# --- rewriting, deleting ------------------------------------------------------------------------


def _rewrite(
    hierarchy: Hierarchy, path: str, before: Documents, documents: Documents
) -> ArrayNode | GroupNode:
    """Store those documents of a node that are changed."""
    node = _new_node(path, documents)
    # A v2 group's consolidated metadata hold its own documents too.
    drop_consolidated(hierarchy.store, ancestors(path), itself=path)
    for name, members in documents.items():
        if members is not before.get(name):
            hierarchy.store.set(metadata_key(path, name), dump_json(members))
    hierarchy.forget()
    return node


def _expect_documents(store: Store, path: str) -> Documents:
    stored = read_documents(store, path)
    if stored is None:
        raise NodeNotFoundError(path or "/")
    return stored.members


def _documents_at(store: Store, path: str) -> bool:
    """Whether metadata documents are at a path, malformed ones included."""
    try:
        return read_documents(store, path) is not None
    except MetadataError:
        return True


def _has_keys(store: Store, path: str) -> bool:
    return next(iter(store.list_prefix(key_prefix(path))), None) is not None


def _delete_keys(store: Store, path: str) -> None:
    for name in DOCUMENTS:
        store.delete(metadata_key(path, name))
    for key in store.list_prefix(key_prefix(path)):
        if node_name(key) in DOCUMENTS:
            store.delete(key)
    for key in store.list_prefix(key_prefix(path)):
        store.delete(key)
