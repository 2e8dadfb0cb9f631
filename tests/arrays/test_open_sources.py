from __future__ import annotations

import gc
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.arrays import writer
from zarrfs.arrays.engine import Engine
from zarrfs.arrays.hierarchy import ArrayNode, Hierarchy
from zarrfs.stores.faulty import FaultyStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.log_check import LogCheck
    from zarrfs.arrays.chunk_source import ChunkSource
    from zarrfs.arrays.regions import Coords
    from zarrfs.errors import ChunkError
    from zarrfs.stores.base import Store

DATA = np.arange(1, 65, dtype="u2").reshape(8, 8)
NEW = DATA + 100
DEADLINE = 10.0


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine(memory=2**20, failure_ttl=1000)
    yield engine
    engine.close()


def opened(engine: Engine, store: Store) -> ChunkSource:
    node = Hierarchy(store).node("")
    assert isinstance(node, ArrayNode)
    return engine.source(store, node)


class Reading:
    """One chunk, asked for to be kept."""

    def __init__(self, source: ChunkSource, coords: Coords) -> None:
        self._chunk: Any = None
        self._error: ChunkError | None = None
        self._done = threading.Event()
        source.request([coords], self._take, keep=True, urgent=False)

    def _take(self, coords: Coords, chunk: Any, error: ChunkError | None) -> None:
        self._chunk, self._error = None if chunk is None else chunk.copy(), error
        self._done.set()

    def result(self) -> Any:
        assert self._done.wait(DEADLINE)
        return self._error or self._chunk


def change(engine: Engine, store: Store, key: str, coords: Coords) -> None:
    """Replace an object, as a writer does."""
    store.set(key, writer.write_v3(NEW, (4, 4)).get(key))
    engine.open_sources.object_changed(store, "", key, coords)


def test_all_sources_of_an_array_forget_what_was_replaced(engine: Engine) -> None:
    store = FaultyStore(writer.write_v3(DATA, (4, 4)))
    sources = [opened(engine, store), opened(engine, store)]
    for source in sources:
        for coords in ((0, 0), (0, 1)):
            Reading(source, coords).result()
    change(engine, store, "c/0/0", (0, 0))
    store.forget_operations()
    for source in sources:
        np.testing.assert_array_equal(Reading(source, (0, 0)).result(), NEW[:4, :4])
        np.testing.assert_array_equal(Reading(source, (0, 1)).result(), DATA[:4, 4:])
    assert {op.key for op in store.operations if op.name == "get"} == {"c/0/0"}


def test_what_was_being_read_is_not_remembered(engine: Engine) -> None:
    store = FaultyStore(writer.write_v3(DATA, (4, 4)))
    source = opened(engine, store)
    store.inject(hang="stat")
    early = Reading(source, (0, 0))
    assert store.wait_until_hanging()
    store.inject()  # which hangs goes on hanging
    change(engine, store, "c/0/0", (0, 0))
    late = Reading(source, (0, 0))  # does not join the one that began before
    np.testing.assert_array_equal(late.result(), NEW[:4, :4])
    store.release()
    assert early.result() is not None
    np.testing.assert_array_equal(Reading(source, (0, 0)).result(), NEW[:4, :4])


def test_a_failure_that_a_write_mended_is_not_remembered(
    engine: Engine, expected_logs: LogCheck
) -> None:
    store = writer.write_v3(DATA, (4, 4))
    store.set("c/0/0", b"short")
    source = opened(engine, store)
    expected_logs("it was given 5 bytes")
    assert isinstance(Reading(source, (0, 0)).result(), Exception)
    change(engine, store, "c/0/0", (0, 0))
    np.testing.assert_array_equal(Reading(source, (0, 0)).result(), NEW[:4, :4])


def test_a_failure_of_a_read_that_a_write_overtook_is_not_remembered(
    engine: Engine, expected_logs: LogCheck
) -> None:
    store = FaultyStore(writer.write_v3(DATA, (4, 4)))
    store.set("c/0/0", b"short")
    source = opened(engine, store)
    held = threading.Event()
    begun = threading.Event()
    get = store.get

    def slow(key: str, byte_range: Any = None) -> Any:
        data = get(key, byte_range)
        begun.set()
        assert held.wait(DEADLINE)
        return data

    store.get = slow  # type: ignore[method-assign]  # holds what was read, not the reading
    early = Reading(source, (0, 0))
    assert begun.wait(DEADLINE)
    change(engine, store, "c/0/0", (0, 0))
    expected_logs("it was given 5 bytes")
    held.set()
    assert isinstance(early.result(), Exception)
    np.testing.assert_array_equal(Reading(source, (0, 0)).result(), NEW[:4, :4])


def test_chunks_of_a_shard_are_forgotten_together(engine: Engine) -> None:
    codecs = [writer.sharding((2, 2))]
    store = writer.write_v3(DATA, (4, 4), codecs)
    source = opened(engine, store)
    for coords in ((0, 0), (1, 1), (0, 2)):
        Reading(source, coords).result()
    store.set("c/0/0", writer.write_v3(NEW, (4, 4), codecs).get("c/0/0"))
    engine.open_sources.object_changed(store, "", "c/0/0", (0, 0))
    np.testing.assert_array_equal(Reading(source, (1, 1)).result(), NEW[2:4, 2:4])
    np.testing.assert_array_equal(Reading(source, (0, 2)).result(), DATA[:2, 4:6])
    engine.open_sources.object_changed(store, "", "c/9/9", (9, 9))  # of a larger shape


def test_an_array_that_changed_is_forgotten_whole(engine: Engine) -> None:
    store = writer.write_v3(DATA, (4, 4))
    source = opened(engine, store)
    Reading(source, (0, 0)).result()
    revision = source.revision
    store.set("c/0/0", writer.write_v3(NEW, (4, 4)).get("c/0/0"))
    engine.open_sources.node_changed(store, "")
    assert source.revision > revision
    np.testing.assert_array_equal(Reading(source, (0, 0)).result(), NEW[:4, :4])


def test_sources_that_are_gone_take_no_room(engine: Engine) -> None:
    for number in range(500):
        store = writer.write_v3(DATA, (4, 4), path=f"a{number}")
        node = Hierarchy(store).node(f"a{number}")
        assert isinstance(node, ArrayNode)
        engine.source(store, node)
    gc.collect()
    assert len(engine.open_sources) < 130


def test_source_of_an_array_that_was_replaced_by_one_of_other_dimensions_forgets_all(
    engine: Engine,
) -> None:
    store = FaultyStore(writer.write_v3(DATA, (4, 8), [writer.sharding((2, 2))]))
    source = opened(engine, store)
    Reading(source, (0, 0)).result()
    engine.open_sources.object_changed(store, "", "c/0", (0,))
    store.delete("c/0/0")
    assert Reading(source, (0, 0)).result() is None
