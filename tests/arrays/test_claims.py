"""Of several processes that put something at one place, one does, and the others are told."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from zarrfs.arrays.claims import CLAIM, claim, is_abandoned
from zarrfs.arrays.hierarchy import Hierarchy
from zarrfs.arrays.new_arrays import NewArray, new_metadata
from zarrfs.arrays.node_creation import create_array, create_group
from zarrfs.arrays.node_writing import delete_node
from zarrfs.errors import NodeExistsError, StoreError
from zarrfs.format.metadata import GroupMetadata
from zarrfs.stores.faulty import FaultyStore
from zarrfs.stores.local import LocalStore
from zarrfs.stores.memory import MemoryStore
from zarrfs.stores.processes import process_name

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from zarrfs.arrays.nodes import ArrayNode
    from zarrfs.stores.base import Capabilities

GROUP = GroupMetadata(zarr_format=3, attributes={})
ARRAY = new_metadata(NewArray(shape=4, dtype="u1", chunks=2))


def dead_name() -> str:
    """Name of a process of this host that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return f"{process_name().rpartition('~')[0]}~{process.pid}"


def keys(store: MemoryStore) -> list[str]:
    return sorted(store.list_prefix(""))


def test_a_claim_lasts_as_long_as_the_block() -> None:
    store = MemoryStore()
    with claim(store, "a"):
        assert keys(store) == [f"a/{CLAIM}"]
        with (
            pytest.raises(
                NodeExistsError, match=r"process \d+ of host .* is putting something at 'a'"
            ),
            claim(store, "a"),
        ):
            pass
        with claim(store, "b"):
            pass
        assert keys(store) == [f"a/{CLAIM}"]
    assert keys(store) == []


def test_what_a_dead_process_claimed_can_be_had() -> None:
    store = MemoryStore()
    store.set(CLAIM, dead_name().encode())
    assert is_abandoned(store, "")
    with claim(store, ""):
        assert store.get(CLAIM) == process_name().encode()
    assert keys(store) == []


@pytest.mark.parametrize("owner", ["elsewhere~boot~1", "rubbish"])
def test_of_processes_elsewhere_nobody_knows_whether_they_live(owner: str) -> None:
    store = MemoryStore()
    store.set(f"a/{CLAIM}", owner.encode())
    with pytest.raises(NodeExistsError, match=rf"wait for it, or delete 'a/{CLAIM}' if it"):
        create_array(Hierarchy(store), "a", ARRAY, overwrite=True)


def test_a_store_that_cannot_test_and_set_has_no_claims(tmp_path: Path) -> None:
    class Plain(LocalStore):
        @property
        def capabilities(self) -> Capabilities:
            return replace(super().capabilities, conditional=False)

    with claim(Plain(tmp_path), "a"):
        assert list(tmp_path.iterdir()) == []


def test_a_claim_that_cannot_be_deleted_is_told(expected_logs: Callable[[str], None]) -> None:
    store = FaultyStore(MemoryStore())
    expected_logs(r"'a/\.zarrfs-claim' is not needed any more, but could not be deleted")
    with claim(store, "a"):
        store.inject(error="always:delete")


def test_chunks_that_a_dead_process_left_are_deleted() -> None:
    store = MemoryStore()
    store.set(CLAIM, dead_name().encode())
    store.set("c/0", b"half")
    create_array(Hierarchy(store), "", ARRAY)
    assert keys(store) == ["zarr.json"]


def test_an_array_that_a_dead_process_had_claimed_is_not_deleted() -> None:
    store = MemoryStore()
    create_array(Hierarchy(store), "", ARRAY)
    store.set(CLAIM, dead_name().encode())
    with pytest.raises(NodeExistsError, match="overwrite replaces it"):
        create_array(Hierarchy(store), "", ARRAY)
    assert keys(store) == [CLAIM, "zarr.json"]
    create_array(Hierarchy(store), "", ARRAY, overwrite=True)
    assert keys(store) == ["zarr.json"]


def test_nobody_gets_between_chunks_and_metadata() -> None:
    store = MemoryStore()
    others: list[Callable[[], object]] = [
        lambda: create_array(Hierarchy(store), "a", ARRAY),
        lambda: create_array(Hierarchy(store), "a", ARRAY, overwrite=True),
        lambda: create_array(Hierarchy(store), "a", ARRAY, fill=lambda node: None),
        lambda: create_group(Hierarchy(store), "a", GROUP),
        lambda: create_group(Hierarchy(store), "a", GROUP, overwrite=True),
    ]

    def fill(node: ArrayNode) -> None:
        store.set("a/c/0", b"x")
        for create in others:
            with pytest.raises(NodeExistsError, match="is putting something at 'a'"):
                create()

    create_array(Hierarchy(store), "a", ARRAY, fill=fill)
    assert keys(store) == ["a/c/0", "a/zarr.json", "zarr.json"]


def test_nothing_above_an_array_that_is_being_filled_is_deleted() -> None:
    store = MemoryStore()

    def fill(node: ArrayNode) -> None:
        store.set("g/a/c/0", b"x")
        with pytest.raises(NodeExistsError, match="is putting something at 'g/a'"):
            create_group(Hierarchy(store), "g", GROUP, overwrite=True)
        for path in ("", "g", "g/a"):
            with pytest.raises(NodeExistsError, match="is putting something at 'g/a'"):
                delete_node(Hierarchy(store), path)

    create_array(Hierarchy(store), "g/a", ARRAY, fill=fill)
    assert keys(store) == ["g/a/c/0", "g/a/zarr.json", "g/zarr.json", "zarr.json"]
    store.set(f"g/b/{CLAIM}", dead_name().encode())
    delete_node(Hierarchy(store), "g")
    assert keys(store) == ["zarr.json"]


def test_who_claims_after_another_has_finished_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    set_new = store.set_new

    def set_new_late(key: str, data: bytes) -> bool:
        monkeypatch.setattr(store, "set_new", set_new)
        create_array(Hierarchy(store), "a", ARRAY, fill=lambda node: store.set("a/c/0", b"x"))
        return set_new(key, data)

    monkeypatch.setattr(store, "set_new", set_new_late)
    with pytest.raises(NodeExistsError, match="there is an array or group at 'a'"):
        create_array(Hierarchy(store), "a", ARRAY, fill=lambda node: store.set("a/c/1", b"y"))
    assert keys(store) == ["a/c/0", "a/zarr.json", "zarr.json"]


def test_an_array_that_cannot_be_filled_leaves_no_claim() -> None:
    store = MemoryStore()

    def fail(node: ArrayNode) -> None:
        store.set("a/c/0", b"x")
        raise StoreError("set", "a/c/1", "no", store="here")

    with pytest.raises(StoreError):
        create_array(Hierarchy(store), "a", ARRAY, fill=fail)
    assert keys(store) == ["zarr.json"]
