from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from tests.arrays import writer
from zarrfs.arrays.assignment import Edit, new_elements
from zarrfs.arrays.engine import Engine
from zarrfs.arrays.hierarchy import ArrayNode, Hierarchy
from zarrfs.arrays.indexing import parse_selection
from zarrfs.errors import CodecError, NoSpaceError, ReadOnlyError, StoreError, ZarrfsError
from zarrfs.stores.base import Capabilities
from zarrfs.stores.faulty import FaultyStore
from zarrfs.stores.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from zarrfs.stores.base import Buffer, Store

DATA = np.arange(1, 65, dtype="u2").reshape(8, 8)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    engine = Engine(memory=2**24, failure_ttl=0)
    yield engine
    engine.close()


def node_of(store: Store) -> ArrayNode:
    node = Hierarchy(store).node("")
    assert isinstance(node, ArrayNode)
    return node


def put(
    engine: Engine, store: Store, index: Any, value: object, *, write_empty_chunks: bool = False
) -> None:
    node = node_of(store)
    chunks = engine.writer(store, node, write_empty_chunks=write_empty_chunks)
    selection = parse_selection(index, node.metadata.shape)
    elements = new_elements(value, node.metadata.dtype, selection)
    chunks.write(Edit(selection, elements, node.metadata.shape), engine.pool)


def read(engine: Engine, store: Store) -> npt.NDArray[Any]:
    """Read an array as somebody does who has just opened it."""
    source = engine.source(store, node_of(store))
    result = np.full(source.reader.grid.shape, source.reader.spec.fill_value)
    for key, wanted in source.reader.by_object(np.ndindex(source.reader.grid.grid_shape)).items():
        for coords, chunk in source.reader.load(key, wanted, None):
            assert not isinstance(chunk, ZarrfsError), chunk
            place = tuple(
                slice(axis.start(c), axis.start(c + 1))
                for axis, c in zip(source.reader.grid.axes, coords, strict=True)
            )
            if chunk is not None:
                part = result[place]
                part[...] = chunk[tuple(slice(0, n) for n in part.shape)]
    return result


def keys(store: Store) -> list[str]:
    return [key for key in store.list_prefix("") if key != "zarr.json"]


NESTED = writer.sharding((4, 4), [writer.sharding((2, 2), [writer.bytes_codec(), writer.GZIP])])
TRANSPOSED = {"name": "transpose", "configuration": {"order": [1, 0]}}
CHAINS: dict[str, writer.Codecs] = {
    "plain": [writer.bytes_codec("big")],
    "filtered": [TRANSPOSED, writer.bytes_codec(), writer.GZIP, writer.CRC32C],
    "sharded": [writer.sharding((2, 4), [writer.bytes_codec(), writer.CRC32C])],
    "index first": [writer.sharding((4, 2), location="start")],
    "nested": [NESTED],
    "transposed shards": [TRANSPOSED, writer.sharding((2, 4))],
}


@pytest.mark.parametrize("codecs", CHAINS.values(), ids=CHAINS.keys())
@given(data=st.data())
def test_any_sequence_of_writes_is_what_numpy_would_have(
    engine: Engine, codecs: writer.Codecs, data: st.DataObject
) -> None:
    shape = data.draw(st.tuples(st.integers(1, 17), st.integers(1, 17)))
    expected = np.full(shape, 3, "i4")
    store = writer.write_v3(expected, (8, 4) if codecs[0] is TRANSPOSED else (4, 4), codecs, fill=3)
    if codecs is CHAINS["nested"]:
        store = writer.write_v3(expected, (8, 8), codecs, fill=3)
    for number in range(data.draw(st.integers(1, 4))):
        index = data.draw(npst.basic_indices(shape, allow_newaxis=False))
        value = data.draw(
            st.sampled_from(
                [3, number, -np.arange(expected[index].size).reshape(expected[index].shape)]
            )
        )
        expected[index] = value
        put(engine, store, index, value)
        np.testing.assert_array_equal(read(engine, store), expected)


