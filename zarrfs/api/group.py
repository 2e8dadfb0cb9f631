"""A group: its attributes and the nodes below it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zarrfs.api.array import Array
from zarrfs.arrays.hierarchy import ArrayNode, BrokenNode, GroupNode, PrefixNode
from zarrfs.errors import NodeNotFoundError
from zarrfs.format.node_keys import join

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from zarrfs.arrays.engine import Engine
    from zarrfs.arrays.hierarchy import Hierarchy, Node
    from zarrfs.format.documents import Json
    from zarrfs.format.metadata import ZarrFormat


class Group:
    """A Zarr group, or a plain directory above Zarr nodes. Made by `zarrfs.open_group`."""

    def __init__(self, hierarchy: Hierarchy, node: GroupNode | PrefixNode, engine: Engine) -> None:
        self._hierarchy = hierarchy
        self._node = node
        self._engine = engine

    @property
    def path(self) -> str:
        """Path in its store, without a leading ``/``."""
        return self._node.path

    @property
    def attributes(self) -> Mapping[str, Json]:
        """User attributes; a plain directory has none."""
        return self._node.metadata.attributes if isinstance(self._node, GroupNode) else {}

    @property
    def zarr_format(self) -> ZarrFormat | None:
        """2 or 3; ``None`` for a plain directory."""
        return self._node.metadata.zarr_format if isinstance(self._node, GroupNode) else None

    def __getitem__(self, path: str) -> Array | Group:
        """Open a node below this one, ``g["a/b"]``.

        Raises
        ------
        NodeNotFoundError
            If there is none.
        MetadataError
            If its metadata is malformed or uses what zarrfs does not have.
        """
        return open_node(self._hierarchy, join(self.path, path.strip("/")), self._engine)

    def __contains__(self, path: str) -> bool:
        """Tell whether there is a node below this one."""
        try:
            self._hierarchy.node(join(self.path, path.strip("/")))
        except NodeNotFoundError:
            return False
        return True

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of the nodes directly below."""
        return (node.name for node in self._hierarchy.children(self.path))

    def tree(self) -> str:
        """Draw the hierarchy, a node a line, arrays with shape and type."""
        name = f"/{self.path}"
        return "\n".join([name, *_branches(self._hierarchy, self.path)])

    def __repr__(self) -> str:
        """Say what it is in a line."""
        return f"<zarrfs.Group /{self.path}>"


def open_node(hierarchy: Hierarchy, path: str, engine: Engine) -> Array | Group:
    """Make the object for the node at a path."""
    node = hierarchy.node(path)
    if isinstance(node, BrokenNode):
        raise node.error
    if isinstance(node, ArrayNode):
        return Array(hierarchy.store, node, engine)
    return Group(hierarchy, node, engine)


def _branches(hierarchy: Hierarchy, path: str) -> Iterator[str]:
    children = list(hierarchy.children(path))
    for number, child in enumerate(children, 1):
        is_last = number == len(children)
        yield f"{'└── ' if is_last else '├── '}{_label(child)}"
        if isinstance(child, GroupNode | PrefixNode):
            for line in _branches(hierarchy, child.path):
                yield f"{'    ' if is_last else '│   '}{line}"


def _label(node: Node) -> str:
    if isinstance(node, ArrayNode):
        return f"{node.name} {node.metadata.data_type.name} {node.metadata.shape}"
    if isinstance(node, BrokenNode):
        return f"{node.name} (cannot be read: {node.error})"
    return f"{node.name}/"
