from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import zarr
from zarr.errors import ZarrUserWarning

from tests.arrays import writer
from tests.arrays.sample_nodes import group, keys, members, metadata
from tests.arrays.test_object_versions import RemoteStore
from zarrfs.arrays.consolidation import consolidate
from zarrfs.arrays.hierarchy import (
    CONSOLIDATED_TTL,
    ArrayNode,
    BrokenNode,
    GroupNode,
    Hierarchy,
    PrefixNode,
)
from zarrfs.arrays.node_creation import create_array, create_group
from zarrfs.arrays.node_writing import delete_node, write_attributes, write_shape
from zarrfs.errors import MetadataError, NodeNotFoundError, NodeTypeError, UnsupportedError
from zarrfs.format.chunk_grids import regular_grid
from zarrfs.format.node_documents import serialise_documents
from zarrfs.stores.faulty import FaultyStore
from zarrfs.stores.local import LocalStore
from zarrfs.stores.memory import MemoryStore

if TYPE_CHECKING:
    from pathlib import Path

    from tests.log_check import LogCheck
    from tests.vfs.mounting import Clock
    from zarrfs.format.metadata import ZarrFormat
    from zarrfs.stores.base import Store

TREE = ["", "a", "g", "g/b", "g/h", "g/h/c", "leaf"]
KINDS = [ArrayNode if path in ("a", "g/b", "g/h/c") else GroupNode for path in TREE]


def fill(store: Store, zarr_format: ZarrFormat) -> None:
    hierarchy = Hierarchy(store)
    for path, kind in zip(TREE, KINDS, strict=True):
        if kind is ArrayNode:
            create_array(hierarchy, path, metadata(zarr_format, of=path))
        else:
            create_group(hierarchy, path, group(zarr_format, of=path))


def remote(zarr_format: ZarrFormat = 3, path: str = "") -> FaultyStore:
    """Make a store that answers slowly, with a consolidated tree; its requests are recorded."""
    inner = RemoteStore()
    fill(inner, zarr_format)
    consolidate(Hierarchy(inner), path)
    return FaultyStore(inner)


def gets(store: FaultyStore) -> list[str]:
    return [op.key for op in store.operations if op.name == "get" and op.error is None]


def walked(hierarchy: Hierarchy, path: str = "") -> list[tuple[str, type]]:
    return [(node.path, type(node)) for node in hierarchy.walk(path)]


def zarr_consolidate(folder: Path, zarr_format: ZarrFormat) -> None:
    with warnings.catch_warnings():  # that version 3 does not specify it
        warnings.simplefilter("ignore", ZarrUserWarning)
        zarr.consolidate_metadata(folder, zarr_format=zarr_format)


@pytest.fixture(params=[2, 3])
def zarr_format(request: pytest.FixtureRequest) -> Any:
    return request.param


# --- writing ------------------------------------------------------------------------------------


def test_number_of_nodes_below_is_returned(zarr_format: ZarrFormat) -> None:
    store = MemoryStore()
    fill(store, zarr_format)
    assert consolidate(Hierarchy(store), "") == len(TREE) - 1
    assert consolidate(Hierarchy(store), "g") == 3
    assert consolidate(Hierarchy(store), "leaf") == 0


def test_zarr_python_reads_all_nodes_from_there(tmp_path: Path, zarr_format: ZarrFormat) -> None:
    store = LocalStore(tmp_path)
    fill(store, zarr_format)
    consolidate(Hierarchy(store), "")
    for key in keys(store):
        if "/" in key:
            store.delete(key)
    root = zarr.open_consolidated(tmp_path, zarr_format=zarr_format)
    found = {path: dict(node.attrs) for path, node in root.members(max_depth=None)}
    assert found == {path: {"of": path} for path in TREE if path}
    array = root["g/h/c"]
    assert isinstance(array, zarr.Array)
    assert (array.shape, array.dtype) == ((6,), np.dtype("u2"))


