"""Memory stores: the contract, and what is shared between stores of one name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contracts.store_contract import WritableStoreContract
from zarrfs.errors import KeyNotFoundError
from zarrfs.stores.base import Listed
from zarrfs.stores.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from zarrfs.stores.base import Store


class TestMemoryStore(WritableStoreContract):
    @pytest.fixture
    def make(self) -> Callable[[], Store]:
        return MemoryStore


def test_stores_of_one_name_share_objects() -> None:
    first, second = MemoryStore("test_share"), MemoryStore("test_share")
    first.set("k", b"value")
    assert second.get("k") == b"value"
    first.close()
    assert MemoryStore("test_share").get("k") == b"value"


def test_stores_of_other_names_and_private_ones_do_not_share() -> None:
    MemoryStore("test_apart").set("k", b"value")
    for other in (MemoryStore("test_apart_2"), MemoryStore(), MemoryStore("")):
        with pytest.raises(KeyNotFoundError):
            other.get("k")


def test_clear_empties_all_stores_of_the_name() -> None:
    first, second = MemoryStore("test_clear"), MemoryStore("test_clear")
    first.set("a/k", b"value")
    second.clear()
    assert first.list_dir("") == []
    first.set("k", b"again")
    assert second.get("k") == b"again"


def test_name_can_be_key_and_prefix() -> None:
    store = MemoryStore()
    store.set("a", b"1")
    store.set("a/b", b"2")
    store.set("a-", b"3")
    assert store.list_dir("") == [
        Listed(name="a", is_prefix=False),
        Listed(name="a", is_prefix=True),
        Listed(name="a-", is_prefix=False),
    ]


def test_url_names_the_store() -> None:
    assert MemoryStore("name").url == "memory://name"
    assert MemoryStore().url == "memory://"
