from __future__ import annotations

import pytest

from zarrfs.arrays import chunk_cache
from zarrfs.arrays.chunk_cache import LARGE_BYTES, ChunkCache
from zarrfs.arrays.memory import MemoryBudget

CHUNK_BYTES = 100


@pytest.fixture
def budget() -> MemoryBudget:
    return MemoryBudget(5000, lambda function: function())  # ten chunks of 500 with their entries


@pytest.fixture
def cache(budget: MemoryBudget) -> ChunkCache:
    return ChunkCache(budget)


def put(cache: ChunkCache, owner: object, coords: tuple[int, ...]) -> None:
    cache.put(owner, coords, cache.reserve(CHUNK_BYTES))


def test_what_was_put_is_found_for_its_owner_only(cache: ChunkCache) -> None:
    room = cache.reserve(CHUNK_BYTES)
    cache.put("a", (0, 1), room)
    is_kept, chunk = cache.get("a", (0, 1))
    assert is_kept
    assert chunk is room
    assert cache.get("b", (0, 1)) == (False, None)
    assert cache.get("a", (1, 0)) == (False, None)


def test_a_chunk_that_was_never_written_is_kept_as_none(cache: ChunkCache) -> None:
    cache.put("a", (0,), None)
    assert cache.get("a", (0,)) == (True, None)


def test_putting_twice_counts_once(cache: ChunkCache, budget: MemoryBudget) -> None:
    put(cache, "a", (0,))
    put(cache, "a", (0,))
    assert budget.used == 500


def test_the_least_recently_used_goes_first(cache: ChunkCache, budget: MemoryBudget) -> None:
    for i in range(10):
        put(cache, "a", (i,))
    cache.get("a", (0,))
    put(cache, "a", (10,))
    kept = [i for i in range(11) if cache.get("a", (i,))[0]]
    assert kept == [0, *range(2, 11)]
    assert budget.used == 5000


def test_a_chunk_that_could_not_fit_drops_nothing(cache: ChunkCache) -> None:
    put(cache, "a", (0,))
    assert cache.reserve(6000) is None
    assert [cache.get("a", (i,))[0] for i in range(2)] == [True, False]


@pytest.mark.parametrize("nbytes", [CHUNK_BYTES, LARGE_BYTES])
def test_what_is_reserved_counts_until_its_last_view_is_gone(nbytes: int) -> None:
    budget = MemoryBudget(2 * nbytes, lambda function: function())
    cache = ChunkCache(budget)
    room = cache.reserve(nbytes)
    assert room is not None
    chunk = room.view("u2")
    del room
    assert budget.used == nbytes
    chunk[...] = 7
    del chunk
    assert budget.used == 0


def test_a_chunk_that_goes_leaves_its_memory_to_the_next() -> None:
    budget = MemoryBudget(LARGE_BYTES + 1000, lambda function: function())
    cache = ChunkCache(budget)
    for i in range(3):
        room = cache.reserve(LARGE_BYTES)
        assert room is not None
        if i == 0:
            address = room.ctypes.data
        assert room.ctypes.data == address
        cache.put("a", (i,), room)
        del room
    assert [cache.get("a", (i,))[0] for i in range(3)] == [False, False, True]


def test_a_chunk_in_use_is_counted_though_dropped(cache: ChunkCache, budget: MemoryBudget) -> None:
    put(cache, "a", (0,))
    _, chunk = cache.get("a", (0,))
    cache.clear()
    assert budget.used == CHUNK_BYTES
    del chunk
    assert budget.used == 0


def test_where_the_system_has_no_memory_nothing_is_kept(
    monkeypatch: pytest.MonkeyPatch, cache: ChunkCache, budget: MemoryBudget
) -> None:
    def fail(size: int, *, shared: bool) -> None:
        raise OSError("no memory")

    monkeypatch.setattr(chunk_cache, "LARGE_BYTES", CHUNK_BYTES)
    monkeypatch.setattr("zarrfs.arrays.memory.Pages", fail)
    assert cache.reserve(CHUNK_BYTES) is None
    assert budget.used == 0


