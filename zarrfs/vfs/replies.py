"""Replies that are not there yet: made on another thread, or joined from several."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from zarrfs.arrays.decode_pool import DecodePool

Reply = bytes | bytearray | memoryview | Future[memoryview]
"""Bytes, now or as soon as they are there; a future fails with a `ZarrfsError`."""


def on_pool(pool: DecodePool, read: Callable[[], Reply]) -> Future[memoryview]:
    """Call something that may wait for the store, on a thread that may wait.

    Parameters
    ----------
    pool
        The threads.
    read
        Its result or error is that of the reply.
    """
    reply: Future[memoryview] = Future()

    def task() -> None:
        try:
            part = read()
        except Exception as error:  # noqa: BLE001 (it is raised where the reply is awaited)
            reply.set_exception(error)
            return
        _pass_on(part, reply)

    pool.submit(task, urgent=True)
    return reply


def joined(parts: Sequence[Reply]) -> Reply:
    """Return replies as one, there as soon as all of them are; it fails if any does."""
    if len(parts) == 1:
        return parts[0]
    parts = list(parts)
    waiting = [part for part in parts if isinstance(part, Future)]
    if not waiting:
        return b"".join(map(_bytes, parts))
    reply: Future[memoryview] = Future()
    lock = threading.Lock()
    n_missing = len(waiting)

    def arrive(_: Future[memoryview]) -> None:
        nonlocal n_missing
        with lock:
            n_missing -= 1
            if n_missing:
                return
        error = next(filter(None, (part.exception() for part in waiting)), None)
        if error is not None:
            reply.set_exception(error)
        else:
            reply.set_result(memoryview(b"".join(map(_bytes, parts))))
        # Each part keeps this function, which would keep the parts: and a slab's memory with them.
        parts.clear()
        waiting.clear()

    for part in tuple(waiting):
        part.add_done_callback(arrive)
    return reply


def _bytes(part: Reply) -> bytes | bytearray | memoryview:
    return part.result() if isinstance(part, Future) else part


def _pass_on(part: Reply, reply: Future[memoryview]) -> None:
    if not isinstance(part, Future):
        reply.set_result(memoryview(part))
        return

    def arrive(part: Future[memoryview]) -> None:
        error = part.exception()
        if error is not None:
            reply.set_exception(error)
        else:
            reply.set_result(part.result())

    part.add_done_callback(arrive)