def test_a_chunk_that_becomes_fill_value_is_deleted(engine: Engine) -> None:
    store = writer.write_v3(DATA, (4, 4))
    put(engine, store, np.s_[:4, :6], 0)
    assert keys(store) == ["c/0/1", "c/1/0", "c/1/1"]
    put(engine, store, np.s_[:4, 6:], 0)
    assert keys(store) == ["c/1/0", "c/1/1"]


def test_an_inner_chunk_that_becomes_fill_value_is_left_out(engine: Engine) -> None:
    store = writer.write_v3(DATA, (8, 8), [writer.sharding((4, 4))])
    expected = DATA.copy()
    expected[:4, :4] = 0
    wanted = bytes(writer.write_v3(expected, (8, 8), [writer.sharding((4, 4))]).get("c/0/0"))
    put(engine, store, np.s_[:4, :4], 0)
    assert bytes(store.get("c/0/0")) == wanted
    put(engine, store, ..., 0)
    assert keys(store) == []


@pytest.mark.parametrize("codecs", [CHAINS["plain"], CHAINS["sharded"]])
def test_empty_chunks_are_written_where_asked_for(engine: Engine, codecs: writer.Codecs) -> None:
    store = writer.write_v3(np.zeros((8, 8), "u2"), (4, 4), codecs)
    put(engine, store, np.s_[:4], 0, write_empty_chunks=True)
    assert keys(store) == ["c/0/0", "c/0/1"]
    size = len(writer.write_v3(DATA, (4, 4), codecs).get("c/0/0"))
    assert len(store.get("c/0/0")) == size


@pytest.mark.parametrize("bits", [0x8000000000000000, 0x7FF8000000000001])
def test_negative_zero_and_other_nans_are_data(engine: Engine, bits: int) -> None:
    element = np.uint64(bits).view("f8")
    store = writer.write_v3(np.zeros(4), (4,))
    put(engine, store, ..., element)
    assert keys(store) == ["c/0"]
    assert read(engine, store).view("u8").tolist() == [bits] * 4


def test_whole_chunks_and_shards_are_not_read(engine: Engine) -> None:
    for codecs in CHAINS.values():
        chunks = (8, 8) if codecs is CHAINS["nested"] else (4, 4)
        store = FaultyStore(writer.write_v3(DATA[:7, :7], chunks, codecs))
        node = node_of(store)
        store.forget_operations()
        put(engine, store, ..., DATA[:7, :7] + 1)
        read_keys = [op.key for op in store.operations if op.name == "get"]
        assert set(read_keys) <= {"zarr.json"}
        assert node.metadata.shape == (7, 7)


def test_what_lies_over_the_edge_is_filled_or_kept(engine: Engine) -> None:
    store = writer.write_v3(DATA, (8, 8))
    document = bytes(store.get("zarr.json"))
    store.set("zarr.json", document.replace(b'"shape": [8, 8]', b'"shape": [6, 6]'))
    put(engine, store, np.s_[0, 0], 99)
    chunk = np.frombuffer(store.get("c/0/0"), "u2").reshape(8, 8)
    np.testing.assert_array_equal(chunk[6:], DATA[6:])
    put(engine, store, ..., 5)
    chunk = np.frombuffer(store.get("c/0/0"), "u2").reshape(8, 8)
    assert (chunk[:6, :6] == 5).all()
    assert not chunk[6:].any()
    assert not chunk[:, 6:].any()


def test_untouched_inner_chunks_move_as_bytes(engine: Engine) -> None:
    codecs = [writer.sharding((4, 4), [writer.bytes_codec(), writer.GZIP])]
    store = writer.write_v3(DATA, (8, 8), codecs)
    shard = bytearray(store.get("c/0/0"))
    shard[20:24] = b"\xff" * 4  # the first inner chunk cannot be decoded any more
    store.set("c/0/0", shard)
    put(engine, store, np.s_[5, 5], 7)
    assert bytes(shard[:40]) in bytes(store.get("c/0/0"))


