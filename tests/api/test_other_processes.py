"""Open arrays and groups in other processes: pickled, or forked."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import zarrfs
from zarrfs.api.group import open_found
from zarrfs.api.process_engine import process_engine
from zarrfs.arrays.hierarchy import Hierarchy
from zarrfs.arrays.object_locks import object_lock
from zarrfs.errors import MetadataError, NodeNotFoundError, NodeTypeError, ReadOnlyError
from zarrfs.stores.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

UNPICKLE = """
import pickle, sys
array = pickle.loads(sys.stdin.buffer.read())
array[1] = 7
print(array[...].tolist(), array.attributes["units"])
"""


def pickled(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))


def test_a_pickled_array_is_opened_by_another_process(tmp_path: Path) -> None:
    z = zarrfs.save(tmp_path / "x.zarr/a", [1, 2, 3], attributes={"units": "K"})
    there = subprocess.run(
        [sys.executable, "-c", UNPICKLE], input=pickle.dumps(z), capture_output=True, check=True
    )
    assert there.stdout == b"[1, 7, 3] K\n"
    assert z[...].tolist() == [1, 7, 3]


def test_what_is_pickled_keeps_how_it_was_opened(tmp_path: Path) -> None:
    zarrfs.save(tmp_path / "x.zarr/g/a", [1, 2])
    group = pickled(zarrfs.open_group(tmp_path / "x.zarr", mode="r"))
    array = pickled(group["g/a"])
    for opened in (group["g/a"], array):
        with pytest.raises(ReadOnlyError, match="opened with mode='r'"):
            opened[0] = 5
    array = pickled(zarrfs.open_array(tmp_path / "x.zarr/g/a", write_empty_chunks=True))
    array[...] = 0
    assert (tmp_path / "x.zarr/g/a/c/0").exists()


def test_arrays_in_zips_and_in_named_memory_can_be_pickled(tmp_path: Path) -> None:
    z = zarrfs.save("memory://pickling/a", [1, 2], overwrite=True)
    assert pickled(z)[...].tolist() == [1, 2]
    zarrfs.save(tmp_path / "x.zarr/a", [3, 4])
    shutil.make_archive(str(tmp_path / "x"), "zip", tmp_path / "x.zarr")
    assert pickled(zarrfs.open(tmp_path / "x.zip"))["a"][...].tolist() == [3, 4]


def test_what_lies_in_private_memory_cannot_be_pickled() -> None:
    hierarchy = Hierarchy(MemoryStore())
    group = open_found(hierarchy, hierarchy.node(""), process_engine())
    with pytest.raises(TypeError, match="a private store in memory cannot be pickled"):
        pickle.dumps(group)


def test_what_has_become_of_an_array_is_told_when_it_is_unpickled(tmp_path: Path) -> None:
    data = pickle.dumps(zarrfs.save(tmp_path / "x.zarr/a", [1]))
    (tmp_path / "x.zarr/a/zarr.json").write_text("{")
    with pytest.raises(MetadataError):
        pickle.loads(data)
    group = zarrfs.open_group(tmp_path / "x.zarr")
    group.create_group("a", overwrite=True)
    with pytest.raises(NodeTypeError, match="'a' is a group now"):
        pickle.loads(data)
    del group["a"]
    with pytest.raises(NodeNotFoundError):
        pickle.loads(data)


def in_fork(function: Callable[[], object]) -> str:
    """Call a function in a forked process; return what it returns, as text."""
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.write(writer, repr(function()).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        answer = pipe.read().decode()
    os.waitpid(pid, 0)
    return answer


def test_a_forked_process_has_threads_of_its_own(tmp_path: Path) -> None:
    z = zarrfs.save(tmp_path / "x", np.arange(10_000), chunks=100)
    assert z.read_bytes(8, 8) == (1).to_bytes(8, "little")

    def use() -> int:
        z[::2] = 1
        return len(z.read_bytes()) + int(z[...].sum())

    expected = 80_000 + 5_000 + sum(range(1, 10_000, 2))
    assert in_fork(use) == str(expected)
    assert z[...].sum() == expected - 80_000


def test_a_forked_process_does_not_wait_for_locks_of_its_parent() -> None:
    with object_lock("memory://x", "c/0"):
        assert in_fork(lambda: object_lock("memory://x", "c/0").acquire(timeout=5)) == "True"
