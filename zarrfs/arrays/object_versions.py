"""Which versions of stored objects were read, so that a change behind our back can be told."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from zarrfs.errors import KeyNotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zarrfs.stores.base import Store

# About 200 bytes each; asking for them all takes about 0.1 s on a local disk.
MAX_OBJECTS = 20_000

MISSING = "missing"
"""Version of an object that is not there."""

UNKNOWN = ""
"""Version of every object where the store cannot tell cheaply."""


class ObjectVersions:
    """Versions of the objects of one array that were read, missing ones included.

    Only kept where the store can tell a version cheaply; elsewhere nothing is ever noticed, and
    ``zarrfs refresh`` is the way.
    """

    def __init__(self, store: Store, max_objects: int = MAX_OBJECTS) -> None:
        self._store = store
        self._max_objects = max_objects
        self._keeps = store.capabilities.cheap_stat
        self._lock = threading.Lock()
        self._versions: dict[str, str] = {}
        self._overflowed = False

    def record(self, key: str) -> None:
        """Note the present version of an object; call it before reading parts of the object."""
        if self._keeps and key not in self._versions:
            self.note(key, self.present(key))

    def note(self, key: str, version: str) -> None:
        """Note the version of an object that was read, or `MISSING`; the first one counts."""
        if self._keeps and key not in self._versions:
            with self._lock:
                self._note(key, version)

    def take(self) -> Mapping[str, str]:
        """Versions noted so far, by key; none is from then on."""
        with self._lock:
            taken, self._versions, self._overflowed = self._versions, {}, False
        return taken

    def add(self, versions: Mapping[str, str]) -> None:
        """Note versions of objects that another process has read."""
        with self._lock:
            for key, version in versions.items():
                self._note(key, version)

    def _note(self, key: str, version: str) -> None:
        if len(self._versions) < self._max_objects:
            self._versions.setdefault(key, version)
        else:
            self._overflowed = True

    def present(self, key: str) -> str:
        """Return the version of an object as it is now; `UNKNOWN` where it is not cheap."""
        if not self._keeps:
            return UNKNOWN
        try:
            return self._store.stat(key).version
        except KeyNotFoundError:
            return MISSING

    def drop(self, key: str) -> None:
        """Forget the version of an object that has been replaced by ourselves."""
        with self._lock:
            self._versions.pop(key, None)

    def changed(self) -> bool:
        """Whether any object read so far may have changed since.

        True also when more objects were read than are kept track of: then nobody can tell.
        """
        with self._lock:
            known = list(self._versions.items())
            overflowed = self._overflowed
        return overflowed or any(self.present(key) != version for key, version in known)

    def forget(self) -> None:
        """Start anew, when everything read so far has been dropped."""
        with self._lock:
            self._versions.clear()
            self._overflowed = False