def test_what_zarr_python_consolidated_is_the_tree(tmp_path: Path, zarr_format: ZarrFormat) -> None:
    local = LocalStore(tmp_path)
    fill(local, zarr_format)
    local.close()
    zarr_consolidate(tmp_path, zarr_format)
    store = RemoteStore()
    for key in keys(local):
        if "/" not in key:
            store.set(key, local.get(key))
    hierarchy = Hierarchy(store)
    assert walked(hierarchy) == list(zip(TREE, KINDS, strict=True))
    array = hierarchy.node("g/h/c")
    assert isinstance(array, ArrayNode)
    assert array.metadata.attributes == {"of": "g/h/c"}
    assert (array.metadata.shape, array.metadata.fill_value) == ((6,), 7)


def test_consolidating_again_renews(zarr_format: ZarrFormat) -> None:
    store = MemoryStore()
    fill(store, zarr_format)
    consolidate(Hierarchy(store), "")
    before = {key: store.get(key) for key in keys(store)}
    consolidate(Hierarchy(store), "")
    assert {key: store.get(key) for key in keys(store)} == before


def test_consolidated_metadata_of_groups_inside_are_not_copied() -> None:
    store = MemoryStore()
    fill(store, 3)
    consolidate(Hierarchy(store), "g")
    consolidate(Hierarchy(store), "")
    inside = members(store, "zarr.json")["consolidated_metadata"]["metadata"]["g"]
    assert inside["consolidated_metadata"]["metadata"] == {}
    assert members(store, "g/zarr.json")["consolidated_metadata"]["metadata"]


def test_nodes_of_unknown_extensions_are_copied_all_the_same() -> None:
    store = MemoryStore()
    fill(store, 3)
    document = {**members(store, "a/zarr.json"), "data_type": "quaternion"}
    store.set("a/zarr.json", json.dumps(document).encode())
    assert consolidate(Hierarchy(store), "") == len(TREE) - 1
    copied = members(store, "zarr.json")["consolidated_metadata"]["metadata"]["a"]
    assert copied == document


def test_what_is_no_group_cannot_be_consolidated() -> None:
    store = MemoryStore()
    with pytest.raises(NodeNotFoundError, match="only groups can be consolidated"):
        consolidate(Hierarchy(store), "")
    create_array(Hierarchy(store), "a", metadata())
    with pytest.raises(NodeTypeError, match="'a' is an array"):
        consolidate(Hierarchy(store), "a")


def test_node_that_others_would_not_find_any_more_is_refused() -> None:
    store = MemoryStore()
    create_group(Hierarchy(store), "", group())
    store.set("notes/readme.txt", b"")
    assert consolidate(Hierarchy(store), "") == 0
    writer.write_v3(np.arange(3), (3,), store=store, path="plain/a")
    with pytest.raises(NodeTypeError, match="'plain' is a plain directory with nodes in it; `zarr"):
        consolidate(Hierarchy(store), "")
    store.set("plain/.zgroup", b'{"zarr_format": 2}')
    with pytest.raises(NodeTypeError, match="'plain' is of another format than the group"):
        consolidate(Hierarchy(store), "")
    store.set("plain/zarr.json", b"{")
    with pytest.raises(MetadataError, match=r"plain/zarr\.json: not JSON"):
        consolidate(Hierarchy(store), "")


# --- reading where the store is slow --------------------------------------------------------------


def test_one_document_tells_the_whole_tree(zarr_format: ZarrFormat) -> None:
    store = remote(zarr_format)
    hierarchy = Hierarchy(store)
    assert walked(hierarchy) == list(zip(TREE, KINDS, strict=True))
    for path in TREE[1:]:
        assert hierarchy.node(path).path == path
    expected = ["zarr.json"] if zarr_format == 3 else [".zgroup", ".zattrs", ".zmetadata"]
    assert gets(store) == expected
    assert not any(op.name == "list" for op in store.operations)


def test_children_are_told_without_asking_for_the_group_first(zarr_format: ZarrFormat) -> None:
    store = remote(zarr_format)
    assert [node.name for node in Hierarchy(store).children("")] == ["a", "g", "leaf"]
    assert not any(op.name == "list" for op in store.operations)


