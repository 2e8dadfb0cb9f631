"""The nodes of the store as a mount knows them: asked of the hierarchy, remembered for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zarrfs.errors import NodeNotFoundError
from zarrfs.vfs.expiring import Expiring

if TYPE_CHECKING:
    from zarrfs.arrays.hierarchy import Hierarchy, Node

# About 2 kB a node.
MAX_NODES = 50_000
MAX_LISTINGS = 1_000


class Nodes:
    """Nodes and their children; safe to use from many threads."""

    def __init__(self, hierarchy: Hierarchy, *, ttl: float) -> None:
        self._hierarchy = hierarchy
        self._nodes: Expiring[str, Node | str] = Expiring(ttl, n_most=MAX_NODES)
        self._children: Expiring[str, tuple[Node, ...]] = Expiring(ttl, n_most=MAX_LISTINGS)

    def get(self, path: str) -> Node | None:
        """Return the node at a path, or ``None``.

        Raises
        ------
        StoreError
            If the store cannot be read.
        """

        def make() -> Node | str:
            try:
                return self._hierarchy.node(path)
            except NodeNotFoundError:
                return "missing"

        found = self._nodes.get(path, make)
        return None if isinstance(found, str) else found

    def children(self, path: str) -> tuple[Node, ...]:
        """Return the nodes directly below one, sorted by name."""

        def make() -> tuple[Node, ...]:
            children = tuple(self._hierarchy.children(path))
            for child in children:
                self._nodes.put(child.path, child)
            return children

        return self._children.get(path, make)

    def forget(self) -> None:
        """Forget everything, so that the store is asked again."""
        self._nodes.clear()
        self._children.clear()
