"""The mount as a whole: which trees it has, and which of them are listed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zarrfs.errors import EntryNotFoundError
from zarrfs.vfs.entries import Entry, Name, directory

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from zarrfs.vfs.entries import Branch, OpenFile


class Tree:
    """Branches under their names; the root is a directory of its own, or another branch.

    Parameters
    ----------
    branches
        All that open by name in the root. A branch that is a file is one whose path ``""`` is.
    listed
        Those of them that are listed.
    root
        Branch that the root is otherwise; what it has under a branch's name is out of sight.
    mtime_ns
        Of the root.
    """

    def __init__(
        self,
        branches: Mapping[str, Branch],
        *,
        listed: Collection[str] = (),
        root: Branch | None = None,
        mtime_ns: int,
    ) -> None:
        self._branches = branches
        self._listed = frozenset(listed)
        self._root = root
        self._directory = directory(mtime_ns)

    def entry(self, path: str) -> Entry:
        """Find what is at a path of the mount; `EntryNotFoundError` if nothing."""
        branch, rest = self._branch(path)
        return self._directory if branch is None else branch.entry(rest)

    def names(self, path: str) -> list[Name]:
        """List a directory of the mount, sorted."""
        branch, rest = self._branch(path)
        if branch is None:
            return sorted(
                Name(name, self._branches[name].entry("").is_directory) for name in self._listed
            )
        names = branch.names(rest)
        return names if path else [name for name in names if name.name not in self._branches]

    def open(self, path: str) -> OpenFile:
        """Open a file of the mount."""
        branch, rest = self._branch(path)
        if branch is None:
            raise EntryNotFoundError("the root is a directory")
        return branch.open(rest)

    def _branch(self, path: str) -> tuple[Branch | None, str]:
        """Return the branch that a path is in, and its path there; ``None`` for the root."""
        first, _, rest = path.partition("/")
        branch = self._branches.get(first)
        if branch is not None:
            return branch, rest
        if path and self._root is None:
            raise EntryNotFoundError(path)
        return self._root, path
