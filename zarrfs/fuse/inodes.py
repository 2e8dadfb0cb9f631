"""Paths of the mount <-> inode numbers, as long as the kernel refers to them.

A number is a hash of the path, so that it is the same in every mount of the store: backup programs
and NFS servers tell files by it.
"""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING, NewType

if TYPE_CHECKING:
    from collections.abc import Iterable

InodeNumber = NewType("InodeNumber", int)

_log = logging.getLogger(__name__)

ROOT = InodeNumber(1)
# Numbers below are the kernel's and libfuse's own.
_FIRST = 16


class Inodes:
    """The inode table. Only for the trio thread: nothing is awaited in here."""

    def __init__(self) -> None:
        self._paths: dict[InodeNumber, str] = {ROOT: ""}
        self._numbers: dict[str, InodeNumber] = {"": ROOT}
        self._lookups: dict[InodeNumber, int] = {ROOT: 1}

    def __len__(self) -> int:
        """Inodes that the kernel knows."""
        return len(self._paths)

    def path(self, number: InodeNumber) -> str:
        """Return the path of an inode that the kernel refers to."""
        return self._paths[number]

    def number(self, path: str) -> InodeNumber:
        """Return the number that a path has or would have."""
        known = self._numbers.get(path)
        if known is not None:
            return known
        number = _hash(path)
        # Two paths of one hash: 1 in 10**10 for a million files, but never wrong bytes.
        while number in self._paths:
            number = InodeNumber(number + 1)
        return number

    def numbers(self) -> Iterable[InodeNumber]:
        """All inodes that the kernel refers to."""
        return self._paths.keys()

    def look_up(self, path: str) -> InodeNumber:
        """Return the number of a path and count that the kernel has got it."""
        number = self.number(path)
        self._paths[number] = path
        self._numbers[path] = number
        self._lookups[number] = self._lookups.get(number, 0) + 1
        return number

    def forget(self, number: InodeNumber, n_lookups: int) -> bool:
        """Take back `n_lookups`; without any left, the number means nothing any more: true then.

        A number that means nothing is only logged: the kernel could not be told of an error.
        """
        if number == ROOT:
            return False
        remaining = self._lookups.get(number, 0) - n_lookups
        if remaining > 0:
            self._lookups[number] = remaining
            return False
        if remaining < 0:
            _log.warning("inode %d was forgotten %d times too often", number, -remaining)
        if number in self._lookups:
            del self._lookups[number]
            del self._numbers[self._paths.pop(number)]
        return True


def _hash(path: str) -> InodeNumber:
    digest = hashlib.blake2b(path.encode("utf-8", "surrogateescape"), digest_size=8).digest()
    # 63 bits: some programs keep inode numbers in signed integers.
    return InodeNumber(max(int.from_bytes(digest, "little") >> 1, _FIRST))
