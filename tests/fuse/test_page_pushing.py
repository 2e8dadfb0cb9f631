"""What is pushed into the kernel's page cache, and what is not."""

from __future__ import annotations

import errno
import logging
import os
import threading
from typing import TYPE_CHECKING

import pyfuse3
import pytest
import trio
import trio.testing

from tests.fuse.conftest import CALLER
from tests.plain_arrays import put_array, sample
from tests.waiting import DEADLINE
from zarrfs.errors import DeadlineError
from zarrfs.fuse import page_pushing
from zarrfs.fuse.inodes import InodeNumber
from zarrfs.fuse.page_pushing import (
    FIRST_BYTES,
    LARGEST_REQUEST,
    LEAST_BYTES,
    MAX_PUSHES,
    MOST_BYTES,
    PAGE,
    PagePushes,
    Run,
)

if TYPE_CHECKING:
    from tests.fuse.conftest import Kernel
    from tests.log_check import LogCheck
    from zarrfs.stores.faulty import FaultyStore

FILE = InodeNumber(20)
REQUEST = 128 * 2**10


class PageCache:
    """Takes the place of the kernel's; a test may hold it up, or make it refuse."""

    def __init__(self) -> None:
        self.stored: list[tuple[int, int, bytes]] = []
        self.error: OSError | None = None
        self.is_asked, self.may_store = threading.Event(), threading.Event()
        self.may_store.set()

    def store(self, number: int, offset: int, data: memoryview) -> None:
        self.is_asked.set()
        assert self.may_store.wait(DEADLINE)
        if self.error:
            raise self.error
        self.stored.append((number, offset, bytes(data)))


@pytest.fixture
def cache() -> PageCache:
    return PageCache()


@pytest.fixture
def pushes(cache: PageCache) -> PagePushes:
    """Of a mount whose kernel knows one file, of 16 pages."""
    made = PagePushes(cache.store)
    made.is_on = True
    made.before_telling(FILE, 16 * PAGE)
    return made


async def push(pushes: PagePushes, offset: int, data: bytes) -> int:
    ticket = pushes.ticket(FILE)
    assert ticket
    return await pushes.push(ticket, offset, memoryview(data))


# --- which reads are worth it ---------------------------------------------------------------------


def first_push(run: Run) -> int:
    """Read in order until more is to be read; return how far that went."""
    offset = 0
    while not run.observe(offset, REQUEST):
        offset += REQUEST
    return offset + REQUEST


def test_reads_in_order_are_worth_it_from_some_bytes_on() -> None:
    assert first_push(Run()) == FIRST_BYTES


def test_more_is_read_the_more_was_read_up_to_a_limit() -> None:
    run = Run()
    offset, seen = first_push(run) - REQUEST, []
    for _ in range(5):
        run.reach(offset + MOST_BYTES)
        offset += MOST_BYTES
        seen.append(run.observe(offset, REQUEST))
    assert seen == [MOST_BYTES] * 5
    assert 0 < Run(_n_bytes=FIRST_BYTES).observe(0, REQUEST) < MOST_BYTES


def test_scattered_reads_are_worth_nothing() -> None:
    run = Run()
    assert not any(run.observe(n * 10 * REQUEST, REQUEST) for n in range(1, 100))


def test_large_requests_are_fast_enough() -> None:
    run = Run()
    size = 2 * LARGEST_REQUEST
    assert not any(run.observe(n * size, size) for n in range(100))


def test_requests_sent_before_the_push_change_nothing() -> None:
    run = Run()
    stop = first_push(run)
    run.reach(stop + MOST_BYTES)
    assert run.observe(stop, REQUEST) == 0
    assert run.observe(stop + MOST_BYTES, REQUEST) == MOST_BYTES


# --- what is pushed -------------------------------------------------------------------------------


async def test_whole_pages_are_pushed(pushes: PagePushes, cache: PageCache) -> None:
    data = os.urandom(3 * PAGE)
    assert await push(pushes, 100, data) == 2 * PAGE
    assert cache.stored == [(FILE, PAGE, data[PAGE - 100 : 3 * PAGE - 100])]


async def test_less_than_a_page_is_not_pushed(pushes: PagePushes, cache: PageCache) -> None:
    assert await push(pushes, 1, bytes(PAGE)) == 0
    assert cache.stored == []


