"""Consolidated metadata of the groups of a store: nodes found without asking the store for each.

A group's consolidated metadata are known once the group itself has been read, and remembered for a
while. What they tell is trusted where the store is slow to tell better, as other readers do. Where
it is not, nodes are read from their own documents, and what differs from them is told once.
"""

from __future__ import annotations

import json
import logging
import math
import threading
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from zarrfs.arrays.expiring import Expiring
from zarrfs.arrays.node_reading import (
    StoredDocuments,
    last_change,
    parse_node,
    read_document,
    read_documents,
)
from zarrfs.arrays.nodes import ArrayNode, BrokenNode, GroupNode, Node, PrefixNode
from zarrfs.errors import KeyNotFoundError, MetadataError, UnsupportedError
from zarrfs.format.consolidated import (
    MEMBER,
    ConsolidatedMetadata,
    own_documents,
    parse_v2_consolidated,
    parse_v3_consolidated,
)
from zarrfs.format.documents import dump_json
from zarrfs.format.node_keys import V2_CONSOLIDATED, V2_GROUP, V3_DOCUMENT, key_prefix, metadata_key

if TYPE_CHECKING:
    from zarrfs.stores.base import Store

_log = logging.getLogger(__name__)

MAX_TREES = 64
"""Groups whose consolidated metadata are remembered, the newest of them. Each takes the memory of
its document."""

MAX_TOLD = 10_000
"""Groups of which something was told in the log, about 200 bytes each; of the oldest it may be told
again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsolidatedTree:
    """The nodes below one group, from its consolidated metadata."""

    group: str
    """Path of the group."""

    metadata: ConsolidatedMetadata
    mtime_ns: int
    """Last change of the document that holds them, 0 if the store does not know."""

    def node(self, path: str) -> Node | None:
        """Return the node at a path below the group; ``None`` if there is none."""
        relative = path.removeprefix(key_prefix(self.group))
        documents = self.metadata.nodes.get(relative)
        if documents is None:
            return PrefixNode(path=path) if relative in self.metadata.names else None
        documents = own_documents(documents)
        data = b"".join(map(dump_json, documents.values()))
        return parse_node(path, StoredDocuments(members=documents, data=data), self.mtime_ns)

    def names(self, path: str) -> tuple[str, ...]:
        """Names directly below the group or a path below it, sorted."""
        relative = "" if path == self.group else path.removeprefix(key_prefix(self.group))
        return self.metadata.names.get(relative, ())


class ConsolidatedTrees:
    """What is known of groups with consolidated metadata. Safe to use from many threads.

    Parameters
    ----------
    store
        Where they lie.
    ttl
        Seconds for which consolidated metadata are taken for what the store holds.
    """

    def __init__(self, store: Store, *, ttl: float) -> None:
        self._store = store
        self._trees: Expiring[str, ConsolidatedTree | Literal["none"]] = Expiring(
            lambda _: ttl, limit=MAX_TREES
        )
        self._lock = threading.Lock()
        self._groups: dict[str, None] = {}
        self._told: Expiring[str, bool] = Expiring(lambda _: math.inf, limit=MAX_TOLD)

    def learn(self, path: str, stored: StoredDocuments) -> None:
        """Take note of a group whose documents have been read."""
        self._trees.get(path, lambda: self._parse(path, stored) or "none")

    def is_known(self, path: str) -> bool:
        """Whether it is known of a group that it has consolidated metadata, or none."""
        return self._trees.known(path) is not None

    def holding(self, path: str) -> ConsolidatedTree | None:
        """Return the tree of the topmost group above a path that is known to have one.

        Raises
        ------
        StoreError
            If its time is over, and the group cannot be read again.
        """
        with self._lock:
            groups = [group for group in self._groups if _is_below(path, group)]
        for group in sorted(groups, key=len):
            tree = self._trees.get(group, partial(self._read_or_none, group))
            if tree != "none":
                return tree
            with self._lock:
                self._groups.pop(group, None)
        return None

    def at(self, path: str) -> ConsolidatedTree | None:
        """Return the tree of the group at a path, if it is known to have one."""
        tree = self._trees.known(path)
        return None if tree == "none" else tree

    def forget(self) -> None:
        """Forget everything, so that the store is asked again."""
        self._trees.clear()
        with self._lock:
            self._groups.clear()

    def compare(self, path: str, node: Node | None) -> None:
        """Log once if consolidated metadata tell something else of a node than itself."""
        tree = self.holding(path)
        if tree is None or self._told.known(tree.group) or is_same(tree.node(path), node):
            return
        newest = self._read_or_none(tree.group)
        self._trees.replace(tree.group, newest)
        if newest == "none" or is_same(newest.node(path), node):
            return
        self._told.replace(tree.group, True)
        _log.warning(
            "the consolidated metadata of %r are out of date, as in %r, and not used; "
            "`zarrfs consolidate` renews them",
            tree.group or "/",
            path,
        )

    def _read_or_none(self, path: str) -> ConsolidatedTree | Literal["none"]:
        return self._read(path) or "none"

    def _read(self, path: str) -> ConsolidatedTree | None:
        try:
            stored = read_documents(self._store, path)
        except MetadataError:
            return None
        return None if stored is None else self._parse(path, stored)

    def _parse(self, path: str, stored: StoredDocuments) -> ConsolidatedTree | None:
        """Return the tree of a group; ``None`` if it has none that can be read."""
        is_v3 = V3_DOCUMENT in stored.members
        if not is_v3 and V2_GROUP not in stored.members:
            return None
        name = V3_DOCUMENT if is_v3 else V2_CONSOLIDATED
        try:
            holder = stored if is_v3 else read_document(self._store, path, name)
            if holder is None:
                return None
            members = holder.members[name]
            if not is_v3:
                metadata = parse_v2_consolidated(members)
            elif members.get(MEMBER) is None:
                return None
            else:
                metadata = parse_v3_consolidated(members[MEMBER])
            mtime_ns = last_change(self._store, path, holder)
        except KeyNotFoundError:
            return None
        except MetadataError as error:
            if not self._told.replace(path, True):
                key = metadata_key(path, name)
                _log.warning("consolidated metadata are ignored: %s", error.at(key))
            return None
        with self._lock:
            self._groups.pop(path, None)
            self._groups[path] = None
            if len(self._groups) > MAX_TREES:
                del self._groups[next(iter(self._groups))]
        return ConsolidatedTree(group=path, metadata=metadata, mtime_ns=mtime_ns)


def is_usable(node: Node | None) -> bool:
    """Whether consolidated metadata can stand for a node's own, which may be whole."""
    return not isinstance(node, BrokenNode) or isinstance(node.error, UnsupportedError)


def is_same(consolidated: Node | None, own: Node | None) -> bool:
    """Whether consolidated metadata tell of a node what it is, spelled one way or another.

    Who consolidates may write codecs and fill values anew, so those are not compared.
    """
    if isinstance(consolidated, ArrayNode) and isinstance(own, ArrayNode):
        old, new = consolidated.metadata, own.metadata
        if (old.shape, old.data_type) != (new.shape, new.data_type):
            return False
        return _text(old.attributes) == _text(new.attributes)
    if isinstance(consolidated, GroupNode) and isinstance(own, GroupNode):
        return _text(consolidated.metadata.attributes) == _text(own.metadata.attributes)
    return type(consolidated) is type(own)


def _text(attributes: object) -> str:
    """Attributes as text, in which NaN is equal to NaN."""
    return json.dumps(attributes, sort_keys=True)


def _is_below(path: str, group: str) -> bool:
    return path != group and path.startswith(key_prefix(group))
