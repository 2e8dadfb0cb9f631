from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.vfs.mounting import contents, memory_store, names, read, walk
from zarrfs.errors import EntryNotFoundError
from zarrfs.stores.base import Listed, ObjectInfo, Store
from zarrfs.stores.faulty import FaultyStore
from zarrfs.stores.local import LocalStore
from zarrfs.stores.memory import MemoryStore

if TYPE_CHECKING:
    from pathlib import Path

    from tests.vfs.mounting import Clock, Show


def test_raw_tree_is_the_store_key_for_key_and_byte_for_byte(show: Show) -> None:
    store = memory_store(t=b"ab", g__u=b"c")
    store.set("notes/of mine.txt", b"x" * 1000)
    filesystem = show(store)
    shown = {path for path, is_directory in walk(filesystem, "zarr") if not is_directory}
    assert shown == {f"zarr/{key}" for key in store.list_prefix("")}
    for key in store.list_prefix(""):
        assert contents(filesystem, f"zarr/{key}") == store.get(key)


def test_attributes_of_a_raw_file_are_those_of_the_object(show: Show) -> None:
    store = MemoryStore()
    store.set("k", b"x" * 1025)
    entry = show(store).entry("zarr/k")
    assert (entry.size, entry.n_blocks, entry.mode) == (1025, 3, 0o444)
    assert entry.mtime_ns == store.stat("k").mtime_ns
    assert entry.xattrs == {}


@pytest.mark.parametrize("is_listed", [True, False])
def test_key_that_is_a_prefix_too_is_a_directory_however_it_is_asked_for(
    show: Show, is_listed: bool
) -> None:
    store = MemoryStore()
    for key in ("a", "a/b", "a-b", "c/d"):
        store.set(key, b"x")
    filesystem = show(store)
    if is_listed:
        assert names(filesystem, "zarr") == ["a/", "a-b", "c/"]
    assert filesystem.entry("zarr/a").is_directory
    assert names(filesystem, "zarr/a") == ["b"]
    assert contents(filesystem, "zarr/a/b") == b"x"
    with pytest.raises(EntryNotFoundError):
        filesystem.open("zarr/a")


def test_file_is_no_directory(show: Show) -> None:
    filesystem = show(memory_store(t=b"ab"))
    with pytest.raises(EntryNotFoundError):
        names(filesystem, "zarr/t/c/0")
    with pytest.raises(EntryNotFoundError):
        filesystem.entry("zarr/t/c/0/x")


def test_object_that_has_gone_since_the_listing_is_missing(show: Show) -> None:
    store = MemoryStore()
    store.set("a", b"x")
    filesystem = show(store)
    assert names(filesystem, "zarr") == ["a"]
    store.delete("a")
    for question in (filesystem.entry, filesystem.open):
        with pytest.raises(EntryNotFoundError):
            question("zarr/a")


def test_attributes_of_a_listed_directory_cost_one_request_a_file(show: Show) -> None:
    inner = MemoryStore()
    for n in range(50):
        inner.set(f"c/{n}", b"x")
        inner.set(f"d/{n}/x", b"x")
    store = FaultyStore(inner)
    filesystem = show(store)
    assert names(filesystem, "zarr/c")
    assert names(filesystem, "zarr/d")
    store.forget_operations()
    for n in range(50):
        filesystem.entry(f"zarr/c/{n}")
        filesystem.entry(f"zarr/d/{n}")
    assert [operation.name for operation in store.operations] == ["stat"] * 50


def test_what_no_name_can_be_made_of_opens_under_another(show: Show) -> None:
    store = MemoryStore()
    for key in ("x" * 300, "a\ud800/温" + "é" * 200, "é", "\udcc3\udca9"):
        store.set(key, key.encode("utf-8", "surrogatepass"))
    filesystem = show(store)
    found = [
        contents(filesystem, path)
        for path, is_directory in walk(filesystem, "zarr")
        if not is_directory
    ]
    assert sorted(found) == sorted(bytes(store.get(key)) for key in store.list_prefix(""))


def test_names_on_disk_that_are_no_utf_8_open_as_they_are(show: Show, tmp_path: Path) -> None:
    name = b"caf\xe9".decode("utf-8", "surrogateescape")
    (tmp_path / name).write_bytes(b"x")
    filesystem = show(LocalStore(tmp_path))
    assert names(filesystem, "zarr") == [name]
    assert contents(filesystem, f"zarr/{name}") == b"x"


def test_object_of_a_store_without_times_has_that_of_the_mount(show: Show, clock: Clock) -> None:
    class Timeless(MemoryStore):
        def stat(self, key: str) -> ObjectInfo:
            info = super().stat(key)
            return ObjectInfo(size=info.size, mtime_ns=0, version=info.version)

    store = Timeless()
    store.set("k", b"x")
    filesystem = show(store)
    assert filesystem.entry("zarr/k").mtime_ns == filesystem.entry("zarr").mtime_ns


def test_spans_of_a_raw_file_are_those_of_the_object(show: Show) -> None:
    store = MemoryStore()
    store.set("k", bytes(range(100)))
    file = show(store).open("zarr/k")
    assert not file.direct_io
    for offset, size in ((0, 10), (90, 20), (100, 5), (200, 1), (5, 0)):
        assert read(file, offset, size) == bytes(range(100))[offset : offset + size]


def test_name_listed_as_key_and_prefix_in_either_order_is_a_directory(show: Show) -> None:
    class Twice(MemoryStore):
        def list_dir(self, prefix: str) -> list[Listed]:
            return super().list_dir(prefix)[::-1]

    for kind in (MemoryStore, Twice):
        store = kind()
        store.set("a", b"x")
        store.set("a/b", b"x")
        assert names(show(store), "zarr") == ["a/"]


def test_fault_in_a_store_reaches_who_reads_and_does_not_keep_him_waiting(show: Show) -> None:
    class Wrong(MemoryStore):
        def get(self, key: str, byte_range: Any = None) -> Any:
            raise ZeroDivisionError

    store: Store = Wrong()
    store.set("k", b"x")
    with pytest.raises(ZeroDivisionError):
        contents(show(store), "zarr/k")