def test_nodes_are_those_of_their_own_documents(zarr_format: ZarrFormat) -> None:
    store = remote(zarr_format)
    hierarchy, own = Hierarchy(store), Hierarchy(MemoryStore())
    fill(own.store, zarr_format)
    hierarchy.node("")
    for path in TREE[1:]:
        one, other = hierarchy.node(path), own.node(path)
        assert isinstance(one, ArrayNode | GroupNode)
        assert isinstance(other, ArrayNode | GroupNode)
        assert one.metadata == other.metadata
    array = hierarchy.node("a")
    assert isinstance(array, ArrayNode)
    assert array.mtime_ns > 0
    assert array == hierarchy.node("a")


def test_tree_inside_a_hierarchy_is_found_when_its_group_is_read() -> None:
    store = remote(3, "g")
    hierarchy = Hierarchy(store)
    assert walked(hierarchy) == list(zip(TREE, KINDS, strict=True))
    assert "g/zarr.json" in gets(store)
    assert not any(key.startswith("g/") for key in gets(store) if key != "g/zarr.json")


def test_what_is_not_told_is_not_there(zarr_format: ZarrFormat) -> None:
    store = remote(zarr_format)
    hierarchy = Hierarchy(store)
    hierarchy.node("")
    store.set("g/x/a/zarr.json", b"{}")
    before = len(store.operations)
    with pytest.raises(NodeNotFoundError):
        hierarchy.node("g/x")
    assert list(hierarchy.children("leaf")) == []
    assert len(store.operations) == before


def test_directories_above_nodes_are_told_too() -> None:
    store = RemoteStore()
    inline = {"plain/deep": serialise_documents(group())["zarr.json"]}
    consolidated = {"kind": "inline", "must_understand": False, "metadata": inline}
    document = {**serialise_documents(group())["zarr.json"], "consolidated_metadata": consolidated}
    store.set("zarr.json", json.dumps(document).encode())
    assert walked(Hierarchy(store)) == [
        ("", GroupNode),
        ("plain", PrefixNode),
        ("plain/deep", GroupNode),
    ]


def test_tree_is_read_again_when_its_time_is_over(clock: Clock, zarr_format: ZarrFormat) -> None:
    store = remote(zarr_format)
    hierarchy = Hierarchy(store)
    hierarchy.node("")
    for name in ("zarr.json", ".zgroup", ".zattrs"):
        store.delete(f"leaf/{name}")
    consolidate(Hierarchy(store), "")
    assert isinstance(hierarchy.node("leaf"), GroupNode), "remembered"
    clock.advance(CONSOLIDATED_TTL)
    with pytest.raises(NodeNotFoundError):
        hierarchy.node("leaf")
    assert [node.name for node in hierarchy.children("")] == ["a", "g"]


def test_tree_that_is_gone_gives_way_to_the_nodes_themselves(
    clock: Clock, zarr_format: ZarrFormat, expected_logs: LogCheck
) -> None:
    expected_logs("are taken away")
    store = remote(zarr_format)
    hierarchy = Hierarchy(store)
    hierarchy.node("")
    create_group(Hierarchy(store), "new", group(zarr_format))
    with pytest.raises(NodeNotFoundError):
        hierarchy.node("new")
    clock.advance(CONSOLIDATED_TTL)
    assert isinstance(hierarchy.node("new"), GroupNode)


def test_what_is_written_here_is_seen_at_once(
    zarr_format: ZarrFormat, expected_logs: LogCheck
) -> None:
    expected_logs("the consolidated metadata of '/' are taken away", times=1)
    hierarchy = Hierarchy(remote(zarr_format))
    hierarchy.node("")
    create_array(hierarchy, "g/new", metadata(zarr_format))
    write_attributes(hierarchy, "a", {"x": 1})
    delete_node(hierarchy, "leaf")
    assert [path for path, _ in walked(hierarchy)] == [
        *("", "a", "g", "g/b", "g/h", "g/h/c", "g/new"),
    ]
    array = hierarchy.node("a")
    assert isinstance(array, ArrayNode)
    assert array.metadata.attributes == {"x": 1}


def test_forgetting_asks_again(zarr_format: ZarrFormat) -> None:
    store = remote(zarr_format)
    hierarchy = Hierarchy(store)
    hierarchy.node("")
    before = len(gets(store))
    hierarchy.forget()
    hierarchy.node("a")
    assert len(gets(store)) > before


