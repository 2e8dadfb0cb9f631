from __future__ import annotations

import os
import threading
from functools import partial
from typing import TYPE_CHECKING

import pytest

from zarrfs.arrays.decode_pool import DecodePool
from zarrfs.arrays.fetch_pool import LEAST_REQUESTS, MAX_REQUESTS, FetchPool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.log_check import LogCheck

WAIT = 10


class Requests:
    """A store that answers when it is told to, and counts who asks."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._n_answers = 0
        self.under_way: list[str] = []
        self.decoded: list[str] = []

    def fetch(self, name: str) -> Callable[[], None]:
        with self._changed:
            self.under_way.append(name)
            self._changed.notify_all()
            assert self._changed.wait_for(lambda: self._n_answers, WAIT)
            self._n_answers -= 1
        return partial(self._decode, name)

    def _decode(self, name: str) -> None:
        with self._changed:
            self.decoded.append(name)
            self._changed.notify_all()

    def answer(self, n: int = 1) -> None:
        with self._changed:
            self._n_answers += n
            self._changed.notify_all()

    def wait_for(self, *, asked: int = 0, decoded: int = 0) -> bool:
        with self._changed:
            return self._changed.wait_for(
                lambda: len(self.under_way) >= asked and len(self.decoded) >= decoded, WAIT
            )


@pytest.fixture
def decoding() -> Iterator[DecodePool]:
    pool = DecodePool(2)
    yield pool
    pool.close()


@pytest.fixture
def requests() -> Requests:
    return Requests()


@pytest.fixture
def pool(decoding: DecodePool) -> Iterator[FetchPool]:
    pool = FetchPool(decoding, max_bytes=100)
    yield pool
    pool.close()


def test_many_requests_are_under_way_but_not_more_than_the_limit(
    pool: FetchPool, requests: Requests
) -> None:
    n = MAX_REQUESTS + 5
    for i in range(n):
        pool.submit(partial(requests.fetch, str(i)), 1)
    assert requests.wait_for(asked=MAX_REQUESTS)
    assert len(requests.under_way) == MAX_REQUESTS
    requests.answer(n)
    assert requests.wait_for(decoded=n)
    assert sorted(map(int, requests.decoded)) == list(range(n))


def test_large_requests_are_fewer(pool: FetchPool, requests: Requests) -> None:
    n, nbytes = MAX_REQUESTS, 100 // (LEAST_REQUESTS + 1)
    assert pool.n_requests(nbytes) == LEAST_REQUESTS + 1
    for i in range(n):
        pool.submit(partial(requests.fetch, str(i)), nbytes)
    assert requests.wait_for(asked=LEAST_REQUESTS + 1)
    requests.answer()
    assert requests.wait_for(asked=LEAST_REQUESTS + 2, decoded=1)
    assert len(requests.under_way) == LEAST_REQUESTS + 2
    requests.answer(n)
    assert requests.wait_for(decoded=n)


@pytest.mark.parametrize(("nbytes", "n"), [(0, MAX_REQUESTS), (1000, LEAST_REQUESTS)])
def test_requests_of_any_size_can_be_under_way(pool: FetchPool, nbytes: int, n: int) -> None:
    assert pool.n_requests(nbytes) == n


def test_what_is_not_decoded_yet_still_counts(
    pool: FetchPool, requests: Requests, decoding: DecodePool
) -> None:
    gate = threading.Event()

    def hold_up() -> None:
        assert gate.wait(WAIT)

    decoding.submit(hold_up)
    decoding.submit(hold_up)
    requests.answer(MAX_REQUESTS)
    for i in range(LEAST_REQUESTS + 1):
        pool.submit(partial(requests.fetch, str(i)), 60)
    assert requests.wait_for(asked=LEAST_REQUESTS)
    assert not requests.decoded
    assert len(requests.under_way) == LEAST_REQUESTS
    gate.set()
    assert requests.wait_for(decoded=LEAST_REQUESTS + 1)


def test_urgent_requests_overtake_the_others(pool: FetchPool, requests: Requests) -> None:
    for i in range(LEAST_REQUESTS):
        pool.submit(partial(requests.fetch, f"first {i}"), 100)
    assert requests.wait_for(asked=LEAST_REQUESTS)
    for name in "ab":
        pool.submit(partial(requests.fetch, name), 100)
    pool.submit(partial(requests.fetch, "urgent"), 100, urgent=True)
    requests.answer()
    assert requests.wait_for(asked=LEAST_REQUESTS + 1)
    assert requests.under_way[-1] == "urgent"
    requests.answer(MAX_REQUESTS)
    assert requests.wait_for(decoded=LEAST_REQUESTS + 3)


def test_a_fetch_with_nothing_to_decode_makes_room_at_once(pool: FetchPool) -> None:
    done = threading.Event()
    for _ in range(LEAST_REQUESTS):
        pool.submit(lambda: None, 100)
    pool.submit(done.set, 100)
    assert done.wait(WAIT)


def test_faults_of_zarrfs_are_logged_and_the_threads_go_on(
    requests: Requests, expected_logs: LogCheck
) -> None:
    expected_logs("a fetch failed", times=2)
    expected_logs("a decode task failed", times=2)
    one_thread, done = DecodePool(1), threading.Event()
    pool = FetchPool(one_thread, max_bytes=100)

    def fail() -> None:
        raise ZeroDivisionError

    for i in range(LEAST_REQUESTS - 1):  # one more can be under way
        pool.submit(partial(requests.fetch, str(i)), 100)
    assert requests.wait_for(asked=LEAST_REQUESTS - 1)
    for _ in range(2):
        pool.submit(fail, 100)
        pool.submit(lambda: fail, 100)
    pool.submit(lambda: done.set, 100)
    assert done.wait(WAIT)
    requests.answer(LEAST_REQUESTS)
    assert requests.wait_for(decoded=LEAST_REQUESTS - 1)
    pool.close()
    one_thread.close()


def test_threads_start_when_they_are_needed_and_end_with_the_pool(
    decoding: DecodePool, requests: Requests
) -> None:
    before = set(threading.enumerate())
    pool = FetchPool(decoding, max_bytes=100)
    assert set(threading.enumerate()) == before
    for i in range(3):
        pool.submit(partial(requests.fetch, str(i)))
    assert requests.wait_for(asked=3)
    threads = set(threading.enumerate()) - before
    assert len(threads) == 3
    assert all(thread.daemon for thread in threads), "a request may never return"
    pool.close()
    requests.answer(3)
    assert requests.wait_for(decoded=3)
    for thread in threads:
        thread.join(WAIT)
        assert not thread.is_alive()


def test_a_forked_process_has_requests_of_its_own(pool: FetchPool, requests: Requests) -> None:
    for i in range(MAX_REQUESTS):
        pool.submit(partial(requests.fetch, str(i)), 1)
    assert requests.wait_for(asked=MAX_REQUESTS)
    pid = os.fork()
    if pid == 0:
        done = threading.Event()
        pool.submit(lambda: done.set, 100)
        os._exit(0 if done.wait(WAIT) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    requests.answer(MAX_REQUESTS)
    assert requests.wait_for(decoded=MAX_REQUESTS)