def test_a_damaged_chunk_is_not_overwritten_in_part(engine: Engine) -> None:
    store = writer.write_v3(DATA, (4, 4), CHAINS["filtered"])
    damaged = b"x" + bytes(store.get("c/0/0"))[1:]
    store.set("c/0/0", damaged)
    with pytest.raises(CodecError, match=r"cannot decode c/0/0 with crc32c"):
        put(engine, store, np.s_[1, 1], 7)
    assert bytes(store.get("c/0/0")) == damaged
    put(engine, store, np.s_[:4, :4], 7)  # which replaces all of it
    assert (read(engine, store)[:4, :4] == 7).all()


def test_a_failing_store_is_told_with_key_and_reason(engine: Engine) -> None:
    store = FaultyStore(writer.write_v3(DATA, (4, 4)))
    store.inject(error="always:set", keys="c/1/*")
    with pytest.raises(StoreError, match=r"cannot set c/1/[01] in fault\+memory"):
        put(engine, store, ..., 1)
    store.heal()
    after = read(engine, store)
    assert (after[4:] == DATA[4:]).all()
    # Each object of the others is old or new as a whole.
    for j in range(2):
        part = after[:4, 4 * j : 4 * j + 4]
        assert (part == 1).all() or (part == DATA[:4, 4 * j : 4 * j + 4]).all()


def test_a_chunk_that_cannot_be_read_is_not_taken_for_missing(engine: Engine) -> None:
    store = FaultyStore(writer.write_v3(DATA, (4, 4)))
    store.inject(error="always:get", keys="c/*")
    with pytest.raises(StoreError, match="cannot get c/0/0"):
        put(engine, store, np.s_[0, 0], 1)
    store.heal()
    np.testing.assert_array_equal(read(engine, store), DATA)


def test_a_full_store_keeps_its_class_of_error(engine: Engine) -> None:
    class Full(MemoryStore):
        def set(self, key: str, data: Buffer) -> None:
            raise NoSpaceError("set", key, "no space left", store=self.url)

    inner, store = writer.write_v3(DATA, (4, 4)), Full()
    MemoryStore.set(store, "zarr.json", inner.get("zarr.json"))
    with pytest.raises(NoSpaceError):
        put(engine, store, ..., 1)


def test_a_read_only_store_is_refused_before_anything_is_done(engine: Engine) -> None:
    class ReadOnly(MemoryStore):
        @property
        def capabilities(self) -> Capabilities:
            return Capabilities(writable=False)

    inner, store = writer.write_v3(DATA, (4, 4)), ReadOnly()
    store.set("zarr.json", inner.get("zarr.json"))
    with pytest.raises(ReadOnlyError, match="the store is read-only"):
        put(engine, store, ..., 1)


def test_nothing_selected_writes_nothing(engine: Engine) -> None:
    store = FaultyStore(writer.write_v3(DATA, (4, 4)))
    put(engine, store, np.s_[3:3], 1)
    assert not [op for op in store.operations if op.name in ("set", "delete")]


@pytest.mark.parametrize("codecs", [CHAINS["plain"], CHAINS["sharded"]])
def test_threads_that_write_neighbouring_parts_of_an_object_lose_nothing(
    engine: Engine, codecs: writer.Codecs
) -> None:
    store = FaultyStore(writer.write_v3(DATA, (4, 4), codecs))
    store.inject(hang="set")
    threads = [
        threading.Thread(target=put, args=(engine, store, np.s_[row, 0], 1000 + row))
        for row in range(2)
    ]
    for thread in threads:
        thread.start()
    assert store.wait_until_hanging(1)
    # Who comes second waits for the object; it would lose what the first one is storing.
    assert not store.wait_until_hanging(2, timeout=0.2)
    store.heal()
    for thread in threads:
        thread.join()
    assert read(engine, store)[:3, 0].tolist() == [1000, 1001, DATA[2, 0]]


