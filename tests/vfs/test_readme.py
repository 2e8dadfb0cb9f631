from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.vfs.mounting import (
    STRINGS,
    UNKNOWN_CODEC,
    array_document,
    contents,
    memory_store,
)
from zarrfs.stores.faulty import FaultyStore
from zarrfs.stores.memory import MemoryStore
from zarrfs.vfs import readme
from zarrfs.vfs.view_branch import ViewBranch

if TYPE_CHECKING:
    import pytest

    from tests.vfs.mounting import Clock, Show
    from zarrfs.byte_range import ByteRange
    from zarrfs.stores.base import Buffer
    from zarrfs.vfs.filesystem import FileSystem


def text(filesystem: FileSystem) -> str:
    data = contents(filesystem, "README.txt")
    assert len(data) == filesystem.entry("README.txt").size
    return data.decode()


def test_readme_says_what_each_directory_is(show: Show) -> None:
    assert text(show(memory_store(t=b"ab"))) == (
        "This directory shows the Zarr store memory://\n"
        "\n"
        "  bin/   arrays as their elements in C order; NAME.json says shape and type\n"
        "  npy/   arrays as NumPy files, for np.load(..., mmap_mode='r')\n"
        "  zarr/  the store itself, key for key\n"
        "\n"
        "Groups are directories, arrays are files. No file is a copy: bytes are decoded as\n"
        "they are read.\n"
    )


def test_readme_names_trees_that_are_not_listed(show: Show) -> None:
    lines = text(show(memory_store(), views=("npy",))).splitlines()
    assert lines[2:4] == [
        "  npy/   arrays as NumPy files, for np.load(..., mmap_mode='r')",
        "  Not listed, but there: bin, zarr",
    ]


def test_readme_says_which_arrays_are_missing_where_and_why(show: Show) -> None:
    store = memory_store(t=b"ab", g=None)
    store.set("g/words/zarr.json", STRINGS)
    store.set("odd/zarr.json", UNKNOWN_CODEC)
    store.set("broken/zarr.json", b"{")
    store.set("huge/zarr.json", array_document([2**40, 2**40]))
    _, missing = text(show(store)).split("always there in zarr/:\n\n")
    lines = missing.splitlines()
    assert [line.split(": ")[0] for line in lines] == [
        "  /broken",
        "  /huge",
        "  /odd",
        "  /g/words",
    ]
    assert all(": not in bin, npy: " in line for line in lines)
    assert "broken/zarr.json: not JSON" in lines[0]
    assert "example.unheard-of" in lines[2]
    assert "string" in lines[3]


def test_readme_looks_below_a_root_that_is_broken(show: Show) -> None:
    store = memory_store()
    store.set("zarr.json", b"{")
    store.set("words/zarr.json", STRINGS)
    told = text(show(store))
    assert "  /: not in bin, npy: zarr.json: not JSON" in told
    assert "  /words: not in bin, npy: " in told


def test_readme_of_an_array_alone(show: Show) -> None:
    store = MemoryStore()
    store.set("zarr.json", STRINGS)
    assert "  /: not in bin, npy: its elements (string)" in text(show(store))


def test_readme_looks_at_no_more_nodes_than_its_limit(
    show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readme, "MAX_NODES", 10)
    inner = memory_store(**{f"t{n:03}": b"ab" for n in range(100)})
    inner.set("t005/zarr.json", STRINGS)
    inner.set("t050/zarr.json", STRINGS)
    store = FaultyStore(inner)
    told = text(show(store, attr_timeout=1000))
    assert "/t005: not in" in told
    assert "/t050" not in told
    assert told.endswith("`zarrfs info STORE/PATH` tells about each array.\n")
    assert sum(operation.name == "get" for operation in store.operations) <= 12


def test_readme_looks_no_longer_than_its_limit(show: Show, clock: Clock) -> None:
    class Slow(MemoryStore):
        def get(self, key: str, byte_range: ByteRange | None = None) -> Buffer:
            clock.advance(readme.MAX_SECONDS / 4)
            return super().get(key, byte_range)

    store = Slow()
    for n in range(10):
        store.set(f"t{n}/zarr.json", STRINGS)
    told = contents(show(store, attr_timeout=1000), "README.txt").decode()
    assert 2 <= told.count("not in bin, npy") <= 5
    assert "There may be more" in told


def test_fault_in_zarrfs_does_not_keep_the_mount_from_being_listed(
    show: Show, monkeypatch: pytest.MonkeyPatch, expected_logs: Any
) -> None:
    expected_logs("README.txt cannot tell")

    def fail(self: ViewBranch, node: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(ViewBranch, "why_missing", fail)
    assert "internal error" in text(show(memory_store(), attr_timeout=1000))


def test_names_and_reasons_keep_to_their_line(show: Show) -> None:
    store = memory_store()
    store.set("a\nb\x1b\udcff\u202e/zarr.json", STRINGS)
    store.set("long/zarr.json", array_document([1], **{"x\ny" * 1000: 1}))
    lines = text(show(store)).splitlines()
    assert any(line.startswith("  /a\\nb\\x1b\\udcff\\u202e: not in") for line in lines)
    assert all(len(line) < 400 for line in lines)


def test_readme_is_made_anew_after_the_timeout_and_not_before(show: Show, clock: Clock) -> None:
    store = memory_store()
    filesystem = show(store)
    before = text(filesystem)
    store.set("words/zarr.json", STRINGS)
    assert text(filesystem) == before
    clock.advance(1)
    assert "/words: not in" in text(filesystem)
