from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

import pytest

from zarrfs.arrays.decode_pool import DecodePool

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.log_check import LogCheck


class Gate:
    """Holds up threads until it is opened."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self.open = self._event.set

    def wait(self) -> None:
        assert self._event.wait(10)


@pytest.fixture
def one_thread() -> Iterator[DecodePool]:
    pool = DecodePool(1)
    yield pool
    pool.close()


def test_urgent_tasks_overtake_the_others(one_thread: DecodePool) -> None:
    gate, done = Gate(), Gate()
    order: list[str] = []
    one_thread.submit(gate.wait)
    for name in "ab":
        one_thread.submit(partial(order.append, name))
    one_thread.submit(done.open)
    for name in "xy":
        one_thread.submit(partial(order.append, name), urgent=True)
    gate.open()
    done.wait()
    assert order == ["x", "y", "a", "b"]


def test_tasks_run_at_the_same_time_on_all_threads() -> None:
    pool = DecodePool(3)
    together = threading.Barrier(4)

    def meet() -> None:
        together.wait(10)

    for _ in range(3):
        pool.submit(meet)
    meet()
    pool.close()


def test_a_task_that_raises_is_logged_and_its_thread_goes_on(
    one_thread: DecodePool, expected_logs: LogCheck
) -> None:
    expected_logs("a decode task failed", times=1)
    done = Gate()

    def fail() -> None:
        raise ZeroDivisionError

    one_thread.submit(fail)
    one_thread.submit(done.open)
    done.wait()


def test_close_runs_what_is_queued_and_ends_the_threads() -> None:
    before = set(threading.enumerate())
    pool = DecodePool(2)
    threads = set(threading.enumerate()) - before
    gate, done = Gate(), Gate()
    pool.submit(gate.wait)
    pool.submit(gate.wait)
    pool.submit(done.open)
    pool.close()
    gate.open()
    done.wait()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
        assert thread.daemon, "a storage request that never returns must not keep the process"


def test_every_task_runs_once_however_many_threads_submit() -> None:
    pool, lock, done = DecodePool(4), threading.Lock(), Gate()
    counts = [0] * 400

    def task(i: int) -> None:
        with lock:
            counts[i] += 1
            if sum(counts) == len(counts):
                done.open()

    def submit(first: int) -> None:
        for i in range(first, first + 100):
            pool.submit(partial(task, i), urgent=i % 3 == 0)

    for first in range(0, 400, 100):
        threading.Thread(target=submit, args=(first,)).start()
    done.wait()
    pool.close()
    assert counts == [1] * 400
