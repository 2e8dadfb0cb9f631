from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.arrays import writer
from tests.vfs.mounting import PATIENCE, contents, memory_store, names, put_array, read
from zarrfs.arrays.hierarchy import ArrayNode
from zarrfs.errors import StoreError
from zarrfs.stores.faulty import FaultyStore
from zarrfs.stores.local import LocalStore
from zarrfs.vfs import shown_arrays

if TYPE_CHECKING:
    from collections.abc import Hashable
    from pathlib import Path

    from tests.vfs.mounting import Clock, Show


def gets(store: FaultyStore) -> list[str]:
    return [operation.key for operation in store.operations if operation.name == "get"]


def test_stats_tell_what_was_done(show: Show) -> None:
    filesystem = show(memory_store(t=b"ab"))
    assert filesystem.stats()["amplification"] is None
    assert contents(filesystem, "bin/t.bin") == b"ab"
    filesystem.count(requests_read=2, bytes_served=4)
    stats = filesystem.stats()
    assert stats["requests"] == {"read": 2}
    assert (stats["bytes_served"], stats["bytes_decoded"], stats["chunks_decoded"]) == (4, 2, 1)
    assert stats["amplification"] == 0.5
    assert stats["memory"]["limit"] == 2**26
    assert 0 < stats["decode_time"] < stats["uptime"] < PATIENCE
    shown = json.loads(contents(filesystem, ".zarrfs/stats.json"))
    assert shown.keys() == stats.keys()
    assert shown["requests"] == {"read": 2}


def test_stats_tell_of_rows_larger_than_the_memory(show: Show, tmp_path: Path) -> None:
    data = np.arange(64 * 4096, dtype="u2").reshape(64, 4096)
    store = writer.write_v3(data, (32, 256))
    filesystem = show(store, memory=2**16, cache_dir=str(tmp_path), cache_size=2**20)
    assert contents(filesystem, "bin/data.bin") == data.tobytes()
    stats = filesystem.stats()
    assert stats["chunks_decoded"] == stats["chunks_spilled"] == 32
    assert stats["bytes_spilled"] == data.nbytes
    # Some parts are wanted before the chunk is there.
    assert 0 < stats["spill_hits"] <= 32 * 15
    filesystem.give_memory_back()
    assert not list(tmp_path.iterdir())


def test_log_is_read_when_it_is_opened(show: Show) -> None:
    filesystem = show(memory_store())
    assert contents(filesystem, ".zarrfs/log") == b"one line\n"
    assert filesystem.entry(".zarrfs/log").size == 9


def test_texts_are_asked_for_by_the_kernel_at_each_read(show: Show) -> None:
    file = show(memory_store()).open(".zarrfs/stats.json")
    assert file.direct_io
    assert read(file, 0, 1) == b"{"


def test_disk_usage_is_that_of_the_store(show: Show, tmp_path: Path) -> None:
    assert show(memory_store()).disk_usage() is None
    store = LocalStore(tmp_path)
    usage = show(store).disk_usage()
    assert usage is not None
    assert usage.total == store.disk_usage().total


def test_closing_closes_the_store(show: Show) -> None:
    closed: list[bool] = []

    class Closing(FaultyStore):
        def close(self) -> None:
            closed.append(True)

    show(Closing(memory_store())).close()
    assert closed == [True]


# --- how much is asked of the store ---------------------------------------------------------------


@pytest.fixture
def group_of_500() -> FaultyStore:
    return FaultyStore(memory_store(**{f"t{n}": b"ab" for n in range(500)}))


def test_lookup_of_one_name_reads_one_array(show: Show, group_of_500: FaultyStore) -> None:
    filesystem = show(group_of_500)
    assert filesystem.entry("bin/t77.bin").size == 2
    assert set(gets(group_of_500)) == {"zarr.json", "t77/zarr.json"}
    assert len(group_of_500.operations) < 15


def test_listing_with_attributes_reads_each_document_once(
    show: Show, group_of_500: FaultyStore
) -> None:
    filesystem = show(group_of_500, attr_timeout=1000)
    for tree in ("bin", "npy"):
        for name in names(filesystem, tree):
            assert filesystem.entry(f"{tree}/{name}").size
    assert len(gets(group_of_500)) == 501
    with pytest.raises(FileNotFoundError):
        filesystem.entry("bin/t500.bin")
    assert len(gets(group_of_500)) == 501


