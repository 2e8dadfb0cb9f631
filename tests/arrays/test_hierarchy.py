from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.arrays import writer
from tests.arrays.test_object_versions import RemoteStore
from zarrfs.arrays.hierarchy import (
    ArrayNode,
    BrokenNode,
    GroupNode,
    Hierarchy,
    PrefixNode,
    stored_sizes,
)
from zarrfs.arrays.node_reading import MAX_LISTINGS
from zarrfs.errors import MetadataError, NodeNotFoundError, StoreError, UnsupportedError
from zarrfs.format.node_keys import metadata_key
from zarrfs.stores.faulty import FaultyStore
from zarrfs.stores.memory import MemoryStore

if TYPE_CHECKING:
    from tests.log_check import LogCheck
    from zarrfs.stores.base import ObjectInfo

V3_GROUP = {"zarr_format": 3, "node_type": "group", "attributes": {"title": "t"}}
DATA = np.arange(6, dtype="u2")


def put(store: MemoryStore, key: str, document: object) -> None:
    store.set(key, json.dumps(document).encode())


@pytest.fixture
def store() -> MemoryStore:
    """Hold a v3 group with an array, a v2 group with one, and a plain directory above nodes."""
    store = MemoryStore()
    put(store, "zarr.json", V3_GROUP)
    writer.write_v3(DATA, (3,), store=store, path="three")
    put(store, "two/.zgroup", {"zarr_format": 2})
    put(store, "two/.zattrs", {"title": "old"})
    v2 = MemoryStore()
    writer.write_v2(DATA, (4,), store=v2)
    for key in v2.list_prefix(""):
        store.set(f"two/array/{key}", v2.get(key))
        store.set(f"plain/deep/array/{key}", v2.get(key))
    store.set("notes/readme.txt", b"no node")
    return store


def kinds(store: MemoryStore | FaultyStore, path: str = "") -> list[tuple[str, str]]:
    return [(node.path, type(node).__name__) for node in Hierarchy(store).walk(path)]


# --- one node -----------------------------------------------------------------------------------


def test_v3_array_and_group_are_found_by_their_document(store: MemoryStore) -> None:
    hierarchy = Hierarchy(store)
    root, array = hierarchy.node(""), hierarchy.node("three")
    assert isinstance(root, GroupNode)
    assert (root.name, root.prefix, root.metadata.attributes) == ("", "", {"title": "t"})
    assert isinstance(array, ArrayNode)
    assert (array.name, array.prefix, array.metadata.zarr_format) == ("three", "three/", 3)
    assert array.mtime_ns == store.stat("three/zarr.json").mtime_ns


def test_v2_array_and_group_have_their_attributes(store: MemoryStore) -> None:
    put(store, "two/array/.zattrs", {"units": "K"})
    hierarchy = Hierarchy(store)
    group, array = hierarchy.node("two"), hierarchy.node("two/array")
    assert isinstance(group, GroupNode)
    assert (group.metadata.zarr_format, group.metadata.attributes) == (2, {"title": "old"})
    assert isinstance(array, ArrayNode)
    assert (array.metadata.shape, array.metadata.attributes) == ((6,), {"units": "K"})
    assert array.mtime_ns == store.stat("two/array/.zattrs").mtime_ns


def test_nodes_are_equal_as_long_as_their_documents_are(store: MemoryStore) -> None:
    hierarchy = Hierarchy(store)
    before = hierarchy.node("two/array")
    store.set("two/array/.zarray", store.get("two/array/.zarray"))
    assert hierarchy.node("two/array") == before
    put(store, "two/array/.zattrs", {"units": "K"})
    assert hierarchy.node("two/array") != before


def test_a_directory_above_nodes_is_a_node(store: MemoryStore) -> None:
    assert Hierarchy(store).node("plain") == PrefixNode(path="plain")
    assert Hierarchy(store).node("plain/deep") == PrefixNode(path="plain/deep")


@pytest.mark.parametrize("path", ["notes", "nowhere", "three/c"])
def test_what_has_no_node_below_is_none(store: MemoryStore, path: str) -> None:
    with pytest.raises(NodeNotFoundError, match=path):
        Hierarchy(store).node(path)


def test_the_root_is_always_a_node() -> None:
    assert Hierarchy(MemoryStore()).node("") == PrefixNode(path="")
    assert list(Hierarchy(MemoryStore()).children("")) == []


