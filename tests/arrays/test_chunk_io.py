from __future__ import annotations

import dataclasses
import struct
from typing import TYPE_CHECKING, Any

import google_crc32c
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.arrays import writer
from zarrfs.arrays.chunk_io import ChunkReader
from zarrfs.arrays.counters import Counters
from zarrfs.arrays.hierarchy import ArrayNode, Hierarchy
from zarrfs.arrays.scratch import scratch_buffers
from zarrfs.arrays.shard_reading import MAX_ATTEMPTS
from zarrfs.errors import CodecError, StoreError, ZarrfsError
from zarrfs.stores.faulty import FaultyStore
from zarrfs.stores.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from zarrfs.arrays.regions import Coords
    from zarrfs.byte_range import ByteRange
    from zarrfs.stores.base import Buffer, Capabilities, Store

DATA = np.arange(1, 65, dtype="u2").reshape(8, 8)


def reader_of(store: Store, path: str = "") -> ChunkReader:
    node = Hierarchy(store).node(path)
    assert isinstance(node, ArrayNode)
    return ChunkReader(store, node.prefix, node.metadata, Counters())


def load_all(reader: ChunkReader) -> dict[Coords, Any]:
    """Load every chunk; copies, since the next one may overwrite it."""
    loaded: dict[Coords, Any] = {}
    scratch = scratch_buffers(reader.spec.nbytes)
    for key, group in reader.by_object(np.ndindex(reader.grid.grid_shape)).items():
        for coords, chunk in reader.load(key, group, scratch):
            loaded[coords] = chunk.copy() if isinstance(chunk, np.ndarray) else chunk
    return loaded


def assemble(reader: ChunkReader, loaded: dict[Coords, Any]) -> npt.NDArray[Any]:
    result = np.full(reader.grid.shape, reader.spec.fill_value, reader.spec.dtype)
    for coords, chunk in loaded.items():
        assert not isinstance(chunk, ZarrfsError), chunk
        if chunk is not None:
            starts = [axis.start(c) for axis, c in zip(reader.grid.axes, coords, strict=True)]
            target = result[
                tuple(slice(s, s + n) for s, n in zip(starts, chunk.shape, strict=True))
            ]
            target[...] = chunk[tuple(slice(0, n) for n in target.shape)]
    return result


@st.composite
def sharded_arrays(draw: st.DrawFn) -> tuple[npt.NDArray[Any], tuple[int, ...], writer.Codecs]:
    """Data, shard shape and codecs; up to two levels of shards, ragged at the edges."""
    ndim = draw(st.integers(1, 3))
    inner = tuple(draw(st.integers(1, 3)) for _ in range(ndim))
    codecs: writer.Codecs = [writer.bytes_codec(draw(st.sampled_from(["little", "big"])))]
    if draw(st.booleans()):
        codecs.append(draw(st.sampled_from([writer.GZIP, writer.CRC32C])))
    outer = inner
    for _ in range(draw(st.integers(1, 2))):
        location = draw(st.sampled_from(["start", "end"]))
        codecs = [writer.sharding(outer, codecs, location=location)]
        outer = tuple(n * draw(st.integers(1, 3)) for n in outer)
    shape = tuple(draw(st.integers(1, 2 * n + 1)) for n in outer)
    values = draw(st.lists(st.integers(0, 2), min_size=1, max_size=40))
    data = np.resize(np.array(values, "i4"), shape)
    return data, outer, codecs


@settings(max_examples=100)
@given(sharded_arrays())
def test_inner_chunks_of_nested_ragged_shards_are_what_was_written(
    case: tuple[npt.NDArray[Any], tuple[int, ...], writer.Codecs],
) -> None:
    data, shards, codecs = case
    store = writer.write_v3(data, shards, codecs)
    reader = reader_of(store)
    assert reader.is_sharded
    assert np.array_equal(assemble(reader, load_all(reader)), data)


@pytest.mark.parametrize("order", ["C", "F"])
def test_v2_chunks_of_structured_types_keep_their_fields(order: str) -> None:
    data = np.zeros((3, 5), [("a", "<i4"), ("b", ">f8"), ("c", "S3")])
    data["a"] = np.arange(15).reshape(3, 5)
    data["b"] = data["a"] / 7
    data["c"] = b"xyz"
    reader = reader_of(writer.write_v2(data, (2, 2), order=order))
    assert np.array_equal(assemble(reader, load_all(reader)), data)


def test_zero_dimensional_array_is_one_chunk() -> None:
    reader = reader_of(writer.write_v3(np.array(7, "i8"), ()))
    ((coords, chunk),) = load_all(reader).items()
    assert (coords, int(chunk)) == ((), 7)


