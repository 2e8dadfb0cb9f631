"""The tree ``zarr``: the store, key for key, byte for byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zarrfs.arrays.expiring import Expiring
from zarrfs.errors import EntryNotFoundError, KeyNotFoundError
from zarrfs.format.node_keys import join, key_prefix
from zarrfs.vfs.entries import BLOCK_BYTES, Entry, Name, directory
from zarrfs.vfs.names import may_be_cut, shown_names
from zarrfs.vfs.raw_file import RawFile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zarrfs.arrays.decode_pool import DecodePool
    from zarrfs.stores.base import ObjectInfo, Store

# Names in the listings that are remembered, about 100 bytes each.
MAX_LISTED = 200_000


class RawBranch:
    """The raw keys of a store.

    Where a key is a prefix too, which no directory can show, the prefix is shown: more lies there.

    Parameters
    ----------
    store
        The store.
    pool
        Threads that read.
    mtime_ns
        Of directories, and of objects whose store does not know.
    ttl
        Seconds for which listings and failures are remembered.
    """

    def __init__(self, store: Store, pool: DecodePool, *, mtime_ns: int, ttl: float) -> None:
        self._store = store
        self._pool = pool
        self._mtime_ns = mtime_ns
        self._ttl = ttl
        self._listings: Expiring[str, Mapping[str, bool]] = Expiring(
            lambda _: ttl, limit=MAX_LISTED, weigh=lambda listing: 1 + len(listing)
        )
        self._generation = object()

    def entry(self, path: str) -> Entry:
        """Find the object or prefix at a path; `EntryNotFoundError` if there is none."""
        info = self._info(self._key(path)) if path else None
        if info is None:
            return directory(self._mtime_ns)
        return Entry(
            is_directory=False,
            mode=0o444,
            size=info.size,
            n_blocks=-(-info.size // BLOCK_BYTES),
            mtime_ns=info.mtime_ns or self._mtime_ns,
        )

    def names(self, path: str) -> list[Name]:
        """List a directory, sorted."""
        key = self._key(path)
        if key and self._info(key) is not None:
            raise EntryNotFoundError(f"{path} is not a directory")
        listing = self._listing(key)
        return sorted(Name(name, listing[own]) for name, (own, _) in shown_names(listing).items())

    def open(self, path: str) -> RawFile:
        """Open an object for reading."""
        key = self._key(path)
        info = self._info(key) if key else None
        if info is None:
            raise EntryNotFoundError(f"{path} is a directory")
        # Its time may not tell: some stores have none, others only whole seconds.
        version = (info.version, self._generation)
        return RawFile(
            self._store, key, info.size, self._pool, failure_ttl=self._ttl, version=version
        )

    def forget(self) -> None:
        """Forget what is known, so that the store is asked again."""
        self._listings.clear()
        self._generation = object()

    def key(self, path: str) -> str:
        """Return the key or the prefix without ``/`` that a path stands for."""
        self.entry(path)
        return self._key(path)

    def _info(self, key: str) -> ObjectInfo | None:
        """Return what the store knows of an object, ``None`` for a prefix."""
        above, _, name = key.rpartition("/")
        is_prefix = (self._listings.known(above) or {}).get(name)
        if is_prefix:
            return None
        try:
            info = self._store.stat(key)
        except KeyNotFoundError:
            info = None
        if is_prefix is None and self._store.has_prefix(key_prefix(key)):
            return None
        if info is None:
            raise EntryNotFoundError(key)
        return info

    def _listing(self, key: str) -> Mapping[str, bool]:
        """Return the names below a prefix, and whether each is a prefix itself."""

        def make() -> Mapping[str, bool]:
            listing: dict[str, bool] = {}
            for listed in self._store.list_dir(key_prefix(key)):
                listing[listed.name] = listed.is_prefix or listing.get(listed.name, False)
            return listing

        return self._listings.get(key, make)

    def _key(self, path: str) -> str:
        """Return the key that a path stands for, whose parts may have been too long to show."""
        key = ""
        for part in path.split("/") if path else ():
            own: str | None = part
            if may_be_cut(part):
                own = shown_names(self._listing(key)).get(part, (None, None))[0]
            if own is None:
                raise EntryNotFoundError(path)
            key = join(key, own)
        return key
