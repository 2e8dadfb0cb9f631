from __future__ import annotations

import gc
import mmap
import threading
import weakref
from typing import TYPE_CHECKING

import numpy as np
import pytest

from zarrfs.arrays.memory import MemoryBudget

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy.typing as npt


class Deferred:
    """Functions to run later, when the test says so."""

    def __init__(self) -> None:
        self.functions: list[Callable[[], None]] = []

    def __call__(self, function: Callable[[], None]) -> None:
        self.functions.append(function)

    def run(self) -> None:
        while self.functions:
            self.functions.pop(0)()


class Holder:
    """Holds named bytes, some of which are not needed any more."""

    def __init__(self, budget: MemoryBudget, spare: int, needed: int) -> None:
        self.budget = budget
        self.spare, self.needed = spare, needed
        assert budget.take_spare(spare + needed)
        budget.add_reclaimer(self.reclaim)

    def reclaim(self, size: int, may_be_needed: bool) -> int:
        dropped = min(size, self.needed if may_be_needed else self.spare)
        if may_be_needed:
            self.needed -= dropped
        else:
            self.spare -= dropped
        self.budget.give_back(dropped)
        return dropped


@pytest.fixture
def later() -> Deferred:
    return Deferred()


@pytest.fixture
def budget(later: Deferred) -> MemoryBudget:
    return MemoryBudget(1000, later)


@pytest.fixture
def no_gc() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


def test_spare_bytes_are_taken_up_to_the_limit(budget: MemoryBudget) -> None:
    assert budget.take_spare(1000)
    assert not budget.take_spare(1)
    budget.give_back(1)
    assert budget.take_spare(1)
    assert (budget.used, budget.peak) == (1000, 1000)


def test_spare_bytes_are_never_taken_from_what_may_be_needed(budget: MemoryBudget) -> None:
    holder = Holder(budget, spare=300, needed=700)
    assert not budget.take_spare(301)
    assert (holder.spare, holder.needed) == (0, 700)


def test_request_drops_what_is_spare_before_what_may_be_needed(
    budget: MemoryBudget, later: Deferred
) -> None:
    first, second = Holder(budget, 0, 500), Holder(budget, 300, 200)
    started: list[int] = []
    budget.request(250, lambda: started.append(1))
    later.run()
    assert (started, first.needed, second.spare, second.needed) == ([1], 500, 50, 200)


def test_request_waits_in_line_until_bytes_come_back(budget: MemoryBudget, later: Deferred) -> None:
    assert budget.take_spare(900)
    order: list[str] = []
    budget.request(200, lambda: order.append("large"))
    budget.request(50, lambda: order.append("small"))
    later.run()
    assert order == []
    assert budget.is_short
    assert not budget.take_spare(1), "nobody overtakes the line"
    budget.give_back(200)
    later.run()
    assert order == ["large", "small"]
    assert not budget.is_short


def test_request_larger_than_the_budget_is_met_when_nothing_else_is_held(
    budget: MemoryBudget, later: Deferred
) -> None:
    assert budget.take_spare(1)
    started: list[int] = []
    budget.request(5000, lambda: started.append(1))
    later.run()
    assert started == []
    budget.give_back(1)
    later.run()
    assert started == [1]
    assert budget.used == 5000


def test_retry_serves_the_line_when_a_holder_has_something_to_drop(
    budget: MemoryBudget, later: Deferred
) -> None:
    holder = Holder(budget, 0, 1000)
    busy, holder.needed = holder.needed, 0
    started: list[int] = []
    budget.request(10, lambda: started.append(1))
    later.run()
    assert started == []
    holder.needed = busy
    budget.retry()
    budget.retry()
    assert len(later.functions) == 1, "one look at the line is enough"
    later.run()
    assert started == [1]


@pytest.mark.usefixtures("no_gc")
def test_buffer_is_given_back_with_its_last_view(budget: MemoryBudget) -> None:
    assert budget.take_spare(600)
    array, _ = budget.buffer(600)
    assert array.shape == (600,)
    elements = array.view("<u2").reshape(3, 100)
    view = elements.view(np.uint8).reshape(-1).data[5:7]
    del array, elements
    assert budget.used == 600
    del view
    assert budget.used == 0


def address(array: npt.NDArray[np.uint8]) -> int:
    return int(array.ctypes.data)


@pytest.mark.usefixtures("no_gc")
@pytest.mark.parametrize("shared", [False, True])
def test_the_next_buffer_of_a_size_is_the_one_given_back_last(
    budget: MemoryBudget, shared: bool
) -> None:
    assert budget.take_spare(800)
    first, second = (budget.buffer(400, shared=shared)[0] for _ in range(2))
    first_address, last = address(first), address(second)
    first[:], second[:] = 5, 7
    del first, second
    assert budget.used == 0
    assert budget.take_spare(800)
    again, other = (budget.buffer(400, shared=shared)[0] for _ in range(2))
    assert (address(again), address(other)) == (last, first_address)
    assert (set(again), set(other)) == ({7}, {5})
    assert budget.take_spare(100)
    assert set(budget.buffer(100, shared=shared)[0]) == {0}, "fresh memory is zero"
    del again, other
    budget.drop_spares()
    assert budget.take_spare(400)
    assert set(budget.buffer(400, shared=shared)[0]) == {0}


