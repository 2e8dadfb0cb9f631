"""Any store -> the same store with faults, on purpose, and a record of what it was asked.

Without faults it obeys every law of the store inside. Faults come from the options of a
``fault+`` URL (see `zarrfs.stores.faults`) and can be changed while the store is used.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, TypeVar

from zarrfs.errors import StoreError, StoreTimeoutError
from zarrfs.stores.base import Buffer, Capabilities, DiskUsage, Listed, ObjectInfo, Store
from zarrfs.stores.faults import Faults, parse_faults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from zarrfs.byte_range import ByteRange

T = TypeVar("T")

RECORD_LIMIT = 10_000
"""Operations remembered; older ones are forgotten."""

HANG_LIMIT_S = 300.0
"""Seconds that an operation hangs at most if nobody releases it; then it times out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One thing that the store was asked, recorded when it ended."""

    name: str
    """One of `zarrfs.stores.faults.OPERATIONS`."""

    key: str
    """The key, or the prefix of a ``list``."""

    ranges: tuple[ByteRange, ...]
    """What was asked of a ``get``; empty is the whole object."""

    nbytes: int
    """Bytes returned by a ``get`` or given to a ``set``."""

    error: str | None
    """Name of the error's class if it failed, by fault or not."""

    thread: str
    """Name of the calling thread."""

    started: float
    """Seconds of the store's clock."""

    ended: float
    """Seconds of the store's clock."""


