from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zarrfs.format import node_keys

names = st.text("ab.é_- ", min_size=1, max_size=4).filter(lambda n: not node_keys.name_fault(n))
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


@given(paths, st.sampled_from([".zgroup", ".zmetadata", "zarr.json"]))
def test_metadata_key_splits_into_what_it_was_made_of(path: str, document: str) -> None:
    key = node_keys.metadata_key(path, document)
    assert node_keys.is_metadata_key(key)
    assert node_keys.split_metadata_key(key) == (path, document)


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


@pytest.mark.parametrize("key", ["", "c/0/0", "zarr.json/c", "xzarr.json", "a/.zarrays"])
def test_other_keys_are_no_metadata(key: str) -> None:
    assert not node_keys.is_metadata_key(key)
    assert node_keys.split_metadata_key(key) is None


@pytest.mark.parametrize(
    "name", ["", ".", "..", "...", "a/b", "/", "__", "__meta", "zarr.json", ".zarray", ".zgroup"]
)
def test_reserved_names_have_a_fault(name: str) -> None:
    assert node_keys.name_fault(name)


@pytest.mark.parametrize("name", ["a", ".a", "a.", "_a", "c", "0", "π", "a b", "ZARR.JSON"])
def test_other_names_have_none(name: str) -> None:
    assert node_keys.name_fault(name) is None
