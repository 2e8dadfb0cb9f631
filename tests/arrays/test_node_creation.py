"""Arrays and groups that are new to a store."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
import zarr

from tests.arrays import writer
from tests.arrays.sample_nodes import group, keys, members, metadata
from zarrfs.arrays.hierarchy import ArrayNode, GroupNode, Hierarchy
from zarrfs.arrays.node_creation import create_array, create_group
from zarrfs.arrays.node_writing import delete_node
from zarrfs.errors import (
    MetadataError,
    NodeExistsError,
    NodeNameError,
    NodeNotFoundError,
    NodeTypeError,
    ReadOnlyError,
    StoreError,
    UnsupportedError,
)
from zarrfs.stores.faulty import FaultyStore
from zarrfs.stores.local import LocalStore
from zarrfs.stores.memory import MemoryStore

if TYPE_CHECKING:
    from pathlib import Path

    from zarrfs.format.metadata import ZarrFormat
    from zarrfs.stores.base import Buffer, Capabilities


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize("path", ["", "a", "a/b/c"])
def test_created_array_is_found(hierarchy: Hierarchy, path: str, zarr_format: ZarrFormat) -> None:
    created = create_array(hierarchy, path, metadata(zarr_format, units="K"))
    assert created == hierarchy.node(path)
    assert isinstance(created, ArrayNode)
    assert created.metadata == metadata(zarr_format, units="K")
    kinds = [(node.path, type(node)) for node in hierarchy.walk()]
    above = [("", GroupNode), ("a", GroupNode), ("a/b", GroupNode)][: len(path.split("/"))]
    assert kinds == [*(above if path else []), (path, ArrayNode)]


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_created_group_is_found(hierarchy: Hierarchy, zarr_format: ZarrFormat) -> None:
    created = create_group(hierarchy, "a/b", group(zarr_format, title="t"))
    assert created == hierarchy.node("a/b")
    assert created.metadata.attributes == {"title": "t"}


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_zarr_python_reads_what_was_created(tmp_path: Path, zarr_format: ZarrFormat) -> None:
    hierarchy = Hierarchy(LocalStore(tmp_path))
    create_array(hierarchy, "g/a", metadata(zarr_format, units="K"))
    create_group(hierarchy, "h", group(zarr_format, title="t"))
    root = zarr.open_group(tmp_path, mode="r", zarr_format=zarr_format)
    array = root["g/a"]
    assert isinstance(array, zarr.Array)
    np.testing.assert_array_equal(array[:], np.full(6, 7, "u2"))
    assert dict(array.attrs) == {"units": "K"}
    assert dict(root["h"].attrs) == {"title": "t"}


def test_nothing_is_written_but_what_is_missing(store: MemoryStore) -> None:
    hierarchy = Hierarchy(store)
    create_group(hierarchy, "g", group(note=1))
    before = store.get("g/zarr.json")
    create_array(hierarchy, "g/h/a", metadata())
    assert store.get("g/zarr.json") == before
    assert keys(store) == ["g/h/a/zarr.json", "g/h/zarr.json", "g/zarr.json", "zarr.json"]


def test_groups_are_written_before_what_lies_in_them(store: MemoryStore) -> None:
    faulty = FaultyStore(store)
    create_array(Hierarchy(faulty), "a/b", metadata(2, units="K"))
    written = [op.key for op in faulty.operations if op.name.startswith("set")]
    assert written == [".zgroup", "a/.zgroup", "a/b/.zarray", "a/b/.zattrs"]


@pytest.mark.parametrize("path", ["a//b", "/a", "a/", "..", "a/../b", "__a", "a/zarr.json", "..."])
def test_path_that_holds_no_name_is_refused(hierarchy: Hierarchy, path: str) -> None:
    with pytest.raises(NodeNameError, match=r"no node can be created at '.*': "):
        create_group(hierarchy, path, group())
    assert keys(hierarchy.store) == []


def test_node_below_an_array_is_refused(hierarchy: Hierarchy) -> None:
    create_array(hierarchy, "a", metadata())
    with pytest.raises(NodeTypeError, match=r"'a/b/c': 'a' is an array"):
        create_group(hierarchy, "a/b/c", group())
    with pytest.raises(NodeTypeError, match="'a' is an array"):
        create_array(hierarchy, "a/b", metadata(), overwrite=True)


@pytest.mark.parametrize(("above", "below"), [(2, 3), (3, 2)])
def test_node_of_the_other_format_is_refused(
    hierarchy: Hierarchy, above: ZarrFormat, below: ZarrFormat
) -> None:
    create_group(hierarchy, "", group(above))
    with pytest.raises(NodeTypeError, match=rf"is a group of Zarr v{above}.*zarr_format={above}"):
        create_array(hierarchy, "a", metadata(below))


def test_malformed_group_above_is_told(store: MemoryStore) -> None:
    store.set("zarr.json", b"{")
    with pytest.raises(MetadataError, match=r"^zarr\.json: not JSON"):
        create_array(Hierarchy(store), "a", metadata())


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize("path", ["", "a"])
def test_existing_node_is_refused(hierarchy: Hierarchy, path: str, zarr_format: ZarrFormat) -> None:
    create_array(hierarchy, path, metadata(zarr_format, units="K"))
    before = {key: hierarchy.store.get(key) for key in keys(hierarchy.store)}
    with pytest.raises(NodeExistsError, match="overwrite replaces it"):
        create_array(hierarchy, path, metadata(zarr_format))
    with pytest.raises(NodeExistsError, match="overwrite replaces it"):
        create_group(hierarchy, path, group(zarr_format))
    assert {key: hierarchy.store.get(key) for key in keys(hierarchy.store)} == before


def test_malformed_node_exists_too(store: MemoryStore) -> None:
    store.set("a/zarr.json", b"{")
    with pytest.raises(NodeExistsError):
        create_array(Hierarchy(store), "a", metadata())
    create_array(Hierarchy(store), "a", metadata(), overwrite=True)


@pytest.mark.parametrize("path", ["", "a"])
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_overwriting_deletes_all_that_was_there(
    store: MemoryStore, path: str, zarr_format: ZarrFormat
) -> None:
    hierarchy = Hierarchy(store)
    below = f"{path}/b" if path else "b"
    writer.write_v3(np.arange(6, dtype="u2"), (3,), store=store, path=below)
    create_group(hierarchy, path, group())
    store.set("other.txt", b"")
    create_array(hierarchy, below, metadata(), overwrite=True)
    assert [key for key in keys(store) if below in key] == [f"{below}/zarr.json"]
    store.delete("zarr.json")
    if path:
        create_array(hierarchy, path, metadata(zarr_format), overwrite=True)
        name = "zarr.json" if zarr_format == 3 else ".zarray"
        assert [key for key in keys(store) if key.startswith(path)] == [f"{path}/{name}"]
        assert "other.txt" in keys(store)


def test_documents_are_deleted_before_chunks(store: MemoryStore) -> None:
    writer.write_v3(np.arange(6, dtype="u2"), (3,), store=store, path="g/a")
    create_group(Hierarchy(store), "g", group())
    faulty = FaultyStore(store)
    delete_node(Hierarchy(faulty), "g")
    existing = ("g/zarr.json", "g/a/zarr.json", "g/a/c/0", "g/a/c/1")
    deleted = [op.key for op in faulty.operations if op.name == "delete" and op.key in existing]
    assert tuple(dict.fromkeys(deleted)) == existing
    assert keys(store) == ["zarr.json"]


@pytest.mark.parametrize("path", ["", "a"])
def test_array_is_not_created_among_keys_of_others(store: MemoryStore, path: str) -> None:
    store.set(f"{path}/0.0" if path else "0.0", b"old")
    with pytest.raises(NodeExistsError, match="keys that belong to no node"):
        create_array(Hierarchy(store), path, metadata())
    assert len(keys(store)) == 1


def test_plain_directory_below_the_root_can_be_overwritten(store: MemoryStore) -> None:
    store.set("a/0.0", b"left by somebody")
    create_array(Hierarchy(store), "a", metadata(), overwrite=True)
    assert keys(store) == ["a/zarr.json", "zarr.json"]


def test_plain_directory_at_the_root_is_never_deleted(store: MemoryStore) -> None:
    store.set("thesis.tex", b"")
    with pytest.raises(NodeExistsError, match="keys that belong to no node"):
        create_array(Hierarchy(store), "", metadata(), overwrite=True)
    with pytest.raises(NodeExistsError, match="keys that belong to no node"):
        create_group(Hierarchy(store), "", group(), overwrite=True)
    with pytest.raises(NodeNotFoundError):
        delete_node(Hierarchy(store), "")
    assert keys(store) == ["thesis.tex"]


def test_plain_directory_becomes_a_group_and_keeps_what_is_in_it(store: MemoryStore) -> None:
    writer.write_v3(np.arange(6, dtype="u2"), (3,), store=store, path="g/a")
    before = keys(store)
    create_group(Hierarchy(store), "g", group())
    assert set(keys(store)) == {*before, "g/zarr.json", "zarr.json"}


def test_metadata_that_cannot_be_written_touch_nothing(hierarchy: Hierarchy) -> None:
    wrong = dataclasses.replace(metadata(), attributes={"x": b""})
    with pytest.raises(MetadataError, match=r"^attributes.x: cannot be written as JSON"):
        create_array(hierarchy, "a", wrong)
    with pytest.raises(UnsupportedError, match="Zarr v2 has chunk keys of encoding 'v2' only"):
        create_array(hierarchy, "a", dataclasses.replace(metadata(), zarr_format=2))
    with pytest.raises(MetadataError, match="codecs: must have a codec"):
        create_array(hierarchy, "a", dataclasses.replace(metadata(), codecs=()))
    assert keys(hierarchy.store) == []


def test_read_only_store_refuses(tmp_path: Path) -> None:
    class ReadOnly(MemoryStore):
        def set_new(self, key: str, data: Buffer) -> bool:
            raise ReadOnlyError("set", key, "it is", store=self.url)

    with pytest.raises(ReadOnlyError):
        create_array(Hierarchy(ReadOnly()), "a", metadata())


# --- races --------------------------------------------------------------------------------------


class Raced(MemoryStore):
    """Just before a key is tested and set, another process does so."""

    def __init__(self, key: str, document: object) -> None:
        super().__init__()
        self.raced_key, self.document = key, json.dumps(document).encode()

    def set_new(self, key: str, data: Buffer) -> bool:
        if key == self.raced_key:
            super().set_new(key, self.document)
        return super().set_new(key, data)


def test_of_two_who_create_one_array_one_is_told() -> None:
    theirs = {"zarr_format": 3, "node_type": "group"}
    store = Raced("a/zarr.json", theirs)
    with pytest.raises(NodeExistsError):
        create_array(Hierarchy(store), "a", metadata())
    assert members(store, "a/zarr.json") == theirs


def test_group_that_another_process_creates_meanwhile_is_as_good() -> None:
    theirs = {"zarr_format": 3, "node_type": "group", "attributes": {"by": "them"}}
    store = Raced("zarr.json", theirs)
    create_array(Hierarchy(store), "a", metadata())
    assert members(store, "zarr.json") == theirs
    assert isinstance(Hierarchy(store).node("a"), ArrayNode)


def test_array_that_another_process_creates_above_meanwhile_is_told() -> None:
    store = Raced("a/zarr.json", {"zarr_format": 3, "node_type": "array"})
    with pytest.raises(NodeTypeError, match="'a' is an array"):
        create_array(Hierarchy(store), "a/b", metadata())


def test_store_that_cannot_test_and_set_is_written_all_the_same() -> None:
    class Plain(MemoryStore):
        @property
        def capabilities(self) -> Capabilities:
            return dataclasses.replace(super().capabilities, conditional=False)

        def set_new(self, key: str, data: Buffer) -> bool:
            raise StoreError("set", key, "cannot", store=self.url)

    hierarchy = Hierarchy(Plain())
    create_array(hierarchy, "a", metadata())
    with pytest.raises(NodeExistsError):
        create_array(hierarchy, "a", metadata())
