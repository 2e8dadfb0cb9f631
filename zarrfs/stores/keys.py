"""Which strings are keys and prefixes, and how sorted keys form a tree of names. Pure.

Law: for every key in a `KeyIndex`, walking `list_dir` from ``""`` finds it exactly once.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING

from zarrfs.errors import StoreError
from zarrfs.stores.base import Listed

if TYPE_CHECKING:
    from collections.abc import Iterable


_NO_PARTS = frozenset(("", ".", ".."))
"""What no part of a key may be."""


def is_key(text: str) -> bool:
    """Whether `text` names an object: parts joined by ``/``, none empty, ``.`` or ``..``."""
    return "\0" not in text and _NO_PARTS.isdisjoint(text.split("/"))


def is_prefix(text: str) -> bool:
    """Whether `text` is the root ``""`` or a key followed by ``/``."""
    return not text or (text.endswith("/") and is_key(text[:-1]))


def check_key(operation: str, key: str, store: str) -> None:
    """Raise `StoreError` if `key` is not a key: it could reach out of the store."""
    if not is_key(key):
        reason = f"{key!r} is not a key: parts may not be empty, '.' or '..', or hold NUL"
        raise StoreError(operation, key, reason, store=store)


def check_prefix(prefix: str, store: str) -> None:
    """Raise `StoreError` if `prefix` is neither ``""`` nor a key followed by ``/``."""
    if not is_prefix(prefix):
        reason = f"{prefix!r} is not a prefix: that is '' or a key followed by '/'"
        raise StoreError("list", prefix, reason, store=store)


class KeyIndex:
    """A sorted set of keys that can be listed like directories. Not thread-safe."""

    def __init__(self, keys: Iterable[str] = ()) -> None:
        self._keys = sorted(set(keys))

    def add(self, key: str) -> None:
        """Put in a key that is not there yet."""
        insort(self._keys, key)

    def remove(self, key: str) -> None:
        """Take out a key that is there."""
        del self._keys[bisect_left(self._keys, key)]

    def has_prefix(self, prefix: str) -> bool:
        """Whether keys lie below a prefix."""
        position = bisect_left(self._keys, prefix)
        return position < len(self._keys) and self._keys[position].startswith(prefix)

    def list_dir(self, prefix: str) -> list[Listed]:
        """Names directly below a prefix, sorted. Costs a search per name, not per key below."""
        listing = []
        position = bisect_left(self._keys, prefix)
        while position < len(self._keys) and self._keys[position].startswith(prefix):
            name, slash, _ = self._keys[position][len(prefix) :].partition("/")
            listing.append(Listed(name=name, is_prefix=bool(slash)))
            if slash:
                # "0" follows "/" in Unicode, so this is the end of the keys below the name.
                position = bisect_left(self._keys, f"{prefix}{name}0", position)
            else:
                position += 1
        return sorted(listing)
