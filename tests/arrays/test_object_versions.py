from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from zarrfs.arrays.object_versions import MISSING, UNKNOWN, ObjectVersions
from zarrfs.errors import StoreError
from zarrfs.stores.faulty import FaultyStore
from zarrfs.stores.memory import MemoryStore

if TYPE_CHECKING:
    from zarrfs.stores.base import Capabilities, ObjectInfo


class RemoteStore(MemoryStore):
    """One whose `stat` is a request."""

    @property
    def capabilities(self) -> Capabilities:
        return dataclasses.replace(super().capabilities, cheap_stat=False)


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore()
    store.set("a", b"1")
    return store


@pytest.mark.parametrize("key", ["a", "b"])
def test_a_change_of_an_object_that_was_read_is_noticed(store: MemoryStore, key: str) -> None:
    versions = ObjectVersions(store)
    versions.record("a")
    versions.record("b")  # missing
    assert not versions.changed()
    store.set(key, b"2")
    assert versions.changed()


def test_an_object_that_was_deleted_has_changed(store: MemoryStore) -> None:
    versions = ObjectVersions(store)
    versions.record("a")
    store.delete("a")
    assert versions.changed()


def test_an_object_that_was_not_read_does_not_matter(store: MemoryStore) -> None:
    versions = ObjectVersions(store)
    store.set("a", b"2")
    assert not versions.changed()


def test_the_first_version_read_counts(store: MemoryStore) -> None:
    versions = ObjectVersions(store)
    versions.record("a")
    store.set("a", b"2")
    versions.record("a")
    assert versions.changed()


def test_the_first_version_read_counts_whoever_is_slower() -> None:
    class Racing(MemoryStore):
        """While one thread asks for a version, another one reads, and the object changes."""

        is_first = True

        def stat(self, key: str) -> ObjectInfo:
            if self.is_first:
                self.is_first = False
                versions.record(key)
                self.set(key, b"2")
            return super().stat(key)

    store = Racing()
    store.set("a", b"1")
    versions = ObjectVersions(store)
    versions.record("a")
    assert versions.changed()


def test_a_version_that_came_with_the_object_is_noted(store: MemoryStore) -> None:
    versions = ObjectVersions(store)
    versions.note("a", store.stat("a").version)
    versions.note("b", MISSING)
    assert not versions.changed()
    versions.note("a", "another")  # the first one counts
    assert not versions.changed()
    store.set("b", b"2")
    assert versions.changed()


def test_forgetting_begins_anew(store: MemoryStore) -> None:
    versions = ObjectVersions(store)
    versions.record("a")
    store.set("a", b"2")
    versions.forget()
    assert not versions.changed()


def test_more_objects_than_are_kept_track_of_count_as_changed(store: MemoryStore) -> None:
    versions = ObjectVersions(store, max_objects=2)
    for key in ("a", "b", "a", "b"):
        versions.record(key)
    assert not versions.changed()
    versions.record("c")
    assert versions.changed()
    versions.forget()
    assert not versions.changed()


def test_present_tells_missing_objects(store: MemoryStore) -> None:
    versions = ObjectVersions(store)
    assert versions.present("b") == MISSING
    assert versions.present("a") not in (MISSING, UNKNOWN)


def test_a_store_without_cheap_stat_is_never_asked() -> None:
    store = FaultyStore(RemoteStore())
    versions = ObjectVersions(store)
    versions.record("a")
    versions.note("b", MISSING)
    assert versions.present("a") == UNKNOWN
    assert not versions.changed()
    assert store.operations == []


def test_a_store_that_fails_is_an_error(store: MemoryStore) -> None:
    faulty = FaultyStore(store)
    versions = ObjectVersions(faulty)
    faulty.inject(error="stat")
    with pytest.raises(StoreError, match="injected"):
        versions.record("a")