class FaultyStore(Store):
    """A store around another one.

    Parameters
    ----------
    inner
        The store that does the work.
    faults
        What goes wrong at first.
    clock
        Seconds that only go up; outages and the record go by it.
    """

    def __init__(
        self,
        inner: Store,
        faults: Faults | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._inner = inner
        self._clock = clock
        # Guards everything below; notified when a call begins to hang or faults change.
        self._changed = threading.Condition()
        self._record: deque[Operation] = deque(maxlen=RECORD_LIMIT)
        self._hanging = 0
        self._releases = 0
        self._start(faults or Faults())

    # --- faults and record --------------------------------------------------------------------

    def inject(self, **options: str) -> None:
        """Show these faults from now on, in place of those before: ``inject(error="always")``.

        Counts, the sequence of chances and the outage start anew. What hangs keeps hanging.
        """
        faults = parse_faults(options)
        with self._changed:
            self._start(faults)

    def heal(self) -> None:
        """Show no faults from now on, and release what hangs."""
        with self._changed:
            self._start(Faults())
        self.release()

    def release(self) -> None:
        """Let the operations that hang or are delayed at this moment go on."""
        with self._changed:
            self._releases += 1
            self._changed.notify_all()

    def wait_until_hanging(self, count: int = 1, timeout: float = 10.0) -> bool:
        """Wait until `count` operations hang; return whether they do."""
        with self._changed:
            return self._changed.wait_for(lambda: self._hanging >= count, timeout)

    @property
    def operations(self) -> list[Operation]:
        """The last operations that ended, oldest first."""
        with self._changed:
            return list(self._record)

    def forget_operations(self) -> None:
        """Begin the record anew."""
        with self._changed:
            self._record.clear()

    # --- the store ----------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """URL of the inner store after ``fault+``."""
        return f"fault+{self._inner.url}"

    @property
    def capabilities(self) -> Capabilities:
        """Those of the inner store, but in one process, which counts the faults.

        With a delay it is a store that takes its time.
        """
        inner = self._inner.capabilities
        is_quick = inner.cheap_stat and self._faults.latency is None
        return replace(inner, multiprocess=False, cheap_stat=is_quick)

    def get(self, key: str, byte_range: ByteRange | None = None) -> Buffer:
        """Return an object or a span, or what faults leave of it."""
        ranges = () if byte_range is None else (byte_range,)
        return self._run(
            "get", key, lambda: self._cut(key, self._inner.get(key, byte_range)), len, ranges
        )

    def get_ranges(self, key: str, ranges: Sequence[ByteRange]) -> list[Buffer]:
        """Return several spans; one operation."""
        return self._run(
            "get",
            key,
            lambda: [self._cut(key, data) for data in self._inner.get_ranges(key, ranges)],
            lambda parts: sum(map(len, parts)),
            tuple(ranges),
        )

    def set(self, key: str, data: Buffer) -> None:
        """Store an object."""
        self._run("set", key, lambda: self._inner.set(key, data), lambda _: len(data))

    def set_new(self, key: str, data: Buffer) -> bool:
        """Store an object if the key is free."""
        return self._run("set", key, lambda: self._inner.set_new(key, data), lambda _: len(data))

    def rename(self, key: str, new_key: str) -> None:
        """Rename an object."""
        self._run("rename", key, lambda: self._inner.rename(key, new_key))

    def delete(self, key: str) -> None:
        """Remove an object."""
        self._run("delete", key, lambda: self._inner.delete(key))

    def stat(self, key: str) -> ObjectInfo:
        """Size, time and version."""
        return self._run("stat", key, lambda: self._inner.stat(key))

    def list_dir(self, prefix: str) -> list[Listed]:
        """Names directly below a prefix."""
        return self._run("list", prefix, lambda: self._inner.list_dir(prefix))

    def has_prefix(self, prefix: str) -> bool:
        """Whether anything lies below a prefix; counts as ``list``."""
        return self._run("list", prefix, lambda: self._inner.has_prefix(prefix))

    def list_prefix(self, prefix: str) -> Iterator[str]:
        """All keys below a prefix; one operation."""
        return self._run("list", prefix, lambda: self._inner.list_prefix(prefix))

    def disk_usage(self) -> DiskUsage | None:
        """Size of the inner store's storage; never fails by fault."""
        return self._inner.disk_usage()

    def close(self) -> None:
        """Release what hangs and close the inner store."""
        self.heal()
        self._inner.close()

    # --- inside -------------------------------------------------------------------------------

    def _start(self, faults: Faults) -> None:
        self._faults = faults
        self._chance = random.Random(faults.seed)
        self._count = 0
        self._outage_began: float | None = None

    def _run(
        self,
        name: str,
        key: str,
        call: Callable[[], T],
        measure: Callable[[T], int] = lambda _: 0,
        ranges: tuple[ByteRange, ...] = (),
    ) -> T:
        started, nbytes, error = self._clock(), 0, None
        try:
            self._suffer(name, key)
            result = call()
            nbytes = measure(result)
        except BaseException as failure:
            error = type(failure).__name__
            raise
        finally:
            operation = Operation(
                name=name,
                key=key,
                ranges=ranges,
                nbytes=nbytes,
                error=error,
                thread=threading.current_thread().name,
                started=started,
                ended=self._clock(),
            )
            with self._changed:
                self._record.append(operation)
        return result

    def _suffer(self, name: str, key: str) -> None:
        """Wait and fail as the faults say."""
        with self._changed:
            faults = self._faults
            if not fnmatchcase(key, faults.keys):
                return
            reason = self._failure(faults, name)
            if faults.latency and name in faults.latency.operations:
                self._wait(faults.latency.seconds)
            if name in faults.hang:
                self._hanging += 1
                self._changed.notify_all()
                is_released = self._wait(HANG_LIMIT_S)
                self._hanging -= 1
                if not is_released:
                    reason = f"it hung for {HANG_LIMIT_S:g} s"
                    raise StoreTimeoutError(name, key, reason, store=self.url)
        if reason:
            raise StoreError(name, key, reason, store=self.url)

    def _wait(self, seconds: float) -> bool:
        """Wait for that long or until released; return whether it was released."""
        releases = self._releases
        return self._changed.wait_for(lambda: self._releases != releases, seconds)

    def _failure(self, faults: Faults, name: str) -> str:
        """Return why this operation fails, or nothing."""
        if faults.outage and name in faults.outage.operations:
            now = self._clock()
            if self._outage_began is None:
                self._outage_began = now
            if now < self._outage_began + faults.outage.seconds:
                return "injected outage"
        if faults.error and name in faults.error.operations:
            self._count += 1
            if faults.error.every:
                is_hit = self._count % faults.error.every == 0
            else:
                is_hit = self._chance.random() < faults.error.probability
            if is_hit:
                return "injected error"
        return ""

    def _cut(self, key: str, data: Buffer) -> Buffer:
        with self._changed:
            faults = self._faults
        if faults.truncate is None or not fnmatchcase(key, faults.keys):
            return data
        return memoryview(data)[: faults.truncate.size(len(data))]
