"""Keys <-> bytes in this process's memory: ``memory://name`` and private ones.

Stores of one name share their objects, in this process alone, until `MemoryStore.clear`.
Nothing bounds how much they hold: what is put in stays.
"""

from __future__ import annotations

import itertools
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from zarrfs.errors import KeyNotFoundError
from zarrfs.stores.base import Buffer, Capabilities, Listed, ObjectInfo, Store
from zarrfs.stores.keys import KeyIndex, check_key, check_prefix

if TYPE_CHECKING:
    from zarrfs.byte_range import ByteRange


_CAPABILITIES = Capabilities(writable=True, rename=True, conditional=True, cheap_stat=True)


@dataclass(frozen=True, slots=True)
class _Object:
    data: bytes
    info: ObjectInfo


@dataclass(slots=True)
class _Space:
    """The objects that all stores of one name share; everything is done under its lock."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    objects: dict[str, _Object] = field(default_factory=dict)
    index: KeyIndex = field(default_factory=KeyIndex)
    revisions: itertools.count[int] = field(default_factory=lambda: itertools.count(1))


_spaces: dict[str, _Space] = {}
_spaces_lock = threading.Lock()


class MemoryStore(Store):
    """Objects in memory.

    Parameters
    ----------
    name
        Stores of one name are one store. ``None`` makes a private one.
    """

    def __init__(self, name: str | None = None) -> None:
        self._name = name
        self._url = f"memory://{name or ''}"
        if name is None:
            self._space = _Space()
        else:
            with _spaces_lock:
                self._space = _spaces.setdefault(name, _Space())

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the name: another process has another, empty store of it."""
        if self._name is None:
            raise TypeError("a private store in memory cannot be pickled; give it a name")
        return MemoryStore, (self._name,)

    @property
    def url(self) -> str:
        """``memory://name``."""
        return self._url

    @property
    def capabilities(self) -> Capabilities:
        """Everything."""
        return _CAPABILITIES

    def get(self, key: str, byte_range: ByteRange | None = None) -> Buffer:
        """Return the object, or a view of one span of it; nothing is copied."""
        data = self._find("get", key).data
        if byte_range is None:
            return data
        start, stop = byte_range.resolve(len(data))
        return memoryview(data)[start:stop]

    def set(self, key: str, data: Buffer) -> None:
        """Keep a copy of `data`."""
        check_key("set", key, self.url)
        copy = bytes(data)
        with self._space.lock:
            self._put(key, copy)

    def set_new(self, key: str, data: Buffer) -> bool:
        """Keep a copy of `data` if the key is free."""
        check_key("set", key, self.url)
        copy = bytes(data)
        with self._space.lock:
            is_free = key not in self._space.objects
            if is_free:
                self._put(key, copy)
        return is_free

    def rename(self, key: str, new_key: str) -> None:
        """Give an object another key; it counts as changed."""
        check_key("rename", key, self.url)
        check_key("rename", new_key, self.url)
        with self._space.lock:
            if key not in self._space.objects:
                raise KeyNotFoundError(key)
            data = self._space.objects[key].data
            self._drop(key)
            self._put(new_key, data)

    def delete(self, key: str) -> None:
        """Forget an object."""
        check_key("delete", key, self.url)
        with self._space.lock:
            if key in self._space.objects:
                self._drop(key)

    def stat(self, key: str) -> ObjectInfo:
        """Size, time and revision; revisions are never used twice."""
        return self._find("stat", key).info

    def list_dir(self, prefix: str) -> list[Listed]:
        """Names directly below a prefix."""
        check_prefix(prefix, self.url)
        with self._space.lock:
            return self._space.index.list_dir(prefix)

    def has_prefix(self, prefix: str) -> bool:
        """Whether keys lie below a prefix."""
        check_prefix(prefix, self.url)
        with self._space.lock:
            return self._space.index.has_prefix(prefix)

    def clear(self) -> None:
        """Forget all objects, in every store of this name."""
        with self._space.lock:
            self._space.objects.clear()
            self._space.index = KeyIndex()

    def _find(self, operation: str, key: str) -> _Object:
        with self._space.lock:
            found = self._space.objects.get(key)
        if found is None:
            check_key(operation, key, self.url)
            raise KeyNotFoundError(key)
        return found

    def _put(self, key: str, data: bytes) -> None:
        if key not in self._space.objects:
            self._space.index.add(key)
        version = str(next(self._space.revisions))
        self._space.objects[key] = _Object(data, ObjectInfo(len(data), time.time_ns(), version))

    def _drop(self, key: str) -> None:
        del self._space.objects[key]
        self._space.index.remove(key)
