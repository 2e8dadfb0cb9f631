"""Keys <-> bytes. The protocol of a store: synchronous, thread-safe, ignorant of Zarr.

All waiting on storage happens behind this protocol. Its laws, which the contract tests repeat
for each store:

- A missing key is `KeyNotFoundError`. *Missing* and *failed* never mix: whatever else goes
  wrong is a `StoreError`, with access refused as `StorePermissionError`.
- A range gives exactly the bytes asked for, cut at the end of the object.
- `set` replaces an object whole or not at all; `delete` of a missing key does nothing.
- Keys are `str`: parts joined by ``/``, none of them empty, ``.`` or ``..``, no NUL. Prefixes end
  in ``/``; the root is ``""``. Anything else is a `StoreError`, in every call.
- A prefix is listed if keys lie below it. Only a store with real directories also lists empty
  ones, and those are never of its own making.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from zarrfs.errors import ReadOnlyError, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from zarrfs.byte_range import ByteRange

Buffer = bytes | bytearray | memoryview
"""What a store returns and takes: a contiguous buffer of bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a store can do; what it cannot is refused, never imitated badly."""

    writable: bool
    """`set` and `delete` work."""

    rename: bool = False
    """`rename` works: an object gets another key without being copied."""

    conditional: bool = False
    """`set_new` works: an object is stored only if the key is free."""

    cheap_stat: bool = False
    """`stat` costs microseconds, not a request: it can be asked for each object that is read."""

    multiprocess: bool = False
    """Unpickled in another process of this machine it is the same store, or refuses to be."""


class ObjectInfo(NamedTuple):
    """What a store knows of an object without reading it.

    A tuple, for it is made for each chunk.
    """

    size: int
    """Bytes."""

    mtime_ns: int
    """Last change, nanoseconds since the epoch; 0 where the store does not know."""

    version: str
    """Changes whenever the bytes do (mtime and size, ETag, revision)."""


class Fetched(NamedTuple):
    """An object or a span of it, and what is known of the object.

    A tuple, for it is made for each chunk.
    """

    data: Buffer | None
    """``None`` if it was not read, since the object is too large."""

    info: ObjectInfo | None
    """What `Store.stat` says of the version that was read, or of one before; ``None`` where that
    is not cheap."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Listed:
    """One line of a listing: a key, or a prefix that has keys below it."""

    name: str
    """Last part of the key or prefix, without ``/``."""

    is_prefix: bool
    """Keys lie below it (a directory)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskUsage:
    """Size of the storage below a store, in bytes."""

    total: int
    free: int


class Store(Protocol):
    """Maps keys to bytes. Inherit from it to get the defaults, or match it."""

    @property
    def url(self) -> str:
        """The store's URL without secrets, for messages and ``list``."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What this store can do."""
        ...

    def get(self, key: str, byte_range: ByteRange | None = None) -> Buffer:
        """Return an object, or one span of it cut at its end.

        Raises
        ------
        KeyNotFoundError
            If there is no such object.
        StoreError
            If it could not be read.
        """
        ...

    def fetch(
        self,
        key: str,
        buffer: memoryview | None,
        most: int,
        byte_range: ByteRange | None = None,
    ) -> Fetched:
        """Return an object or a span of it like `get`, with what is known of the object.

        Parameters
        ----------
        key
            The object.
        buffer
            Where a store may read it to. What it holds behind that, or if it was not used, has no
            meaning.
        most
            Bytes; a larger object is not read, where its size can be told beforehand.
        byte_range
            The span; ``None`` for all of it.
        """
        info = self.stat(key) if self.capabilities.cheap_stat else None
        if info is not None and info.size > most:
            return Fetched(None, info)
        return Fetched(self.get(key, byte_range), info)

    def expect(self, keys: Iterable[str]) -> None:
        """Take note of objects that are read whole next; a store may begin to read them.

        It never waits for that, and says nothing of objects that are not there.
        """
        return

    def get_ranges(self, key: str, ranges: Sequence[ByteRange]) -> list[Buffer]:
        """Return several spans of one object, in the order asked for.

        Between two spans the object may be replaced, unless the store says otherwise.
        """
        return [self.get(key, byte_range) for byte_range in ranges]

    def set(self, key: str, data: Buffer) -> None:
        """Store an object, whole or not at all.

        Raises
        ------
        ReadOnlyError
            If the store cannot be written.
        NoSpaceError
            If the storage is full. The old object, if any, is still there.
        StoreError
            If it could not be stored.
        """
        raise ReadOnlyError("set", key, "the store is read-only", store=self.url)

    def set_new(self, key: str, data: Buffer) -> bool:
        """Store an object if there is none, in one step; return whether it was stored."""
        raise StoreError("set", key, "the store cannot test and set", store=self.url)

    def rename(self, key: str, new_key: str) -> None:
        """Give an object another key, replacing what is there, in one step.

        Raises
        ------
        KeyNotFoundError
            If there is no object `key`.
        """
        raise StoreError("rename", key, "the store cannot rename", store=self.url)

    def delete(self, key: str) -> None:
        """Remove an object; nothing happens if there is none."""
        raise ReadOnlyError("delete", key, "the store is read-only", store=self.url)

    def stat(self, key: str) -> ObjectInfo:
        """Size, time and version of an object; `KeyNotFoundError` if there is none."""
        ...

    def list_dir(self, prefix: str) -> list[Listed]:
        """Names directly below a prefix, sorted; empty if nothing is there.

        A name that is both a key and a prefix stands twice.
        """
        ...

    def has_prefix(self, prefix: str) -> bool:
        """Tell whether anything lies below a prefix; a directory may also be empty."""
        return bool(self.list_dir(prefix))

    def list_prefix(self, prefix: str) -> Iterator[str]:
        """All keys below a prefix, depth first.

        Sorted by their parts (``key.split("/")``), which is not the order of the strings:
        ``a/b`` comes before ``a-b``.
        """
        levels = [(prefix, iter(self.list_dir(prefix)))]
        while levels:
            parent, listing = levels[-1]
            listed = next(listing, None)
            if listed is None:
                levels.pop()
            elif listed.is_prefix:
                child = f"{parent}{listed.name}/"
                levels.append((child, iter(self.list_dir(child))))
            else:
                yield f"{parent}{listed.name}"

    def disk_usage(self) -> DiskUsage | None:
        """Size of the storage, or ``None`` where it has none to speak of."""
        return None

    def close(self) -> None:
        """Give up connections and files; further calls may fail."""
        return
