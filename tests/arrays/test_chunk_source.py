from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.arrays import writer
from zarrfs.arrays import batching, failures, scratch
from zarrfs.arrays.hierarchy import ArrayNode, Hierarchy
from zarrfs.errors import ChunkError, CodecError, StoreError
from zarrfs.stores.faulty import FaultyStore

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from tests.log_check import LogCheck
    from zarrfs.arrays.chunk_source import ChunkSource
    from zarrfs.arrays.engine import Engine
    from zarrfs.arrays.regions import Coords

DATA = np.arange(1, 65, dtype="u2").reshape(8, 8)


class Clock:
    """Stands for the module `time` where a test moves it on."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


class Received:
    """Takes chunks and waits for them."""

    def __init__(
        self,
        source: ChunkSource,
        wanted: Sequence[Coords],
        *,
        keep: bool = False,
        urgent: bool = False,
    ) -> None:
        self.chunks: dict[Coords, Any] = {}
        self.threads: set[str] = set()
        self._n, self._done, self._lock = len(wanted), threading.Event(), threading.Lock()
        source.request(wanted, self._take, keep=keep, urgent=urgent)

    def _take(
        self, coords: Coords, chunk: npt.NDArray[Any] | None, error: ChunkError | None
    ) -> None:
        with self._lock:
            assert coords not in self.chunks
            self.threads.add(threading.current_thread().name)
            self.chunks[coords] = error or (None if chunk is None else chunk.copy())
            if len(self.chunks) == self._n:
                self._done.set()

    @property
    def is_done(self) -> bool:
        return self._done.is_set()

    def wait(self) -> dict[Coords, Any]:
        assert self._done.wait(10), f"{len(self.chunks)} of {self._n}"
        return self.chunks

    def error(self) -> ChunkError:
        (error,) = self.wait().values()
        assert isinstance(error, ChunkError)
        return error


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(failures, "time", clock)
    return clock


def source_of(engine: Engine, store: FaultyStore, path: str = "") -> ChunkSource:
    node = Hierarchy(store).node(path)
    assert isinstance(node, ArrayNode)
    store.forget_operations()
    return engine.source(store, node)


def n_reads(store: FaultyStore) -> int:
    return sum(operation.name == "get" for operation in store.operations)


@pytest.fixture
def store() -> FaultyStore:
    return FaultyStore(writer.write_v3(DATA, (4, 4), path="a"))


@pytest.fixture
def source(engine: Engine, store: FaultyStore) -> ChunkSource:
    return source_of(engine, store, "a")


ALL = [(0, 0), (0, 1), (1, 0), (1, 1)]


def test_all_wanted_chunks_are_handed_out_once(source: ChunkSource) -> None:
    chunks = Received(source, ALL).wait()
    assert sorted(chunks) == ALL
    assert np.array_equal(chunks[1, 0], DATA[4:, :4])


def test_a_missing_chunk_is_none(source: ChunkSource, store: FaultyStore) -> None:
    store.delete("a/c/0/1")
    assert Received(source, [(0, 1)]).wait() == {(0, 1): None}


def test_two_who_want_a_chunk_at_a_time_share_one_load(
    source: ChunkSource, store: FaultyStore
) -> None:
    store.inject(hang="get")
    first = Received(source, [(0, 0)])
    assert store.wait_until_hanging()
    second = Received(source, [(0, 0)], urgent=True)
    assert not first.is_done
    assert not second.is_done
    store.heal()
    assert np.array_equal(first.wait()[0, 0], DATA[:4, :4])
    assert np.array_equal(second.wait()[0, 0], DATA[:4, :4])
    assert n_reads(store) == 1


def test_many_threads_that_want_the_same_chunks_load_each_once(
    source: ChunkSource, store: FaultyStore
) -> None:
    store.inject(hang="get")
    received: list[Received] = []
    threads = [
        threading.Thread(target=lambda: received.append(Received(source, ALL))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    store.heal()
    for one in received:
        assert np.array_equal(one.wait()[1, 1], DATA[4:, 4:])
    assert n_reads(store) == 4


def test_a_kept_chunk_is_handed_out_at_once_and_counted(
    source: ChunkSource, store: FaultyStore
) -> None:
    Received(source, ALL, keep=True).wait()
    again = Received(source, ALL)
    assert again.is_done
    assert again.threads == {threading.current_thread().name}
    assert np.array_equal(again.wait()[0, 1], DATA[:4, 4:])
    assert n_reads(store) == 4
    assert source.reader.counters.snapshot()["chunk_cache_hits"] == 4


def test_a_kept_chunk_that_is_missing_is_not_asked_for_again(
    source: ChunkSource, store: FaultyStore
) -> None:
    store.delete("a/c/0/0")
    store.forget_operations()
    for _ in range(2):
        assert Received(source, [(0, 0)], keep=True).wait() == {(0, 0): None}
    assert len(store.operations) == 1


def test_a_chunk_not_worth_keeping_is_loaded_again(source: ChunkSource, store: FaultyStore) -> None:
    for _ in range(2):
        Received(source, [(0, 0)]).wait()
    assert n_reads(store) == 2


def test_it_is_kept_if_one_of_those_who_wait_says_so(
    source: ChunkSource, store: FaultyStore
) -> None:
    store.inject(hang="get")
    first = Received(source, [(0, 0)])
    assert store.wait_until_hanging()
    second = Received(source, [(0, 0)], keep=True)
    store.heal()
    first.wait()
    second.wait()
    assert Received(source, [(0, 0)]).is_done


def test_a_kept_chunk_is_decoded_to_where_it_is_kept(
    engine: Engine, source: ChunkSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    reserved: list[npt.NDArray[np.uint8]] = []
    reserve = engine.cache.reserve

    def watch(nbytes: int) -> npt.NDArray[np.uint8] | None:
        room = reserve(nbytes)
        assert room is not None
        reserved.append(room)
        return room

    monkeypatch.setattr(engine.cache, "reserve", watch)
    Received(source, [(0, 0)], keep=True).wait()
    kept: list[Any] = []
    source.request(
        [(0, 0)], lambda coords, chunk, error: kept.append(chunk), keep=True, urgent=True
    )
    assert len(reserved) == 1
    assert np.may_share_memory(kept[0], reserved[0])
    assert np.array_equal(kept[0], DATA[:4, :4])


def test_a_chunk_without_room_to_keep_is_handed_out_all_the_same(
    engine: Engine, source: ChunkSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine.cache, "reserve", lambda nbytes: None)
    chunks = Received(source, [(0, 0)], keep=True).wait()
    assert np.array_equal(chunks[0, 0], DATA[:4, :4])
    assert not Received(source, [(0, 0)]).is_done


# --- failures -----------------------------------------------------------------------------------


def test_a_failure_names_array_key_codec_and_cause(engine: Engine, expected_logs: LogCheck) -> None:
    expected_logs(
        r"array 'a', object 'a/c/0/0': cannot decode .* with gzip.*chunk \(0, 0\)", times=1
    )
    store = FaultyStore(
        writer.write_v3(DATA, (4, 4), [writer.bytes_codec(), writer.GZIP], path="a")
    )
    store.set("a/c/0/0", b"garbage")
    error = Received(source_of(engine, store, "a"), [(0, 0)]).error()
    assert (error.array, error.key) == ("a", "a/c/0/0")
    assert isinstance(error.__cause__, CodecError)
    assert error.is_logged


def test_a_failure_is_remembered_for_its_time_and_then_tried_again(
    source: ChunkSource, store: FaultyStore, clock: Clock, expected_logs: LogCheck
) -> None:
    expected_logs("injected error", times=2)
    store.inject(error="get")
    errors = [Received(source, [(0, 0)]).error()]
    clock.now += 4.9
    for _ in range(3):
        again = Received(source, [(0, 0)])
        assert again.is_done
        errors.append(again.error())
    assert n_reads(store) == 1
    assert source.remembers_failure((0, 0))
    assert len(set(map(id, errors))) == 4, "each reader raises an error of its own"
    assert {str(error) for error in errors} == {str(errors[0])}
    assert all(isinstance(error.__cause__, StoreError) for error in errors)
    clock.now += 0.2
    assert not source.remembers_failure((0, 0))
    assert isinstance(Received(source, [(0, 0)]).wait()[0, 0], ChunkError)
    assert n_reads(store) == 2
    store.heal()
    clock.now += 5.1
    assert np.array_equal(Received(source, [(0, 0)]).wait()[0, 0], DATA[:4, :4])


def test_a_failed_chunk_does_not_fail_others(
    source: ChunkSource, store: FaultyStore, expected_logs: LogCheck
) -> None:
    expected_logs("injected error", times=1)
    store.inject(error="get", keys="a/c/0/1")
    chunks = Received(source, ALL).wait()
    assert [coords for coords in ALL if isinstance(chunks[coords], ChunkError)] == [(0, 1)]
    assert np.array_equal(chunks[1, 1], DATA[4:, 4:])


def test_a_shard_that_cannot_be_read_is_logged_once(
    engine: Engine, expected_logs: LogCheck
) -> None:
    expected_logs("injected error", times=1)
    store = FaultyStore(writer.write_v3(DATA, (8, 8), [writer.sharding((1, 1))]))
    source = source_of(engine, store)
    store.inject(error="get")
    chunks = Received(source, list(np.ndindex(8, 8))).wait()
    assert all(isinstance(chunk, ChunkError) for chunk in chunks.values())


def test_more_failures_than_are_remembered_forget_the_older_ones(
    source: ChunkSource,
    store: FaultyStore,
    expected_logs: LogCheck,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    expected_logs("injected error", times=3)
    monkeypatch.setattr(failures, "MAX_FAILURES", 2)
    store.inject(error="get")
    for coords in ALL[:3]:
        Received(source, [coords]).wait()
    assert [source.remembers_failure(coords) for coords in ALL[:3]] == [False, False, True]


def test_errors_hold_no_frames(
    source: ChunkSource, store: FaultyStore, expected_logs: LogCheck
) -> None:
    expected_logs("injected error")
    store.inject(error="get")
    error: BaseException | None = Received(source, [(0, 0)]).error()
    while error is not None:
        assert error.__traceback__ is None
        error = error.__cause__ or error.__context__


def test_a_receiver_that_raises_does_not_keep_the_chunk_from_others(
    source: ChunkSource, store: FaultyStore, expected_logs: LogCheck
) -> None:
    expected_logs("a chunk of 'a' could not be handed out", times=1)

    def fail(coords: Coords, chunk: npt.NDArray[Any] | None, error: ChunkError | None) -> None:
        raise ZeroDivisionError

    store.inject(hang="get")
    source.request([(0, 0)], fail, keep=False, urgent=False)
    assert store.wait_until_hanging()
    other = Received(source, [(0, 0)])
    store.heal()
    assert np.array_equal(other.wait()[0, 0], DATA[:4, :4])


def test_a_fault_in_the_reader_reaches_all_who_wait(
    source: ChunkSource, monkeypatch: pytest.MonkeyPatch, expected_logs: LogCheck
) -> None:
    expected_logs("internal error, see the log", times=1)
    expected_logs("chunks of 'a' could not be loaded", times=1)

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(type(source.reader), "_object", fail)
    assert "internal error" in str(Received(source, [(0, 0)]).error())


# --- forgetting ---------------------------------------------------------------------------------


def test_keys_that_cannot_be_told_are_errors_of_the_chunks(
    source: ChunkSource, monkeypatch: pytest.MonkeyPatch, expected_logs: LogCheck
) -> None:
    def by_object(wanted: object) -> dict[str, list[Coords]]:
        raise RuntimeError("no more letters")

    monkeypatch.setattr(source.reader, "by_object", by_object)
    expected_logs("their keys cannot be told: RuntimeError: no more letters", times=1)
    chunks = Received(source, [(0, 0), (1, 1)]).wait()
    assert all("no more letters" in str(chunk) for chunk in chunks.values())


def test_forget_drops_what_is_kept_and_what_failed(
    source: ChunkSource, store: FaultyStore, engine: Engine, expected_logs: LogCheck
) -> None:
    expected_logs("injected error")
    Received(source, [(0, 0)], keep=True).wait()
    store.inject(error="get", keys="a/c/0/1")
    Received(source, [(0, 1)]).wait()
    store.heal()
    store.set("a/c/0/0", np.zeros((4, 4), "u2").tobytes())
    source.forget()
    assert engine.budget.used == 0
    chunks = Received(source, [(0, 0), (0, 1)]).wait()
    assert not chunks[0, 0].any()
    assert np.array_equal(chunks[0, 1], DATA[:4, 4:])


def test_what_was_being_read_when_forgotten_goes_to_those_who_had_asked_only(
    source: ChunkSource, store: FaultyStore, engine: Engine
) -> None:
    store.inject(hang="get")
    before = Received(source, [(0, 0)], keep=True)
    assert store.wait_until_hanging()
    source.forget()
    after = Received(source, [(0, 0)])
    assert store.wait_until_hanging(2), "it is read anew"
    store.set("a/c/0/0", np.zeros((4, 4), "u2").tobytes())
    store.heal()
    assert before.wait().keys() == {(0, 0)}
    assert not after.wait()[0, 0].any()
    assert engine.budget.used == 0, "nothing of before is kept"


def test_a_failure_from_before_forgetting_is_not_remembered(
    source: ChunkSource, store: FaultyStore, expected_logs: LogCheck
) -> None:
    expected_logs("injected error", times=1)
    store.inject(hang="get", error="get")
    before = Received(source, [(0, 0)])
    assert store.wait_until_hanging()
    source.forget()
    store.heal()
    assert isinstance(before.wait()[0, 0], ChunkError)
    assert not source.remembers_failure((0, 0))
    assert np.array_equal(Received(source, [(0, 0)]).wait()[0, 0], DATA[:4, :4])


# --- batches and scratch ------------------------------------------------------------------------


def test_inner_chunks_of_a_shard_are_fetched_in_batches(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batching, "TASK_BYTES", 10 * 2)
    store = FaultyStore(writer.write_v3(DATA, (8, 8), [writer.sharding((1, 1))]))
    source = source_of(engine, store)
    chunks = Received(source, list(np.ndindex(8, 8))).wait()
    assert all(chunks[i, j][0, 0] == DATA[i, j] for i, j in chunks)
    sizes = [len(op.ranges) for op in store.operations if op.name == "get" and op.nbytes < 1000]
    assert sorted(sizes) == [4, *[10] * 6]


def test_large_chunks_are_decoded_without_a_buffer_that_is_kept(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scratch, "MAX_SCRATCH_BYTES", 10)
    store = FaultyStore(writer.write_v3(DATA, (4, 4), [writer.bytes_codec(), writer.GZIP]))
    source = source_of(engine, store)
    assert np.array_equal(Received(source, ALL).wait()[1, 0], DATA[4:, :4])
    assert scratch.scratch_buffers(11) is None
    small = scratch.scratch_buffers(5)
    assert small is not None
    assert scratch.scratch_buffers(4) is small


def test_a_chunk_that_is_kept_does_not_lie_in_the_scratch_buffer(engine: Engine) -> None:
    store = FaultyStore(writer.write_v3(DATA, (4, 4), [writer.bytes_codec(), writer.GZIP]))
    source = source_of(engine, store)
    for coords in ALL:
        Received(source, [coords], keep=True).wait()
    kept = Received(source, ALL)
    assert kept.is_done
    assert np.array_equal(kept.wait()[0, 0], DATA[:4, :4])
    assert np.array_equal(kept.wait()[1, 1], DATA[4:, 4:])
