from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from zarrfs.arrays.locating import locate

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", ["zarr.json", ".zgroup", ".zarray"])
def test_store_begins_at_the_topmost_node(tmp_path: Path, name: str) -> None:
    (tmp_path / "a/b.zarr/c").mkdir(parents=True)
    for place in ("a/b.zarr", "a"):
        (tmp_path / place / name).write_bytes(b"{}")
    assert locate(tmp_path / "a/b.zarr/c/d") == (str(tmp_path / "a"), "b.zarr/c/d")
    assert locate(f"file://{tmp_path}/a/b.zarr") == (f"file://{tmp_path}/a", "b.zarr")


def test_without_nodes_it_begins_at_the_first_that_is_named_zarr(tmp_path: Path) -> None:
    assert locate(tmp_path / "a.zarr/b.zarr/c") == (str(tmp_path / "a.zarr"), "b.zarr/c")


def test_else_the_directory_is_the_store(tmp_path: Path) -> None:
    assert locate(str(tmp_path / "a/b")) == (str(tmp_path / "a/b"), "")


def test_dots_are_followed(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    assert locate(f"{tmp_path}/x/../a.zarr/b") == (f"{tmp_path}/a.zarr", "b")


def test_options_stay(tmp_path: Path) -> None:
    found = locate(f"fault+{tmp_path}/a.zarr/b?error=always")
    assert found == (f"fault+{tmp_path}/a.zarr?error=always", "b")


def test_other_stores_tell_themselves_where_they_begin(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"")
    (tmp_path / "zarr.json").write_bytes(b"{}")
    assert locate("memory://name/a/b") == ("memory://name", "a/b")
    assert locate(tmp_path / "x.zip/a") == (str(tmp_path / "x.zip"), "a")
    assert locate(tmp_path / "x.zip") == (str(tmp_path / "x.zip"), "")
