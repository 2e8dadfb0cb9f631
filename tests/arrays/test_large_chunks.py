"""Chunks that no memory can hold, and stored objects that no chunk can be, are not fetched."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.arrays import writer
from tests.arrays.test_chunk_io import load_all, reader_of
from zarrfs.arrays.memory import MACHINE_BYTES
from zarrfs.errors import CodecError, MetadataError
from zarrfs.stores.faulty import FaultyStore
from zarrfs.stores.memory import MemoryStore

if TYPE_CHECKING:
    from zarrfs.stores.base import Store

LENGTH = 4 * MACHINE_BYTES
"""Of one chunk of bytes."""


def one_chunk(codecs: list[Any], data: bytes) -> Store:
    """Store an array of one chunk that no memory can hold."""
    store = writer.write_v3(np.zeros(4, "u1"), (4,), codecs)
    document = json.loads(bytes(store.get("zarr.json")))
    document["shape"] = [LENGTH]
    document["chunk_grid"]["configuration"]["chunk_shape"] = [LENGTH]
    store.set("zarr.json", json.dumps(document).encode())
    if data:
        store.set("c/0", data)
    return store


def load_first(store: Store) -> Any:
    reader = reader_of(store)
    [(_, loaded)] = reader.load("c/0", [(0,)], None)
    return loaded


@pytest.mark.parametrize("codecs", [[writer.bytes_codec()], [writer.sharding((LENGTH,))]])
def test_a_chunk_larger_than_memory_reads_as_fill_where_none_is_stored(codecs: list[Any]) -> None:
    assert load_first(one_chunk(codecs, b"")) is None


@pytest.mark.parametrize(
    "codecs", [[writer.bytes_codec()], [writer.bytes_codec(), writer.GZIP]], ids=["raw", "gzip"]
)
def test_a_stored_chunk_larger_than_memory_is_refused_before_it_is_decoded(
    codecs: list[Any],
) -> None:
    loaded = load_first(one_chunk(codecs, b"x"))
    assert isinstance(loaded, CodecError)
    assert str(loaded) == (
        f"cannot decode c/0 with its codecs: it has {LENGTH} bytes when decoded, more than the "
        f"memory of this machine, {MACHINE_BYTES}"
    )


def test_objects_that_no_chunk_can_be_are_not_fetched() -> None:
    inner = writer.write_v3(np.arange(1, 9, dtype="u1"), (4,))
    inner.set("c/1", bytes(2**21))
    store = FaultyStore(inner)
    reader = reader_of(store)
    for _ in range(2):  # and not at the second try either
        loaded = load_all(reader)
        assert loaded[0,].tolist() == [1, 2, 3, 4]
        assert "2097152 bytes, more than the 1048584 that one can take" in str(loaded[1,])
    fetched = [op.key for op in store.operations if op.name == "get" and op.key.startswith("c/")]
    assert fetched == ["c/0", "c/0"]


def test_a_little_more_than_a_chunk_is_left_to_its_codecs() -> None:
    store = writer.write_v3(np.arange(1, 5, dtype="u1"), (4,))
    store.set("c/0", bytes(5))
    assert "with bytes: it was given 5 bytes, not 4" in str(load_first(store))


def test_an_inner_chunk_that_claims_too_much_is_not_fetched() -> None:
    inner = writer.write_v3(np.arange(1, 5, dtype="u1"), (4,), [writer.sharding((2,))])
    shard = bytes(inner.get("c/0"))
    codec = writer.sharding((2,))["configuration"]
    index = np.array([[0, 2**21], [2, 2]], "<u8")
    inner.set("c/0", shard[:4] + writer.encode(index, codec["index_codecs"]))
    store = FaultyStore(inner)
    loaded = load_all(reader_of(store))
    assert "2097152 bytes, more than the 1048580 that one can take" in str(loaded[0,])
    assert loaded[1,].tolist() == [3, 4]


def test_texts_may_take_any_size() -> None:
    """Their elements have no bound, so that nothing but memory bounds what is stored."""
    store = MemoryStore()
    document = {
        "zarr_format": 3,
        "node_type": "array",
        "shape": [1],
        "data_type": "string",
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [1]}},
        "chunk_key_encoding": {"name": "default"},
        "fill_value": "",
        "codecs": ["vlen-utf8"],
    }
    store.set("zarr.json", json.dumps(document).encode())
    size = 2**22
    store.set("c/0", b"\1\0\0\0" + size.to_bytes(4, "little") + b"x" * size)
    assert load_all(reader_of(store))[0,][0] == "x" * size


def test_shards_in_shards_without_end_are_refused() -> None:
    codec = writer.bytes_codec()
    for _ in range(300):
        codec = writer.sharding((4,), [codec])
    with pytest.raises(MetadataError, match=r"^zarr\.json: codecs: stand inside each other"):
        reader_of(one_chunk([codec], b""))
