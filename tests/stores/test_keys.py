"""Which strings are keys, and that an index lists like a dict."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contracts.store_contract import (
    KEYS,
    NO_KEYS,
    NO_PREFIXES,
    ODD_KEYS,
    PARTS,
    listing_of,
)
from zarrfs.errors import StoreError
from zarrfs.stores.keys import KeyIndex, check_key, check_prefix, is_key, is_prefix


@pytest.mark.parametrize("key", ODD_KEYS)
def test_odd_keys_are_keys(key: str) -> None:
    assert is_key(key)
    assert is_prefix(f"{key}/")
    check_key("get", key, "store")


@pytest.mark.parametrize("text", NO_KEYS)
def test_what_could_leave_the_store_is_no_key(text: str) -> None:
    assert not is_key(text)
    with pytest.raises(StoreError) as caught:
        check_key("get", text, "store://x")
    assert (caught.value.operation, caught.value.key) == ("get", text)
    assert "is not a key" in caught.value.reason


@pytest.mark.parametrize("text", NO_PREFIXES)
def test_what_is_no_key_and_a_slash_is_no_prefix(text: str) -> None:
    assert not is_prefix(text)
    with pytest.raises(StoreError, match="is not a prefix"):
        check_prefix(text, "store://x")


@given(st.lists(KEYS, max_size=15), st.lists(KEYS, max_size=15), st.lists(PARTS, max_size=3))
def test_index_lists_what_was_added_and_not_removed(
    keys: list[str], removed: list[str], parts: list[str]
) -> None:
    index = KeyIndex(keys)
    contents = dict.fromkeys(keys, b"")
    for key in removed:
        if key in contents:
            index.remove(key)
            del contents[key]
        else:
            index.add(key)
            contents[key] = b""
    prefix = "".join(f"{part}/" for part in parts)
    assert index.list_dir(prefix) == listing_of(contents, prefix)
    assert index.has_prefix(prefix) == any(key.startswith(prefix) for key in contents)
