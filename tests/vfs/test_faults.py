"""Stores that fail: what can be shown is shown, what cannot be known is an error."""

from __future__ import annotations

import io
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.vfs.mounting import array_document, contents, memory_store, names, put_array, read
from zarrfs.errors import ChunkError, EntryNotFoundError, StoreError
from zarrfs.stores.faulty import FaultyStore
from zarrfs.vfs import readme
from zarrfs.vfs.nodes import MAX_FAILURE_SECONDS

if TYPE_CHECKING:
    from tests.vfs.mounting import Clock, Show


def faulty_store() -> FaultyStore:
    return FaultyStore(memory_store(good=b"ab", odd=b"cd", g=None, g__u=b"ef"))


def test_child_that_cannot_be_read_leaves_the_others_listed(
    show: Show, clock: Clock, expected_logs: Any
) -> None:
    expected_logs(r"ERROR zarrfs.vfs.nodes: cannot get odd/zarr.json", times=1)
    store = faulty_store()
    filesystem = show(store)
    store.inject(error="get", keys="odd/*")
    assert names(filesystem, "bin") == ["g/", "good.bin", "good.json"]
    assert contents(filesystem, "bin/good.bin") == b"ab"
    store.heal()
    clock.advance(MAX_FAILURE_SECONDS)
    assert "odd.bin" in names(filesystem, "bin")


def test_file_that_cannot_be_looked_up_is_an_error_and_not_missing(
    show: Show, expected_logs: Any
) -> None:
    expected_logs("cannot get odd/zarr.json")
    store = faulty_store()
    filesystem = show(store)
    store.inject(error="get", keys="odd/*")
    for _ in range(2):
        with pytest.raises(StoreError, match=r"odd/zarr\.json"):
            filesystem.entry("bin/odd.bin")
        names(filesystem, "bin")
    with pytest.raises(EntryNotFoundError):
        filesystem.entry("bin/other.bin")


def test_failure_is_logged_once_and_forgotten_soon_however_long_answers_are_good(
    show: Show, clock: Clock, expected_logs: Any
) -> None:
    expected_logs(r"cannot get odd/zarr.json", times=1)
    store = faulty_store()
    filesystem = show(store, attr_timeout=1000)
    store.inject(error="get", keys="odd/*")
    for _ in range(5):
        with pytest.raises(StoreError) as raised:
            filesystem.entry("bin/odd.bin")
        assert raised.value.is_logged
    store.heal()
    clock.advance(MAX_FAILURE_SECONDS)
    assert filesystem.entry("bin/odd.bin").size == 2


def test_listing_that_fails_is_an_error_and_lookups_still_work(
    show: Show, expected_logs: Any
) -> None:
    expected_logs("cannot list g/", times=1)
    store = faulty_store()
    filesystem = show(store)
    assert names(filesystem, "npy") == ["g/", "good.npy", "odd.npy"]
    store.inject(error="list", keys="g/")
    for _ in range(2):
        with pytest.raises(StoreError):
            names(filesystem, "bin/g")
    assert contents(filesystem, "bin/g/u.bin") == b"ef"


def test_probe_for_a_directory_that_fails_is_an_error(show: Show, expected_logs: Any) -> None:
    expected_logs("cannot list good.bin/", times=1)
    store = faulty_store()
    filesystem = show(store)
    store.inject(error="list", keys="good.bin/")
    for _ in range(2):
        with pytest.raises(StoreError):
            filesystem.entry("bin/good.bin")


def test_transient_failure_does_not_end_an_open_file(
    show: Show, clock: Clock, expected_logs: Any
) -> None:
    expected_logs("cannot get good/zarr.json", times=1)
    store = faulty_store()
    filesystem = show(store)
    file = filesystem.open("bin/good.bin")
    assert read(file) == b"ab"
    clock.advance(10)
    store.inject(error="get", keys="good/*")
    for _ in range(3):
        with pytest.raises(StoreError):
            read(file)
    store.heal()
    clock.advance(MAX_FAILURE_SECONDS)
    assert read(file) == b"ab"


def test_failed_chunk_fails_reads_that_touch_it_and_no_others(
    show: Show, clock: Clock, expected_logs: Any
) -> None:
    expected_logs("t/c/1", times=1)
    inner = memory_store()
    grid = {"name": "regular", "configuration": {"chunk_shape": [4]}}
    inner.set("t/zarr.json", array_document([8], chunk_grid=grid))
    inner.set("t/c/0", b"abcd")
    inner.set("t/c/1", b"efgh")
    store = FaultyStore(inner)
    filesystem = show(store)
    store.inject(error="get", keys="t/c/1")
    file = filesystem.open("npy/t.npy")
    assert read(file, 0, 132)[-4:] == b"abcd"
    for offset, size in ((130, 4), (0, 200), (135, 1)):
        with pytest.raises(ChunkError, match="t/c/1"):
            read(file, offset, size)
    store.heal()
    clock.advance(1)
    assert np.load(io.BytesIO(read(file))).tobytes() == b"abcdefgh"


