"""Inflated members: one call per key at a time, bytes under the limit."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zarrfs.stores.inflated_members import InflatedMembers


def fail() -> bytes:
    raise AssertionError("inflated though it was kept")


def test_kept_member_is_not_inflated_again() -> None:
    members = InflatedMembers(100)
    assert members.get("k", lambda: b"value") == b"value"
    assert members.get("k", fail) == b"value"


def test_least_recently_used_goes_first() -> None:
    members = InflatedMembers(20)
    for key in ("a", "b"):
        members.get(key, lambda: bytes(10))
    members.get("a", fail)
    members.get("c", lambda: bytes(10))
    members.get("a", fail)
    members.get("c", fail)
    assert members.get("b", lambda: b"again") == b"again"


def test_one_member_of_any_size_is_kept() -> None:
    members = InflatedMembers(20)
    members.get("small", lambda: bytes(10))
    members.get("large", lambda: bytes(1000))
    assert members.nbytes == 1000
    assert members.get("large", fail) == bytes(1000)
    members.get("small", lambda: bytes(10))
    assert members.nbytes == 10


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 30)), max_size=30))
def test_bytes_stay_under_the_limit_but_for_one(gets: list[tuple[str, int]]) -> None:
    members, sizes = InflatedMembers(50), dict(gets)
    for key, _ in gets:
        data = bytes(sizes[key])
        assert members.get(key, lambda data=data: data) == data  # type: ignore[misc]  # a lambda
        assert members.nbytes <= 50


def test_threads_that_ask_for_one_key_share_one_call() -> None:
    members, calls, may_end = InflatedMembers(100), list[int](), threading.Event()

    def inflate() -> bytes:
        calls.append(1)
        assert may_end.wait(10)
        return b"value"

    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(members.get, "k", inflate) for _ in range(4)]
        may_end.set()
        assert {future.result() for future in futures} == {b"value"}
    assert len(calls) == 1


def test_failure_reaches_all_who_wait_and_is_not_kept() -> None:
    members, has_begun, may_end = InflatedMembers(100), threading.Event(), threading.Event()

    def inflate() -> bytes:
        has_begun.set()
        assert may_end.wait(10)
        raise ValueError("damaged")

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(members.get, "k", inflate)
        assert has_begun.wait(10)
        second = pool.submit(members.get, "k", inflate)
        may_end.set()
        for future in (first, second):
            with pytest.raises(ValueError, match="damaged"):
                future.result()
    assert members.get("k", lambda: b"mended") == b"mended"
    assert members.nbytes == 6
