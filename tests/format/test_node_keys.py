from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zarrfs.format import node_keys
from zarrfs.format.metadata import ZarrFormat

names = st.text("ab.é_- ", min_size=1, max_size=4)
paths = st.lists(names, max_size=3).map("/".join)


@pytest.mark.parametrize(
    ("path", "document", "key"),
    [
        ("", "zarr.json", "zarr.json"),
        ("foo", "zarr.json", "foo/zarr.json"),
        ("foo/bar", ".zarray", "foo/bar/.zarray"),
        ("foo/bar", ".zattrs", "foo/bar/.zattrs"),
    ],
)
def test_keys_are_those_of_the_specification(path: str, document: str, key: str) -> None:
    assert node_keys.metadata_key(path, document) == key


@given(paths, names)
def test_joined_path_has_its_parent_and_name(path: str, name: str) -> None:
    child = node_keys.join(path, name)
    assert node_keys.parent(child) == path
    assert node_keys.node_name(child) == name
    assert child == node_keys.key_prefix(path) + name


def test_root_has_neither_parent_nor_name() -> None:
    assert node_keys.parent("") is None
    assert node_keys.node_name("") == ""
    assert node_keys.key_prefix("") == ""


@given(st.lists(names, max_size=4))
def test_ancestors_are_the_parents_up_to_the_root(parts: list[str]) -> None:
    path = "/".join(parts)
    above, expected = node_keys.parent(path), list[str]()
    while above is not None:
        expected.insert(0, above)
        above = node_keys.parent(above)
    assert node_keys.ancestors(path) == expected


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize("name", ["a", "A b", "é", ".a", "a.", "_a", "..a", "0", "c", "x.zarr"])
def test_any_other_name_is_a_node_s(name: str, zarr_format: ZarrFormat) -> None:
    assert node_keys.node_name_fault(name, zarr_format) is None


@pytest.mark.parametrize(
    ("name", "formats"),
    [
        ("", {2, 3}),
        (".", {2, 3}),
        ("..", {2, 3}),
        ("....", {2, 3}),
        ("a/b", {2, 3}),
        ("zarr.json", {2, 3}),
        ("__", {3}),
        ("__a", {3}),
        (".zarray", {2}),
        (".zgroup", {2}),
        (".zattrs", {2}),
        (".zmetadata", {2}),
    ],
)
def test_names_that_a_new_node_cannot_have(name: str, formats: set[int]) -> None:
    faults = {fmt: node_keys.node_name_fault(name, fmt) for fmt in get_args(ZarrFormat)}
    assert {fmt for fmt, fault in faults.items() if fault} == formats
    assert all(repr(name) in fault or not name for fault in faults.values() if fault)
