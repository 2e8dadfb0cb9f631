from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

import zarrfs
from zarrfs.errors import (
    MetadataError,
    NodeNameError,
    NodeNotFoundError,
    NodeTypeError,
    ReadOnlyError,
    StoreError,
    StoreNotFoundError,
    UrlError,
)

CLIMATE = Path(__file__).parents[1] / "data" / "bcsd" / "bcsd_v3.zarr.zip"


def test_a_group_gives_the_nodes_below_it(store: Path) -> None:
    group = zarrfs.open_group(store)

    assert group.attributes == {"title": "weather"}
    assert group.zarr_format == 3
    assert list(group) == ["deep", "sharded", "t"]
    assert isinstance(group["t"], zarrfs.Array)
    assert group["deep/er/scalar"].path == "deep/er/scalar"
    assert "deep/er" in group
    assert "nothing" not in group
    assert repr(group["deep"]) == "<zarrfs.Group /deep>"


def test_a_group_opens_the_nodes_below_it_in_turn(store: Path) -> None:
    nodes = dict(zarrfs.open_group(store, mode="r").items())
    assert {name: type(node) for name, node in nodes.items()} == {
        "deep": zarrfs.Group,
        "sharded": zarrfs.Array,
        "t": zarrfs.Array,
    }
    with pytest.raises(ReadOnlyError):
        nodes["t"][...] = 0  # type: ignore[index]  # it is an array


def test_a_node_that_cannot_be_read_is_told_in_its_turn(store: Path, tmp_path: Path) -> None:
    copied = shutil.copytree(store, tmp_path / "copy.zarr")
    (copied / "deep/zarr.json").write_text("{}")
    with pytest.raises(MetadataError, match=r"deep/zarr\.json: zarr_format: is missing"):
        list(zarrfs.open_group(copied).items())


def test_a_group_can_be_opened_as_what_it_is(store: Path) -> None:
    assert isinstance(zarrfs.open(store), zarrfs.Group)
    assert isinstance(zarrfs.open(store / "t"), zarrfs.Array)
    with pytest.raises(NodeTypeError, match="is a group, not an array; use open_group"):
        zarrfs.open_array(store)
    with pytest.raises(NodeTypeError, match="is an array, not a group; use open_array"):
        zarrfs.open_group(store / "t")


def test_the_tree_shows_arrays_with_type_and_shape(store: Path) -> None:
    assert zarrfs.open_group(store).tree().splitlines() == [
        "/",
        "├── deep/",
        "│   └── er/",
        "│       └── scalar uint8 ()",
        "├── sharded int16 (16, 16)",
        "└── t float32 (10, 7)",
    ]


def test_a_node_that_cannot_be_read_is_told_and_hurts_nobody(store: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.zarr"
    shutil.copytree(store, copy)
    (copy / "t" / "zarr.json").write_text("{")
    group = zarrfs.open_group(copy)

    assert "t (cannot be read: t/zarr.json:" in group.tree()
    with pytest.raises(MetadataError, match=r"^t/zarr\.json: "):
        group["t"]
    assert group["sharded"].path == "sharded"


def test_a_plain_directory_of_stores_is_a_group(store: Path) -> None:
    above = zarrfs.open_group(store.parent)

    assert list(above) == ["data.zarr"]
    assert above.attributes == {}
    assert above.zarr_format is None


def test_a_zip_made_from_the_parent_opens_at_its_only_node() -> None:
    assert zarrfs.open_group(CLIMATE).path == "bcsd_v3.zarr"
    assert zarrfs.open_array(CLIMATE / "bcsd_v3.zarr" / "tas").shape == (12, 33, 81)


@pytest.mark.parametrize("name", ["nothing", "t/c", "sharded/nothing"])
def test_a_path_without_a_node_says_so(store: Path, name: str) -> None:
    with pytest.raises((NodeNotFoundError, StoreNotFoundError), match=name):
        zarrfs.open(store / name)


def test_a_directory_without_nodes_says_so(tmp_path: Path) -> None:
    (tmp_path / "file.txt").write_text("not Zarr")

    with pytest.raises(NodeNotFoundError, match="and none below it"):
        zarrfs.open(tmp_path)


def test_an_unknown_scheme_is_named() -> None:
    with pytest.raises(UrlError, match="'gopher'"):
        zarrfs.open("gopher://host/data.zarr")


@pytest.mark.parametrize("path", [5, None, ("t",), slice(None), b"t", "..", "../t", "a//b", "\0"])
def test_what_names_no_node_is_not_there(store: Path, path: Any) -> None:
    group = zarrfs.open_group(store)
    assert path not in group
    with pytest.raises(NodeNotFoundError, match="no Zarr array or group at"):
        group[path]
    with pytest.raises(NodeNotFoundError):
        del group[path]


@pytest.mark.parametrize("path", [5, None, b"x", "..", "a/../b", "a//b", "__x", "a/zarr.json"])
def test_what_names_no_node_is_not_created(tmp_path: Path, path: Any) -> None:
    group = zarrfs.create_group(tmp_path)
    for create in (
        group.create_group,
        group.require_group,
        lambda path: group.create_array(path, shape=1, dtype="u1"),
    ):
        with pytest.raises(NodeNameError):
            create(path)
    assert list(group) == []


def test_names_are_drawn_on_one_line(tmp_path: Path) -> None:
    group = zarrfs.create_group(tmp_path)
    group.create_array("a\nb", shape=1, dtype="u1")
    group.create_group("c\x1b[2J\udcff")
    assert group.tree() == "/\n├── a\\nb uint8 (1,)\n└── c\\x1b[2J\\udcff/"
    assert repr(group["a\nb"]) == "<zarrfs.Array /a\\nb uint8 (1,)>"


@pytest.mark.parametrize("url", [None, 5, b"x", ["x"], True])
def test_what_is_no_url_is_refused(url: Any) -> None:
    for function in (zarrfs.open, zarrfs.open_array, zarrfs.load, zarrfs.create_group):
        with pytest.raises(UrlError, match=r"must be a str or a pathlib\.Path, not"):
            function(url)


def test_store_options_that_are_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UrlError, match="storage_options must be a mapping, such as"):
        zarrfs.open(tmp_path, storage_options="x")  # type: ignore[arg-type]  # what a user may try


@pytest.mark.parametrize("name", ["n" * 300, "n/" * 3000])
def test_a_path_that_no_disk_can_have_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(StoreError, match="File name too long"):
        zarrfs.open(tmp_path / name)
