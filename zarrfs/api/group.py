"""A group: its attributes and the nodes below it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zarrfs.api.array import Array
from zarrfs.api.attributes import Attributes
from zarrfs.api.process_engine import process_engine
from zarrfs.arrays import node_creation
from zarrfs.arrays.hierarchy import ArrayNode, BrokenNode, GroupNode, PrefixNode
from zarrfs.arrays.new_arrays import group_metadata, new_metadata, parse_options
from zarrfs.arrays.node_writing import delete_node
from zarrfs.errors import (
    NodeNameError,
    NodeNotFoundError,
    NodeTypeError,
    ReadOnlyError,
    printable,
)
from zarrfs.format.node_keys import join, key_prefix
from zarrfs.stores.keys import is_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from zarrfs.arrays.engine import Engine
    from zarrfs.arrays.hierarchy import Hierarchy, Node
    from zarrfs.format.metadata import ArrayMetadata, GroupMetadata, ZarrFormat


class Group:
    """A Zarr group, or a plain directory above Zarr nodes. Made by `zarrfs.open_group`.

    A plain directory becomes a group by `zarrfs.create_group`.
    """

    # Without a dictionary: `g.attrs = …` would be kept here, and lost.
    __slots__ = ("__weakref__", "_attributes", "_engine", "_hierarchy", "_is_read_only", "_node")

    def __init__(
        self,
        hierarchy: Hierarchy,
        node: GroupNode | PrefixNode,
        engine: Engine,
        *,
        read_only: bool = False,
    ) -> None:
        self._hierarchy = hierarchy
        self._node = node
        self._engine = engine
        self._is_read_only = read_only
        attributes = node.metadata.attributes if isinstance(node, GroupNode) else {}
        self._attributes = Attributes(hierarchy, node.path, attributes, self._require_writable)

    @property
    def path(self) -> str:
        """Path in its store, without a leading ``/``."""
        return self._node.path

    @property
    def attributes(self) -> Attributes:
        """User attributes; what is changed in them, or assigned to them, is stored at once.

        A plain directory has none, and no place for any.
        """
        return self._attributes

    @attributes.setter
    def attributes(self, attributes: Mapping[str, Any]) -> None:
        self._attributes.replace(attributes)

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
        return self._open(self._hierarchy.node(self._below(path)))

    def __delitem__(self, path: str) -> None:
        """Delete a node below this one, with all that lies in it.

        Raises
        ------
        NodeNotFoundError
            If there is none.
        NodeExistsError
            If a process is about to create an array there.
        ReadOnlyError
            If the store cannot be written, or the group was opened for reading.
        StoreError
            If the store fails.
        """
        self._require_writable()
        below = self._below(path)
        if below == self.path:
            raise NodeNotFoundError(repr(path), "name a node below the group")
        try:
            delete_node(self._hierarchy, below)
        finally:
            self._engine.open_sources.node_changed(self._hierarchy.store, key_prefix(below))

    def __contains__(self, path: str) -> bool:
        """Tell whether there is a node below this one."""
        try:
            self._hierarchy.node(self._below(path))
        except NodeNotFoundError:
            return False
        return True

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of the nodes directly below."""
        return (node.name for node in self._hierarchy.children(self.path))

    def items(self) -> Iterator[tuple[str, Array | Group]]:
        """Iterate over the nodes directly below and their names; each is opened, and read once.

        Raises
        ------
        MetadataError
            If the metadata of a node is malformed or uses what zarrfs does not have.
        StoreError
            If the store cannot be read.
        """
        for node in self._hierarchy.children(self.path):
            yield node.name, self._open(node)

    def create_array(
        self,
        path: str,
        *,
        overwrite: bool = False,
        write_empty_chunks: bool = False,
        **options: Any,
    ) -> Array:
        """Create an array below this group, and the groups on the way.

        Parameters
        ----------
        path
            Its path from here, ``"a/b"``.
        overwrite, write_empty_chunks, options
            As of `zarrfs.create_array`; it is of the group's `zarr_format` unless that is given.

        Raises
        ------
        NodeExistsError, NodeNameError, NodeTypeError, MetadataError, ReadOnlyError, StoreError
            As `zarrfs.create_array`.
        """
        self._require_writable()
        wanted = parse_options("create_array", {"zarr_format": self.zarr_format or 3, **options})
        return new_array(
            self._hierarchy,
            self._new_below(path),
            new_metadata(wanted),
            self._engine,
            overwrite=overwrite,
            write_empty_chunks=write_empty_chunks,
        )

    def create_group(
        self, path: str, *, attributes: Mapping[str, Any] | None = None, overwrite: bool = False
    ) -> Group:
        """Create a group below this one, of its format, and the groups on the way.

        Raises
        ------
        NodeExistsError, NodeNameError, NodeTypeError, MetadataError, ReadOnlyError, StoreError
            As `zarrfs.create_group`.
        """
        self._require_writable()
        return new_group(
            self._hierarchy,
            self._new_below(path),
            group_metadata(self.zarr_format or 3, attributes),
            self._engine,
            overwrite=overwrite,
        )

    def require_group(self, path: str) -> Group:
        """Open a group below this one; create it if there is none.

        Raises
        ------
        NodeTypeError
            If it is an array.
        NodeNameError, MetadataError, ReadOnlyError, StoreError
            If it has to be created, and cannot be.
        """
        try:
            found = self[path]
        except NodeNotFoundError:
            return self.create_group(path)
        if isinstance(found, Array):
            raise NodeTypeError(f"{found.path!r} is an array, not a group")
        return found if found.zarr_format is not None else self.create_group(path)

    def tree(self) -> str:
        """Draw the hierarchy, a node a line, arrays with shape and type."""
        name = f"/{printable(self.path)}"
        return "\n".join([name, *_branches(self._hierarchy, self.path)])

    def __repr__(self) -> str:
        """Say what it is in a line."""
        return f"<zarrfs.Group /{printable(self.path)}>"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle where the group is; who unpickles it opens it there."""
        return _opened_again, (self._hierarchy, self.path, self._is_read_only)

    def _below(self, path: str) -> str:
        """Path in the store of a node below this one, which may be there."""
        if not isinstance(path, str):
            advice = 'a node is named by a str, such as "a/b"'
            raise NodeNotFoundError(repr(path), advice)
        parts = path.strip("/")
        if parts and not is_key(parts):
            raise NodeNotFoundError(repr(path))
        return join(self.path, parts) if parts else self.path

    def _new_below(self, path: str) -> str:
        """Path in the store of a node that is to be created below this one."""
        if not isinstance(path, str):
            raise NodeNameError(f'a node is named by a str, such as "a/b", not by {path!r}')
        return join(self.path, path.strip("/"))

    def _open(self, node: Node) -> Array | Group:
        return open_found(self._hierarchy, node, self._engine, read_only=self._is_read_only)

    def _require_writable(self) -> None:
        store = self._hierarchy.store
        if self._is_read_only:
            raise ReadOnlyError("set", self.path, "it was opened with mode='r'", store=store.url)
        if not store.capabilities.writable:
            raise ReadOnlyError("set", self.path, "the store is read-only", store=store.url)


def open_found(
    hierarchy: Hierarchy,
    node: Node,
    engine: Engine,
    *,
    read_only: bool = False,
    write_empty_chunks: bool = False,
) -> Array | Group:
    """Make the object for a node."""
    if isinstance(node, BrokenNode):
        raise node.error
    if isinstance(node, ArrayNode):
        return Array(
            hierarchy, node, engine, read_only=read_only, write_empty_chunks=write_empty_chunks
        )
    return Group(hierarchy, node, engine, read_only=read_only)


def _opened_again(hierarchy: Hierarchy, path: str, read_only: bool) -> Array | Group:
    return open_found(hierarchy, hierarchy.node(path), process_engine(), read_only=read_only)


def new_array(
    hierarchy: Hierarchy,
    path: str,
    metadata: ArrayMetadata,
    engine: Engine,
    *,
    overwrite: bool,
    write_empty_chunks: bool,
    fill: Callable[[Array], None] | None = None,
) -> Array:
    """Create the array at a path; `fill` writes elements before anybody can see it."""

    def array(node: ArrayNode, *, is_being_created: bool = False) -> Array:
        return Array(
            hierarchy,
            node,
            engine,
            write_empty_chunks=write_empty_chunks,
            is_new=True,  # its codecs have been checked, and many are created before any is read
            is_being_created=is_being_created,
        )

    def fill_node(node: ArrayNode) -> None:
        if fill is not None:
            fill(array(node, is_being_created=True))

    try:
        node = node_creation.create_array(
            hierarchy,
            path,
            metadata,
            overwrite=overwrite,
            fill=None if fill is None else fill_node,
        )
    finally:
        engine.open_sources.node_changed(hierarchy.store, key_prefix(path))
    return array(node)


def new_group(
    hierarchy: Hierarchy, path: str, metadata: GroupMetadata, engine: Engine, *, overwrite: bool
) -> Group:
    """Create the group at a path."""
    try:
        node = node_creation.create_group(hierarchy, path, metadata, overwrite=overwrite)
    finally:
        engine.open_sources.node_changed(hierarchy.store, key_prefix(path))
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
    name = printable(node.name)
    if isinstance(node, ArrayNode):
        return f"{name} {printable(node.metadata.data_type.name)} {node.metadata.shape}"
    if isinstance(node, BrokenNode):
        return f"{name} (cannot be read: {node.error})"
    return f"{name}/"
