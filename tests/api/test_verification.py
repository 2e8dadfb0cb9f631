"""What `verify` finds, by storing something wrong and looking for it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
import zarr

from tests.plain_arrays import write_array
from zarrfs.api import verification
from zarrfs.api.verification import verify
from zarrfs.errors import NodeNotFoundError, StoreNotFoundError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A group with two arrays of four chunks, each with a checksum."""
    path = tmp_path / "data.zarr"
    zarr.create_group(path)
    for name in ("a", "b"):
        write_array(path / name, np.arange(16, dtype="i4").reshape(4, 4), (2, 2), checksum=True)
    return path


def test_sound_arrays_have_no_faults(root: Path) -> None:
    found = verify(root)

    assert (found.path, found.n_arrays, found.n_objects) == ("/", 2, 8)
    assert (found.n_bad, found.bad, found.n_stray, found.stray) == (0, [], 0, [])


def test_only_the_node_that_was_asked_for_is_read(root: Path) -> None:
    (root / "b/c/0/0").write_bytes(b"")

    found = verify(root / "a")

    assert (found.n_arrays, found.n_objects, found.n_bad) == (1, 4, 0)


def test_a_chunk_that_was_never_written_is_no_fault(root: Path) -> None:
    (root / "a/c/0/0").unlink()

    assert (verify(root).n_objects, verify(root).n_bad) == (7, 0)


def test_a_changed_byte_is_a_fault_of_its_object(root: Path) -> None:
    chunk = root / "b/c/1/0"
    chunk.write_bytes(b"\1" + chunk.read_bytes()[1:])

    found = verify(root)

    assert (found.n_objects, found.n_bad) == (8, 1)
    [fault] = found.bad
    assert (fault.array, fault.key, fault.chunks) == ("/b", "b/c/1/0", ((1, 0),))
    assert fault.reason.startswith("cannot decode with crc32c: ")
    assert "b/c/1/0" not in fault.reason


def test_faults_are_sorted_by_key(root: Path) -> None:
    for key in ("b/c/0/1", "a/c/1/1", "a/c/0/0"):
        (root / key).write_bytes(b"short")

    assert [fault.key for fault in verify(root).bad] == ["a/c/0/0", "a/c/1/1", "b/c/0/1"]


def test_lost_inner_chunks_of_a_shard_are_told_by_their_coordinates(tmp_path: Path) -> None:
    array = zarr.create_array(
        tmp_path / "s", shape=(8, 8), chunks=(2, 2), shards=(4, 4), dtype="u1", compressors=None
    )
    array[...] = np.arange(1, 65, dtype="u1").reshape(8, 8)
    shard = tmp_path / "s/c/0/1"
    shard.write_bytes(shard.read_bytes()[:-1] + b"\0")  # of the checksum of its index

    found = verify(tmp_path / "s")

    assert (found.n_objects, found.n_bad) == (4, 1)
    assert found.bad[0].key == "c/0/1"
    assert found.bad[0].chunks == ((0, 2), (0, 3), (1, 2), (1, 3))


def test_many_inner_chunks_are_read_in_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "_BATCH_BYTES", 8)
    array = zarr.create_array(tmp_path / "s", shape=(9,), chunks=(3,), shards=(9,), dtype="u1")
    array[...] = np.arange(1, 10, dtype="u1")
    data = bytearray((tmp_path / "s/c/0").read_bytes())
    data[:4] = b"\0\0\0\0"
    (tmp_path / "s/c/0").write_bytes(data)

    assert [fault.chunks for fault in verify(tmp_path / "s").bad] == [((0,),)]


def test_metadata_that_cannot_be_read_is_a_fault_and_the_rest_is_read(root: Path) -> None:
    (root / "a/zarr.json").write_text("{]")

    found = verify(root)

    assert (found.n_arrays, found.n_objects, found.n_bad) == (1, 4, 1)
    assert (found.bad[0].array, found.bad[0].key) == ("/a", "a/zarr.json")


def test_an_array_with_an_unknown_codec_is_a_fault(root: Path) -> None:
    document = json.loads((root / "a/zarr.json").read_text())
    document["codecs"].append({"name": "nosuch"})
    (root / "a/zarr.json").write_text(json.dumps(document))

    [fault] = verify(root / "a").bad
    assert (fault.array, fault.key, fault.chunks) == ("/a", "a/zarr.json", ())
    assert "'nosuch'" in fault.reason


def test_keys_that_are_no_chunks_are_stray(root: Path) -> None:
    (root / "a/c/9").mkdir()
    (root / "a/c/9/0").write_bytes(b"outside the grid")
    (root / "a/notes.txt").write_bytes(b"")
    (root / "readme.txt").write_bytes(b"below a group anything may lie")

    found = verify(root)

    assert (found.n_stray, found.n_bad, found.n_objects) == (2, 0, 8)
    assert found.stray == ["a/c/9/0", "a/notes.txt"]


def test_lists_are_cut_but_all_is_counted(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "MAX_LISTED", 2)
    for key in ("0/0", "0/1", "1/0"):
        (root / "a/c" / key).write_bytes(b"")
        (root / "b" / key.replace("/", "-")).write_bytes(b"")

    found = verify(root)

    assert (found.n_bad, len(found.bad), found.n_stray, len(found.stray)) == (3, 2, 3, 2)


def test_objects_that_the_store_cannot_give_are_faults(root: Path) -> None:
    found = verify(f"fault+{root}?error=get&keys=b/c/*")

    assert (found.n_objects, found.n_bad) == (8, 4)
    assert found.bad[0].key == "b/c/0/0"
    assert found.bad[0].reason.startswith("cannot get: ")


def test_an_array_whose_keys_cannot_be_listed_is_a_fault(root: Path) -> None:
    found = verify(f"fault+{root}?error=list&keys=a/")

    assert (found.n_objects, found.n_bad) == (4, 1)
    assert found.bad[0].array == "/a"
    assert found.bad[0].reason.startswith("cannot list: ")


def test_progress_ends_with_all_keys(root: Path) -> None:
    told: list[tuple[int, int]] = []

    verify(root, progress=lambda n_done, n_keys: told.append((n_done, n_keys)))

    assert [n_keys for _, n_keys in told] == [11] * len(told)
    assert [n_done for n_done, _ in told] == [*range(1, 11), 11]


def test_places_without_nodes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NodeNotFoundError, match="none below it"):
        verify(tmp_path)
    with pytest.raises(StoreNotFoundError):
        verify(tmp_path / "nosuch")
