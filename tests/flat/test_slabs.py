from __future__ import annotations

import gc
import threading
import weakref
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.arrays import writer
from tests.flat.opened import TIMEOUT, Opened, finished, opened
from tests.waiting import wait_until
from zarrfs.arrays.memory import MemoryBudget
from zarrfs.errors import ChunkError
from zarrfs.flat.readahead import ReadAhead
from zarrfs.flat.reader import FlatArray
from zarrfs.flat.slab import FlatFile, Slab
from zarrfs.flat.slabs import SlabTable
from zarrfs.stores.faulty import FaultyStore
from zarrfs.stores.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy.typing as npt

    from tests.log_check import LogCheck
    from zarrfs.byte_range import ByteRange
    from zarrfs.stores.base import Buffer, Store

KIB = 2**10

ROW = (8, 128)
SLAB = 16 * KIB
"""Bytes of a row of chunks."""


@pytest.fixture
def rows() -> npt.NDArray[Any]:
    """16 slabs of 16 KiB, 8 chunks each."""
    return np.random.default_rng(1).integers(1, 2**16, (128, 1024), np.uint16)


@pytest.fixture
def store(rows: npt.NDArray[Any]) -> FaultyStore:
    return FaultyStore(writer.write_v3(rows, ROW))


@pytest.fixture
def no_gc() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def file_of(opened_file: Opened) -> FlatFile:
    """Make a file of its own with one slab for each row of chunks."""
    memory = 4 * SLAB
    flat = FlatArray(opened_file.source, opened_file.dtype, opened_file.table, memory=memory)
    return flat._file


def ready(table: SlabTable, file: FlatFile, index: int) -> None:
    """Have a slab made and wait for it, without keeping it."""
    done = threading.Event()
    table.get(file, index).when_ready(lambda _: done.set())
    assert done.wait(TIMEOUT)


def is_there(table: SlabTable, file: FlatFile) -> list[int]:
    return [index for index in range(16) if table.is_ready(file, index)]


def reader_at(table: SlabTable, file: FlatFile, offset: int) -> ReadAhead:
    """Open the file at some place."""
    reader = ReadAhead()
    reader.observe(offset - 100, 100)
    table.add_reader(file, reader)
    return reader


# --- one slab -----------------------------------------------------------------------------------


def test_a_slab_is_made_once_for_all_who_want_it(store: FaultyStore) -> None:
    with opened(store) as one:
        file = file_of(one)
        store.inject(hang="get", keys="c/*")
        assert one.table.get(file, 0) is one.table.get(file, 0)
        assert not one.table.is_ready(file, 0)
        store.heal()
        ready(one.table, file, 0)
        assert one.table.is_ready(file, 0)
        assert one.count("chunks_decoded") == 8


def test_missing_chunks_are_the_fill_value() -> None:
    data = np.full((8, 8), 7, "i4")
    data[:4] = 5
    with opened(writer.write_v3(data, (4, 4), fill=5)) as one:
        assert one.read_through(20) == data.tobytes()
        assert one.count("chunks_decoded") == 2


def test_a_slab_with_a_failed_chunk_is_remade_once_the_failure_is_forgotten(
    store: FaultyStore, expected_logs: LogCheck
) -> None:
    expected_logs("injected error", times=1)
    store.inject(error="get", keys="c/0/3")
    with opened(store) as one:
        file = file_of(one)
        ready(one.table, file, 0)
        failed = one.table.get(file, 0)
        assert failed.errors.keys() == {(0, 3)}
        assert one.table.get(file, 0) is failed
        store.heal()
        one.source.forget()
        assert failed.is_stale
        ready(one.table, file, 0)
        assert one.table.get(file, 0) is not failed
        assert not one.table.get(file, 0).errors


def test_a_slab_being_made_is_not_stale_whatever_has_failed(store: FaultyStore) -> None:
    with opened(store) as one:
        slab = Slab(file_of(one), 0, one.engine, urgent=True)
        slab.errors[0, 3] = ChunkError("", "c/0/3", "failed long ago")
        assert not slab.is_stale
        slab.is_ready = True
        assert slab.is_stale


# --- what is dropped, and in which order --------------------------------------------------------