def test_without_time_the_group_is_asked_each_time() -> None:
    store = remote()
    hierarchy = Hierarchy(store, ttl=0)
    for _ in range(3):
        hierarchy.node("")
        assert isinstance(hierarchy.node("a"), ArrayNode)
    assert set(gets(store)) == {"zarr.json"}


def test_malformed_entry_gives_way_to_the_node_itself() -> None:
    store = remote()
    document = members(store, "zarr.json")
    document["consolidated_metadata"]["metadata"]["a"]["shape"] = "six"
    document["consolidated_metadata"]["metadata"]["g/b"]["data_type"] = "quaternion"
    store.set("zarr.json", json.dumps(document).encode())
    hierarchy = Hierarchy(store)
    hierarchy.node("")
    assert isinstance(hierarchy.node("a"), ArrayNode)
    unknown = hierarchy.node("g/b")
    assert isinstance(unknown, BrokenNode)
    assert isinstance(unknown.error, UnsupportedError)
    assert gets(store)[-1] == "a/zarr.json"


def test_entry_that_cannot_be_read_anywhere_is_broken() -> None:
    store = remote()
    document = members(store, "zarr.json")
    document["consolidated_metadata"]["metadata"]["a"] = {}
    store.set("zarr.json", json.dumps(document).encode())
    store.inject(error="get", keys="a/*")
    children = list(Hierarchy(store).children(""))
    assert [type(child) for child in children] == [BrokenNode, GroupNode, GroupNode]


@pytest.mark.parametrize(
    "value",
    [
        {"must_understand": False},
        {"kind": "file", "must_understand": False},
        {"kind": "inline"},
        {"kind": "inline", "metadata": 1},
    ],
)
def test_malformed_v3_metadata_are_ignored_with_a_warning(
    value: object, expected_logs: LogCheck
) -> None:
    expected_logs(r"consolidated metadata are ignored: zarr\.json: consolidated_metadata", times=1)
    store = remote()
    document = {**members(store, "zarr.json"), "consolidated_metadata": value}
    store.set("zarr.json", json.dumps(document).encode())
    hierarchy = Hierarchy(store)
    for _ in range(2):
        assert walked(hierarchy) == list(zip(TREE, KINDS, strict=True))
        hierarchy.forget()


@pytest.mark.parametrize("data", [b"{", b"[]", b"{}", b'{"zarr_consolidated_format": 1}'])
def test_malformed_v2_metadata_are_ignored_with_a_warning(
    data: bytes, expected_logs: LogCheck
) -> None:
    expected_logs(r"consolidated metadata are ignored: \.zmetadata: ", times=1)
    store = remote(2)
    store.set(".zmetadata", data)
    assert walked(Hierarchy(store)) == list(zip(TREE, KINDS, strict=True))


@pytest.mark.parametrize(
    ("zarr_format", "key", "replaced_by"),
    [
        (3, "zarr.json", json.dumps(serialise_documents(metadata(3))["zarr.json"])),
        (3, "zarr.json", "{"),
        (2, ".zarray", json.dumps(serialise_documents(metadata(2))[".zarray"])),
    ],
)
def test_group_that_became_an_array_or_broken_has_no_tree(
    clock: Clock, zarr_format: ZarrFormat, key: str, replaced_by: str
) -> None:
    store = remote(zarr_format)
    hierarchy = Hierarchy(store)
    hierarchy.node("")
    store.set(key, replaced_by.encode())
    clock.advance(CONSOLIDATED_TTL)
    assert isinstance(hierarchy.node("leaf"), GroupNode)
    assert gets(store)[-1].startswith("leaf/")


def test_more_groups_than_are_remembered_are_read_all_the_same() -> None:
    store = RemoteStore()
    for i in range(70):
        create_array(Hierarchy(store), f"{i}/a", metadata())
        consolidate(Hierarchy(store), str(i))
    hierarchy = Hierarchy(store)
    for i in range(70):
        assert [type(node) for node in hierarchy.children(str(i))] == [ArrayNode]
    assert isinstance(hierarchy.node("0/a"), ArrayNode)


# --- reading where the store is quick -------------------------------------------------------------


