"""An open object of the store, read by byte ranges."""

from __future__ import annotations

import logging
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING

from zarrfs.byte_range import ByteRange
from zarrfs.errors import KeyNotFoundError, StoreError, ZarrfsError

if TYPE_CHECKING:
    from zarrfs.arrays.decode_pool import DecodePool
    from zarrfs.stores.base import Buffer, Store

_log = logging.getLogger(__name__)


class RawFile:
    """One open of a raw key.

    Parameters
    ----------
    store, key
        The object.
    pool
        Threads that read.
    failure_ttl
        Seconds for which a failure is remembered and not tried again: the kernel repeats a failed
        read page by page.
    """

    direct_io = False
    # A change of the object shows in its mtime, and the kernel then drops what it has.
    keep_cache = True

    def __init__(self, store: Store, key: str, pool: DecodePool, *, failure_ttl: float) -> None:
        self._store = store
        self._key = key
        self._pool = pool
        self._failure_ttl = failure_ttl
        self._failure: tuple[float, ZarrfsError] | None = None

    def read(self, offset: int, size: int) -> Future[memoryview]:
        """Return the bytes of a span, fewer only at the end of the object; does not wait."""
        reply: Future[memoryview] = Future()

        def get() -> None:
            try:
                reply.set_result(memoryview(self._get(ByteRange(offset, size))))
            except ZarrfsError as error:
                reply.set_exception(error)

        self._pool.submit(get, urgent=True)
        return reply

    def _get(self, byte_range: ByteRange) -> Buffer:
        known = self._failure
        if known is not None and time.monotonic() < known[0]:
            raise known[1]
        try:
            return self._store.get(self._key, byte_range)
        except KeyNotFoundError:
            gone = "it was deleted while it was open"
            error: ZarrfsError = StoreError("get", self._key, gone, store=self._store.url)
        except ZarrfsError as failed:
            error = failed
        self._failure = (time.monotonic() + self._failure_ttl, error)
        _log.error("%s", error)
        error.is_logged = True
        raise error