async def test_nothing_is_pushed_past_the_end_the_kernel_knows(
    pushes: PagePushes, cache: PageCache
) -> None:
    pushes.before_telling(FILE, 5 * PAGE + 1)
    assert await push(pushes, 4 * PAGE, bytes(4 * PAGE)) == PAGE
    assert await push(pushes, 6 * PAGE, bytes(4 * PAGE)) == 0
    assert [offset for _, offset, _ in cache.stored] == [4 * PAGE]


async def test_what_was_read_before_the_kernel_was_told_is_not_pushed(
    pushes: PagePushes, cache: PageCache
) -> None:
    ticket = pushes.ticket(FILE)
    assert ticket
    pushes.before_telling(FILE)
    assert await pushes.push(ticket, 0, memoryview(bytes(PAGE))) == 0
    assert cache.stored == []


async def test_file_that_the_kernel_forgot_is_not_pushed(pushes: PagePushes) -> None:
    ticket = pushes.ticket(FILE)
    assert ticket
    pushes.forget(FILE)
    assert pushes.ticket(FILE) is None
    pushes.before_telling(FILE, 16 * PAGE)
    assert await pushes.push(ticket, 0, memoryview(bytes(PAGE))) == 0


async def test_answers_to_the_kernel_wait_for_pushes_of_the_file(
    pushes: PagePushes, cache: PageCache
) -> None:
    cache.may_store.clear()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(push, pushes, 0, bytes(PAGE))
        await trio.testing.wait_all_tasks_blocked()
        (under_way,) = pushes.before_telling(FILE)
        assert pushes.before_telling(InodeNumber(21), PAGE) == []
        assert not under_way.is_set()
        cache.may_store.set()
        await under_way.wait()
    assert pushes.before_telling(FILE) == []


async def test_read_does_not_wait_for_ever_for_its_push(
    pushes: PagePushes, cache: PageCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_pushing, "PATIENCE", 0.01)
    cache.may_store.clear()
    assert await push(pushes, 0, bytes(PAGE)) == PAGE
    assert cache.stored == []
    (under_way,) = pushes.before_telling(FILE)
    cache.may_store.set()
    await under_way.wait()


async def test_no_more_are_pushed_at_a_time_than_there_may_be(
    pushes: PagePushes, cache: PageCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_pushing, "PATIENCE", 0.01)
    late = pushes.ticket(FILE)
    assert late
    cache.may_store.clear()
    for _ in range(MAX_PUSHES):
        assert await push(pushes, 0, bytes(PAGE)) == PAGE
    assert pushes.ticket(FILE) is None
    assert await pushes.push(late, 0, memoryview(bytes(PAGE))) == 0
    cache.may_store.set()
    await pushes.end(DEADLINE)
    assert len(cache.stored) == MAX_PUSHES


async def test_end_waits_for_pushes_but_not_for_ever(pushes: PagePushes, cache: PageCache) -> None:
    cache.may_store.clear()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(push, pushes, 0, bytes(PAGE))
        await trio.testing.wait_all_tasks_blocked()
        await pushes.end(0.01)
        assert pushes.ticket(FILE) is None
        assert cache.stored == []
        cache.may_store.set()
        await pushes.end(DEADLINE)
    assert len(cache.stored) == 1


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOMEM])
async def test_kernel_that_refuses_is_given_nothing_more(
    pushes: PagePushes, cache: PageCache, caplog: pytest.LogCaptureFixture, number: int
) -> None:
    caplog.set_level(logging.INFO)
    cache.error = OSError(number, os.strerror(number))
    await push(pushes, 0, bytes(PAGE))
    assert not pushes.is_on
    assert "no more pages are given to the kernel" in caplog.text


async def test_file_forgotten_during_the_push_is_no_refusal(
    pushes: PagePushes, cache: PageCache
) -> None:
    cache.error = FileNotFoundError(errno.ENOENT, "it is gone")
    await push(pushes, 0, bytes(PAGE))
    assert pushes.is_on


# --- by reads of a file ---------------------------------------------------------------------------

LONG = sample(32, 65536)
"""The array ``long``: four slabs of 4 MiB, a quarter of the mount's memory."""


@pytest.fixture
def long(kernel: Kernel, store: FaultyStore, cache: PageCache) -> bytes:
    """Push what is read from now on; return the bytes of ``long``."""
    put_array(store, "long", LONG, (8, 65536), checksum=True)
    kernel.operations.pages = PagePushes(cache.store)
    kernel.operations.pages.is_on = True
    return LONG.tobytes()


