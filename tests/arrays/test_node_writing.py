from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.arrays import writer
from tests.arrays.sample_nodes import DOCUMENT_V2, group, keys, members, metadata
from zarrfs.arrays.hierarchy import GroupNode, Hierarchy
from zarrfs.arrays.node_creation import create_array, create_group
from zarrfs.arrays.node_writing import delete_node, write_attributes, write_shape
from zarrfs.errors import (
    MetadataError,
    NodeExistsError,
    NodeNotFoundError,
    NodeTypeError,
    UnsupportedError,
)
from zarrfs.format.chunk_grids import regular_grid
from zarrfs.stores.memory import MemoryStore

if TYPE_CHECKING:
    from tests.log_check import LogCheck
    from zarrfs.format.metadata import ZarrFormat


# --- deleting -----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["", "a", "a/b"])
def test_deleted_node_is_gone_with_all_below(hierarchy: Hierarchy, path: str) -> None:
    create_array(hierarchy, "a/b", metadata())
    create_array(hierarchy, "c", metadata())
    delete_node(hierarchy, path)
    left = {"", "a", "a/b", "c"}
    left = {node for node in left if path and not f"{node}/".startswith(f"{path}/")}
    assert {node.path for node in hierarchy.walk()} == left | {""}
    if not path:
        assert keys(hierarchy.store) == []


@pytest.mark.parametrize("path", ["", "a", "a/b"])
def test_node_that_is_not_there_cannot_be_deleted(hierarchy: Hierarchy, path: str) -> None:
    with pytest.raises(NodeNotFoundError):
        delete_node(hierarchy, path)


@given(st.lists(st.sampled_from(["a", "a/b", "a/b/c", "d"]), max_size=4), st.data())
def test_creating_and_deleting_is_that_of_a_model(paths: list[str], data: st.DataObject) -> None:
    hierarchy = Hierarchy(MemoryStore())
    model: set[str] = set()
    for path in paths:
        if data.draw(st.booleans()):
            if path in model:
                with pytest.raises(NodeExistsError):
                    create_group(hierarchy, path, group())
            else:
                create_group(hierarchy, path, group())
                parts = path.split("/")
                model |= {"/".join(parts[:n]) for n in range(len(parts) + 1)}
        elif path in model:
            delete_node(hierarchy, path)
            model = {node for node in model if not f"{node}/".startswith(f"{path}/")}
        else:
            with pytest.raises(NodeNotFoundError):
                delete_node(hierarchy, path)
        assert {node.path for node in hierarchy.walk()} == model | {""}


# --- rewriting ----------------------------------------------------------------------------------


def test_new_attributes_of_v3_keep_all_else(store: MemoryStore) -> None:
    writer.write_v3(np.arange(6, dtype="u2"), (3,), store=store, path="a")
    before = {"note": {"must_understand": False}, **members(store, "a/zarr.json")}
    store.set("a/zarr.json", json.dumps(before).encode())
    node = write_attributes(Hierarchy(store), "a", {"units": "K"})
    assert node.metadata.attributes == {"units": "K"}
    assert node == Hierarchy(store).node("a")
    assert members(store, "a/zarr.json") == {**before, "attributes": {"units": "K"}}
    assert next(iter(members(store, "a/zarr.json"))) == "note"


def test_new_attributes_of_v2_leave_the_array_s_document_alone(store: MemoryStore) -> None:
    zarray = json.dumps({**DOCUMENT_V2, "extra": 1}).encode()
    store.set("a/.zarray", zarray)
    node = write_attributes(Hierarchy(store), "a", {"units": "K"})
    assert (store.get("a/.zarray"), members(store, "a/.zattrs")) == (zarray, {"units": "K"})
    assert node.metadata.attributes == {"units": "K"}


def test_new_attributes_of_a_group(hierarchy: Hierarchy) -> None:
    create_group(hierarchy, "", group(2, old=1))
    node = write_attributes(hierarchy, "", {"new": 2})
    assert isinstance(node, GroupNode)
    assert node == hierarchy.node("")


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_new_shape_is_that_of_the_array(hierarchy: Hierarchy, zarr_format: ZarrFormat) -> None:
    create_array(hierarchy, "a", metadata(zarr_format, units="K"))
    node = write_shape(hierarchy, "a", regular_grid((100,), (3,)))
    assert node.metadata.shape == (100,)
    assert node == hierarchy.node("a")
    assert node.metadata.attributes == {"units": "K"}


def test_rewriting_what_is_not_there_is_refused(hierarchy: Hierarchy) -> None:
    with pytest.raises(NodeNotFoundError):
        write_attributes(hierarchy, "a", {})
    create_group(hierarchy, "", group())
    with pytest.raises(NodeTypeError, match="/ is a group"):
        write_shape(hierarchy, "", regular_grid((1,), (1,)))


def test_attributes_that_json_cannot_hold_change_nothing(hierarchy: Hierarchy) -> None:
    create_array(hierarchy, "a", metadata(2, units="K"))
    with pytest.raises(MetadataError, match=r"^t: cannot be written as JSON"):
        write_attributes(hierarchy, "a", {"t": {1, 2}})
    assert members(hierarchy.store, "a/.zattrs") == {"units": "K"}


def test_array_that_cannot_be_understood_is_not_rewritten(store: MemoryStore) -> None:
    document = {"zarr_format": 3, "node_type": "array", "shape": [1], "data_type": "quaternion"}
    store.set("zarr.json", json.dumps(document).encode())
    with pytest.raises(UnsupportedError, match=r"^zarr.json: data_type: "):
        write_attributes(Hierarchy(store), "", {})
    assert members(store, "zarr.json") == document


# --- consolidated metadata above ------------------------------------------------------------------


def test_creating_below_takes_consolidated_metadata_away(
    store: MemoryStore, expected_logs: LogCheck
) -> None:
    expected_logs("the consolidated metadata of '/' are taken away", times=2)
    inline = {"kind": "inline", "must_understand": False, "metadata": {}}
    v3 = {"zarr_format": 3, "node_type": "group", "attributes": {"a": 1}}
    store.set("zarr.json", json.dumps({**v3, "consolidated_metadata": inline}).encode())
    create_array(Hierarchy(store), "a", metadata())
    assert members(store, "zarr.json") == v3

    old = MemoryStore()
    old.set(".zgroup", b'{"zarr_format": 2}')
    old.set(".zmetadata", b"{}")
    write_attributes(Hierarchy(old), "", {"a": 1})
    assert keys(old) == [".zattrs", ".zgroup"]


def test_malformed_group_above_does_not_keep_a_node_from_being_deleted(store: MemoryStore) -> None:
    create_array(Hierarchy(store), "a", metadata())
    store.set("zarr.json", b"{")
    delete_node(Hierarchy(store), "a")
    assert keys(store) == ["zarr.json"]