@pytest.mark.parametrize(("path", "older"), [("three", ".zarray"), ("", ".zgroup")])
def test_v3_is_used_where_both_formats_are_and_a_warning_logged_once(
    store: MemoryStore, expected_logs: LogCheck, path: str, older: str
) -> None:
    expected_logs(f"'{path or '/'}' has metadata of Zarr v3 and v2; v3 is used", times=1)
    put(store, metadata_key(path, older), {"zarr_format": 2})
    hierarchy = Hierarchy(store)
    for _ in range(2):
        node = hierarchy.node(path)
        assert isinstance(node, ArrayNode | GroupNode)
        assert node.metadata.zarr_format == 3


def test_a_remote_store_is_not_asked_for_the_other_format() -> None:
    inner = RemoteStore()
    put(inner, "zarr.json", V3_GROUP)
    put(inner, ".zgroup", {"zarr_format": 2})
    store = FaultyStore(inner)
    assert isinstance(Hierarchy(store).node(""), GroupNode)
    assert {operation.key for operation in store.operations} == {"zarr.json"}


@pytest.mark.parametrize("document", ["zarr.json", ".zgroup"])
def test_foreign_names_are_shown_and_mentioned_once(
    caplog: pytest.LogCaptureFixture, document: str
) -> None:
    store = MemoryStore()
    name = "__secret" if document == "zarr.json" else "..."
    group = V3_GROUP if document == "zarr.json" else {"zarr_format": 2}
    put(store, f"{name}/{document}", group)
    hierarchy = Hierarchy(store)
    with caplog.at_level("INFO"):
        for _ in range(2):
            assert [node.name for node in hierarchy.children("")] == [name]
    (record,) = caplog.records
    assert f"'{name}' is shown although its name breaks a rule: " in record.getMessage()
    assert record.levelname == "INFO"


# --- broken nodes -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["zarr.json", ".zarray", ".zgroup"])
@pytest.mark.parametrize("data", [b"{", b"", b"[]", b"\xff", b'"zarr"', b"{}", b"[" * 100_000])
def test_a_document_that_is_malformed_makes_a_broken_node(name: str, data: bytes) -> None:
    store = MemoryStore()
    store.set(f"a/{name}", data)
    node = Hierarchy(store).node("a")
    assert isinstance(node, BrokenNode)
    assert isinstance(node.error, MetadataError)
    assert node.error.key == f"a/{name}"
    assert kinds(store) == [("", "PrefixNode"), ("a", "BrokenNode")]


def test_malformed_v2_attributes_make_a_broken_node(store: MemoryStore) -> None:
    store.set("two/array/.zattrs", b"{")
    node = Hierarchy(store).node("two/array")
    assert isinstance(node, BrokenNode)
    assert "two/array/.zattrs" in str(node.error)


def test_an_unknown_extension_makes_a_broken_node(store: MemoryStore) -> None:
    document = json.loads(bytes(store.get("three/zarr.json")))
    put(store, "three/zarr.json", {**document, "data_type": "quaternion"})
    node = Hierarchy(store).node("three")
    assert isinstance(node, BrokenNode)
    assert isinstance(node.error, UnsupportedError)


def test_broken_v3_metadata_is_not_replaced_by_v2(store: MemoryStore) -> None:
    store.set("two/array/zarr.json", b"{")
    assert isinstance(Hierarchy(store).node("two/array"), BrokenNode)


def test_a_document_deleted_while_it_is_read_is_missing(store: MemoryStore) -> None:
    class Vanishing(MemoryStore):
        def stat(self, key: str) -> ObjectInfo:
            self.delete(key)
            return super().stat(key)

    vanishing = Vanishing()
    writer.write_v3(DATA, (3,), store=vanishing, path="a")
    vanishing.delete("a/c/0")
    vanishing.delete("a/c/1")
    with pytest.raises(NodeNotFoundError):
        Hierarchy(vanishing).node("a")


# --- many nodes ---------------------------------------------------------------------------------


def test_children_are_the_nodes_directly_below_sorted_by_name(store: MemoryStore) -> None:
    children = list(Hierarchy(store).children(""))
    assert [(node.name, type(node).__name__) for node in children] == [
        ("plain", "PrefixNode"),
        ("three", "ArrayNode"),
        ("two", "GroupNode"),
    ]


