from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.vfs.mounting import (
    GROUP,
    STRINGS,
    UNKNOWN_CODEC,
    array_document,
    contents,
    memory_store,
    names,
    put_array,
    read,
    walk,
)
from zarrfs.arrays.hierarchy import ArrayNode
from zarrfs.errors import EntryNotFoundError
from zarrfs.stores.memory import MemoryStore
from zarrfs.vfs.filesystem import FileSystem
from zarrfs.vfs.options import ViewOptions
from zarrfs.vfs.view_file import ViewedFile
from zarrfs.views.registry import ViewFile
from zarrfs.views.segments import FlatSpan, Header, Padding, Segments

if TYPE_CHECKING:
    from tests.vfs.mounting import Show


def test_groups_are_directories_and_arrays_are_files(show: Show) -> None:
    filesystem = show(memory_store(t=b"ab", g=None, g__u=b"c", plain__h=None, plain__h__v=b"d"))
    assert sorted(walk(filesystem, "npy")) == [
        ("npy/g", True),
        ("npy/g/u.npy", False),
        ("npy/plain", True),
        ("npy/plain/h", True),
        ("npy/plain/h/v.npy", False),
        ("npy/t.npy", False),
    ]


def test_directory_without_zarr_nodes_is_in_the_raw_tree_alone(show: Show) -> None:
    store = memory_store()
    store.set("notes/todo.txt", b"x")
    filesystem = show(store)
    assert names(filesystem, "bin") == []
    assert contents(filesystem, "zarr/notes/todo.txt") == b"x"
    with pytest.raises(EntryNotFoundError):
        filesystem.entry("bin/notes")


@pytest.mark.parametrize("name", ["data", "odd.name", "温" * 100])
def test_store_that_is_one_array_is_named_after_the_store(show: Show, name: str) -> None:
    store = MemoryStore()
    put_array(store, "", b"abc")
    filesystem = show(store, name=name)
    (file,) = names(filesystem, "npy")
    assert file == f"{name}.npy" or "~" in file
    assert len(file.encode()) <= 255
    assert contents(filesystem, f"npy/{file}").endswith(b"abc")
    assert contents(filesystem, f"bin/{file.removesuffix('.npy')}.bin") == b"abc" or "~" in file
    for wrong in ("npy/c", "npy/c.npy", "npy/.npy", f"npy/{file}/x"):
        with pytest.raises(EntryNotFoundError):
            filesystem.entry(wrong)


@pytest.mark.parametrize("root", [b"{", b'{"zarr_format": 3, "node_type": "array"}', b"[]"])
def test_nodes_below_a_broken_root_are_shown(show: Show, root: bytes) -> None:
    store = memory_store(t=b"ab", g=None, g__u=b"c")
    store.set("zarr.json", root)
    filesystem = show(store)
    assert names(filesystem, "bin") == ["g/", "t.bin", "t.json"]
    assert contents(filesystem, "bin/g/u.bin") == b"c"


@pytest.mark.parametrize("document", [b"{", STRINGS, UNKNOWN_CODEC, array_document([2**40] * 2)])
def test_array_that_cannot_be_shown_is_in_the_raw_tree_alone(show: Show, document: bytes) -> None:
    store = memory_store(t=b"ab")
    store.set("odd/zarr.json", document)
    filesystem = show(store)
    assert names(filesystem, "bin") == ["t.bin", "t.json"]
    assert names(filesystem, "npy") == ["t.npy"]
    for path in ("bin/odd.bin", "bin/odd.json", "npy/odd.npy", "bin/odd"):
        with pytest.raises(EntryNotFoundError):
            filesystem.entry(path)
        with pytest.raises(EntryNotFoundError):
            filesystem.open(path)
    assert contents(filesystem, "zarr/odd/zarr.json") == document


def test_attributes_nested_beyond_reading_cost_the_sidecar_alone(show: Show) -> None:
    value: Any = 1
    for _ in range(200):
        value = [value]
    store = memory_store()
    store.set("t/zarr.json", array_document(attributes={"deep": value}))
    filesystem = show(store)
    assert names(filesystem, "bin") == ["t.bin"]
    assert b"/t: not in bin: .json: lists and objects" in contents(filesystem, "README.txt")
    with pytest.raises(EntryNotFoundError):
        filesystem.entry("bin/t.json")


def test_fault_in_opening_one_array_leaves_its_directory_whole(
    show: Show, monkeypatch: pytest.MonkeyPatch, expected_logs: Any
) -> None:
    expected_logs(r"array '/bad' cannot be shown")
    filesystem = show(memory_store(t=b"ab", bad=b"cd"))
    engine_source = filesystem._engine.source

    def source(store: Any, node: Any) -> Any:
        if node.path == "bad":
            raise ZeroDivisionError
        return engine_source(store, node)

    monkeypatch.setattr(filesystem._engine, "source", source)
    assert names(filesystem, "bin") == ["t.bin", "t.json"]
    assert b"/bad: not in bin, npy: internal error" in contents(filesystem, "README.txt")


