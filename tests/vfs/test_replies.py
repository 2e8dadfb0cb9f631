from __future__ import annotations

import gc
import weakref
from concurrent.futures import Future
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vfs.mounting import PATIENCE
from zarrfs.arrays.decode_pool import DecodePool
from zarrfs.errors import ChunkError
from zarrfs.vfs.replies import joined, on_pool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from zarrfs.vfs.replies import Reply

ERROR = ChunkError("t", "t/c/0", "gone")


@pytest.fixture
def pool() -> Iterator[DecodePool]:
    pool = DecodePool(2)
    yield pool
    pool.close()


@given(st.lists(st.tuples(st.binary(max_size=5), st.booleans())), st.randoms())
def test_joined_parts_arrive_as_one_in_order(
    parts: list[tuple[bytes, bool]], random: Random
) -> None:
    futures: list[tuple[Future[memoryview], bytes]] = []
    replies: list[Reply] = []
    for data, is_there in parts:
        if is_there:
            replies.append(data)
        else:
            future: Future[memoryview] = Future()
            futures.append((future, data))
            replies.append(future)
    reply = joined(replies)
    random.shuffle(futures)
    for future, data in futures:
        assert isinstance(reply, Future)
        assert not reply.done()
        future.set_result(memoryview(data))
    whole = reply.result(0) if isinstance(reply, Future) else reply
    assert bytes(whole) == b"".join(data for data, _ in parts)


def test_joined_reply_fails_once_all_parts_are_there_if_any_failed() -> None:
    first: Future[memoryview] = Future()
    second: Future[memoryview] = Future()
    reply = joined([first, b"x", second])
    assert isinstance(reply, Future)
    first.set_exception(ERROR)
    assert not reply.done()
    second.set_result(memoryview(b"y"))
    assert reply.exception(0) is ERROR


def test_reply_made_on_the_pool_is_that_of_the_function(pool: DecodePool) -> None:
    later: Future[memoryview] = Future()
    replies = [on_pool(pool, lambda: b"now"), on_pool(pool, lambda: later)]
    later.set_result(memoryview(b"later"))
    assert [bytes(reply.result(PATIENCE)) for reply in replies] == [b"now", b"later"]


def test_failure_on_the_pool_is_that_of_the_reply(pool: DecodePool) -> None:
    later: Future[memoryview] = Future()
    later.set_exception(ERROR)
    assert on_pool(pool, lambda: later).exception(PATIENCE) is ERROR

    def fail() -> Reply:
        raise ERROR

    assert on_pool(pool, fail).exception(PATIENCE) is ERROR


def test_joined_parts_are_let_go_of_by_reference_counting_alone() -> None:
    gc.disable()
    try:
        part: Future[memoryview] = Future()
        buffer = np.zeros(10, np.uint8)
        reply = joined([b"header", part])
        assert isinstance(reply, Future)
        part.set_result(buffer.data)
        assert bytes(reply.result(0)) == b"header" + bytes(10)
        gone = weakref.ref(buffer)
        del part, buffer, reply
        assert gone() is None
    finally:
        gc.enable()