def test_walk_finds_every_node_parents_first(store: MemoryStore) -> None:
    assert kinds(store) == [
        ("", "GroupNode"),
        ("plain", "PrefixNode"),
        ("plain/deep", "PrefixNode"),
        ("plain/deep/array", "ArrayNode"),
        ("three", "ArrayNode"),
        ("two", "GroupNode"),
        ("two/array", "ArrayNode"),
    ]
    assert kinds(store, "two") == [("two", "GroupNode"), ("two/array", "ArrayNode")]
    assert kinds(store, "three") == [("three", "ArrayNode")]
    with pytest.raises(NodeNotFoundError):
        kinds(store, "nowhere")


def test_walk_reads_each_document_once(store: MemoryStore) -> None:
    faulty = FaultyStore(store)
    list(Hierarchy(faulty).walk())
    reads = [op.key for op in faulty.operations if op.name == "get" and op.error is None]
    assert len(reads) == len(set(reads))


@given(st.sets(st.lists(st.sampled_from("ab"), max_size=5).map("/".join), max_size=8))
def test_walk_finds_all_groups_wherever_they_are(paths: set[str]) -> None:
    store = MemoryStore()
    for path in paths:
        put(store, f"{path}/zarr.json" if path else "zarr.json", V3_GROUP)
    found = [path for path, kind in kinds(store) if kind == "GroupNode"]
    assert sorted(found) == sorted(paths)
    assert len(kinds(store)) == len(set(kinds(store)))


def test_a_deep_tree_is_walked_without_recursion() -> None:
    store = MemoryStore()
    path = "/".join(["a"] * 300)
    for depth in range(300):
        put(store, f"{path[: 2 * depth + 1]}/zarr.json", V3_GROUP)
    assert len(kinds(store)) == 301


def test_a_search_below_a_directory_is_bounded() -> None:
    inner = MemoryStore()
    for i in range(2 * MAX_LISTINGS):
        inner.set(f"big/{i}/x", b"")
    for i in range(MAX_LISTINGS // 2):
        inner.set(f"small/{i}/x", b"")
    store = FaultyStore(inner)
    assert Hierarchy(store).node("big") == PrefixNode(path="big"), "taken to have some"
    assert sum(operation.name == "list" for operation in store.operations) == MAX_LISTINGS
    with pytest.raises(NodeNotFoundError):
        Hierarchy(store).node("small")


# --- stores that fail ---------------------------------------------------------------------------


def test_a_child_that_cannot_be_read_is_broken_and_its_siblings_are_not(
    store: MemoryStore,
) -> None:
    faulty = FaultyStore(store)
    faulty.inject(error="get", keys="three/*")
    children = {node.name: node for node in Hierarchy(faulty).children("")}
    broken = children.pop("three")
    assert isinstance(broken, BrokenNode)
    assert isinstance(broken.error, StoreError)
    assert [type(node) for node in children.values()] == [PrefixNode, GroupNode]
    with pytest.raises(StoreError, match="injected"):
        Hierarchy(faulty).node("three")


def test_a_directory_that_cannot_be_listed_is_broken(store: MemoryStore) -> None:
    faulty = FaultyStore(store)
    faulty.inject(error="list", keys="plain/*")
    children = {node.name: type(node) for node in Hierarchy(faulty).children("")}
    assert children == {"plain": BrokenNode, "three": ArrayNode, "two": GroupNode}


def test_walk_goes_on_behind_a_group_that_cannot_be_listed(store: MemoryStore) -> None:
    put(store, "plain/zarr.json", V3_GROUP)
    faulty = FaultyStore(store)
    faulty.inject(error="list", keys="plain/")
    assert kinds(faulty) == [
        ("", "GroupNode"),
        ("plain", "GroupNode"),
        ("plain", "BrokenNode"),
        ("three", "ArrayNode"),
        ("two", "GroupNode"),
        ("two/array", "ArrayNode"),
    ]


def test_children_of_a_group_that_cannot_be_listed_are_an_error(store: MemoryStore) -> None:
    faulty = FaultyStore(store)
    faulty.inject(error="list")
    with pytest.raises(StoreError, match="injected"):
        list(Hierarchy(faulty).children(""))


# --- sizes --------------------------------------------------------------------------------------


def test_stored_sizes_are_those_of_the_chunks_in_the_grid(store: MemoryStore) -> None:
    store.set("three/c/2", b"behind the edge")
    store.set("three/notes.txt", b"no chunk")
    node = Hierarchy(store).node("three")
    assert isinstance(node, ArrayNode)
    assert list(stored_sizes(store, node)) == [6, 6]
    store.delete("three/c/1")
    assert list(stored_sizes(store, node)) == [6]
