"""A node's own metadata documents in a store -> the node. Nothing is remembered."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from zarrfs.arrays.nodes import ArrayNode, BrokenNode, GroupNode
from zarrfs.errors import KeyNotFoundError, MetadataError
from zarrfs.format.documents import MAX_DOCUMENT_BYTES, expect_document_size, parse_json
from zarrfs.format.metadata import ArrayMetadata
from zarrfs.format.node_documents import Documents, parse_documents
from zarrfs.format.node_keys import (
    V2_ARRAY,
    V2_ATTRIBUTES,
    V2_GROUP,
    V3_DOCUMENT,
    join,
    key_prefix,
    metadata_key,
)

if TYPE_CHECKING:
    from zarrfs.stores.base import Store

# Listings to look through for nodes below a plain directory, before it is taken to have some.
MAX_LISTINGS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDocuments:
    """The documents of a node, as they are in the store."""

    members: Documents

    data: bytes
    """Their bytes, one behind the other."""

    mtime_ns: int | None = None
    """Last change of any, 0 if the store does not know; ``None`` if it was not asked."""


def read_documents(store: Store, path: str) -> StoredDocuments | None:
    """Read the documents of a node; ``None`` if none makes it a node.

    Documents of v3 go before those of v2.

    Raises
    ------
    MetadataError
        If one is not a JSON object; its `key` is the document's key.
    StoreError
        If the store cannot be read.
    """
    for name in (V3_DOCUMENT, V2_ARRAY, V2_GROUP):
        found = read_document(store, path, name)
        if found is None:
            continue
        attributes = None if name == V3_DOCUMENT else read_document(store, path, V2_ATTRIBUTES)
        return found if attributes is None else _together(found, attributes)
    return None


def read_document(store: Store, path: str, name: str) -> StoredDocuments | None:
    """Read one document, ``None`` if it is not there; its time where that costs next to nothing.

    Raises
    ------
    MetadataError
        If it is not a JSON object, or too large; its `key` is the document's.
    StoreError
        If the store cannot be read.
    """
    key = metadata_key(path, name)
    try:
        fetched, info = store.fetch(key, None, MAX_DOCUMENT_BYTES)
        if info is not None:
            expect_document_size(info.size)
        data = bytes(fetched or b"")
        mtime_ns = None if info is None else info.mtime_ns
        return StoredDocuments(members={name: parse_json(data)}, data=data, mtime_ns=mtime_ns)
    except KeyNotFoundError:
        return None
    except MetadataError as error:
        raise error.at(key) from error


def read_node(store: Store, path: str) -> ArrayNode | GroupNode | BrokenNode | None:
    """Return the node that the documents at a path tell of; ``None`` without any.

    Raises
    ------
    StoreError
        If the store cannot be read.
    """
    try:
        stored = read_documents(store, path)
    except MetadataError as error:
        return BrokenNode(path=path, error=error)
    return None if stored is None else stored_node(store, path, stored)


def stored_node(
    store: Store, path: str, stored: StoredDocuments
) -> ArrayNode | GroupNode | BrokenNode | None:
    """Return the node of documents that were read; ``None`` if they are gone since then."""
    node = parse_node(path, stored, stored.mtime_ns or 0)
    if not isinstance(node, ArrayNode) or stored.mtime_ns is not None:
        return node
    try:
        return replace(node, mtime_ns=last_change(store, path, stored))
    except KeyNotFoundError:
        return None


def last_change(store: Store, path: str, stored: StoredDocuments) -> int:
    """Return the time of documents, asked of the store if that was not done when reading them.

    Raises
    ------
    KeyNotFoundError
        If one is gone since then.
    StoreError
        If the store cannot be read.
    """
    if stored.mtime_ns is not None:
        return stored.mtime_ns
    return max(store.stat(metadata_key(path, name)).mtime_ns for name in stored.members)


def parse_node(
    path: str, stored: StoredDocuments, mtime_ns: int
) -> ArrayNode | GroupNode | BrokenNode:
    """Return the node of documents that were last changed at a time."""
    try:
        metadata = parse_documents(stored.members)
    except MetadataError as error:
        key = metadata_key(path, error.key or "")
        return BrokenNode(path=path, error=error.at(key))
    if isinstance(metadata, ArrayMetadata):
        return ArrayNode(path=path, metadata=metadata, documents=stored.data, mtime_ns=mtime_ns)
    return GroupNode(path=path, metadata=metadata)


def has_nodes_below(store: Store, path: str) -> bool:
    """Tell whether any node lies below a plain directory, as far as a bounded search tells.

    Raises
    ------
    StoreError
        If the store cannot be read.
    """
    todo = deque([path])
    for _ in range(MAX_LISTINGS):
        if not todo:
            return False
        current = todo.popleft()
        for listed in store.list_dir(key_prefix(current)):
            if not listed.is_prefix and listed.name in (V3_DOCUMENT, V2_ARRAY, V2_GROUP):
                return True
            if listed.is_prefix:
                todo.append(join(current, listed.name))
    return bool(todo)


def _together(one: StoredDocuments, other: StoredDocuments) -> StoredDocuments:
    mtimes = [each.mtime_ns for each in (one, other) if each.mtime_ns is not None]
    return StoredDocuments(
        members={**one.members, **other.members},
        data=one.data + other.data,
        mtime_ns=max(mtimes, default=None),
    )