def test_read_ahead_takes_only_what_is_spare(store: FaultyStore) -> None:
    with opened(store, memory=4 * SLAB) as one:
        file = file_of(one)
        kept = [reader_at(one.table, file, index * SLAB + 100) for index in range(3)]
        for index in range(3):
            ready(one.table, file, index)
        assert one.table.prefetch(file, 5)
        assert one.table.prefetch(file, 5), "it is there"
        assert not one.table.prefetch(file, 6), "everything is read or about to be"
        ready(one.table, file, 5)
        assert is_there(one.table, file) == [0, 1, 2, 5]
        assert one.table.prefetch(file, 6), "nobody comes to 5"
        ready(one.table, file, 6)
        assert is_there(one.table, file) == [0, 1, 2, 6]
        del kept[1]
        assert one.table.prefetch(file, 7), "who read 1 has closed the file"


def test_a_demand_drops_first_what_nobody_comes_to_then_what_is_ahead_then_the_oldest(
    store: FaultyStore,
) -> None:
    with opened(store, memory=4 * SLAB) as one:
        file, table = file_of(one), one.table
        first, second = reader_at(table, file, 100), reader_at(table, file, 4 * SLAB + 100)
        first.observe(100, 10)  # goes on, so that what lies ahead of it will be needed
        for index in (4, 0, 1, 9):
            ready(table, file, index)
        assert second.windows() == [(4 * SLAB + 99, 4 * SLAB + 100)]
        ready(table, file, 10)
        assert is_there(table, file) == [0, 1, 4, 10], "nobody comes to 9"
        others = [reader_at(table, file, 10 * SLAB + 100)]
        ready(table, file, 11)
        assert is_there(table, file) == [0, 4, 10, 11], "1 was only ahead"
        others.append(reader_at(table, file, 11 * SLAB + 100))
        ready(table, file, 12)
        assert is_there(table, file) == [0, 10, 11, 12], "4 was unused for longest"


def test_slabs_that_all_readers_in_order_have_passed_are_dropped(store: FaultyStore) -> None:
    with opened(store) as one:
        file, table = file_of(one), one.table
        ready(table, file, 7)
        for index in range(3):
            table.get(file, index, in_order=True)
            ready(table, file, index)
        assert table.prefetch(file, 3)
        ready(table, file, 3)
        slow = reader_at(table, file, SLAB + 100)
        table.drop_passed(file, 3, behind=0)
        assert is_there(table, file) == [1, 3, 7], "somebody is in 1; 7 was read by itself"
        del slow
        table.drop_passed(file, 3, behind=0)
        assert is_there(table, file) == [3, 7]


def test_slabs_that_were_passed_are_not_read_ahead_again_unless_somebody_misses_them(
    store: FaultyStore,
) -> None:
    with opened(store) as one:
        file, table = file_of(one), one.table
        for index in range(3):
            table.get(file, index, in_order=True)
            ready(table, file, index)
        table.drop_passed(file, 3, behind=0)
        assert table.prefetch(file, 0), "the kernel has it"
        assert is_there(table, file) == []
        ready(table, file, 1)
        assert table.prefetch(file, 0)
        ready(table, file, 0)
        assert is_there(table, file) == [0, 1], "who misses 1 may miss others"
        table.drop(file)
        table.get(file, 0, in_order=True)
        ready(table, file, 0)
        table.drop_passed(file, 1, behind=0)
        table.drop(file)
        assert table.prefetch(file, 0)
        ready(table, file, 0)
        assert is_there(table, file) == [0], "what is forgotten was not passed"


def test_a_slab_being_made_is_not_passed(store: FaultyStore) -> None:
    with opened(store) as one:
        file = file_of(one)
        store.inject(hang="get", keys="c/*")
        slab = one.table.get(file, 0, in_order=True)
        one.table.drop_passed(file, 1, behind=0)
        assert one.table.get(file, 0) is slab
        store.heal()


def test_a_slab_that_memory_was_short_for_is_forgotten(store: FaultyStore) -> None:
    with opened(store, memory=2 * SLAB) as one:
        file = file_of(one)
        one.table.get(file, 0, in_order=True)
        ready(one.table, file, 0)
        one.table.drop(file)
        one.table.get(file, 1, in_order=True)
        ready(one.table, file, 1)
        assert file.streamed == {1}


