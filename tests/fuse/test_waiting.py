"""Every wait ends: with what was waited for, or at its deadline."""

from __future__ import annotations

import threading
from concurrent.futures import Future

import pytest
import trio
import trio.testing

from zarrfs.errors import ChunkError, DeadlineError
from zarrfs.fuse.waiting import MAX_LATE_READS, LateReads, run_in_thread, wait_for


async def test_data_that_is_there_is_returned() -> None:
    reply: Future[bytes] = Future()
    reply.set_result(b"x")
    assert await wait_for(reply, 1) == b"x"


async def test_data_from_another_thread_is_returned() -> None:
    reply: Future[bytes] = Future()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.to_thread.run_sync, reply.set_result, b"x")
        assert await wait_for(reply, 60) == b"x"


async def test_error_is_raised() -> None:
    reply: Future[bytes] = Future()
    reply.set_exception(ChunkError("a", "a/c/0", "it is broken"))
    with pytest.raises(ChunkError, match="it is broken"):
        await wait_for(reply, 1)


async def test_data_that_does_not_come_is_a_missed_deadline(
    autojump_clock: trio.testing.MockClock,
) -> None:
    reply: Future[bytes] = Future()
    with pytest.raises(DeadlineError, match="no data within 60 s"):
        await wait_for(reply, 60)
    assert trio.current_time() == pytest.approx(60)
    reply.set_result(b"nobody wants it any more")
    await trio.testing.wait_all_tasks_blocked()


def test_data_may_come_after_the_mount_has_ended() -> None:
    reply: Future[bytes] = Future()

    async def give_up() -> None:
        with trio.move_on_after(0):
            await wait_for(reply, 60)

    trio.run(give_up)
    reply.set_result(b"x")


async def test_thread_that_returns_in_time() -> None:
    result = await run_in_thread(divmod, 7, 2, limiter=trio.CapacityLimiter(1), seconds=60)
    assert result == (3, 1)


async def test_thread_that_hangs_is_left_to_itself(mock_clock: trio.testing.MockClock) -> None:
    release, limiter = threading.Event(), trio.CapacityLimiter(1)
    outcome: list[str] = []

    async def ask() -> None:
        try:
            await run_in_thread(release.wait, limiter=limiter, seconds=15)
        except DeadlineError as error:
            outcome.append(str(error))

    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask)
            await trio.testing.wait_all_tasks_blocked()
            mock_clock.jump(15)
        assert outcome == ["no answer within 15 s"]
        # It still counts: threads that hang do not become more and more.
        assert limiter.borrowed_tokens == 1
    finally:
        release.set()


async def test_late_read_is_remembered_for_each_byte_of_it(
    mock_clock: trio.testing.MockClock,
) -> None:
    late, error = LateReads(ttl=1), DeadlineError("x")
    late.add(100, 10, error)
    assert [late.find(offset, 1) for offset in (99, 100, 109, 110)] == [None, error, error, None]
    assert late.find(0, 101) is error
    assert late.find(0, 100) is None
    mock_clock.jump(1)
    assert late.find(100, 10) is None


async def test_late_reads_are_bounded(mock_clock: trio.testing.MockClock) -> None:
    late = LateReads(ttl=1)
    for offset in range(MAX_LATE_READS + 1):
        late.add(offset, 1, DeadlineError("x"))
    assert late.find(0, 1) is None
    assert late.find(1, 1) is not None