async def read_long(kernel: Kernel, flags: int = os.O_RDONLY, n_requests: int = 8) -> bytes:
    opened = await kernel.open("bin/long.bin", flags)
    requests = [
        bytes(await kernel.operations.read(opened.fh, n * REQUEST, REQUEST))
        for n in range(n_requests)
    ]
    return b"".join(requests)


async def test_file_read_in_order_is_pushed_behind_what_is_asked_for(
    kernel: Kernel, cache: PageCache, long: bytes
) -> None:
    assert await read_long(kernel) == long[: 8 * REQUEST]
    number = (await kernel.attributes("bin/long.bin")).st_ino
    ((pushed, offset, data),) = cache.stored
    assert pushed == number
    # What the kernel asks for meanwhile is left to it.
    assert offset == FIRST_BYTES + REQUEST
    assert len(data) >= LEAST_BYTES
    assert data == long[offset : offset + len(data)]
    stats = kernel.operations.filesystem.stats()
    assert stats["bytes_pushed"] == len(data)
    assert stats["bytes_served"] == len(data) + 8 * REQUEST


async def test_nothing_is_pushed_where_the_kernel_reads_ahead(
    kernel: Kernel, cache: PageCache, long: bytes
) -> None:
    kernel.operations.pages.is_on = False
    assert await read_long(kernel) == long[: 8 * REQUEST]
    assert cache.stored == []


async def test_nothing_is_pushed_for_reads_past_the_page_cache(
    kernel: Kernel, cache: PageCache, long: bytes
) -> None:
    assert await read_long(kernel, os.O_RDONLY | os.O_DIRECT) == long[: 8 * REQUEST]
    assert cache.stored == []


async def test_keys_of_the_store_are_not_pushed(
    kernel: Kernel, cache: PageCache, long: bytes
) -> None:
    opened = await kernel.open("zarr/long/c/0/0")
    for n in range(8):
        await kernel.operations.read(opened.fh, n * REQUEST, REQUEST)
    assert cache.stored == []


async def test_what_cannot_be_read_behind_a_read_does_not_fail_it(
    kernel: Kernel,
    store: FaultyStore,
    cache: PageCache,
    long: bytes,
    expected_logs: LogCheck,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    expected_logs("long.*c/0/1")
    monkeypatch.setattr(page_pushing, "FIRST_BYTES", REQUEST)
    monkeypatch.setattr(page_pushing, "GROWTH", 32)
    put_array(store, "long", LONG, (8, 32768), checksum=True)
    store.set("long/c/0/1", b"damaged")
    assert await read_long(kernel, n_requests=1) == long[:REQUEST]
    assert cache.stored == []


async def test_attributes_are_told_when_pushes_have_ended(
    kernel: Kernel, cache: PageCache, long: bytes
) -> None:
    cache.may_store.clear()
    told: list[str] = []

    async def tell(what: str) -> None:
        if what == "open":
            await kernel.operations.open(inode, pyfuse3.FlagT(os.O_RDONLY), CALLER)
        else:
            await kernel.attributes("bin/long.bin")
        told.append(what)

    inode = (await kernel.attributes("bin/long.bin")).st_ino
    async with trio.open_nursery() as nursery:
        nursery.start_soon(read_long, kernel)
        assert await trio.to_thread.run_sync(cache.is_asked.wait, DEADLINE)
        nursery.start_soon(tell, "open")
        nursery.start_soon(tell, "attributes")
        await kernel.attributes("bin/a.bin")  # as long as the others would have taken
        await kernel.open("bin/a.bin")
        assert told == []
        cache.may_store.set()
    assert sorted(told) == ["attributes", "open"]


async def test_attributes_are_not_waited_for_for_ever(
    kernel: Kernel, cache: PageCache, long: bytes
) -> None:
    inode = (await kernel.attributes("bin/long.bin")).st_ino
    cache.may_store.clear()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(read_long, kernel)
        assert await trio.to_thread.run_sync(cache.is_asked.wait, DEADLINE)
        kernel.operations._names_timeout = 0.01
        with pytest.raises(DeadlineError, match="pages are still on their way to the kernel"):
            await kernel.operations._before_telling("bin/long.bin", InodeNumber(inode))
        cache.may_store.set()
