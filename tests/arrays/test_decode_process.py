"""What a decode process does, in this process; and over a connection, on a thread."""

from __future__ import annotations

import contextlib
import mmap
import os
import pickle
import threading
from collections import OrderedDict
from dataclasses import replace
from multiprocessing.connection import Connection, Pipe
from multiprocessing.reduction import send_handle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.arrays import writer
from zarrfs.arrays import decode_process
from zarrfs.arrays.chunk_io import ChunkReader
from zarrfs.arrays.counters import Counters
from zarrfs.arrays.decode_process import (
    MAX_MAPPINGS,
    READY,
    Done,
    Part,
    _mapped,
    decode_part,
    serve,
)
from zarrfs.arrays.hierarchy import ArrayNode, Hierarchy
from zarrfs.arrays.regions import box_shape, n_pieces, pieces
from zarrfs.stores.local import LocalStore
from zarrfs.stores.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from zarrfs.arrays.regions import Box
    from zarrfs.stores.base import Store

DATA = np.arange(1, 7 * 10 + 1, dtype="<u2").reshape(7, 10)
WHOLE = ((0, 7), (0, 10))


def reader_of(store: Store) -> ChunkReader:
    node = Hierarchy(store).node("")
    assert isinstance(node, ArrayNode)
    return ChunkReader(store, node.prefix, node.metadata, Counters())


def part_of(reader: ChunkReader, box: Box, first: int = 0, stop: int | None = None) -> Part:
    return Part(
        reader=reader.portable or b"",
        revision=0,
        dtype=reader.spec.dtype,
        box=box,
        first=first,
        stop=n_pieces(reader.grid, box) if stop is None else stop,
    )


def decoded(reader: ChunkReader, part: Part) -> tuple[npt.NDArray[Any], Done]:
    elements = np.full(box_shape(part.box), 999, part.dtype)
    return elements, decode_part(part, reader, elements)


STORES = {
    "plain": writer.write_v3(DATA, (2, 3)),
    "compressed": writer.write_v3(DATA, (2, 3), [writer.bytes_codec("big"), writer.GZIP]),
    "rows": writer.write_v3(DATA, (2, 10)),
    "sharded": writer.write_v3(DATA, (4, 6), [writer.sharding((2, 3))]),
}


@given(data=st.data())
@pytest.mark.parametrize("name", STORES)
def test_parts_of_a_box_together_are_the_box(name: str, data: st.DataObject) -> None:
    reader = reader_of(STORES[name])
    starts = [data.draw(st.integers(0, n - 1)) for n in DATA.shape]
    box = tuple(
        (start, data.draw(st.integers(start + 1, n)))
        for start, n in zip(starts, DATA.shape, strict=True)
    )
    n = n_pieces(reader.grid, box)
    assert n == len(list(pieces(reader.grid, box)))
    cut = data.draw(st.integers(0, n))
    elements = np.full(box_shape(box), 999, "<u2")
    for part in (part_of(reader, box, 0, cut), part_of(reader, box, cut)):
        assert decode_part(part, reader, elements).failed == ()
    assert np.array_equal(elements, DATA[tuple(slice(*axis) for axis in box)])


def test_only_the_chunks_of_a_part_are_touched() -> None:
    reader = reader_of(STORES["rows"])
    elements, done = decoded(reader, part_of(reader, WHOLE, 1, 3))
    assert np.array_equal(elements[2:6], DATA[2:6])
    assert set(elements[:2].flat) | set(elements[6:].flat) == {999}
    assert done.counted["chunks_decoded"] == 2
    assert set(done.versions) == {"c/1/0", "c/2/0"}
    assert reader.counters.snapshot()["chunks_decoded"] == 0, "it is told once"
    assert decoded(reader, part_of(reader, WHOLE, 0, 1))[1].versions.keys() == {"c/0/0"}


def test_chunks_never_written_are_the_fill_value_and_bad_ones_are_named() -> None:
    store = writer.write_v3(DATA, (2, 10), [writer.bytes_codec(), writer.GZIP], fill=5)
    store.delete("c/1/0")
    store.set("c/2/0", b"no gzip")
    reader = reader_of(store)
    elements, done = decoded(reader, part_of(reader, WHOLE))
    assert done.failed == ((2, 0),)
    assert set(elements[2:4].flat) == {5}
    assert np.array_equal(elements[:2], DATA[:2])


# --- readers in another process -----------------------------------------------------------------


def test_a_reader_of_a_local_store_travels(tmp_path: Path) -> None:
    writer.write_v3(DATA, (2, 3), store=LocalStore(tmp_path))
    reader = reader_of(LocalStore(tmp_path))
    assert reader.portable is not None
    again = pickle.loads(reader.portable)
    assert np.array_equal(decoded(again, part_of(again, WHOLE))[0], DATA)