# --- attributes -------------------------------------------------------------------------------


def test_attributes_of_a_flat_file(show: Show) -> None:
    store = MemoryStore()
    document = array_document(
        [600, 3], data_type="int16", codecs=[{"name": "bytes", "configuration": {"endian": "big"}}]
    )
    store.set("t/zarr.json", document)
    entry = show(store).entry("bin/t.bin")
    assert (entry.is_directory, entry.mode, entry.size) == (False, 0o444, 3600)
    assert entry.mtime_ns == store.stat("t/zarr.json").mtime_ns
    assert entry.xattrs == {
        "user.zarr.shape": b"600,3",
        "user.zarr.dtype": b"<i2",
        "user.zarr.chunks": b"600,3",
        "user.zarr.order": b"C",
    }


def test_attributes_of_records_name_their_fields(show: Show) -> None:
    store = MemoryStore()
    fields = {"fields": [["x", "float32"], ["n", "uint8"]]}
    document = array_document(
        data_type={"name": "structured", "configuration": fields},
        fill_value="AAAAAAA=",
        codecs=[{"name": "bytes", "configuration": {"endian": "little"}}],
    )
    store.set("t/zarr.json", document)
    entry = show(store).entry("npy/t.npy")
    assert entry.xattrs["user.zarr.dtype"] == b"[('x', '<f4'), ('n', '|u1')]"


@pytest.mark.parametrize(("shape", "n_blocks"), [([0], 0), ([1], 1), ([512], 1), ([10**12], 1)])
def test_flat_file_takes_one_block_unless_it_is_empty(
    show: Show, shape: list[int], n_blocks: int
) -> None:
    store = MemoryStore()
    store.set("t/zarr.json", array_document(shape))
    assert show(store).entry("bin/t.bin").n_blocks == n_blocks


def test_directories_and_sidecars_have_no_extended_attributes(show: Show) -> None:
    filesystem = show(memory_store(t=b"ab"))
    assert filesystem.entry("bin").xattrs == filesystem.entry("bin/t.json").xattrs == {}
    assert filesystem.entry("bin").mode == 0o555
    assert filesystem.entry("bin/t.json").mode == 0o444


# --- contents ---------------------------------------------------------------------------------


@pytest.mark.parametrize("endian", ["little", "big", "stored"])
def test_byte_order_is_the_chosen_one_and_told(show: Show, endian: str) -> None:
    store = MemoryStore()
    document = array_document(
        data_type="uint16",
        codecs=[{"name": "bytes", "configuration": {"endian": "big"}}],
        fill_value=258,
    )
    store.set("t/zarr.json", document)
    filesystem = show(store, endian=endian)
    expected = b"\2\1" * 2 if endian == "little" else b"\1\2" * 2
    assert contents(filesystem, "bin/t.bin") == expected
    told = json.loads(contents(filesystem, "bin/t.json"))
    assert told["byte_order"] == ("little" if endian == "little" else "big")
    assert np.frombuffer(expected, told["dtype"]).tolist() == [258, 258]


@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (1,), (2, 3)])
def test_arrays_of_any_rank_and_empty_ones_are_read_to_their_end(
    show: Show, shape: tuple[int, ...]
) -> None:
    store = MemoryStore()
    store.set("t/zarr.json", array_document(shape, fill_value=7))
    filesystem = show(store)
    expected = np.full(shape, 7, "u1")
    assert contents(filesystem, "bin/t.bin") == expected.tobytes()
    loaded = np.load(io.BytesIO(contents(filesystem, "npy/t.npy")))
    assert loaded.shape == shape
    assert (loaded == expected).all()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(st.integers(0, 300), st.integers(0, 300))
def test_span_over_header_and_data_is_that_slice(show: Show, offset: int, size: int) -> None:
    filesystem = show(memory_store(t=bytes(range(100))))
    whole = contents(filesystem, "npy/t.npy")
    assert len(whole) == 228
    assert read(filesystem.open("npy/t.npy"), offset, size) == whole[offset : offset + size]


def test_padding_and_several_spans_of_the_flat_file_are_read_as_laid_out(show: Show) -> None:
    filesystem = show(memory_store(t=b"abcd"))
    parts = Header(b"<"), FlatSpan(2, 2), Padding(3), FlatSpan(0, 2), Header(b">")
    file = ViewFile(suffix=".x", lay_out=lambda _: Segments(*parts))
    node = filesystem._nodes.get("t")
    assert isinstance(node, ArrayNode)
    opened = ViewedFile(
        filesystem._nodes,
        filesystem._arrays,
        filesystem._engine.pool,
        filesystem._arrays.get(node),
        file,
        version=None,
    )
    whole = b"<cd\0\0\0ab>"
    assert [read(opened, n, n) for n in range(12)] == [whole[n : 2 * n] for n in range(12)]


