"""What is seen of changes behind the mount, and when. Contract: semantics 10."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.vfs.mounting import (
    GROUP,
    STRINGS,
    array_document,
    contents,
    memory_store,
    names,
    put_array,
    read,
)
from zarrfs.errors import ChunkError, EntryNotFoundError, NodeNotFoundError, ViewError
from zarrfs.stores.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Hashable

    from tests.vfs.mounting import Clock, Show
    from zarrfs.vfs.filesystem import FileSystem

SECOND = 1.0
"""`attr_timeout` of the mounts here."""


def remove(store: MemoryStore, path: str) -> None:
    for key in list(store.list_prefix(f"{path}/" if path else "")):
        store.delete(key)


# --- metadata ---------------------------------------------------------------------------------


def test_new_arrays_are_seen_after_the_timeout_and_not_before(show: Show, clock: Clock) -> None:
    store = memory_store(t=b"ab")
    filesystem = show(store)
    assert names(filesystem, "bin") == ["t.bin", "t.json"]
    put_array(store, "u")
    assert names(filesystem, "bin") == ["t.bin", "t.json"]
    with pytest.raises(EntryNotFoundError):
        filesystem.entry("bin/u.bin")
    clock.advance(SECOND)
    assert names(filesystem, "bin") == ["t.bin", "t.json", "u.bin", "u.json"]
    assert filesystem.entry("bin/u.bin").size == 2


def test_name_that_was_missing_is_found_after_the_timeout(show: Show, clock: Clock) -> None:
    store = memory_store()
    filesystem = show(store)
    for path in ("bin/t.bin", "bin/g", "zarr/t"):
        with pytest.raises(EntryNotFoundError):
            filesystem.entry(path)
    put_array(store, "t")
    put_array(store, "g/u")
    clock.advance(SECOND)
    assert filesystem.entry("bin/t.bin").size == 2
    assert filesystem.entry("bin/g").is_directory
    assert filesystem.entry("zarr/t").is_directory


@pytest.mark.parametrize("is_listed", [True, False])
def test_resize_is_seen_in_size_and_time_and_by_who_has_it_open(
    show: Show, clock: Clock, is_listed: bool
) -> None:
    store = memory_store(t=b"ab")
    filesystem = show(store)
    if is_listed:
        names(filesystem, "bin")
    before, file, header = (
        filesystem.entry("bin/t.bin"),
        filesystem.open("bin/t.bin"),
        filesystem.open("npy/t.npy"),
    )
    assert read(file) == b"ab"
    put_array(store, "t", b"abcd")
    assert filesystem.entry("bin/t.bin") == before
    clock.advance(SECOND)
    after = filesystem.entry("bin/t.bin")
    assert (before.size, after.size) == (2, 4)
    assert after.mtime_ns > before.mtime_ns
    assert read(file) == b"abcd"
    assert b"(4,)" in read(header)
    assert json.loads(contents(filesystem, "bin/t.json"))["shape"] == [4]


def test_open_file_asks_by_itself_whether_its_array_is_the_same(show: Show, clock: Clock) -> None:
    store = memory_store(t=b"ab")
    filesystem = show(store)
    file = filesystem.open("bin/t.bin")
    assert read(file) == b"ab"
    put_array(store, "t", b"xyz")
    clock.advance(SECOND)
    assert read(file) == b"xyz"


def test_other_type_is_seen(show: Show, clock: Clock) -> None:
    store = memory_store(t=b"ab")
    filesystem = show(store)
    file = filesystem.open("bin/t.bin")
    codecs = [{"name": "bytes", "configuration": {"endian": "big"}}]
    store.set("t/zarr.json", array_document([1], data_type="int16", codecs=codecs))
    clock.advance(SECOND)
    assert read(file) == b"ba"
    assert filesystem.entry("bin/t.bin").xattrs["user.zarr.dtype"] == b"<i2"


def test_attributes_are_seen_without_touching_data(show: Show, clock: Clock) -> None:
    store = memory_store(t=b"ab")
    filesystem = show(store)
    assert json.loads(contents(filesystem, "bin/t.json"))["attributes"] == {}
    store.set("t/zarr.json", array_document(attributes={"units": "K"}))
    clock.advance(SECOND)
    assert json.loads(contents(filesystem, "bin/t.json"))["attributes"] == {"units": "K"}


def test_open_sidecar_stays_as_it_was_and_is_never_cut(show: Show, clock: Clock) -> None:
    """The kernel may still believe the size of a shorter one."""
    store = memory_store(t=b"ab")
    filesystem = show(store)
    text = contents(filesystem, "bin/t.json")
    sidecar = filesystem.open("bin/t.json")
    assert sidecar.direct_io
    store.set("t/zarr.json", array_document(attributes={"units": "K"}))
    clock.advance(SECOND)
    assert sidecar.read(0, 2**20) == text


def test_time_of_metadata_written_again_is_seen(show: Show, clock: Clock) -> None:
    store = memory_store(t=b"ab")
    filesystem = show(store)
    filesystem.entry("bin/t.bin")
    store.set("t/zarr.json", store.get("t/zarr.json"))
    clock.advance(SECOND)
    expected = store.stat("t/zarr.json").mtime_ns
    assert filesystem.entry("bin/t.bin").mtime_ns == expected


@pytest.mark.parametrize("path", ["t", ""])
@pytest.mark.parametrize("is_looked_up", [True, False])
def test_array_deleted_while_open_is_an_error_and_never_its_fill_value(
    show: Show, clock: Clock, expected_logs: Any, path: str, is_looked_up: bool
) -> None:
    expected_logs(r"array '/?t?'.*deleted while a file of it was open", times=2)
    store = MemoryStore()
    put_array(store, path, b"ab")
    filesystem = show(store, name="t")
    files = [filesystem.open("bin/t.bin"), filesystem.open("npy/t.npy")]
    assert [read(file)[-2:] for file in files] == [b"ab", b"ab"]
    remove(store, path)
    clock.advance(SECOND)
    if is_looked_up:
        with pytest.raises(EntryNotFoundError):
            filesystem.entry("bin/t.bin")
    for file in files * 2:
        with pytest.raises(ChunkError, match="deleted"):
            read(file)


def test_file_goes_on_when_its_array_is_made_again(
    show: Show, clock: Clock, expected_logs: Any
) -> None:
    expected_logs("deleted while a file of it was open", times=2)
    store = memory_store(t=b"ab")
    filesystem = show(store)
    file = filesystem.open("bin/t.bin")
    for data in (b"xyz", b"uv"):
        remove(store, "t")
        clock.advance(SECOND)
        with pytest.raises(ChunkError):
            read(file)
        put_array(store, "t", data)
        clock.advance(SECOND)
        assert read(file) == data


def test_array_that_becomes_a_group_is_a_directory_and_its_open_file_fails(
    show: Show, clock: Clock, expected_logs: Any
) -> None:
    expected_logs("deleted while a file of it was open", times=1)
    store = memory_store(t=b"ab", g=None)
    filesystem = show(store)
    file = filesystem.open("bin/t.bin")
    names(filesystem, "bin")
    remove(store, "t")
    store.set("t/zarr.json", GROUP)
    put_array(store, "g")
    clock.advance(SECOND)
    assert names(filesystem, "bin") == ["g.bin", "g.json", "t/"]
    with pytest.raises(ChunkError):
        read(file)
    with pytest.raises(EntryNotFoundError):
        filesystem.entry("bin/t.bin")


def test_array_that_becomes_impossible_to_show_is_gone_and_its_open_file_fails(
    show: Show, clock: Clock, expected_logs: Any
) -> None:
    expected_logs("have no fixed size", times=1)
    store = memory_store(t=b"ab")
    filesystem = show(store)
    file = filesystem.open("bin/t.bin")
    store.set("t/zarr.json", STRINGS)
    clock.advance(SECOND)
    assert names(filesystem, "bin") == []
    for _ in range(3):
        with pytest.raises(ViewError):
            read(file)


def test_directory_that_comes_up_takes_its_name_back_from_a_file(show: Show, clock: Clock) -> None:
    store = memory_store(t=b"ab")
    filesystem = show(store)
    assert not filesystem.entry("bin/t.bin").is_directory
    store.set("t.bin/zarr.json", GROUP)
    clock.advance(SECOND)
    assert filesystem.entry("bin/t.bin").is_directory
    assert contents(filesystem, "bin/t.array.bin") == b"ab"
    with pytest.raises(EntryNotFoundError):
        filesystem.entry("bin/t.json")


def test_without_timeout_every_change_is_seen_at_once(show: Show, expected_logs: Any) -> None:
    expected_logs("deleted while")
    store = memory_store(t=b"ab")
    filesystem = show(store, attr_timeout=0)
    file = filesystem.open("bin/t.bin")
    assert read(file) == b"ab"
    put_array(store, "t", b"abc")
    assert (read(file), filesystem.entry("bin/t.bin").size) == (b"abc", 3)
    put_array(store, "u")
    assert names(filesystem, "npy") == ["t.npy", "u.npy"]
    assert names(filesystem, "zarr") == ["t/", "u/", "zarr.json"]
    remove(store, "t")
    with pytest.raises(ChunkError):
        read(file)
    assert names(filesystem, "npy") == ["u.npy"]
    assert b"zarr.json" not in contents(filesystem, "README.txt")
    store.set("u/zarr.json", b"{")
    assert b"/u: not in bin, npy: u/zarr.json" in contents(filesystem, "README.txt")


# --- data -------------------------------------------------------------------------------------


def test_changed_data_is_seen_at_the_next_open_after_the_timeout(show: Show, clock: Clock) -> None:
    store = memory_store(t=b"ab")
    filesystem = show(store)
    assert contents(filesystem, "bin/t.bin") == b"ab"
    before = filesystem.entry("bin/t.bin").mtime_ns
    version = filesystem.open("bin/t.bin").version
    store.set("t/c/0", b"xy")
    assert contents(filesystem, "bin/t.bin") == b"ab"
    clock.advance(SECOND)
    file = filesystem.open("bin/t.bin")
    assert file.version != version
    assert read(file) == b"xy"
    assert filesystem.entry("bin/t.bin").mtime_ns > before


def test_chunk_that_was_missing_is_seen_when_it_comes(show: Show, clock: Clock) -> None:
    store = memory_store(t=b"ab")
    store.delete("t/c/0")
    filesystem = show(store)
    assert contents(filesystem, "bin/t.bin") == b"\0\0"
    store.set("t/c/0", b"xy")
    clock.advance(SECOND)
    assert contents(filesystem, "bin/t.bin") == b"xy"


def versions(filesystem: FileSystem, *paths: str) -> set[Hashable]:
    """Open each file twice and return its versions."""
    return {filesystem.open(path).version for path in paths * 2}


def test_files_of_an_array_have_another_version_after_a_change(show: Show, clock: Clock) -> None:
    store = memory_store(t=b"ab")
    filesystem = show(store)
    paths = ("bin/t.bin", "npy/t.npy")
    before = versions(filesystem, *paths)
    assert contents(filesystem, "bin/t.bin") == b"ab"
    store.set("t/c/0", b"xy")
    clock.advance(SECOND)
    after = versions(filesystem, *paths)
    assert len(before) == len(after) == 1
    assert before != after


def test_files_have_another_version_after_a_resize(show: Show, clock: Clock) -> None:
    store = memory_store(t=b"ab")
    filesystem = show(store)
    before = versions(filesystem, "bin/t.bin")
    put_array(store, "t", b"abc")
    clock.advance(SECOND)
    after = versions(filesystem, "bin/t.bin")
    assert len(before) == len(after) == 1
    assert before != after


def test_files_have_another_version_after_a_refresh(show: Show) -> None:
    filesystem = show(memory_store(t=b"ab"))
    paths = ("bin/t.bin", "zarr/t/c/0")
    before = versions(filesystem, *paths)
    filesystem.refresh()
    after = versions(filesystem, *paths)
    assert len(before) == len(after) == 2
    assert not before & after


def test_raw_file_has_another_version_when_its_object_has(show: Show) -> None:
    store = memory_store(t=b"ab")
    filesystem = show(store)
    before = versions(filesystem, "zarr/t/c/0")
    store.set("t/c/0", b"xy")
    after = versions(filesystem, "zarr/t/c/0")
    assert len(before) == len(after) == 1
    assert before != after


# --- refresh ----------------------------------------------------------------------------------


def test_refresh_shows_everything_as_it_is_now(show: Show) -> None:
    store = memory_store(t=b"ab")
    filesystem = show(store, attr_timeout=1000)
    file = filesystem.open("bin/t.bin")
    assert read(file) == b"ab"
    assert names(filesystem, "zarr") == ["t/", "zarr.json"]
    contents(filesystem, "README.txt")
    store.set("t/c/0", b"xy")
    put_array(store, "u")
    store.set("bad/zarr.json", b"{")
    filesystem.refresh()
    assert read(file) == b"xy"
    assert names(filesystem, "npy") == ["t.npy", "u.npy"]
    assert names(filesystem, "zarr") == ["bad/", "t/", "u/", "zarr.json"]
    assert b"/bad: not in" in contents(filesystem, "README.txt")


@pytest.mark.parametrize(
    "path",
    [
        "/g/t",
        "g/t",
        "g/t/",
        "g",
        "/",
        "bin/g/t.bin",
        "/bin/g/t.json",
        "npy/g/t.npy",
        "npy/g",
        "npy",
        "zarr/g/t/c/0",
        "zarr/g/t/zarr.json",
        "zarr/g/t",
        "zarr/g",
        "zarr",
    ],
)
def test_refresh_takes_paths_of_nodes_and_of_the_mount(show: Show, path: str) -> None:
    store = memory_store(g=None, g__t=b"ab", u=b"cd")
    filesystem = show(store, attr_timeout=1000)
    assert contents(filesystem, "bin/g/t.bin") == b"ab"
    assert contents(filesystem, "bin/u.bin") == b"cd"
    store.set("g/t/c/0", b"xy")
    store.set("u/c/0", b"uv")
    filesystem.refresh(path)
    assert contents(filesystem, "bin/g/t.bin") == b"xy"
    is_all = path in ("/", "npy", "zarr")
    assert contents(filesystem, "bin/u.bin") == (b"uv" if is_all else b"cd")


def test_refresh_takes_paths_of_a_mount_that_is_one_tree(show: Show) -> None:
    store = memory_store(t=b"ab")
    for layout, path in (("bin", "t.bin"), ("zarr", "t/c/0"), ("npy", "t")):
        filesystem = show(store, attr_timeout=1000, layout=layout)
        contents(filesystem, path if layout != "npy" else "t.npy")
        filesystem.refresh(path)
        with pytest.raises(NodeNotFoundError):
            filesystem.refresh("bin/t.bin")


@pytest.mark.parametrize("path", ["x", "bin/x.bin", "bin/t.npy", "zarr/x", "README.txt", "tif/t"])
def test_refresh_of_nothing_says_so(show: Show, path: str) -> None:
    with pytest.raises(NodeNotFoundError, match="no Zarr array or group"):
        show(memory_store(t=b"ab")).refresh(path)


def test_whoever_wants_to_know_is_told_of_each_refresh_once_all_is_forgotten(show: Show) -> None:
    store = memory_store(t=b"ab")
    filesystem = show(store, attr_timeout=1000)
    told: list[list[str]] = []
    filesystem.on_refresh(lambda: told.append(names(filesystem, "npy")))
    filesystem.refresh("t")
    put_array(store, "u")
    with pytest.raises(NodeNotFoundError):
        filesystem.refresh("x")
    assert told == [["t.npy"], ["t.npy", "u.npy"]]


def test_refresh_of_a_key_of_a_store_that_is_one_array(show: Show) -> None:
    store = MemoryStore()
    put_array(store, "", b"ab")
    filesystem = show(store, attr_timeout=1000)
    for path, data in (("zarr/c/0", b"xy"), ("bin/data.bin", b"uv")):
        contents(filesystem, "bin/data.bin")
        store.set("c/0", data)
        filesystem.refresh(path)
        assert contents(filesystem, "bin/data.bin") == data


def test_memory_is_given_back_and_files_read_on(show: Show) -> None:
    filesystem = show(memory_store(t=b"ab"))
    file = filesystem.open("bin/t.bin")
    assert read(file) == b"ab"
    filesystem.give_memory_back()
    assert read(file) == b"ab"