def test_drop_forgets_the_slabs_of_one_file(store: FaultyStore) -> None:
    with opened(store) as one:
        file, other = file_of(one), file_of(one)
        for index in range(2):
            ready(one.table, file, index)
            ready(one.table, other, index)
        one.table.drop(file)
        assert is_there(one.table, file) == []
        assert is_there(one.table, other) == [0, 1]


def test_a_slab_dropped_while_it_is_made_is_finished_for_those_who_wait(
    rows: npt.NDArray[Any], store: FaultyStore
) -> None:
    with opened(store) as one:
        store.inject(hang="get", keys="c/*")
        reply = one.flat.read(0, rows.nbytes, ReadAhead())
        assert store.wait_until_hanging()
        one.flat.forget()
        store.heal()
        assert bytes(finished(reply)) == rows.tobytes()


class SlowStore(MemoryStore):
    """Keeps one chunk that was read from arriving until it is told."""

    def __init__(self, of: Store) -> None:
        super().__init__()
        for key in of.list_prefix(""):
            self.set(key, of.get(key))
        self.has_read, self.may_arrive = threading.Event(), threading.Event()

    def get(self, key: str, byte_range: ByteRange | None = None) -> Buffer:
        data = super().get(key, byte_range)
        if key == "c/0/0":
            self.has_read.set()
            assert self.may_arrive.wait(TIMEOUT)
        return data


