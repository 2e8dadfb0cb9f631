"""The nodes of one store: which keys are groups and arrays, found by their metadata documents.

Nothing is cached here. Any prefix may stand above nodes: a plain directory of Zarr stores is a
hierarchy too.
"""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zarrfs.errors import KeyNotFoundError, MetadataError, NodeNotFoundError, StoreError
from zarrfs.format import metadata_v2, metadata_v3
from zarrfs.format.documents import parse_json
from zarrfs.format.metadata import ArrayMetadata
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
    from zarrfs.format.metadata import GroupMetadata
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

    metadata: ArrayMetadata
    mtime_ns: int
    """Last change of its metadata, 0 if the store does not know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupNode(_Node):
    """A group."""

    metadata: GroupMetadata
    mtime_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefixNode(_Node):
    """A plain directory: keys lie below it, but no metadata document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenNode(_Node):
    """A node whose metadata cannot be read or understood."""

    error: MetadataError | StoreError


Node = ArrayNode | GroupNode | PrefixNode | BrokenNode


class Hierarchy:
    """Finds the nodes of a store. Safe to use from many threads."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._warned: set[str] = set()

    def node(self, path: str) -> Node:
        """Return the node at a path; a `BrokenNode` if its metadata is malformed.

        Raises
        ------
        NodeNotFoundError
            If there is neither a node nor any key below the path.
        StoreError
            If the store cannot be read.
        """
        found = self._documented(path)
        if found is None:
            if path and not self.store.list_dir(key_prefix(path)):
                raise NodeNotFoundError(path)
            return PrefixNode(path=path)
        return found

    def children(self, path: str) -> Iterator[Node]:
        """Yield the nodes directly below a group or plain directory, sorted by name.

        A plain directory is one of them only if nodes lie somewhere below it. A child that
        cannot be read is a `BrokenNode`.

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
        """Yield a node and all nodes below it, parents first."""
        node = self.node(path)
        yield node
        if isinstance(node, GroupNode | PrefixNode):
            for child in self.children(path):
                if isinstance(child, GroupNode | PrefixNode):
                    yield from self.walk(child.path)
                else:
                    yield child

    def _documented(self, path: str) -> Node | None:
        """The node that metadata documents tell of; ``None`` without any."""
        try:
            return self._v3_node(path) or self._v2_node(path)
        except MetadataError as error:
            return BrokenNode(path=path, error=error)

    def _v3_node(self, path: str) -> Node | None:
        document, mtime_ns = self._document(path, V3_DOCUMENT)
        if document is None:
            return None
        self._warn_if_ambiguous(path)
        try:
            metadata = metadata_v3.parse_node(document)
        except MetadataError as error:
            raise error.at(metadata_key(path, V3_DOCUMENT)) from error
        if isinstance(metadata, ArrayMetadata):
            return ArrayNode(path=path, metadata=metadata, mtime_ns=mtime_ns)
        return GroupNode(path=path, metadata=metadata, mtime_ns=mtime_ns)

    def _v2_node(self, path: str) -> Node | None:
        for name in (V2_ARRAY, V2_GROUP):
            document, mtime_ns = self._document(path, name)
            if document is None:
                continue
            attributes, attributes_mtime_ns = self._document(path, V2_ATTRIBUTES)
            mtime_ns = max(mtime_ns, attributes_mtime_ns)
            try:
                if name == V2_ARRAY:
                    array = metadata_v2.parse_array(document, attributes)
                    return ArrayNode(path=path, metadata=array, mtime_ns=mtime_ns)
                group = metadata_v2.parse_group(document, attributes)
                return GroupNode(path=path, metadata=group, mtime_ns=mtime_ns)
            except MetadataError as error:
                raise error.at(metadata_key(path, name)) from error
        return None

    def _document(self, path: str, name: str) -> tuple[dict[str, Json] | None, int]:
        """A metadata document and the time of its last change; ``None, 0`` if missing."""
        key = metadata_key(path, name)
        try:
            data = self.store.get(key)
            mtime_ns = self.store.stat(key).mtime_ns
        except KeyNotFoundError:
            return None, 0
        try:
            return parse_json(data), mtime_ns
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
