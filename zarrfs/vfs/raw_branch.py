"""The tree ``zarr``: the store, key for key, byte for byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zarrfs.errors import EntryNotFoundError, KeyNotFoundError
from zarrfs.vfs.entries import BLOCK_BYTES, Entry, Name, directory
from zarrfs.vfs.names import may_be_renamed, shown_name
from zarrfs.vfs.raw_file import RawFile

if TYPE_CHECKING:
    from zarrfs.arrays.decode_pool import DecodePool
    from zarrfs.stores.base import Store


class RawBranch:
    """The raw keys of a store.

    Parameters
    ----------
    store
        The store.
    pool
        Threads that read.
    mtime_ns
        Of directories, and of objects whose store does not know.
    failure_ttl
        Seconds for which a failure is remembered and not tried again.
    """

    def __init__(
        self, store: Store, pool: DecodePool, *, mtime_ns: int, failure_ttl: float
    ) -> None:
        self._store = store
        self._pool = pool
        self._mtime_ns = mtime_ns
        self._failure_ttl = failure_ttl

    def entry(self, path: str) -> Entry:
        """Find the object or prefix at a path; `EntryNotFoundError` if there is none."""
        if not path:
            return directory(self._mtime_ns)
        key = self._key(path)
        try:
            info = self._store.stat(key)
        except KeyNotFoundError:
            if self._store.has_prefix(f"{key}/"):
                return directory(self._mtime_ns)
            raise EntryNotFoundError(path) from None
        return Entry(
            is_directory=False,
            mode=0o444,
            size=info.size,
            n_blocks=-(-info.size // BLOCK_BYTES),
            mtime_ns=info.mtime_ns or self._mtime_ns,
        )

    def names(self, path: str) -> list[Name]:
        """List a directory, sorted. A key that is a prefix too is shown as the directory."""
        prefix = f"{self._key(path)}/" if path else ""
        listed: dict[str, bool] = {}
        for each in self._store.list_dir(prefix):
            name = shown_name(each.name)
            listed[name] = listed.get(name, False) or each.is_prefix
        return sorted(Name(name, is_directory) for name, is_directory in listed.items())

    def open(self, path: str) -> RawFile:
        """Open an object for reading."""
        key = self._key(path)
        try:
            self._store.stat(key)
        except KeyNotFoundError:
            raise EntryNotFoundError(path) from None
        return RawFile(self._store, key, self._pool, failure_ttl=self._failure_ttl)

    def _key(self, path: str) -> str:
        """Return the key that a path stands for, whose parts may have been too long to show."""
        key = ""
        for part in path.split("/"):
            if may_be_renamed(part):
                part = next((own for own in self._own_names(key) if shown_name(own) == part), part)
            key = f"{key}/{part}" if key else part
        return key

    def _own_names(self, key: str) -> list[str]:
        return [listed.name for listed in self._store.list_dir(f"{key}/" if key else "")]
