from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zarrfs.format import node_keys

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
