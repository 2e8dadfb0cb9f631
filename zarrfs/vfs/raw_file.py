"""An open object of the store, read by byte ranges."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from zarrfs.byte_range import ByteRange
from zarrfs.errors import KeyNotFoundError, StoreError, ZarrfsError
from zarrfs.vfs.replies import on_pool

if TYPE_CHECKING:
    from collections.abc import Hashable
    from concurrent.futures import Future

    from zarrfs.arrays.decode_pool import DecodePool
    from zarrfs.stores.base import Buffer, Store

_log = logging.getLogger(__name__)


class RawFile:
    """One open of a raw key.

    Parameters
    ----------
    store, key
        The object.
    size
        Its bytes when it was opened.
    pool
        Threads that read.
    failure_ttl
        Seconds for which a failure is remembered and not tried again: the kernel repeats a failed
        read page by page.
    version
        Of the object.
    """

    direct_io = False

    def __init__(
        self,
        store: Store,
        key: str,
        size: int,
        pool: DecodePool,
        *,
        failure_ttl: float,
        version: Hashable,
    ) -> None:
        self._store = store
        self._key = key
        self._size = size
        self._pool = pool
        self._failure_ttl = failure_ttl
        self._failure: tuple[float, ZarrfsError] | None = None
        self.version = version

    def read(self, offset: int, size: int) -> Future[memoryview]:
        """Return the bytes of a span, fewer only at the end of the object; does not wait."""
        return on_pool(self._pool, lambda: self._read(ByteRange(offset, size)))

    def slab_end(self, offset: int) -> int:
        """Return the offset: nothing is decoded."""
        return offset

    def _read(self, byte_range: ByteRange) -> Buffer:
        known = self._failure
        if known is not None and time.monotonic() < known[0]:
            raise known[1].with_traceback(None)
        try:
            data = self._store.get(self._key, byte_range)
            if len(data) < self._expected(byte_range):
                self._size = self._store.stat(self._key).size
            if len(data) < self._expected(byte_range):
                raise self._error(f"{len(data)} bytes came where {byte_range} was asked for")
        except KeyNotFoundError:
            error: ZarrfsError = self._error("it was deleted while it was open")
        except ZarrfsError as failed:
            error = failed
        else:
            return data
        self._failure = (time.monotonic() + self._failure_ttl, error)
        _log.error("%s", error)
        error.is_logged = True
        raise error

    def _expected(self, byte_range: ByteRange) -> int:
        """Return how many bytes of a span there are: none may be missing but after the end."""
        start, stop = byte_range.resolve(self._size)
        return stop - start

    def _error(self, reason: str) -> StoreError:
        return StoreError("get", self._key, reason, store=self._store.url)