def test_readme_says_what_it_could_not_look_at(show: Show) -> None:
    store = faulty_store()
    filesystem = show(store)
    store.inject(error="always", keys="g/*")
    text = contents(filesystem, "README.txt").decode()
    assert "/g: not in bin, npy: cannot" in text
    assert "good" not in text
    assert names(filesystem) == ["README.txt", "bin/", "npy/", "zarr/"]


def test_readme_of_a_store_that_is_down_says_so(show: Show) -> None:
    store = faulty_store()
    filesystem = show(store)
    store.inject(error="always")
    text = contents(filesystem, "README.txt").decode()
    assert "/: not in bin, npy: cannot" in text
    assert names(filesystem) == ["README.txt", "bin/", "npy/", "zarr/"]
    assert filesystem.entry("bin").is_directory


def test_group_whose_listing_fails_is_named_in_the_readme(show: Show) -> None:
    store = faulty_store()
    filesystem = show(store)
    store.inject(error="list", keys="g/")
    assert b"/g: not in bin, npy: cannot list g/" in contents(filesystem, "README.txt")


def test_readme_does_not_wait_for_a_store_that_hangs(
    show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readme, "MAX_SECONDS", 0.02)
    store = faulty_store()
    filesystem = show(store, attr_timeout=1000)
    store.inject(hang="always")
    assert b"answers too slowly" in contents(filesystem, "README.txt")
    assert filesystem.entry("README.txt").size > 0
    store.wait_until_hanging(1)
    assert len(store.operations) == 0, "one thread waits, however often the file is read"
    store.heal()
    until = time.monotonic() + 10
    while b"too slowly" in contents(filesystem, "README.txt"):
        assert time.monotonic() < until


def test_data_whose_changes_cannot_be_asked_for_cannot_be_opened(show: Show, clock: Clock) -> None:
    store = faulty_store()
    filesystem = show(store)
    assert contents(filesystem, "bin/good.bin") == b"ab"
    clock.advance(10)
    version = filesystem.open("bin/good.bin").version
    clock.advance(10)
    filesystem.entry("bin/good.bin")
    store.inject(error="stat", keys="good/c/0")
    for _ in range(2):
        with pytest.raises(StoreError):
            filesystem.open("bin/good.bin")
    store.heal()
    assert filesystem.open("bin/good.bin").version == version


# --- raw files --------------------------------------------------------------------------------


def test_failed_raw_read_is_tried_and_logged_once_per_timeout(
    show: Show, clock: Clock, expected_logs: Any
) -> None:
    expected_logs("cannot get good/c/0", times=2)
    store = faulty_store()
    filesystem = show(store)
    file = filesystem.open("zarr/good/c/0")
    store.inject(error="get")
    store.forget_operations()
    for n_tried in (1, 2):
        for _ in range(3):
            with pytest.raises(StoreError) as raised:
                read(file)
            assert raised.value.is_logged
        assert len(store.operations) == n_tried
        clock.advance(1)
    store.heal()
    assert read(file) == b"ab"


def test_raw_object_deleted_while_open_is_an_error(show: Show, expected_logs: Any) -> None:
    expected_logs("deleted while it was open")
    store = memory_store(t=b"ab")
    file = show(store).open("zarr/t/c/0")
    store.delete("t/c/0")
    with pytest.raises(StoreError, match="deleted"):
        read(file)


def test_raw_object_of_which_bytes_are_missing_is_an_error(show: Show, expected_logs: Any) -> None:
    expected_logs("1 bytes came")
    store = faulty_store()
    file = show(store).open("zarr/good/c/0")
    store.inject(truncate="1")
    assert read(file, 0, 1) == b"a"
    with pytest.raises(StoreError, match="1 bytes came"):
        read(file, 0, 2)


def test_raw_object_that_became_shorter_ends_where_it_ends_now(show: Show) -> None:
    store = memory_store(t=b"abcdef")
    file = show(store).open("zarr/t/c/0")
    store.set("t/c/0", b"xyz")
    assert [read(file, 1, 10), read(file, 5, 10)] == [b"yz", b""]
    put_array(store, "t", b"abcdefgh")
    assert read(file, 1, 10) == b"bcdefgh"