def test_without_timeout_listing_with_attributes_is_still_right(
    show: Show, group_of_500: FaultyStore
) -> None:
    filesystem = show(group_of_500, attr_timeout=0)
    listed = names(filesystem, "npy")
    assert len(listed) == 500
    assert {filesystem.entry(f"npy/{name}").size for name in listed} == {130}


def test_reads_of_an_open_file_ask_nothing_while_answers_are_good(
    show: Show, group_of_500: FaultyStore
) -> None:
    filesystem = show(group_of_500, attr_timeout=1000)
    file = filesystem.open("bin/t1.bin")
    assert read(file) == b"ab"
    group_of_500.forget_operations()
    assert [read(file, n % 2, 1) for n in range(100)] == [b"a", b"b"] * 50
    assert group_of_500.operations == []


# --- many arrays, many threads ----------------------------------------------------------------


def test_array_that_is_open_stays_one_however_many_others_are_seen(
    show: Show, monkeypatch: pytest.MonkeyPatch, expected_logs: Any
) -> None:
    expected_logs("deleted while")
    monkeypatch.setattr(shown_arrays, "MAX_ARRAYS", 3)
    store = memory_store(**{f"t{n}": b"ab" for n in range(10)})
    filesystem = show(store, attr_timeout=1000)
    file = filesystem.open("bin/t0.bin")
    assert read(file) == b"ab"
    names(filesystem, "bin")
    store.set("t0/c/0", b"xy")
    assert contents(filesystem, "npy/t0.npy")[-2:] == b"ab", "one flat file for all views"
    filesystem.refresh("t0")
    assert read(file) == b"xy"
    for key in ("t0/zarr.json", "t0/c/0"):
        store.delete(key)
    filesystem.refresh()
    with pytest.raises(OSError, match="deleted"):
        read(file)


def test_many_threads_see_the_same(show: Show) -> None:
    store = memory_store(**{f"t{n}": bytes([n]) * 3 for n in range(40)}, g=None, g__u=b"c")
    filesystem = show(store, attr_timeout=0.001)
    expected = names(filesystem, "bin")
    wrong: list[object] = []

    def work(first: int) -> None:
        try:
            for n in range(first, first + 20):
                if names(filesystem, "bin") != expected:
                    wrong.append("names")
                number = n % 40
                if contents(filesystem, f"bin/t{number}.bin") != bytes([number]) * 3:
                    wrong.append(number)
                if n % 7 == 0:
                    filesystem.refresh()
        except (StoreError, OSError, RuntimeError) as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(n * 5,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert wrong == []


def test_array_that_two_threads_ask_for_first_is_made_one(
    show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    filesystem = show(memory_store(t=b"ab"), attr_timeout=1000)
    node = filesystem._nodes.get("t")
    assert isinstance(node, ArrayNode)
    both, make = threading.Barrier(2), filesystem._engine.source

    def source(store: Any, node: ArrayNode) -> Any:
        both.wait(PATIENCE)
        return make(store, node)

    monkeypatch.setattr(filesystem._engine, "source", source)
    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(filesystem._arrays.get, [node, node])
    assert first is second


def test_two_who_open_at_once_after_a_change_both_have_the_new_version(
    show: Show, clock: Clock
) -> None:
    store = FaultyStore(memory_store(t=b"ab"))
    filesystem = show(store)
    for path in ("bin/t.bin", "npy/t.npy"):
        before = filesystem.open(path).version
        contents(filesystem, path)
    put_array(store, "t", b"xy")
    clock.advance(1)
    store.inject(hang="stat", keys="t/c/0")
    versions: list[Hashable] = []
    threads = [
        threading.Thread(target=lambda path=path: versions.append(filesystem.open(path).version))
        for path in ("bin/t.bin", "npy/t.npy")
    ]
    for thread in threads:
        thread.start()
    assert store.wait_until_hanging(1)
    assert versions == [], "nobody is told before it is known"
    store.heal()
    for thread in threads:
        thread.join(PATIENCE)
    first, second = versions
    assert first == second != before