def test_an_object_that_is_missing_is_none() -> None:
    store = writer.write_v3(DATA, (4, 8))
    store.delete("c/1/0")
    loaded = load_all(reader_of(store))
    assert loaded[1, 0] is None
    assert np.array_equal(loaded[0, 0], DATA[:4])


@pytest.mark.parametrize("location", ["start", "end"])
def test_inner_chunk_or_whole_shard_that_is_missing_is_none(location: str) -> None:
    data = DATA.copy()
    data[:2, :2] = 0
    data[4:, 4:] = 0
    store = writer.write_v3(data, (4, 4), [writer.sharding((2, 2), location=location)])
    with pytest.raises(KeyError):
        store.get("c/1/1")
    loaded = load_all(reader_of(store))
    missing = {coords for coords, chunk in loaded.items() if chunk is None}
    assert missing == {(0, 0), (2, 2), (2, 3), (3, 2), (3, 3)}


def test_only_the_bytes_wanted_of_a_shard_are_fetched() -> None:
    store = FaultyStore(writer.write_v3(DATA, (8, 8), [writer.sharding((2, 2))]))
    reader = reader_of(store)
    store.forget_operations()
    (((coords, chunk),)) = list(reader.load("c/0/0", [(1, 2)], None))
    assert coords == (1, 2)
    assert np.array_equal(np.asarray(chunk), DATA[2:4, 4:6])
    gets = [operation for operation in store.operations if operation.name == "get"]
    assert [operation.nbytes for operation in gets] == [16 * 16 + 4, 8]
    store.forget_operations()
    list(reader.load("c/0/0", [(0, 0), (3, 3)], None))
    gets = [operation for operation in store.operations if operation.name == "get"]
    assert [(len(operation.ranges), operation.nbytes) for operation in gets] == [(2, 16)]
    assert dict(reader.counters.snapshot()) == {
        "shard_indexes_read": 1,
        "objects_read": 2,
        "bytes_fetched": 16 * 16 + 4 + 8 + 16,
        "chunks_decoded": 3,
        "bytes_decoded": 24,
        "decode_ns": reader.counters.snapshot()["decode_ns"],
    }


# --- shards that are broken ---------------------------------------------------------------------


def sharded(index: Callable[[npt.NDArray[np.uint64]], None]) -> tuple[MemoryStore, bytes]:
    """Write one shard of four inner chunks, its index changed and its checksum right."""
    store = MemoryStore()
    writer.write_v3(DATA[:4, :4], (4, 4), [writer.sharding((2, 2))], store=store)
    shard = bytes(store.get("c/0/0"))
    entries = np.frombuffer(shard[32:-4], "<u8").reshape(4, 2).copy()
    index(entries)
    stored = entries.tobytes()
    shard = shard[:32] + stored + struct.pack("<I", google_crc32c.value(stored))
    store.set("c/0/0", shard)
    return store, shard


def point_to(offset: int, size: int) -> Callable[[npt.NDArray[np.uint64]], None]:
    def change(entries: npt.NDArray[np.uint64]) -> None:
        entries[1] = offset, size

    return change


@pytest.mark.parametrize(
    ("offset", "size"),
    [(1000, 8), (98, 8), (2**63 + 5, 8), (0, 2**62), (2**64 - 8, 8), (2**64 - 1, 8), (0, 0)],
)
def test_an_index_that_points_out_of_the_shard_fails_that_inner_chunk_only(
    offset: int, size: int
) -> None:
    store, _ = sharded(point_to(offset, size))
    loaded = load_all(reader_of(store))
    error = loaded.pop((0, 1))
    assert isinstance(error, CodecError)
    assert error.key == "c/0/0"
    assert np.array_equal(loaded[0, 0], DATA[:2, :2])
    assert np.array_equal(loaded[1, 1], DATA[2:4, 2:4])


def test_a_corrupt_index_fails_all_chunks_of_the_shard_and_no_other() -> None:
    data = np.ones((4, 8), "u2")
    store = writer.write_v3(data, (4, 4), [writer.sharding((2, 2))])
    shard = bytearray(store.get("c/0/0"))
    shard[-6] ^= 1
    store.set("c/0/0", shard)
    loaded = load_all(reader_of(store))
    failed = {coords for coords, chunk in loaded.items() if isinstance(chunk, CodecError)}
    assert failed == {(0, 0), (0, 1), (1, 0), (1, 1)}
    assert "crc32c" in str(loaded[0, 0])
    assert "c/0/0" in str(loaded[0, 0])


@pytest.mark.parametrize("size", [0, 3, 67])
def test_a_shard_too_short_for_its_index_fails(size: int) -> None:
    store, shard = sharded(point_to(8, 8))
    store.set("c/0/0", shard[:size])
    assert all(isinstance(chunk, CodecError) for chunk in load_all(reader_of(store)).values())


