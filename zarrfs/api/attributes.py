"""The user attributes of a node: a mapping that writes to the store what is changed in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

from zarrfs.arrays.node_reading import read_node
from zarrfs.arrays.node_writing import write_attributes
from zarrfs.arrays.nodes import BrokenNode
from zarrfs.arrays.object_locks import object_lock
from zarrfs.arrays.user_attributes import new_attributes
from zarrfs.errors import NodeNotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable

    from zarrfs.arrays.hierarchy import Hierarchy
    from zarrfs.arrays.nodes import ArrayNode, GroupNode
    from zarrfs.format.documents import Json

Attribute = Any
"""Anything that JSON can hold."""


class Attributes(MutableMapping[str, Attribute]):
    """User attributes of an array or group, as they were when it was opened or last changed here.

    Each change is in the store when it returns; `update` makes several at once. What others have
    changed meanwhile stays. Lists and objects among the values must not be changed in place.

    Parameters
    ----------
    hierarchy, path
        Where the node is.
    attributes
        What it has.
    require_writable
        Raises `ReadOnlyError` if nothing may be written.
    """

    def __init__(
        self,
        hierarchy: Hierarchy,
        path: str,
        attributes: Mapping[str, Json],
        require_writable: Callable[[], None],
    ) -> None:
        self._hierarchy = hierarchy
        self._path = path
        self._attributes = dict(attributes)
        self._require_writable = require_writable

    def __getitem__(self, name: str) -> Attribute:
        return self._attributes[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._attributes)

    def __len__(self) -> int:
        return len(self._attributes)

    def __setitem__(self, name: str, value: Attribute) -> None:
        """Write one attribute.

        Raises
        ------
        MetadataError
            If the name is no string, or JSON cannot hold the value.
        ReadOnlyError
            If the store cannot be written, or the node was opened for reading.
        StoreError
            If it could not be stored.
        """
        self._change(lambda attributes: attributes.__setitem__(name, value))

    def __delitem__(self, name: str) -> None:
        """Remove one attribute; raises as setting one does."""
        self._change(lambda attributes: attributes.__delitem__(name))

    def update(self, *others: Any, **values: Attribute) -> None:
        """Write several attributes at once; raises as setting one does."""
        self._change(lambda attributes: attributes.update(*others, **values))

    def clear(self) -> None:
        """Remove all attributes; raises as setting one does."""
        self._change(lambda attributes: attributes.clear())

    def replace(self, attributes: Mapping[str, Attribute]) -> None:
        """Write these attributes in place of all there are; raises as setting one does."""
        new = new_attributes(attributes)

        def change(present: dict[str, Attribute]) -> None:
            present.clear()
            present.update(new)

        self._change(change)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mapping) and self._attributes == dict(other)

    __hash__ = None  # type: ignore[assignment]  # as of any mapping that changes

    def __repr__(self) -> str:
        """Show what they are."""
        return repr(self._attributes)

    def _change(self, change: Callable[[dict[str, Attribute]], None]) -> None:
        self._require_writable()
        # Under a lock: two threads that change different attributes both get their way.
        with object_lock(self._hierarchy.store.url, f"attributes of {self._path}"):
            before = self._present().metadata.attributes
            attributes = dict(before)
            change(attributes)
            # Of others' attributes nothing is asked.
            new_attributes({k: v for k, v in attributes.items() if before.get(k) is not v})
            node = write_attributes(self._hierarchy, self._path, attributes)
        self._attributes = dict(node.metadata.attributes)

    def _present(self) -> ArrayNode | GroupNode:
        node = read_node(self._hierarchy.store, self._path)
        if isinstance(node, BrokenNode):
            raise node.error
        if node is None:
            raise NodeNotFoundError(self._path or "/", "it was deleted since it was opened")
        return node
