"""The faulty store: without faults the contract, with them exactly what was ordered."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.contracts.store_contract import WritableStoreContract
from zarrfs.byte_range import ByteRange
from zarrfs.errors import KeyNotFoundError, StoreError, StoreTimeoutError, UrlError
from zarrfs.stores import faulty
from zarrfs.stores.faults import OPERATIONS, parse_faults
from zarrfs.stores.faulty import FaultyStore
from zarrfs.stores.local import LocalStore
from zarrfs.stores.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from zarrfs.stores.base import Store


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def inner() -> MemoryStore:
    store = MemoryStore()
    store.set("a/k", b"0123456789")
    store.set("b", b"value")
    return store


@pytest.fixture
def store(inner: MemoryStore) -> FaultyStore:
    return FaultyStore(inner)


def fails(action: Callable[[], object]) -> bool:
    try:
        action()
    except StoreError:
        return True
    return False


def everything(store: Store) -> dict[str, Callable[[], object]]:
    return {
        "get": lambda: store.get("b"),
        "set": lambda: store.set("n", b"new"),
        "stat": lambda: store.stat("b"),
        "list": lambda: store.list_dir(""),
        "rename": lambda: store.rename("b", "b2"),
        "delete": lambda: store.delete("b2"),
    }


class TestFaultlessStore(WritableStoreContract):
    @pytest.fixture
    def make(self) -> Callable[[], Store]:
        return lambda: FaultyStore(MemoryStore())


# --- errors --------------------------------------------------------------------------------


def test_error_always_fails_every_operation(store: FaultyStore, inner: MemoryStore) -> None:
    store.inject(error="always")
    actions = everything(store)
    assert actions.keys() == OPERATIONS
    for name, action in actions.items():
        with pytest.raises(StoreError, match="injected error") as caught:
            action()
        assert caught.value.operation == name
        assert caught.value.store == store.url
    for ask in (
        lambda: store.get_ranges("b", [ByteRange(0)]),
        lambda: store.set_new("n", b""),
        lambda: store.has_prefix("a/"),
        lambda: list(store.list_prefix("")),
    ):
        with pytest.raises(StoreError, match="injected error"):
            ask()
    assert list(inner.list_prefix("")) == ["a/k", "b"]
    assert store.disk_usage() is None


def test_error_is_meant_for_the_operations_named(store: FaultyStore) -> None:
    store.inject(error="get,delete")
    failed = {name for name, action in everything(store).items() if fails(action)}
    assert failed == {"get", "delete"}


def test_error_every_n_counts_the_operations_named(store: FaultyStore) -> None:
    store.inject(error="every:3:get")
    outcomes = []
    for _ in range(7):
        store.stat("b")
        outcomes.append(fails(lambda: store.get("b")))
    assert outcomes == [False, False, True, False, False, True, False]


def test_random_errors_follow_seed_and_probability(store: FaultyStore) -> None:
    def outcomes(seed: int) -> list[bool]:
        store.inject(error="random:0.3", seed=str(seed))
        return [fails(lambda: store.get("b")) for _ in range(500)]

    first = outcomes(1)
    assert outcomes(1) == first
    assert outcomes(2) != first
    assert 100 < sum(first) < 200


def test_certain_and_impossible_chances(store: FaultyStore) -> None:
    store.inject(error="random:0")
    assert not any(fails(lambda: store.get("b")) for _ in range(20))
    store.inject(error="random:1")
    assert all(fails(lambda: store.get("b")) for _ in range(20))


def test_keys_restrict_every_fault(store: FaultyStore) -> None:
    store.inject(error="always", truncate="1", keys="a/*")
    assert store.get("b") == b"value"
    with pytest.raises(StoreError):
        store.get("a/k")
    with pytest.raises(StoreError):
        store.list_dir("a/")
    store.inject(truncate="1", keys="a/*")
    assert (bytes(store.get("b")), bytes(store.get("a/k"))) == (b"value", b"0")


def test_missing_key_stays_missing_where_nothing_fails(store: FaultyStore) -> None:
    store.inject(error="set")
    with pytest.raises(KeyNotFoundError):
        store.get("missing")


def test_bad_fault_changes_nothing(store: FaultyStore) -> None:
    store.inject(error="always")
    with pytest.raises(UrlError):
        store.inject(error="sometimes")
    assert fails(lambda: store.get("b"))


# --- truncation ------------------------------------------------------------------------------


def test_truncation_cuts_what_get_returns(store: FaultyStore) -> None:
    store.inject(truncate="4")
    assert bytes(store.get("a/k")) == b"0123"
    assert bytes(store.get("a/k", ByteRange(5, 2))) == b"56"
    store.inject(truncate="50%")
    spans = store.get_ranges("a/k", [ByteRange(0, 6), ByteRange(-3)])
    assert [bytes(span) for span in spans] == [b"012", b"7"]
    assert store.stat("a/k").size == 10


# --- time -----------------------------------------------------------------------------------


def test_latency_delays_the_operations_named(store: FaultyStore) -> None:
    store.inject(latency="20ms:get")
    store.get("b")
    store.stat("b")
    get, stat = store.operations
    assert get.ended - get.started >= 0.02
    assert stat.ended - stat.started < 0.02


def test_outage_begins_with_the_first_operation_and_ends(inner: MemoryStore) -> None:
    clock = Clock()
    store = FaultyStore(inner, parse_faults({"outage": "5s:get"}), clock=clock)
    clock.now += 1000
    store.stat("b")
    clock.now += 1000
    with pytest.raises(StoreError, match="injected outage"):
        store.get("b")
    clock.now += 4.9
    with pytest.raises(StoreError, match="injected outage"):
        store.get("a/k")
    store.stat("b")
    clock.now += 0.2
    assert store.get("b") == b"value"


def test_hanging_operation_waits_until_released(store: FaultyStore) -> None:
    store.inject(hang="get")
    with ThreadPoolExecutor(3) as pool:
        hanging = [pool.submit(store.get, "b") for _ in range(2)]
        assert store.wait_until_hanging(2)
        assert store.stat("b").size == 5
        assert not any(future.done() for future in hanging)
        store.release()
        assert [future.result(10) for future in hanging] == [b"value"] * 2
        third = pool.submit(store.get, "b")
        assert store.wait_until_hanging()
        store.heal()
        assert third.result(10) == b"value"
    assert store.get("b") == b"value"


def test_close_frees_what_hangs(inner: MemoryStore) -> None:
    store = FaultyStore(inner, parse_faults({"hang": "always"}))
    with ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(store.list_dir, "")
        assert store.wait_until_hanging()
        store.close()
        assert len(hanging.result(10)) == 2


def test_delayed_operation_can_be_released(store: FaultyStore) -> None:
    store.inject(latency="1min")
    with ThreadPoolExecutor(1) as pool:
        delayed = pool.submit(store.get, "b")
        while not delayed.done():
            store.release()
        assert delayed.result() == b"value"


def test_nobody_hangs_for_ever(store: FaultyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faulty, "HANG_LIMIT_S", 0.01)
    store.inject(hang="get")
    with pytest.raises(StoreTimeoutError, match=r"hung for 0\.01 s"):
        store.get("b")
    assert not store.wait_until_hanging(timeout=0)


# --- record ----------------------------------------------------------------------------------


def test_every_operation_is_recorded(inner: MemoryStore) -> None:
    clock = Clock()
    store = FaultyStore(inner, clock=clock)
    store.get("b")
    store.get("b", ByteRange(1, 2))
    store.get_ranges("a/k", [ByteRange(0, 3), ByteRange(5)])
    store.set("n", memoryview(b"new"))
    store.set_new("n", b"newer")
    store.stat("n")
    store.rename("n", "m")
    store.delete("m")
    store.list_dir("a/")
    assert list(store.list_prefix("")) == ["a/k", "b"]
    assert store.has_prefix("a/")
    clock.now += 1
    with pytest.raises(KeyNotFoundError):
        store.get("missing")
    store.inject(error="always")
    with pytest.raises(StoreError):
        store.set("n", b"new")
    record = [(o.name, o.key, o.ranges, o.nbytes, o.error) for o in store.operations]
    assert record == [
        ("get", "b", (), 5, None),
        ("get", "b", (ByteRange(1, 2),), 2, None),
        ("get", "a/k", (ByteRange(0, 3), ByteRange(5)), 8, None),
        ("set", "n", (), 3, None),
        ("set", "n", (), 5, None),
        ("stat", "n", (), 0, None),
        ("rename", "n", (), 0, None),
        ("delete", "m", (), 0, None),
        ("list", "a/", (), 0, None),
        ("list", "", (), 0, None),
        ("list", "a/", (), 0, None),
        ("get", "missing", (), 0, "KeyNotFoundError"),
        ("set", "n", (), 0, "StoreError"),
    ]
    assert {o.thread for o in store.operations} == {threading.current_thread().name}
    assert [o.started for o in store.operations] == [100.0] * 11 + [101.0] * 2
    store.forget_operations()
    assert store.operations == []


def test_record_forgets_the_oldest(inner: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faulty, "RECORD_LIMIT", 3)
    store = FaultyStore(inner)
    for key in ("a/k", "b", "b", "b"):
        store.get(key)
    assert [operation.key for operation in store.operations] == ["b", "b", "b"]


def test_url_capabilities_and_disk_are_those_of_the_inner_store(tmp_path: Path) -> None:
    inner = LocalStore(tmp_path)
    store = FaultyStore(inner, parse_faults({"error": "always"}))
    assert store.url == f"fault+{tmp_path}"
    assert store.capabilities == replace(inner.capabilities, multiprocess=False)
    usage, inner_usage = store.disk_usage(), inner.disk_usage()
    assert usage is not None
    assert usage.total == inner_usage.total