@pytest.mark.usefixtures("no_gc")
@pytest.mark.parametrize(("size", "shared"), [(400, True), (300, False)])
def test_a_buffer_of_another_kind_is_a_fresh_one(
    budget: MemoryBudget, size: int, shared: bool
) -> None:
    assert budget.take_spare(400)
    budget.buffer(400)[0][:] = 7
    assert budget.take_spare(size)
    buffer, lease = budget.buffer(size, shared=shared)
    assert set(buffer) == {0}
    assert (lease.descriptor is not None) == shared


@pytest.mark.usefixtures("no_gc")
def test_spare_buffers_and_what_is_held_stay_within_the_limit(
    budget: MemoryBudget, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: weakref.WeakSet[Pages] = weakref.WeakSet()

    class Pages(mmap.mmap):
        """Memory that can be counted."""

        def __init__(self, *_: object, **__: object) -> None:
            made.add(self)

    def bytes_in_memory() -> int:
        return sum(map(len, made))

    monkeypatch.setattr(mmap, "mmap", Pages)
    for sizes in ((300, 300, 300), (500, 500), (1000,), (100,) * 10, (999,), (1,)):
        held = []
        for size in sizes:
            assert budget.take_spare(size)
            held.append(budget.buffer(size)[0])
            assert budget.used <= bytes_in_memory() <= budget.limit
        assert budget.used == sum(sizes)
        held.clear()
        assert len(made) <= 2
    for _ in range(10):
        assert budget.take_spare(100)
        assert budget.used + bytes_in_memory() <= budget.limit + 100, "others take the room"


def test_buffers_may_come_back_at_any_allocation(budget: MemoryBudget) -> None:
    """The garbage collector runs in the middle of anything, and finds buffers in circles."""
    thresholds = gc.get_threshold()
    try:
        for n in range(3000):
            gc.set_threshold(1 + n % 23)
            size = 100 + n % 3
            if budget.take_spare(size):
                circle: list[object] = [budget.buffer(size)[0]]
                circle.append(circle)
                del circle
    finally:
        gc.set_threshold(*thresholds)
    gc.collect()
    assert budget.used == 0


@pytest.mark.usefixtures("no_gc")
def test_bytes_that_are_coming_back_are_not_taken_from_others_too(
    budget: MemoryBudget, later: Deferred
) -> None:
    holder = Holder(budget, 0, 400)
    assert budget.take_spare(600)
    array, lease = budget.buffer(600)
    view = array.data
    del array
    budget.expect(lease)
    budget.expect(lease)
    started: list[int] = []
    budget.request(500, lambda: started.append(1))
    budget.retry()
    later.run()
    assert (started, holder.needed) == ([], 400), "waits for the view instead"
    del view
    later.run()
    assert (started, holder.needed, budget.used) == ([1], 400, 900)


def test_a_holder_that_is_gone_is_not_asked(budget: MemoryBudget) -> None:
    holder = Holder(budget, 500, 0)
    del holder
    assert not budget.take_spare(600)
    kept = Holder(budget, 500, 0)
    assert budget.take_spare(500)
    assert kept.spare == 0


def test_bytes_are_given_back_if_the_system_has_no_memory(
    budget: MemoryBudget, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(mmap, "mmap", refuse)
    assert budget.take_spare(10)
    with pytest.raises(OSError, match="Cannot allocate"):
        budget.buffer(10)
    assert budget.used == 0


def test_threads_never_hold_more_than_the_limit(budget: MemoryBudget) -> None:
    def take_and_give(size: int) -> None:
        for _ in range(300):
            if budget.take_spare(size):
                array, _lease = budget.buffer(size)
                del array

    threads = [threading.Thread(target=take_and_give, args=(n,)) for n in (100, 300, 450, 700)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert budget.used == 0
    assert 0 < budget.peak <= 1000


def test_bytes_set_aside_are_not_taken_until_they_are_needed_no_more() -> None:
    budget = MemoryBudget(100, lambda task: task())
    budget.set_aside(30)
    budget.set_aside(10)  # less than what is aside already
    assert not budget.take_spare(71)
    assert budget.take_spare(70)
    budget.give_back(70)
    budget.reset_aside()
    assert budget.take_spare(100)


def test_at_most_half_of_the_budget_is_set_aside() -> None:
    budget = MemoryBudget(100, lambda task: task())
    budget.set_aside(1000)
    assert budget.take_spare(50)
    assert not budget.take_spare(1)
