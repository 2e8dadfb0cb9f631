from __future__ import annotations

import threading

import numpy as np
import pytest

from zarrfs.arrays.shard_indexes import ShardIndexes
from zarrfs.byte_range import ByteRange
from zarrfs.codecs.sharding import ShardIndex
from zarrfs.errors import StoreError

WHOLE = ByteRange(0)


def an_index(n_chunks: int = 1) -> ShardIndex:
    return ShardIndex(np.zeros((n_chunks, 2), np.uint64))


def never() -> ShardIndex:
    raise AssertionError("it was loaded again")


def test_an_index_is_loaded_once() -> None:
    indexes, index = ShardIndexes(), an_index()
    assert indexes.get(("s", "v", 0, WHOLE), lambda: index) is index
    assert indexes.get(("s", "v", 0, WHOLE), never) is index


def test_a_missing_shard_is_remembered() -> None:
    indexes = ShardIndexes()
    assert indexes.get(("s", "v", 0, WHOLE), lambda: None) is None
    assert indexes.get(("s", "v", 0, WHOLE), never) is None


def test_another_version_or_place_is_another_index() -> None:
    indexes, index = ShardIndexes(), an_index()
    indexes.get(("s", "v", 0, WHOLE), an_index)
    assert indexes.get(("s", "w", 0, WHOLE), lambda: index) is index
    assert indexes.get(("s", "v", 1, WHOLE), lambda: index) is index


def test_threads_that_want_the_same_index_wait_for_one_load() -> None:
    indexes, index = ShardIndexes(), an_index()
    loading, release = threading.Event(), threading.Event()
    results: list[object] = []

    def load() -> ShardIndex:
        loading.set()
        assert release.wait(10)
        return index

    first = threading.Thread(target=lambda: results.append(indexes.get(("s", "v", 0, WHOLE), load)))
    second = threading.Thread(
        target=lambda: results.append(indexes.get(("s", "v", 0, WHOLE), never))
    )
    first.start()
    assert loading.wait(10)
    second.start()
    release.set()
    first.join(10)
    second.join(10)
    assert results == [index, index]


def test_an_error_is_raised_to_all_who_wait_and_not_kept() -> None:
    indexes = ShardIndexes()
    loading, release = threading.Event(), threading.Event()
    errors: list[str] = []

    def fail() -> ShardIndex:
        loading.set()
        assert release.wait(10)
        raise StoreError("get", "s", "no", store="memory://")

    def get() -> None:
        try:
            indexes.get(("s", "v", 0, WHOLE), fail)
        except StoreError as error:
            errors.append(error.reason)

    threads = [threading.Thread(target=get) for _ in range(2)]
    threads[0].start()
    assert loading.wait(10)
    threads[1].start()
    release.set()
    for thread in threads:
        thread.join(10)
    assert errors == ["no", "no"]
    index = an_index()
    assert indexes.get(("s", "v", 0, WHOLE), lambda: index) is index


def test_the_oldest_go_when_there_are_too_many_bytes() -> None:
    indexes = ShardIndexes(max_bytes=3 * (200 + 160))
    for name in "abc":
        indexes.get((name, "v", 0, WHOLE), lambda: an_index(10))
    indexes.get(("a", "v", 0, WHOLE), never)
    indexes.get(("d", "v", 0, WHOLE), lambda: an_index(10))
    for name in "acd":
        indexes.get((name, "v", 0, WHOLE), never)
    with pytest.raises(AssertionError, match="loaded again"):
        indexes.get(("b", "v", 0, WHOLE), never)


def test_one_being_loaded_is_not_dropped_for_another() -> None:
    indexes = ShardIndexes(max_bytes=300)

    def load_others() -> ShardIndex:
        for name in "bcd":
            indexes.get((name, "v", 0, WHOLE), lambda: an_index(10))
        return an_index(1)

    indexes.get(("a", "v", 0, WHOLE), load_others)
    indexes.get(("a", "v", 0, WHOLE), never)


def test_one_that_was_forgotten_while_it_was_loaded_is_not_kept() -> None:
    indexes, index = ShardIndexes(), an_index()

    def load() -> ShardIndex:
        indexes.clear()
        return an_index()

    indexes.get(("s", "v", 0, WHOLE), load)
    assert indexes.get(("s", "v", 0, WHOLE), lambda: index) is index


def test_an_error_after_forgetting_drops_nothing_newer() -> None:
    indexes, index = ShardIndexes(), an_index()

    def fail() -> ShardIndex:
        indexes.clear()
        indexes.get(("s", "v", 0, WHOLE), lambda: index)
        raise StoreError("get", "s", "no", store="memory://")

    with pytest.raises(StoreError):
        indexes.get(("s", "v", 0, WHOLE), fail)
    assert indexes.get(("s", "v", 0, WHOLE), never) is index
