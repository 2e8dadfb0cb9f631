"""``zarrfs create-group``, ``resize`` and ``consolidate``."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

import zarrfs as api

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Program = Callable[..., tuple[int, str, str]]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A group with an array of 6 chunks."""
    path = tmp_path / "d.zarr"
    api.create_group(path)
    api.save(path / "t", np.arange(1, 25).reshape(4, 6), chunks=(2, 2))
    return path


# --- create-group -------------------------------------------------------------------------------


def test_group_with_attributes(zarrfs: Program, tmp_path: Path) -> None:
    code, output, _ = zarrfs("create-group", tmp_path / "g.zarr/a/b", "--attributes", '{"x": [1]}')
    assert (code, output) == (0, "created group /a/b\n")
    assert dict(api.open_group(tmp_path / "g.zarr/a/b").attributes) == {"x": [1]}
    assert list(api.open_group(tmp_path / "g.zarr")) == ["a"]


def test_group_of_v2(zarrfs: Program, tmp_path: Path) -> None:
    assert zarrfs("create-group", tmp_path / "g.zarr", "--zarr-format", "2")[0] == 0
    assert json.loads((tmp_path / "g.zarr/.zgroup").read_text()) == {"zarr_format": 2}


def test_group_that_is_there_is_a_failure(zarrfs: Program, root: Path) -> None:
    code, _, message = zarrfs("create-group", root / "t")
    assert code == 1
    assert message == f"zarrfs: there is an array or group at {root / 't'} already\n"


def test_group_with_wrong_attributes_is_not_created(zarrfs: Program, tmp_path: Path) -> None:
    code, _, message = zarrfs("create-group", tmp_path / "g.zarr", "--attributes", "3")
    assert (code, message.count("\n")) == (2, 1)
    assert not (tmp_path / "g.zarr").exists()


def test_group_in_a_zip_is_a_failure(zarrfs: Program, tmp_path: Path) -> None:
    code, _, message = zarrfs("create-group", tmp_path / "g.zip")
    assert (code, message.count("\n")) == (1, 1)


# --- resize -------------------------------------------------------------------------------------


def test_growing_keeps_elements(zarrfs: Program, root: Path) -> None:
    code, output, _ = zarrfs("resize", root / "t", "--shape", "5,8")
    assert (code, output) == (0, "resized /t: (4, 6) to (5, 8)\n")
    assert api.load(root / "t").sum() == sum(range(1, 25))


def test_shrinking_tells_what_is_deleted(zarrfs: Program, root: Path) -> None:
    code, output, _ = zarrfs("resize", root / "t", "--shape", "4,3")
    assert (code, output) == (0, "resized /t: (4, 6) to (4, 3), 2 chunks deleted\n")
    zarrfs("resize", root / "t", "--shape", "4,6")
    assert api.load(root / "t")[0].tolist() == [1, 2, 3, 0, 0, 0]


def test_shrinking_of_shards(zarrfs: Program, tmp_path: Path) -> None:
    api.save(tmp_path / "s", np.ones(8), chunks=(2,), shards=(4,))
    assert ", 1 shards deleted" in zarrfs("resize", tmp_path / "s", "--shape", "3")[1]


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ([], "--shape is needed"),
        (["--shape", "4"], "the array has 2 dimensions, (4, 6)"),
        (["--shape", "4,x"], "'x' is no length"),
        (["--shape", "4,6", "-o", "colour=red"], "colour"),
    ],
)
def test_wrong_shape_is_wrong_usage(
    arguments: list[str], part: str, zarrfs: Program, root: Path
) -> None:
    code, output, message = zarrfs("resize", root / "t", *arguments)
    assert (code, output, message.count("\n")) == (2, "", 1)
    assert part in message


def test_group_has_no_shape(zarrfs: Program, root: Path) -> None:
    code, _, message = zarrfs("resize", root, "--shape", "1")
    assert (code, message.count("\n")) == (1, 1)
    assert "is a group" in message


# --- consolidate --------------------------------------------------------------------------------


def test_consolidating_tells_the_number_of_nodes(zarrfs: Program, root: Path) -> None:
    zarrfs("create-group", root / "g")
    code, output, _ = zarrfs("consolidate", root)
    assert (code, output) == (0, "consolidated the metadata of 2 nodes below /\n")
    document = json.loads((root / "zarr.json").read_text())
    assert sorted(document["consolidated_metadata"]["metadata"]) == ["g", "t"]


def test_array_cannot_be_consolidated(zarrfs: Program, root: Path) -> None:
    code, _, message = zarrfs("consolidate", root / "t")
    assert (code, message.count("\n")) == (1, 1)
    assert "only groups can be consolidated" in message


def test_what_is_told_by_the_way_names_the_program(zarrfs: Program, root: Path) -> None:
    assert zarrfs("consolidate", root)[0] == 0
    resize = [sys.executable, "-m", "zarrfs", "resize", str(root / "t"), "--shape", "4,8"]
    done = subprocess.run(resize, capture_output=True, text=True, check=True)
    assert done.stderr.startswith("zarrfs: the consolidated metadata of '/' are taken away")
    assert done.stderr.count("\n") == 1