def test_a_slab_begun_while_all_is_forgotten_is_not_kept(
    rows: npt.NDArray[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = SlowStore(writer.write_v3(rows, ROW))
    with opened(slow) as one:
        before = one.flat.read(0, rows.nbytes, ReadAhead())
        assert slow.has_read.wait(TIMEOUT)
        forget = one.source.forget
        slab = one.table.get(one.flat._file, 0)

        def read_and_forget() -> None:
            one.flat.read(0, rows.nbytes, ReadAhead())
            assert one.table.get(one.flat._file, 0) is slab, "slabs are dropped later"
            forget()

        monkeypatch.setattr(one.source, "forget", read_and_forget)
        one.flat.forget()
        for key in list(slow.list_prefix("c/")):
            slow.set(key, bytes(8 * 128 * 2))
        after = one.flat.read(0, rows.nbytes, ReadAhead())
        slow.may_arrive.set()
        finished(before)
        assert bytes(finished(after)) == bytes(rows.nbytes)


def test_clear_gives_back_all_that_nobody_waits_for(store: FaultyStore) -> None:
    with opened(store) as one:
        file = file_of(one)
        ready(one.table, file, 0)
        store.inject(hang="get", keys="c/*")
        waiting = one.table.get(file, 1)
        assert store.wait_until_hanging()
        one.table.clear()
        assert one.engine.budget.used == SLAB
        assert one.table.get(file, 1) is waiting
        store.heal()


def test_memory_that_a_reply_will_give_back_is_waited_for(store: FaultyStore) -> None:
    deferred: list[Callable[[], None]] = []
    budget = MemoryBudget(4 * SLAB, deferred.append)

    def serve() -> None:
        while deferred:
            deferred.pop(0)()

    with opened(store) as one:
        one.engine.budget = budget
        file, table = file_of(one), SlabTable(one.engine)
        kept = [reader_at(table, file, index * SLAB + 100) for index in (1, 2, 3)]
        done = threading.Barrier(2)

        def tell(_: Slab) -> None:
            done.wait(TIMEOUT)

        for index in range(4):
            table.get(file, index).when_ready(tell)
            serve()
            done.wait(TIMEOUT)
        reply = table.get(file, 0).view(0, 10)
        table.get(file, 5)
        for _ in range(3):
            budget.retry()
            serve()
        assert is_there(table, file) == [1, 2, 3], "0 is still in the reply, and enough"
        assert budget.is_short
        del reply
        serve()
        assert not budget.is_short
        assert len(kept) == 3


# --- memory is freed by reference counts alone --------------------------------------------------


@pytest.mark.usefixtures("no_gc")
def test_slabs_replies_and_errors_leave_nothing_behind(
    rows: npt.NDArray[Any], store: FaultyStore, expected_logs: LogCheck
) -> None:
    expected_logs("injected error")
    with opened(store, memory=1024 * KIB) as one:
        assert one.read_through(10_000) == rows.tobytes()
        assert one.read(3000, 200) == rows.tobytes()[3000:3200]
        one.flat.forget()
        store.inject(error="get", keys="c/3/*")
        for size in (100, rows.nbytes):
            with pytest.raises(ChunkError):
                one.read(3 * SLAB, size)
        one.flat.forget()
        # A decode thread lets go of the last chunk just after it has handed it out.
        wait_until(lambda: one.engine.budget.used == 0)


@pytest.mark.usefixtures("no_gc")
def test_a_reply_alone_keeps_its_buffer_and_no_longer(store: FaultyStore) -> None:
    with opened(store, memory=4 * SLAB) as one:
        reply = finished(one.flat.read(0, SLAB, ReadAhead()))
        one.flat.forget()
        assert one.engine.budget.used == SLAB
        part = np.frombuffer(reply, "<u2")[10:20]
        del reply
        assert one.engine.budget.used == SLAB
        del part
        assert one.engine.budget.used == 0


@pytest.mark.usefixtures("no_gc")
def test_a_reply_that_nobody_fetches_is_freed_with_its_future(store: FaultyStore) -> None:
    with opened(store, memory=4 * SLAB) as one:
        store.inject(hang="get", keys="c/*")
        reply = one.flat.read(0, SLAB, ReadAhead())
        assert isinstance(reply, Future)
        assert store.wait_until_hanging()
        store.heal()
        reply.result(TIMEOUT)
        one.flat.forget()
        assert one.engine.budget.used == SLAB
        del reply
        assert one.engine.budget.used == 0


@pytest.mark.usefixtures("no_gc")
def test_a_table_that_is_dropped_gives_its_memory_back(store: FaultyStore) -> None:
    with opened(store) as one:
        table = SlabTable(one.engine)
        flat = FlatArray(one.source, one.dtype, table, memory=4 * SLAB)
        finished(flat.read(0, SLAB, ReadAhead()))
        assert one.engine.budget.used == SLAB
        gone = weakref.ref(table)
        del flat, table
        assert gone() is None
        assert one.engine.budget.used == 0


@pytest.mark.usefixtures("no_gc")
def test_a_ready_slab_knows_nobody_who_waited(store: FaultyStore) -> None:
    with opened(store) as one:
        file = file_of(one)
        ready(one.table, file, 0)
        slab = one.table.get(file, 0)

        def notify(_: Slab) -> None:
            return

        gone = weakref.ref(notify)
        slab.when_ready(notify)
        del notify
        assert gone() is None


# --- waiting in line ----------------------------------------------------------------------------


def test_a_table_in_line_goes_on_when_a_slab_of_another_is_ready(
    rows: npt.NDArray[Any], store: FaultyStore
) -> None:
    """The budget may be shared: nobody may wait for memory that only its own table could free."""
    with opened(store, memory=4 * SLAB) as one:
        file = file_of(one)
        other = SlabTable(one.engine)
        flat = FlatArray(one.source, one.dtype, other, memory=4 * SLAB)
        store.inject(hang="get", keys="c/[0-3]/*")
        for index in range(4):
            one.table.get(file, index)
        assert store.wait_until_hanging()
        reply = flat.read(8 * SLAB, SLAB, ReadAhead())
        assert isinstance(reply, Future)
        assert one.engine.budget.is_short
        store.heal()
        assert bytes(finished(reply)) == rows.tobytes()[8 * SLAB : 9 * SLAB]


def test_a_slab_that_is_waited_for_overtakes_what_is_read_ahead(store: FaultyStore) -> None:
    with opened(store, memory=64 * SLAB) as one:
        file = file_of(one)
        store.inject(hang="get", keys="c/0/0")
        one.table.get(file, 0)
        assert store.wait_until_hanging()
        store.inject(hang="get", keys="c/*")
        for index in range(1, 12):
            assert one.table.prefetch(file, index)
        assert store.wait_until_hanging(4)
        slab = one.table.get(file, 11)
        done = threading.Event()
        slab.when_ready(lambda _: done.set())
        store.forget_operations()
        store.heal()
        assert done.wait(TIMEOUT)
        keys = [operation.key for operation in store.operations if operation.name == "get"]
        last = max(keys.index(f"c/11/{i}") for i in range(8))
        ahead = [key for key in keys[:last] if not key.startswith(("c/0/", "c/11/"))]
        assert len(ahead) <= 4
