"""Selections read straight from the store, on the calling thread and on those of the pool."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.arrays import writer
from zarrfs.arrays import reading, runs
from zarrfs.arrays.chunk_io import ChunkReader
from zarrfs.arrays.counters import Counters
from zarrfs.arrays.decode_pool import DEFAULT_THREADS
from zarrfs.arrays.fetch_pool import MAX_REQUESTS
from zarrfs.arrays.hierarchy import ArrayNode, Hierarchy
from zarrfs.arrays.indexing import parse_selection
from zarrfs.arrays.reading import read_selection
from zarrfs.errors import ChunkError, CodecError, StoreError
from zarrfs.stores.base import Capabilities
from zarrfs.stores.faulty import FaultyStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from zarrfs.arrays.engine import Engine
    from zarrfs.byte_range import ByteRange
    from zarrfs.stores.base import Buffer, Store

DATA = np.arange(64, dtype="<i2").reshape(8, 8)
PLAIN = [writer.bytes_codec(), writer.GZIP]


class WatchedStore(FaultyStore):
    """Tells which threads read chunks, and whether it answers at once."""

    def __init__(self, store: Store, *, quick: bool) -> None:
        super().__init__(store)
        self._quick = quick
        self.threads: list[int] = []

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(writable=True, cheap_stat=self._quick)

    def get(self, key: str, byte_range: ByteRange | None = None) -> Buffer:
        self.threads.append(threading.get_ident())
        return super().get(key, byte_range)


def reader_of(store: Store) -> ChunkReader:
    node = Hierarchy(store).node("")
    assert isinstance(node, ArrayNode)
    return ChunkReader(store, node.prefix, node.metadata, Counters())


def read(store: Store, engine: Engine, index: object = ...) -> npt.NDArray[np.int16]:
    reader = reader_of(store)
    return read_selection("a", reader, parse_selection(index, (8, 8)), engine)


@pytest.fixture(params=["plain", "runs", "sharded"])
def stored(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    if request.param == "plain":
        yield writer.write_v3(DATA, (2, 2), PLAIN)
    elif request.param == "runs":
        monkeypatch.setattr(runs, "LEAST_BOX_BYTES", 0)
        yield writer.write_v3(DATA, (2, 2), [writer.bytes_codec(), writer.ZSTD])
    else:
        yield writer.write_v3(DATA, (4, 8), [writer.sharding((2, 2))])


@pytest.mark.parametrize("quick", [True, False])
@pytest.mark.parametrize(
    "index", [..., (slice(1, 7, 2), slice(None)), (3, slice(5, 1, -1)), (0, 0)]
)
@pytest.mark.parametrize("task_bytes", [1, 3 * 8, 2**20])
def test_selection_is_what_numpy_selects(
    stored: Store,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
    quick: bool,
    index: object,
    task_bytes: int,
) -> None:
    monkeypatch.setattr(reading, "TASK_BYTES", task_bytes)
    found = read(WatchedStore(stored, quick=quick), engine, index)
    assert np.array_equal(found, DATA[index])  # type: ignore[call-overload]  # any basic index


@pytest.mark.parametrize(
    ("n_pieces", "run_length", "n_chunks"),
    [
        (1000, 1, reading.TASK_BYTES // 8),
        (10**9, 10**6, 10**6),
        (10**9, 3, reading.TASK_BYTES // 8 // 3 * 3),
        (80 * 10**6, 10**7, 20 * 10**6 // reading.TASKS_PER_THREAD),
        (2, 10**6, reading.TASK_BYTES // 8),
    ],
    ids=["no runs", "one run", "some runs", "parts of runs", "few chunks"],
)
def test_tasks_are_whole_runs_unless_threads_would_be_idle(
    n_pieces: int, run_length: int, n_chunks: int
) -> None:
    reader = reader_of(writer.write_v3(DATA, (2, 2), PLAIN))
    assert reader.spec.nbytes == 8
    assert reading._n_chunks(n_pieces, run_length, reader, n_threads=4) == n_chunks


def test_small_selection_of_a_quick_store_is_read_on_the_calling_thread(
    stored: Store, engine: Engine
) -> None:
    store = WatchedStore(stored, quick=True)
    read(store, engine)
    assert set(store.threads) == {threading.get_ident()}


def test_slow_store_is_asked_by_many_threads_at_once(engine: Engine) -> None:
    store = WatchedStore(writer.write_v3(DATA, (2, 2), PLAIN), quick=False)
    store.inject(hang="get", keys="c/*")
    thread = threading.Thread(target=read, args=(store, engine))
    thread.start()
    n_chunks = 16
    assert DEFAULT_THREADS < n_chunks < MAX_REQUESTS
    all_hang = store.wait_until_hanging(n_chunks, timeout=60)
    store.heal()
    thread.join()
    assert all_hang


def test_empty_selection_asks_for_nothing(stored: Store, engine: Engine) -> None:
    store = WatchedStore(stored, quick=True)
    reader = reader_of(store)
    store.threads.clear()
    selection = parse_selection((slice(3, 3), 1), (8, 8))
    assert read_selection("a", reader, selection, engine).shape == (0,)
    assert store.threads == []


def test_chunk_that_cannot_be_read_is_told_with_its_cause(stored: Store, engine: Engine) -> None:
    store = FaultyStore(stored)
    reader = reader_of(store)
    store.inject(error="always", keys="c/*")
    with pytest.raises(ChunkError, match=r"array 'a', object 'c/0/0': ") as caught:
        read_selection("a", reader, parse_selection((0, 0), (8, 8)), engine)
    assert isinstance(caught.value.__cause__, StoreError)


def test_chunk_that_cannot_be_decoded_is_told_with_its_cause(engine: Engine) -> None:
    store = writer.write_v3(DATA, (2, 2), PLAIN)
    store.set("c/1/1", b"nonsense")
    with pytest.raises(ChunkError, match="with gzip") as caught:
        read(store, engine)
    assert isinstance(caught.value.__cause__, CodecError)
