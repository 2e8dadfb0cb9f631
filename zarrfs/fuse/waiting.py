"""How a request waits: for a thread or for data, never longer than its deadline.

The thread that still waits for storage then is left to itself, and what it brings is dropped.
"""

from __future__ import annotations

import contextlib
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import trio

from zarrfs.errors import DeadlineError

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

R = TypeVar("R")
T = TypeVar("T")

# Late reads remembered for each open file: more than the kernel has under way for one.
MAX_LATE_READS = 64


async def run_in_thread(
    function: Callable[..., R], *args: object, limiter: trio.CapacityLimiter, seconds: float
) -> R:
    """Call a function that may wait for the store.

    Raises
    ------
    DeadlineError
        If it has not returned in time, or no thread was free.
    """
    with trio.move_on_after(seconds):
        return await trio.to_thread.run_sync(
            function, *args, limiter=limiter, abandon_on_cancel=True
        )
    raise DeadlineError(f"no answer within {seconds:g} s")


async def wait_for(reply: Future[T], seconds: float) -> T:
    """Return what a future brings, or raise what it fails with.

    Raises
    ------
    DeadlineError
        If it brings nothing in time.
    """
    token = trio.lowlevel.current_trio_token()
    arrived = trio.Event()

    def tell(_: Future[T]) -> None:
        # On a decode thread, perhaps after the mount has ended.
        with contextlib.suppress(trio.RunFinishedError):
            token.run_sync_soon(arrived.set)

    reply.add_done_callback(tell)
    with trio.move_on_after(seconds):
        await arrived.wait()
        return reply.result()
    raise DeadlineError(f"no data within {seconds:g} s")


@dataclass(frozen=True, slots=True)
class _LateRead:
    start: int
    stop: int
    expiry: float
    error: DeadlineError


class LateReads:
    """Reads of one open file that got no answer in time, remembered for a while.

    After a read that failed the kernel asks again for each page somebody wants: without this, a
    program would wait a whole deadline for each of them.
    """

    def __init__(self, ttl: float) -> None:
        self._ttl = ttl
        self._reads: deque[_LateRead] = deque(maxlen=MAX_LATE_READS)

    def add(self, offset: int, size: int, error: DeadlineError) -> None:
        """Remember that a span did not come."""
        expiry = trio.current_time() + self._ttl
        self._reads.append(_LateRead(offset, offset + size, expiry, error))

    def find(self, offset: int, size: int) -> DeadlineError | None:
        """Return why any byte of a span did not come lately."""
        now = trio.current_time()
        for late in self._reads:
            if late.start < offset + size and offset < late.stop and now < late.expiry:
                return late.error
        return None
