"""What a path of a store can be: an array, a group, a plain directory, or broken."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from zarrfs.format.node_keys import key_prefix, node_name

if TYPE_CHECKING:
    from zarrfs.errors import MetadataError, StoreError
    from zarrfs.format.metadata import ArrayMetadata, GroupMetadata


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


Node = ArrayNode | GroupNode | PrefixNode | BrokenNode
