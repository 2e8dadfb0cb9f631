"""``zarrfs verify``: what it prints, and its exit codes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
import zarr

from tests.plain_arrays import write_array

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Program = Callable[..., tuple[int, str, str]]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A group with an array of four chunks, each with a checksum."""
    path = tmp_path / "data.zarr"
    zarr.create_group(path)
    write_array(path / "t", np.arange(16, dtype="i4").reshape(4, 4), (2, 2), checksum=True)
    return path


def test_sound_store(zarrfs: Program, root: Path) -> None:
    code, output, messages = zarrfs("verify", root)
    assert (code, output) == (0, "4 objects of 1 arrays read: 0 bad\n")
    assert messages == "zarrfs: reading: 100 % (6 of 6)\n"


def test_bad_chunks_are_listed_with_key_and_reason(zarrfs: Program, root: Path) -> None:
    (root / "t/c/1/0").write_bytes(bytes(20))
    code, output, _ = zarrfs("verify", root)
    head, line, counts = output.splitlines()
    assert code == 1
    assert head.split() == ["STATE", "KEY", "REASON"]
    assert line.startswith("bad    t/c/1/0  cannot decode with crc32c: ")
    assert counts == "4 objects of 1 arrays read: 1 bad"


def test_stray_keys_are_only_told(zarrfs: Program, root: Path) -> None:
    (root / "t/notes.txt").write_bytes(b"")
    code, output, _ = zarrfs("verify", root / "t")
    assert code == 0
    assert "stray  t/notes.txt  is no chunk of the array above it\n" in output
    assert output.endswith("0 bad, 1 stray\n")


def test_what_is_found_as_json(zarrfs: Program, root: Path) -> None:
    (root / "t/c/0/1").write_bytes(b"short")
    (root / "t/zarr.json.bak").write_bytes(b"")
    code, output, _ = zarrfs("verify", root, "--json")
    found = json.loads(output)
    assert code == 1
    assert (found["n_arrays"], found["n_objects"], found["n_bad"], found["n_stray"]) == (1, 4, 1, 1)
    assert found["bad"][0]["key"] == "t/c/0/1"
    assert found["bad"][0]["chunks"] == [[0, 1]]
    assert found["stray"] == ["t/zarr.json.bak"]


def test_many_lost_inner_chunks_are_shortened(zarrfs: Program, tmp_path: Path) -> None:
    zarr.create_array(tmp_path, shape=(8,), chunks=(1,), shards=(8,), dtype="u1")[...] = 1
    (tmp_path / "c/0").write_bytes(bytes(200))
    code, output, _ = zarrfs("verify", tmp_path)
    assert code == 1
    assert "(8 inner chunks: (0,), (1,), (2,), …)" in output


def test_rest_of_a_long_list_is_counted(
    zarrfs: Program, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zarrfs.api.verification.MAX_LISTED", 1)
    for key in ("0/0", "0/1", "1/0"):
        (root / "t/c" / key).write_bytes(b"")
    assert "\nand 2 more\n" in zarrfs("verify", root)[1]


def test_no_node_is_a_failure(zarrfs: Program, tmp_path: Path) -> None:
    code, output, message = zarrfs("verify", tmp_path)
    assert (code, output) == (1, "")
    assert "none below it" in message


def test_unknown_store_option_is_wrong_usage(zarrfs: Program, root: Path) -> None:
    assert zarrfs("verify", root, "-o", "colour=red")[0] == 2
