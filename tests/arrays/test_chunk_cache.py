from __future__ import annotations

import numpy as np
import pytest

from zarrfs.arrays.chunk_cache import ChunkCache
from zarrfs.arrays.memory import MemoryBudget

CHUNK = np.arange(100, dtype="u1")


@pytest.fixture
def budget() -> MemoryBudget:
    return MemoryBudget(5000, lambda function: function())  # ten chunks of 500 with their entries


@pytest.fixture
def cache(budget: MemoryBudget) -> ChunkCache:
    return ChunkCache(budget)


def test_what_was_put_is_found_for_its_owner_only(cache: ChunkCache) -> None:
    cache.put("a", (0, 1), CHUNK)
    is_kept, chunk = cache.get("a", (0, 1))
    assert is_kept
    assert chunk is CHUNK
    assert cache.get("b", (0, 1)) == (False, None)
    assert cache.get("a", (1, 0)) == (False, None)


def test_a_chunk_that_was_never_written_is_kept_as_none(cache: ChunkCache) -> None:
    cache.put("a", (0,), None)
    assert cache.get("a", (0,)) == (True, None)


def test_putting_twice_counts_once(cache: ChunkCache, budget: MemoryBudget) -> None:
    cache.put("a", (0,), CHUNK)
    cache.put("a", (0,), CHUNK)
    assert budget.used == 500


def test_the_least_recently_used_goes_first(cache: ChunkCache, budget: MemoryBudget) -> None:
    for i in range(10):
        cache.put("a", (i,), CHUNK)
    cache.get("a", (0,))
    cache.put("a", (10,), CHUNK)
    kept = [i for i in range(11) if cache.get("a", (i,))[0]]
    assert kept == [0, *range(2, 11)]
    assert budget.used == 5000


def test_a_chunk_that_could_not_fit_drops_nothing(cache: ChunkCache) -> None:
    cache.put("a", (0,), CHUNK)
    cache.put("a", (1,), np.zeros(6000, "u1"))
    assert [cache.get("a", (i,))[0] for i in range(2)] == [True, False]


def test_nothing_is_kept_while_somebody_waits_for_memory(budget: MemoryBudget) -> None:
    cache = ChunkCache(budget)
    assert budget.take_spare(4500)
    cache.put("a", (0,), CHUNK)
    budget.request(3000, lambda: None)
    assert budget.is_short
    cache.put("a", (1,), CHUNK)
    assert not cache.get("a", (1,))[0]


def test_spare_requests_take_only_what_is_beyond_half_of_the_budget(
    cache: ChunkCache, budget: MemoryBudget
) -> None:
    for i in range(10):
        cache.put("a", (i,), CHUNK)
    assert budget.take_spare(2500)
    assert not budget.take_spare(500)
    assert [i for i in range(10) if cache.get("a", (i,))[0]] == [5, 6, 7, 8, 9]


def test_a_demand_may_take_all(cache: ChunkCache, budget: MemoryBudget) -> None:
    for i in range(10):
        cache.put("a", (i,), CHUNK)
    started: list[int] = []
    budget.request(5000, lambda: started.append(1))
    assert started == [1]
    assert not any(cache.get("a", (i,))[0] for i in range(10))


def test_drop_forgets_one_owner_and_clear_all(cache: ChunkCache, budget: MemoryBudget) -> None:
    a, b = object(), object()
    for owner in (a, b):
        cache.put(owner, (0,), CHUNK)
    cache.drop(a)
    assert [cache.get(owner, (0,))[0] for owner in (a, b)] == [False, True]
    cache.clear()
    assert not cache.get(b, (0,))[0]
    assert budget.used == 0