# --- names ------------------------------------------------------------------------------------

PARTS = ("a", "b", "a.bin", "a.json", "a.array", "a.array.bin", "a.npy", "x" * 253, "é" * 140)


@st.composite
def hierarchies(draw: st.DrawFn) -> dict[str, str]:
    """Draw nodes by their path, below the root and a group ``g``: of all kinds, and no nodes."""
    nodes: dict[str, str] = {}
    for above in ("", "g/"):
        for name in draw(st.lists(st.sampled_from(PARTS), unique=True, max_size=6)):
            nodes[above + name] = draw(st.sampled_from(["group", "array", "array", "broken", "no"]))
    return nodes


def hierarchy_store(nodes: dict[str, str]) -> MemoryStore:
    store = memory_store(g=None)
    for number, (path, kind) in enumerate(nodes.items()):
        if kind == "array":
            put_array(store, path, bytes([number]) * (number + 1))
        elif kind == "no":
            store.set(f"{path}/notes.txt", b"")
        else:
            store.set(f"{path}/zarr.json", GROUP if kind == "group" else b"{")
    return store


def make(store: MemoryStore, attr_timeout: float) -> FileSystem:
    options = ViewOptions(attr_timeout=attr_timeout, memory=2**24)
    return FileSystem(store, name="data", options=options, version="", read_log=bytes)


@settings(max_examples=25)
@given(hierarchies())
def test_every_array_and_group_is_shown_once_and_what_is_listed_opens(
    nodes: dict[str, str],
) -> None:
    store = hierarchy_store(nodes)
    filesystem = make(store, 60)
    for tree, n_files in (("bin", 2), ("npy", 1)):
        shown = dict(walk(filesystem, tree))
        kinds = list(nodes.values())
        assert sum(shown.values()) == kinds.count("group") + 1
        assert len(shown) - sum(shown.values()) == n_files * kinds.count("array")
        data = sorted(
            contents(filesystem, path)[-filesystem.entry(path).size :]
            for path, is_directory in shown.items()
            if path.endswith(".bin") and not is_directory
        )
        if tree == "bin":
            arrays = [path for path, kind in nodes.items() if kind == "array"]
            assert data == sorted(bytes(store.get(f"{path}/c/0")) for path in arrays)
        for path, is_directory in shown.items():
            entry = filesystem.entry(path)
            assert entry.is_directory == is_directory
            assert is_directory or len(contents(filesystem, path)) == entry.size
    filesystem.close()


@settings(max_examples=25)
@given(hierarchies())
def test_looking_up_a_name_and_listing_it_agree(nodes: dict[str, str]) -> None:
    store = hierarchy_store(nodes)
    asking, knowing = make(store, 0), make(store, 60)
    for above in ("bin", "bin/g"):
        listed = {name.name: name.is_directory for name in knowing.names(above)}
        candidates = {*listed, *PARTS, *(p + s for p in PARTS for s in (".bin", ".json", ".npy"))}
        for name in candidates:
            for filesystem in (asking, knowing):
                try:
                    found: bool | None = filesystem.entry(f"{above}/{name}").is_directory
                except EntryNotFoundError:
                    found = None
                assert found == listed.get(name), (above, name)
    asking.close()
    knowing.close()


def test_files_below_a_directory_with_a_cut_name_open(show: Show) -> None:
    long = "温" * 100
    store = memory_store(**{long: None, f"{long}__{long}": b"ab"})
    filesystem = show(store)
    (directory,) = names(filesystem, "bin")
    file, sidecar = names(filesystem, f"bin/{directory[:-1]}")
    assert directory.startswith("温")
    assert file.removesuffix(".bin") == sidecar.removesuffix(".json")
    assert contents(filesystem, f"bin/{directory}{file}") == b"ab"
    array = next(name for name in names(filesystem, f"zarr/{directory[:-1]}") if "~" in name)
    assert contents(filesystem, f"zarr/{directory}{array}c/0") == b"ab"


def test_name_that_was_cut_does_not_open_by_its_full_length(show: Show) -> None:
    filesystem = show(memory_store(**{"x" * 300: b"ab"}))
    for path in ("bin/" + "x" * 300 + ".bin", "zarr/" + "x" * 300):
        with pytest.raises(EntryNotFoundError):
            filesystem.entry(path)


def test_elements_come_together_up_to_the_end_of_their_slab(show: Show) -> None:
    filesystem = show(memory_store(t=b"ab"))
    opened = filesystem.open("npy/t.npy")
    size = filesystem.entry("npy/t.npy").size
    assert opened.slab_end(size - 2) == opened.slab_end(size - 1) == size
    # What no slab holds comes alone.
    assert opened.slab_end(0) == 0
    assert opened.slab_end(size) == size
    for other in ("README.txt", "zarr/t/c/0"):
        assert filesystem.open(other).slab_end(1) == 1
