from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zarrfs.errors import MetadataError
from zarrfs.format.consolidated import (
    build_v2_consolidated,
    build_v3_consolidated,
    own_documents,
    parse_v2_consolidated,
    parse_v3_consolidated,
)

V3_GROUP: dict[str, Any] = {"zarr_format": 3, "node_type": "group", "attributes": {}}
V3_ARRAY: dict[str, Any] = {"zarr_format": 3, "node_type": "array", "shape": []}
EMPTY = {"kind": "inline", "must_understand": False, "metadata": {}}

names = st.text("aB.é", min_size=1, max_size=2).filter(lambda name: name.strip("."))
paths = st.lists(names, min_size=1, max_size=3).map("/".join)
v3_trees = st.dictionaries(
    paths, st.sampled_from([V3_GROUP, V3_ARRAY]).map(lambda members: {"zarr.json": members})
)
v2_trees = st.dictionaries(
    paths,
    st.sampled_from(
        [
            {".zgroup": {"zarr_format": 2}},
            {".zgroup": {"zarr_format": 2}, ".zattrs": {"a": 1}},
            {".zarray": {"zarr_format": 2, "shape": []}, ".zattrs": {}},
        ]
    ),
)


@given(v3_trees)
def test_v3_nodes_are_found_again(nodes: dict[str, Any]) -> None:
    built = build_v3_consolidated(nodes)
    assert (built["kind"], built["must_understand"]) == ("inline", False)
    parsed = parse_v3_consolidated(built)
    assert {path: own_documents(found) for path, found in parsed.nodes.items()} == nodes


@given(v2_trees)
def test_v2_nodes_are_found_again(nodes: dict[str, Any]) -> None:
    root: dict[str, Any] = {".zgroup": {"zarr_format": 2}, ".zattrs": {"title": "t"}}
    built = build_v2_consolidated({"": root, **nodes})
    assert built["zarr_consolidated_format"] == 1
    assert built["metadata"][".zattrs"] == {"title": "t"}
    assert parse_v2_consolidated(built).nodes == nodes


@given(v3_trees)
def test_every_node_is_found_by_its_names(nodes: dict[str, Any]) -> None:
    consolidated = parse_v3_consolidated(build_v3_consolidated(nodes))
    found: set[str] = set()
    todo = [""]
    while todo:
        path = todo.pop()
        listed = consolidated.names.get(path, ())
        assert list(listed) == sorted(set(listed))
        below = [f"{path}/{name}" if path else name for name in listed]
        found.update(path for path in below if path in consolidated.nodes)
        todo += below
    assert found == set(nodes)


def test_groups_inside_have_an_empty_one_of_their_own() -> None:
    built = build_v3_consolidated({"g": {"zarr.json": V3_GROUP}, "a": {"zarr.json": V3_ARRAY}})
    assert built["metadata"] == {"a": V3_ARRAY, "g": {**V3_GROUP, "consolidated_metadata": EMPTY}}
    assert V3_GROUP == {"zarr_format": 3, "node_type": "group", "attributes": {}}


def test_nodes_are_sorted_by_depth_and_then_without_regard_to_case() -> None:
    nodes = {path: {"zarr.json": V3_ARRAY} for path in ("b/a", "B", "a/z", "c", "a", "b")}
    built = build_v3_consolidated(nodes)
    assert list(built["metadata"]) == ["a", "B", "b", "c", "a/z", "b/a"]


def test_attributes_without_a_node_are_none() -> None:
    document = {"zarr_consolidated_format": 1, "metadata": {"a/.zattrs": {}, "a/b/.zgroup": {}}}
    assert set(parse_v2_consolidated(document).nodes) == {"a/b"}


def test_other_keys_are_passed_over() -> None:
    document = {"zarr_consolidated_format": 1, "metadata": {".zgroup": 1, "a/0.0": 1, "b": 2}}
    assert parse_v2_consolidated(document).nodes == {}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (1, "consolidated_metadata: must be an object, not 1"),
        ({}, "consolidated_metadata.kind: is missing"),
        ({"kind": "file"}, 'consolidated_metadata.kind: must be "inline", not "file"'),
        ({"kind": "inline"}, "consolidated_metadata.metadata: is missing"),
        ({"kind": "inline", "metadata": []}, "consolidated_metadata.metadata: must be an object"),
        (
            {"kind": "inline", "metadata": {"a": 1}},
            "consolidated_metadata.metadata.a: must be an object, not 1",
        ),
        (
            {"kind": "inline", "metadata": {"a//b": {}}},
            "consolidated_metadata.metadata.a//b: is no path of a node below the group",
        ),
        (
            {"kind": "inline", "metadata": {"a/../b": {}}},
            "consolidated_metadata.metadata.a/../b: is no path of a node below the group",
        ),
    ],
)
def test_malformed_v3_metadata_are_told(value: object, message: str) -> None:
    with pytest.raises(MetadataError) as error:
        parse_v3_consolidated(value)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "zarr_consolidated_format: is missing"),
        ({"zarr_consolidated_format": 2}, "zarr_consolidated_format: must be 1, not 2"),
        ({"zarr_consolidated_format": True}, "zarr_consolidated_format: must be 1, not true"),
        ({"zarr_consolidated_format": 1}, "metadata: is missing"),
        ({"zarr_consolidated_format": 1, "metadata": 1}, "metadata: must be an object, not 1"),
        (
            {"zarr_consolidated_format": 1, "metadata": {"a/.zarray": 1}},
            "metadata.a/.zarray: must be an object, not 1",
        ),
        (
            {"zarr_consolidated_format": 1, "metadata": {"/a/.zarray": {}}},
            "metadata./a: is no path of a node below the group",
        ),
        (
            {"zarr_consolidated_format": 1, "metadata": {"./.zgroup": {}}},
            "metadata..: is no path of a node below the group",
        ),
    ],
)
def test_malformed_v2_metadata_are_told(document: dict[str, Any], message: str) -> None:
    with pytest.raises(MetadataError) as error:
        parse_v2_consolidated(document)
    assert str(error.value).startswith(message)
