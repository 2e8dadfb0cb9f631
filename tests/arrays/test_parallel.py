from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from zarrfs.arrays.decode_pool import DecodePool
from zarrfs.arrays.parallel import for_each

if TYPE_CHECKING:
    from collections.abc import Iterator

DEADLINE = 10.0


@pytest.fixture
def pool() -> Iterator[DecodePool]:
    pool = DecodePool(n_threads=3)
    yield pool
    pool.close()


@pytest.mark.parametrize("n", [0, 1, 2, 1000])
def test_each_item_is_done_once(pool: DecodePool, n: int) -> None:
    done: list[int] = []
    for_each(pool, range(n), done.append, n_items=n)
    assert sorted(done) == list(range(n))


def test_all_threads_work_at_a_time(pool: DecodePool) -> None:
    # Each waits for the others: it would time out if fewer than three were at it.
    together = threading.Barrier(3)

    def work(_: int) -> None:
        together.wait(DEADLINE)

    for_each(pool, range(3), work, n_items=3)


def test_one_item_is_done_by_the_caller(pool: DecodePool) -> None:
    threads: list[str] = []
    for_each(pool, [1], lambda _: threads.append(threading.current_thread().name), n_items=1)
    assert threads == [threading.current_thread().name]


def test_no_more_items_are_taken_than_are_under_way(pool: DecodePool) -> None:
    lock = threading.Lock()
    n_taken = n_done = most_waiting = 0

    def items() -> Iterator[int]:
        nonlocal n_taken, most_waiting
        for i in range(500):
            with lock:
                n_taken += 1
                most_waiting = max(most_waiting, n_taken - n_done)
            yield i

    def work(_: int) -> None:
        nonlocal n_done
        with lock:
            n_done += 1

    for_each(pool, items(), work, n_items=500)
    assert n_done == 500
    assert most_waiting <= 4


def test_first_error_is_raised_once_nothing_is_under_way(pool: DecodePool) -> None:
    failed = threading.Event()
    under_way: set[int] = set()
    taken: list[int] = []

    def work(i: int) -> None:
        taken.append(i)
        under_way.add(i)
        try:
            if i == 1:
                raise ValueError("item 1")
            if i < 3:
                assert failed.wait(DEADLINE)
        finally:
            under_way.discard(i)
            if i == 1:
                failed.set()

    with pytest.raises(ValueError, match="item 1"):
        for_each(pool, range(1000), work, n_items=1000)
    assert not under_way
    assert len(taken) < 1000


def test_error_of_the_items_is_raised(pool: DecodePool) -> None:
    def items() -> Iterator[int]:
        yield 1
        raise KeyError("no more")

    with pytest.raises(KeyError):
        for_each(pool, items(), lambda _: None, n_items=5)


def test_long_work_gives_others_their_turn(
    pool: DecodePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zarrfs.arrays.parallel.TURN_SECONDS", 0.0)
    had_turn = threading.Event()

    def work(i: int) -> None:
        if i == 0:
            for _ in range(3):
                pool.submit(had_turn.set)
        elif i == 200:
            assert had_turn.wait(DEADLINE)

    for_each(pool, range(400), work, n_items=400)


def test_interrupt_of_the_caller_waits_for_helpers(pool: DecodePool) -> None:
    caller = threading.current_thread()
    helping, interrupted = threading.Event(), threading.Event()
    finished: list[int] = []

    def work(i: int) -> None:
        if threading.current_thread() is caller:
            assert helping.wait(DEADLINE)
            interrupted.set()
            raise KeyboardInterrupt
        helping.set()
        assert interrupted.wait(DEADLINE)
        finished.append(i)

    with pytest.raises(KeyboardInterrupt):
        for_each(pool, range(2), work, n_items=2)
    assert len(finished) == 1