def test_a_reader_of_a_store_of_this_process_alone_stays() -> None:
    store = MemoryStore("of this process")
    assert reader_of(writer.write_v3(DATA, (2, 3), store=store)).portable is None


def test_a_reader_whose_store_cannot_be_pickled_stays(tmp_path: Path) -> None:
    class Stubborn(LocalStore):
        def __reduce__(self) -> tuple[Any, ...]:
            raise TypeError("not today")

    writer.write_v3(DATA, (2, 3), store=LocalStore(tmp_path))
    assert reader_of(Stubborn(tmp_path)).portable is None


def test_a_reader_does_not_read_another_disk_at_the_same_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer.write_v3(DATA, (2, 3), store=LocalStore(tmp_path))
    store = LocalStore(tmp_path)
    reader = reader_of(store)
    monkeypatch.setattr(store, "_device", 12345)
    assert reader.portable is not None
    with pytest.raises(Exception, match="another file system"):
        pickle.loads(reader.portable)


# --- the conversation ---------------------------------------------------------------------------


@contextlib.contextmanager
def served() -> Iterator[Connection]:
    ours, theirs = Pipe()
    thread = threading.Thread(target=serve, args=(theirs,))
    thread.start()
    assert ours.recv() == READY
    yield ours
    ours.close()
    thread.join(20)
    assert not thread.is_alive(), "it ends with the connection"
    theirs.close()


def ask(connection: Connection, part: Part) -> tuple[npt.NDArray[Any], Done | str]:
    size = int(np.prod(box_shape(part.box))) * part.dtype.itemsize
    descriptor = os.memfd_create("test")
    try:
        os.truncate(descriptor, size)
        connection.send((part, size))
        send_handle(connection, descriptor, None)
        answer: Done | str = connection.recv()
        memory = np.frombuffer(mmap.mmap(descriptor, size), part.dtype)
    finally:
        os.close(descriptor)
    return memory.reshape(box_shape(part.box)), answer


def test_parts_come_back_in_shared_memory(tmp_path: Path) -> None:
    writer.write_v3(DATA, (2, 3), store=LocalStore(tmp_path))
    reader = reader_of(LocalStore(tmp_path))
    with served() as connection:
        for _ in range(2):
            elements, answer = ask(connection, part_of(reader, WHOLE))
            assert isinstance(answer, Done)
            assert np.array_equal(elements, DATA)


def test_a_store_that_cannot_be_opened_there_is_told_and_the_next_is_served(
    tmp_path: Path,
) -> None:
    for name in ("a", "b"):
        writer.write_v3(DATA, (2, 3), store=LocalStore(tmp_path / name, create=True))
    gone, there = reader_of(LocalStore(tmp_path / "a")), reader_of(LocalStore(tmp_path / "b"))
    (tmp_path / "a").rename(tmp_path / "c")
    with served() as connection:
        assert "no such directory" in str(ask(connection, part_of(gone, WHOLE))[1])
        assert isinstance(ask(connection, part_of(there, WHOLE))[1], Done)


def test_readers_are_kept_within_a_bound_and_by_revision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decode_process, "MAX_READERS", 2)
    made: list[bytes] = []
    load = pickle.loads

    def loads(data: bytes) -> Any:
        made.append(data)
        return load(data)

    monkeypatch.setattr(pickle, "loads", loads)
    writer.write_v3(DATA, (2, 3), store=LocalStore(tmp_path))
    reader = reader_of(LocalStore(tmp_path))
    with served() as connection:
        for revision, n_made in ((0, 1), (0, 1), (1, 2), (0, 2), (2, 3), (0, 4)):
            part = replace(part_of(reader, WHOLE), revision=revision)
            assert isinstance(ask(connection, part)[1], Done)
            assert len(made) == n_made


def test_memory_is_mapped_once_and_freed_when_others_are_used(tmp_path: Path) -> None:
    def resident() -> int:
        """Bytes of shared memory that this process has mapped."""
        status = Path("/proc/self/status").read_text()
        return int(status.partition("RssShmem:")[2].split()[0]) * 1024

    mappings: OrderedDict[int, mmap.mmap] = OrderedDict()
    before, size = resident(), 2**22
    for n in range(2 * MAX_MAPPINGS):
        descriptor = os.memfd_create("test")
        os.truncate(descriptor, size)
        first = _mapped(mappings, descriptor, size)
        second = _mapped(mappings, descriptor, size)
        os.close(descriptor)
        first[0] = 1
        assert second[0] == 1
        del first, second
        assert resident() - before <= min(n + 1, MAX_MAPPINGS) * size + 2**20
