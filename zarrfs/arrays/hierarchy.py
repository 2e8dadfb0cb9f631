"""The nodes of one store: which keys are groups and arrays, found by their metadata documents.

Nodes are read anew each time, but for consolidated metadata, which are remembered for a while. Any
prefix may stand above nodes: a plain directory of Zarr stores is a hierarchy too.
"""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, Any

from zarrfs.arrays.consolidated_trees import ConsolidatedTrees, is_usable
from zarrfs.arrays.expiring import Expiring
from zarrfs.arrays.node_reading import has_nodes_below, read_documents, stored_node
from zarrfs.arrays.nodes import ArrayNode, BrokenNode, GroupNode, Node, PrefixNode
from zarrfs.errors import KeyNotFoundError, MetadataError, NodeNotFoundError, StoreError
from zarrfs.format.chunk_keys import chunk_finder
from zarrfs.format.node_documents import is_array
from zarrfs.format.node_keys import (
    V2_ARRAY,
    V2_GROUP,
    V3_DOCUMENT,
    join,
    key_prefix,
    metadata_key,
    node_name_fault,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from zarrfs.arrays.consolidated_trees import ConsolidatedTree
    from zarrfs.format.node_documents import Documents
    from zarrfs.stores.base import Store

__all__ = [
    "ArrayNode",
    "BrokenNode",
    "GroupNode",
    "Hierarchy",
    "Node",
    "PrefixNode",
    "stored_sizes",
]

_log = logging.getLogger(__name__)

CONSOLIDATED_TTL = 60.0
"""Seconds for which consolidated metadata are taken for what a remote store holds, by default: as
long as a mount of one remembers names."""

MAX_WARNED = 10_000
"""Nodes of which something was said in the log, about 200 bytes each; of the oldest it may be said
again."""


class Hierarchy:
    """Finds the nodes of a store. Safe to use from many threads.

    Parameters
    ----------
    store
        Where they lie.
    ttl
        Seconds for which consolidated metadata are remembered.
    """

    def __init__(self, store: Store, *, ttl: float = CONSOLIDATED_TTL) -> None:
        self.store = store
        self._trees = ConsolidatedTrees(store, ttl=ttl)
        self._warned: Expiring[str, bool] = Expiring(lambda _: math.inf, limit=MAX_WARNED)

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
        found = self._find(path) if path else self._documented(path) or PrefixNode(path=path)
        if found is None:
            raise NodeNotFoundError(path)
        return found

    def is_empty(self) -> bool:
        """Tell whether there is no node at all, as far as a bounded search tells.

        Raises
        ------
        StoreError
            If the store cannot be read.
        """
        return isinstance(self.node(""), PrefixNode) and not has_nodes_below(self.store, "")

    def children(self, path: str) -> Iterator[Node]:
        """Yield the nodes directly below a group or plain directory, sorted by name.

        A child that cannot be read is a `BrokenNode`.

        Raises
        ------
        StoreError
            If the listing itself fails.
        """
        tree = self._trees.holding(path)
        if tree is None:
            if self._is_trusted and not self._trees.is_known(path):
                self._documented(path)  # then it is
            tree = self._trees.at(path)
        told = () if tree is None else tree.names(path)
        is_told = tree is not None and self._is_trusted
        missing = set(told)
        for name in told if is_told else self._listed_prefixes(path):
            child = self._child(join(path, name))
            if child is not None:
                missing.discard(name)
                yield child
        if not is_told:
            for name in missing:
                self._trees.compare(join(path, name), None)

    def forget(self) -> None:
        """Forget consolidated metadata, so that the store is asked again."""
        self._trees.forget()

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

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the store; what is remembered of it stays here."""
        return Hierarchy, (self.store,)

    @property
    def _is_trusted(self) -> bool:
        """Whether consolidated metadata stand for the documents that they were copied from."""
        return not self.store.capabilities.cheap_stat

    def _listed_prefixes(self, path: str) -> Iterator[str]:
        """Yield the names directly below a path that may be nodes, as the store lists them."""
        return (each.name for each in self.store.list_dir(key_prefix(path)) if each.is_prefix)

    def _child(self, path: str) -> Node | None:
        """Return a node or plain directory above some, broken if the store fails."""
        try:
            return self._find(path)
        except StoreError as error:
            return BrokenNode(path=path, error=error)

    def _find(self, path: str) -> Node | None:
        """Return a node or plain directory above some; ``None`` if neither is there."""
        found = self._documented(path)
        if found is not None:
            return found
        if self._trusted_tree(path) or not has_nodes_below(self.store, path):
            return None
        return PrefixNode(path=path)

    def _documented(self, path: str) -> Node | None:
        """Find the node that metadata documents tell of; ``None`` without any."""
        trusted = self._trusted_tree(path)
        if trusted is not None and is_usable(told := trusted.node(path)):
            return told
        node = self._own(path)
        if node is not None and not self._is_trusted:
            self._trees.compare(path, node)
        return node

    def _trusted_tree(self, path: str) -> ConsolidatedTree | None:
        """Return the consolidated metadata that tell of a path all that there is to know."""
        return self._trees.holding(path) if self._is_trusted else None

    def _own(self, path: str) -> Node | None:
        """Find the node that its own documents tell of."""
        try:
            stored = read_documents(self.store, path)
        except MetadataError as error:
            return BrokenNode(path=path, error=error)
        if stored is None:
            return None
        if V3_DOCUMENT in stored.members:
            self._warn_if_ambiguous(path, stored.members)
        node = stored_node(self.store, path, stored)
        if isinstance(node, GroupNode):
            self._trees.learn(path, stored)
        if node is not None:
            self._mention_name(node)
        return node

    def _mention_name(self, node: ArrayNode | GroupNode | BrokenNode) -> None:
        if isinstance(node, BrokenNode) or not node.path or self._warned.known(node.path):
            return
        fault = node_name_fault(node.name, node.metadata.zarr_format)
        if fault is not None:
            self._warned.replace(node.path, True)
            _log.info("%r is shown although its name breaks a rule: %s", node.path, fault)

    def _warn_if_ambiguous(self, path: str, documents: Documents) -> None:
        """Warn of a node that has v2 metadata of its kind too."""
        if self._warned.known(path) or not self.store.capabilities.cheap_stat:
            return
        try:
            self.store.stat(metadata_key(path, V2_ARRAY if is_array(documents) else V2_GROUP))
        except KeyNotFoundError:
            return
        self._warned.replace(path, True)
        _log.warning("%r has metadata of Zarr v3 and v2; v3 is used", path or "/")


def stored_sizes(store: Store, node: ArrayNode) -> Iterator[int]:
    """Yield the size in bytes of each object that holds chunks of an array, single ones or shards.

    What lies below the array and is no chunk of its grid is not counted.
    """
    metadata = node.metadata
    find = chunk_finder(metadata.chunk_key_encoding, metadata.chunk_grid.grid_shape)
    for key in store.list_prefix(node.prefix):
        if find(key.removeprefix(node.prefix)) is not None:
            yield store.stat(key).size