def test_a_truncated_inner_chunk_fails_and_says_so() -> None:
    inner = FaultyStore(writer.write_v3(DATA, (8, 8), [writer.sharding((4, 4))]))
    reader = reader_of(inner)
    load_all(reader)  # the index is known from here on
    inner.inject(truncate="31", keys="c/*")
    errors = load_all(reader)
    assert all(isinstance(error, CodecError) for error in errors.values())
    assert "inner chunk of 32 bytes at 0, out of the shard" in str(errors[0, 0])


def test_a_store_that_fails_fails_each_chunk_wanted() -> None:
    store = FaultyStore(writer.write_v3(DATA, (8, 8), [writer.sharding((4, 4))]))
    reader = reader_of(store)
    store.inject(error="get")
    errors = load_all(reader)
    assert len(errors) == 4
    assert all(isinstance(error, StoreError) for error in errors.values())
    store.heal()
    assert np.array_equal(assemble(reader, load_all(reader)), DATA)


# --- shards that change while they are read -----------------------------------------------------


class ChangingStore(MemoryStore):
    """Puts other objects in place between the index and the chunks, as often as it has some."""

    def __init__(self, others: Sequence[Store], *, is_cheap: bool = True) -> None:
        super().__init__()
        self.others = list(others)
        self.is_cheap = is_cheap

    @property
    def capabilities(self) -> Capabilities:
        return dataclasses.replace(super().capabilities, cheap_stat=self.is_cheap)

    def get_ranges(self, key: str, ranges: Sequence[ByteRange]) -> list[Buffer]:
        if self.others:
            other = self.others.pop(0)
            try:
                self.set(key, other.get(key))
            except KeyError:
                self.delete(key)
        return super().get_ranges(key, ranges)


def a_store(seed: int) -> Store:
    """One shard whose inner chunks lie in places that depend on the seed."""
    data = np.full((4, 4), seed, "u2")
    data[0, 0] = seed + 1
    if seed % 2:
        data[2:, :2] = 0
    return writer.write_v3(data, (4, 4), [writer.sharding((2, 2), location="start")])


def test_a_shard_replaced_while_it_is_read_gives_the_new_bytes() -> None:
    store = ChangingStore([a_store(3)])
    for key in a_store(2).list_prefix(""):
        store.set(key, a_store(2).get(key))
    reader = reader_of(store)
    expected = assemble(reader_of(a_store(3)), load_all(reader_of(a_store(3))))
    assert np.array_equal(assemble(reader, load_all(reader)), expected)


def test_a_shard_replaced_long_after_its_index_was_read_gives_the_new_bytes() -> None:
    store = ChangingStore([])
    for key in a_store(2).list_prefix(""):
        store.set(key, a_store(2).get(key))
    reader = reader_of(store)
    load_all(reader)
    store.set("c/0/0", a_store(3).get("c/0/0"))
    expected = assemble(reader_of(a_store(3)), load_all(reader_of(a_store(3))))
    assert np.array_equal(assemble(reader, load_all(reader)), expected)


def test_a_shard_that_never_keeps_still_is_an_error() -> None:
    store = ChangingStore([a_store(seed) for seed in range(3, 3 + MAX_ATTEMPTS)])
    for key in a_store(2).list_prefix(""):
        store.set(key, a_store(2).get(key))
    loaded = load_all(reader_of(store))
    assert all(isinstance(chunk, StoreError) for chunk in loaded.values())
    assert f"replaced {MAX_ATTEMPTS} times" in str(loaded[0, 0])


@pytest.mark.parametrize("is_cheap", [True, False])
def test_a_shard_deleted_while_it_is_read_is_missing(is_cheap: bool) -> None:
    store = ChangingStore([MemoryStore()], is_cheap=is_cheap)
    for key in a_store(2).list_prefix(""):
        store.set(key, a_store(2).get(key))
    assert set(load_all(reader_of(store)).values()) == {None}


def test_a_missing_shard_of_a_store_without_versions_is_asked_for_once() -> None:
    inner = ChangingStore([], is_cheap=False)
    inner.set("zarr.json", a_store(2).get("zarr.json"))
    store = FaultyStore(inner)
    reader = reader_of(store)
    store.forget_operations()
    assert set(load_all(reader).values()) == {None}
    assert set(load_all(reader).values()) == {None}
    assert [operation.name for operation in store.operations] == ["get"]
    reader.forget()
    inner.set("c/0/0", a_store(2).get("c/0/0"))
    assert load_all(reader)[0, 0] is not None