def test_fresh_metadata_of_a_quick_store_are_no_matter(zarr_format: ZarrFormat) -> None:
    store = MemoryStore()
    fill(store, zarr_format)
    consolidate(Hierarchy(store), "")
    assert walked(Hierarchy(store)) == list(zip(TREE, KINDS, strict=True))


def test_nan_and_another_spelling_are_not_out_of_date(
    tmp_path: Path, zarr_format: ZarrFormat
) -> None:
    root = zarr.open_group(tmp_path, mode="w", zarr_format=zarr_format)
    root.create_array("a", shape=(3,), dtype="f4", fill_value=np.nan, attributes={"x": np.nan})
    zarr_consolidate(tmp_path, zarr_format)
    assert walked(Hierarchy(LocalStore(tmp_path))) == [("", GroupNode), ("a", ArrayNode)]


def behind(store: MemoryStore, change: str, zarr_format: ZarrFormat) -> None:
    """Change a node behind the back of the consolidated metadata, as others do."""
    root = "zarr.json" if zarr_format == 3 else ".zmetadata"
    kept = bytes(store.get(root))
    hierarchy = Hierarchy(store)
    if change == "attributes":
        write_attributes(hierarchy, "g/b", {"new": 1})
    elif change == "group":
        write_attributes(hierarchy, "g", {"new": 1})
    elif change == "added":
        create_array(hierarchy, "g/new", metadata(zarr_format))
    elif change == "shape":
        write_shape(hierarchy, "g/b", regular_grid((99,), (3,)))
    elif change == "removed":
        delete_node(hierarchy, "g/b")
    elif change == "kind":
        create_group(hierarchy, "g/b", group(zarr_format), overwrite=True)
    store.set(root, kept)


@pytest.mark.parametrize("change", ["attributes", "shape", "group", "added", "removed", "kind"])
def test_node_that_changed_is_shown_as_it_is_and_the_user_told_once(
    change: str, zarr_format: ZarrFormat, expected_logs: LogCheck
) -> None:
    expected_logs("are taken away")
    expected_logs(
        "the consolidated metadata of '/' are out of date, as in 'g.*zarrfs consolidate", times=1
    )
    store = MemoryStore()
    fill(store, zarr_format)
    consolidate(Hierarchy(store), "")
    behind(store, change, zarr_format)
    hierarchy = Hierarchy(store)
    first = walked(hierarchy)
    assert walked(hierarchy) == first
    assert dict(first) == tree_after(change)


def tree_after(change: str) -> dict[str, type]:
    tree: dict[str, type] = dict(zip(TREE, KINDS, strict=True))
    if change == "added":
        tree["g/new"] = ArrayNode
    elif change == "removed":
        del tree["g/b"]
    elif change == "kind":
        tree["g/b"] = GroupNode
    return tree


def test_metadata_that_were_renewed_meanwhile_are_not_out_of_date(zarr_format: ZarrFormat) -> None:
    store = MemoryStore()
    fill(store, zarr_format)
    consolidate(Hierarchy(store), "")
    hierarchy = Hierarchy(store)
    hierarchy.node("")
    key = "a/zarr.json" if zarr_format == 3 else "a/.zattrs"
    document = members(store, key)
    (document["attributes"] if zarr_format == 3 else document)["of"] = "somebody"
    store.set(key, json.dumps(document).encode())
    consolidate(Hierarchy(store), "")
    array = hierarchy.node("a")
    assert isinstance(array, ArrayNode)
    assert array.metadata.attributes == {"of": "somebody"}


def test_metadata_that_were_renewed_are_read_again_once(expected_logs: LogCheck) -> None:
    expected_logs("are taken away")
    inner = MemoryStore()
    fill(inner, 3)
    consolidate(Hierarchy(inner), "")
    store = FaultyStore(inner)
    hierarchy = Hierarchy(store)
    hierarchy.node("")
    for path in TREE[1:]:
        write_attributes(Hierarchy(inner), path, {"of": "somebody"})
    consolidate(Hierarchy(inner), "")
    assert walked(hierarchy, "g") == walked(Hierarchy(inner), "g")
    assert gets(store).count("zarr.json") == 2
