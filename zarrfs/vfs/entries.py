"""What a mount shows under a name, and what an open file can do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from zarrfs.vfs.replies import Reply

BLOCK_BYTES = 512
"""Unit of `Entry.n_blocks`, as in stat(2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file or directory, as stat(2) tells of it."""

    is_directory: bool
    mode: int
    """Permission bits."""

    size: int = 0
    """Bytes."""

    n_blocks: int = 0
    """Of `BLOCK_BYTES`."""

    mtime_ns: int
    xattrs: Mapping[str, bytes] = field(default_factory=dict)
    """Extended attributes."""


@dataclass(frozen=True, slots=True, order=True)
class Name:
    """One line of a directory."""

    name: str
    is_directory: bool


class OpenFile(Protocol):
    """A file that somebody has open; used from many threads at once."""

    version: Hashable
    """Equal to that of an earlier open as long as what the kernel has from then is good."""

    direct_io: bool
    """The kernel must ask for every read: its size is not known before it is read."""

    def read(self, offset: int, size: int) -> Reply:
        """Return the bytes of a span, fewer only at the end of the file; does not wait."""
        ...

    def slab_end(self, offset: int) -> int:
        """Return the end of what is decoded together with the byte at an offset.

        All up to there comes at once, and without a copy. It is the offset itself where nothing
        is.
        """
        ...


class Branch(Protocol):
    """One of the trees of a mount. Paths are relative to it, ``""`` its own directory."""

    def entry(self, path: str) -> Entry:
        """Find what is at a path; `EntryNotFoundError` if nothing."""
        ...

    def names(self, path: str) -> list[Name]:
        """List a directory, sorted."""
        ...

    def open(self, path: str) -> OpenFile:
        """Open a file for reading."""
        ...


def directory(mtime_ns: int, mode: int = 0o555) -> Entry:
    """Make the entry of a directory."""
    return Entry(is_directory=True, mode=mode, mtime_ns=mtime_ns)