def test_nothing_is_kept_while_somebody_waits_for_memory(budget: MemoryBudget) -> None:
    cache = ChunkCache(budget)
    assert budget.take_spare(4500)
    put(cache, "a", (0,))
    budget.request(3000, lambda: None)
    assert budget.is_short
    put(cache, "a", (1,))
    assert not cache.get("a", (1,))[0]


def test_spare_requests_take_only_what_is_beyond_half_of_the_budget(
    cache: ChunkCache, budget: MemoryBudget
) -> None:
    for i in range(10):
        put(cache, "a", (i,))
    assert budget.take_spare(2500)
    assert not budget.take_spare(500)
    assert [i for i in range(10) if cache.get("a", (i,))[0]] == [5, 6, 7, 8, 9]


def test_a_demand_may_take_all(cache: ChunkCache, budget: MemoryBudget) -> None:
    for i in range(10):
        put(cache, "a", (i,))
    started: list[int] = []
    budget.request(5000, lambda: started.append(1))
    assert started == [1]
    assert not any(cache.get("a", (i,))[0] for i in range(10))


def test_drop_forgets_one_owner_and_clear_all(cache: ChunkCache, budget: MemoryBudget) -> None:
    a, b = object(), object()
    for owner in (a, b):
        put(cache, owner, (0,))
    cache.drop(a)
    assert [cache.get(owner, (0,))[0] for owner in (a, b)] == [False, True]
    cache.clear()
    assert not cache.get(b, (0,))[0]
    assert budget.used == 0


# --- what is worth keeping ----------------------------------------------------------------------


def test_everything_is_worth_keeping_while_there_is_room(cache: ChunkCache) -> None:
    for i in range(10):
        assert cache.is_worth("a", [(i,)], CHUNK_BYTES)
        put(cache, "a", (i,))
    assert not cache.is_worth("a", [(10,)], CHUNK_BYTES)


@pytest.fixture
def full(cache: ChunkCache) -> ChunkCache:
    for i in range(10):
        put(cache, "full", (i,))
    return cache


def test_when_memory_is_full_chunks_that_were_asked_for_of_late_are(full: ChunkCache) -> None:
    assert not full.is_worth("a", [(0,), (1,)], CHUNK_BYTES)
    assert not full.is_worth("b", [(0,)], CHUNK_BYTES)
    assert full.is_worth("a", [(5,), (1,)], CHUNK_BYTES), "one of those read together"
    assert full.is_worth("full", [(20,), (3,)], CHUNK_BYTES), "it is kept"


@pytest.mark.parametrize(("nbytes", "n"), [(CHUNK_BYTES, 100), (1000, 10), (2500, 4)])
def test_chunks_are_remembered_until_others_of_twice_the_memory(
    full: ChunkCache, nbytes: int, n: int
) -> None:
    for i in range(n + 1):
        assert not full.is_worth("a", [(i,)], nbytes)
    assert not full.is_worth("a", [(0,)], nbytes)
    assert full.is_worth("a", [(n,)], nbytes)


def test_no_more_chunks_are_remembered_than_the_limit(
    full: ChunkCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunk_cache, "MAX_SEEN", 3)
    for i in range(4):
        assert not full.is_worth("a", [(i,)], 1)
    assert not full.is_worth("a", [(0,)], 1)
    assert full.is_worth("a", [(3,)], 1)


def test_chunks_that_are_forgotten_were_never_asked_for(full: ChunkCache) -> None:
    full.is_worth("a", [(0,)], CHUNK_BYTES)
    full.is_worth("b", [(0,)], CHUNK_BYTES)
    full.drop("a")
    assert not full.is_worth("a", [(0,)], CHUNK_BYTES)
    assert full.is_worth("b", [(0,)], CHUNK_BYTES)
    full.clear()
    for i in range(10):
        put(full, "full", (i,))
    assert not full.is_worth("b", [(0,)], CHUNK_BYTES)
