"""The mount as a whole: which trees it has, and which of them are listed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zarrfs.errors import EntryNotFoundError
from zarrfs.vfs.entries import Entry, Name, directory

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from zarrfs.vfs.entries import Branch, OpenFile


class Tree:
    """Branches under their names, or one of them as the root.

    Parameters
    ----------
    branches
        All that open by name. A branch that is a file is one whose path ``""`` is a file.
    listed
        Names to list in the root.
    root
        The branch that is the root of the mount, if that is not the list of branches. Branches
        that start with a dot open by name in it all the same.
    mtime_ns
        Of the root.
    """

    def __init__(
        self,
        branches: Mapping[str, Branch],
        *,
        listed: Collection[str],
        root: Branch | None,
        mtime_ns: int,
    ) -> None:
        self._branches = branches
        self._listed = listed
        self._root = root
        self._directory = directory(mtime_ns)

    def entry(self, path: str) -> Entry:
        """Find what is at a path of the mount; `EntryNotFoundError` if nothing."""
        branch, rest = self._branch(path)
        return self._directory if branch is None else branch.entry(rest)

    def names(self, path: str) -> list[Name]:
        """List a directory of the mount, sorted."""
        branch, rest = self._branch(path)
        if branch is not None:
            return branch.names(rest)
        return sorted(
            Name(name, self._branches[name].entry("").is_directory) for name in self._listed
        )

    def open(self, path: str) -> OpenFile:
        """Open a file of the mount."""
        branch, rest = self._branch(path)
        if branch is None:
            raise EntryNotFoundError(f"{path} is a directory")
        return branch.open(rest)

    def _branch(self, path: str) -> tuple[Branch | None, str]:
        """Return the branch that a path is in, and its path there; ``None`` for the root."""
        first, _, rest = path.partition("/")
        if self._root is not None and not first.startswith("."):
            return self._root, path
        branch = self._branches.get(first)
        if branch is not None:
            return branch, rest
        if self._root is not None:
            return self._root, path
        if path:
            raise EntryNotFoundError(path)
        return None, ""