def test_a_large_array_of_one_element_takes_memory_for_chunks_under_way_only(
    engine: Engine,
) -> None:
    class Sizes(MemoryStore):
        """Forgets what it is given."""

        n_set = 0

        def set(self, key: str, data: Buffer) -> None:
            assert len(data) == 2**16
            type(self).n_set += 1

    store = Sizes()
    document = bytes(writer.write_v3(DATA, (4, 4)).get("zarr.json"))
    document = document.replace(b'"chunk_shape": [4, 4]', b'"chunk_shape": [1, 32768]')
    MemoryStore.set(store, "zarr.json", document.replace(b"[8, 8]", b"[4000, 32768]"))
    put(engine, store, ..., 7)
    assert Sizes.n_set == 4000


@pytest.mark.parametrize("codecs", CHAINS.values(), ids=CHAINS.keys())
@given(data=st.data())
def test_what_a_smaller_shape_cuts_off_is_fill_value_afterwards(
    engine: Engine, codecs: writer.Codecs, data: st.DataObject
) -> None:
    chunks = (8, 8) if codecs is CHAINS["nested"] else (4, 4)
    if codecs[0] is TRANSPOSED:
        chunks = (8, 4)
    values = np.arange(1, 18 * 15, dtype="i4")[: 17 * 15].reshape(17, 15)
    store = writer.write_v3(values, chunks, codecs, fill=-1)
    shape = data.draw(st.tuples(st.integers(0, 17), st.integers(0, 15)))
    node = node_of(store)
    engine.writer(store, node, write_empty_chunks=False).clear_outside(shape, engine.pool)
    expected = np.full_like(values, -1)
    kept = tuple(slice(0, n) for n in shape)
    expected[kept] = values[kept]
    np.testing.assert_array_equal(read(engine, store), expected)
    grid = node.metadata.chunk_grid
    starts = [
        [axis.start(c) for axis, c in zip(grid.axes, coords, strict=True)]
        for coords in np.ndindex(grid.grid_shape)
    ]
    inside = [s for s in starts if all(a < n for a, n in zip(s, shape, strict=True))]
    assert len(keys(store)) == len(inside)


def test_clearing_touches_only_what_is_cut(engine: Engine) -> None:
    store = FaultyStore(writer.write_v3(DATA, (4, 4)))
    store.set("c/notes.txt", b"no chunk")
    node = node_of(store)
    store.forget_operations()
    engine.writer(store, node, write_empty_chunks=False).clear_outside((6, 4), engine.pool)
    done = [(op.name, op.key) for op in store.operations if op.name != "list"]
    assert sorted(done) == [
        ("delete", "c/0/1"),
        ("delete", "c/1/1"),
        ("get", "c/1/0"),
        ("set", "c/1/0"),
    ]
    assert keys(store) == ["c/0/0", "c/1/0", "c/notes.txt"]


def test_empty_chunks_that_are_cut_are_kept_where_asked_for(engine: Engine) -> None:
    store = writer.write_v3(np.zeros((8, 8), "u2"), (8, 8), CHAINS["sharded"], omit_fill=False)
    put(engine, store, np.s_[5:], 1, write_empty_chunks=True)
    size = len(store.get("c/0/0"))
    chunks = engine.writer(store, node_of(store), write_empty_chunks=True)
    chunks.clear_outside((5, 8), engine.pool)
    assert not read(engine, store).any()
    assert 0 < len(store.get("c/0/0")) < size


def test_chunks_of_a_rectilinear_grid_are_written(engine: Engine) -> None:
    expected = np.arange(1, 36, dtype="i2").reshape(5, 7)
    store = writer.write_v3(expected, (5, 7))
    grid = b'{"name": "rectilinear", "configuration": {"kind": "inline", "chunk_shapes": '
    document = bytes(store.get("zarr.json")).replace(
        b'{"name": "regular", "configuration": {"chunk_shape": [5, 7]}}',
        grid + b"[[2, 3], [1, 4, 2]]}}",
    )
    store.set("zarr.json", document)
    put(engine, store, ..., expected)
    put(engine, store, np.s_[1:4, ::3], -1)
    expected[1:4, ::3] = -1
    np.testing.assert_array_equal(read(engine, store), expected)
    sizes = [len(store.get(f"c/{i}/{j}")) for i, j in itertools.product(range(2), range(3))]
    assert sizes == [4, 16, 8, 6, 24, 12]
