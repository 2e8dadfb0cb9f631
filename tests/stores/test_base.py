"""What a store has without doing anything for it, and byte ranges as stores resolve them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contracts.store_contract import RANGES, StoreContract
from zarrfs.errors import ReadOnlyError, StoreError
from zarrfs.stores.base import Buffer, Capabilities, Listed, ObjectInfo, Store
from zarrfs.stores.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.contracts.store_contract import Seed
    from zarrfs.byte_range import ByteRange


class LeastStore(Store):
    """A store with no more than the protocol demands."""

    def __init__(self, contents: Mapping[str, bytes]) -> None:
        self._memory = MemoryStore()
        for key, value in contents.items():
            self._memory.set(key, value)

    @property
    def url(self) -> str:
        return self._memory.url

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(writable=False)

    def get(self, key: str, byte_range: ByteRange | None = None) -> Buffer:
        return self._memory.get(key, byte_range)

    def stat(self, key: str) -> ObjectInfo:
        return self._memory.stat(key)

    def list_dir(self, prefix: str) -> list[Listed]:
        return self._memory.list_dir(prefix)


class TestLeastStore(StoreContract):
    @pytest.fixture
    def seed(self) -> Seed:
        return LeastStore


def test_store_refuses_what_it_does_not_define() -> None:
    store = LeastStore({"k": b"value"})
    with pytest.raises(ReadOnlyError, match="cannot set k in memory://: the store is read-only"):
        store.set("k", b"")
    with pytest.raises(ReadOnlyError, match="cannot delete k"):
        store.delete("k")
    with pytest.raises(StoreError, match="cannot test and set"):
        store.set_new("n", b"")
    with pytest.raises(StoreError, match="cannot rename"):
        store.rename("k", "n")
    assert store.disk_usage() is None


@given(RANGES, st.integers(0, 50))
def test_range_resolves_to_the_bytes_asked_for_that_exist(span: ByteRange, total: int) -> None:
    start, stop = span.resolve(total)
    first = span.offset if span.offset >= 0 else total + span.offset
    asked = range(first, max(total, first) if span.size is None else first + span.size)
    assert list(range(start, stop)) == [at for at in asked if 0 <= at < total]
