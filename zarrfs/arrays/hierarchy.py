"""The nodes of one store: which keys are groups and arrays, found by their metadata documents.

Nothing is cached here. Any prefix may stand above nodes: a plain directory of Zarr stores is a
hierarchy too.
"""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from zarrfs.errors import KeyNotFoundError, MetadataError, NodeNotFoundError, StoreError
from zarrfs.format import metadata_v2, metadata_v3
from zarrfs.format.documents import parse_json
from zarrfs.format.metadata import GroupMetadata
from zarrfs.format.node_keys import (
    V2_ARRAY,
    V2_ATTRIBUTES,
    V2_GROUP,
    V3_DOCUMENT,
    join,
    key_prefix,
    metadata_key,
    node_name,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from zarrfs.format.documents import Json
    from zarrfs.format.metadata import ArrayMetadata
    from zarrfs.stores.base import Store

_log = logging.getLogger(__name__)

# Listings to look through for nodes below a plain directory, before it is taken to have some.
MAX_LISTINGS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class _Node:
    path: str
    """Node path: ``""`` for the root, ``"a/b"``."""

    @property
    def name(self) -> str:
        """Last part of the path."""
        return node_name(self.path)

    @property
    def prefix(self) -> str:
        """What the keys below the node begin with."""
        return key_prefix(self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayNode(_Node):
    """An array."""

    metadata: ArrayMetadata = field(compare=False)
    documents: bytes
    """The metadata documents, as stored: two nodes are equal if these are."""
    mtime_ns: int = field(compare=False)
    """Last change of its metadata, 0 if the store does not know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupNode(_Node):
    """A group."""

    metadata: GroupMetadata


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefixNode(_Node):
    """A plain directory: keys lie below it, but no metadata document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenNode(_Node):
    """A node whose metadata cannot be read or understood."""

    error: MetadataError | StoreError


@dataclass(frozen=True, slots=True)
class _Document:
    key: str
    data: bytes
    members: dict[str, Json]
    mtime_ns: int


Node = ArrayNode | GroupNode | PrefixNode | BrokenNode


class Hierarchy:
    """Finds the nodes of a store. Safe to use from many threads."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._warned: set[str] = set()

    def node(self, path: str) -> Node:
        """Return the node at a path; a `BrokenNode` if its metadata is malformed.

        A plain directory is a node if others lie somewhere below it; the root always is one.

        Raises
        ------
        NodeNotFoundError
            If there is no such node.
        StoreError
            If the store cannot be read.
        """
        found = self._documented(path)
        if found is not None:
            return found
        if path and not self._has_nodes_below(path):
            raise NodeNotFoundError(path)
        return PrefixNode(path=path)

    def is_empty(self) -> bool:
        """Tell whether there is no node at all, as far as a bounded search tells.

        Raises
        ------
        StoreError
            If the store cannot be read.
        """
        return isinstance(self.node(""), PrefixNode) and not self._has_nodes_below("")

    def children(self, path: str) -> Iterator[Node]:
        """Yield the nodes directly below a group or plain directory, sorted by name.

        A child that cannot be read is a `BrokenNode`.

        Raises
        ------
        StoreError
            If the listing itself fails.
        """
        for listed in self.store.list_dir(key_prefix(path)):
            if not listed.is_prefix:
                continue
            child = join(path, listed.name)
            try:
                found = self._documented(child)
                if found is not None:
                    yield found
                elif self._has_nodes_below(child):
                    yield PrefixNode(path=child)
            except StoreError as error:
                yield BrokenNode(path=child, error=error)

    def walk(self, path: str = "") -> Iterator[Node]:
        """Yield a node and all nodes below it, parents first.

        A group that cannot be listed is followed by a `BrokenNode` of the same path.

        Raises
        ------
        NodeNotFoundError, StoreError
            If the first node is not there or cannot be read.
        """
        levels: list[tuple[str, Iterator[Node]]] = [(path, iter([self.node(path)]))]
        while levels:
            above, nodes = levels[-1]
            try:
                node = next(nodes, None)
            except StoreError as error:
                node = BrokenNode(path=above, error=error)
            if node is None:
                levels.pop()
                continue
            yield node
            if isinstance(node, GroupNode | PrefixNode):
                levels.append((node.path, self.children(node.path)))

    def _documented(self, path: str) -> Node | None:
        """Find the node that metadata documents tell of; ``None`` without any."""
        try:
            return self._v3_node(path) or self._v2_node(path)
        except MetadataError as error:
            return BrokenNode(path=path, error=error)

    def _v3_node(self, path: str) -> Node | None:
        document = self._document(path, V3_DOCUMENT)
        if document is None:
            return None
        self._warn_if_ambiguous(path)
        try:
            metadata = metadata_v3.parse_node(document.members)
        except MetadataError as error:
            raise error.at(document.key) from error
        if isinstance(metadata, GroupMetadata):
            return GroupNode(path=path, metadata=metadata)
        return ArrayNode(
            path=path, metadata=metadata, documents=document.data, mtime_ns=document.mtime_ns
        )

    def _v2_node(self, path: str) -> Node | None:
        array, group = self._document(path, V2_ARRAY), None
        if array is None:
            group = self._document(path, V2_GROUP)
        document = array or group
        if document is None:
            return None
        attributes = self._document(path, V2_ATTRIBUTES)
        members = None if attributes is None else attributes.members
        try:
            if document is group:
                metadata = metadata_v2.parse_group(document.members, members)
                return GroupNode(path=path, metadata=metadata)
            return ArrayNode(
                path=path,
                metadata=metadata_v2.parse_array(document.members, members),
                documents=document.data + (b"" if attributes is None else attributes.data),
                mtime_ns=max(document.mtime_ns, 0 if attributes is None else attributes.mtime_ns),
            )
        except MetadataError as error:
            raise error.at(document.key) from error

    def _document(self, path: str, name: str) -> _Document | None:
        """Read a metadata document; ``None`` if it is missing."""
        key = metadata_key(path, name)
        try:
            data = bytes(self.store.get(key))
            mtime_ns = self.store.stat(key).mtime_ns
        except KeyNotFoundError:
            return None
        try:
            return _Document(key, data, parse_json(data), mtime_ns)
        except MetadataError as error:
            raise error.at(key) from error

    def _warn_if_ambiguous(self, path: str) -> None:
        if path in self._warned or not self.store.capabilities.cheap_stat:
            return
        for name in (V2_ARRAY, V2_GROUP):
            try:
                self.store.stat(metadata_key(path, name))
            except KeyNotFoundError:
                continue
            self._warned.add(path)
            _log.warning("%r has metadata of Zarr v3 and v2; v3 is used", path or "/")
            return

    def _has_nodes_below(self, path: str) -> bool:
        """Whether any node lies below a plain directory, as far as a bounded search tells."""
        todo = deque([path])
        for _ in range(MAX_LISTINGS):
            if not todo:
                return False
            current = todo.popleft()
            for listed in self.store.list_dir(key_prefix(current)):
                if not listed.is_prefix and listed.name in (V3_DOCUMENT, V2_ARRAY, V2_GROUP):
                    return True
                if listed.is_prefix:
                    todo.append(join(current, listed.name))
        return bool(todo)


def stored_sizes(store: Store, node: ArrayNode) -> Iterator[int]:
    """Yield the size in bytes of each object that holds chunks of an array, single ones or shards.

    What lies below the array and is no chunk of its grid is not counted.
    """
    metadata = node.metadata
    for key in store.list_prefix(node.prefix):
        coords = metadata.chunk_key_encoding.decode(key.removeprefix(node.prefix), metadata.ndim)
        if coords is not None and all(
            c < n for c, n in zip(coords, metadata.chunk_grid.grid_shape, strict=True)
        ):
            yield store.stat(key).size
