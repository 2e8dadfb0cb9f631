from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.vfs.mounting import contents, memory_store, names, put_array, walk
from zarrfs.errors import EntryNotFoundError, UsageError
from zarrfs.vfs.filesystem import TREES

if TYPE_CHECKING:
    from tests.vfs.mounting import Show


def test_root_lists_readme_and_all_trees(show: Show) -> None:
    assert names(show(memory_store())) == ["README.txt", "bin/", "npy/", "zarr/"]


@pytest.mark.parametrize(
    ("views", "listed"),
    [
        (("all",), ["README.txt", "bin/", "npy/", "zarr/"]),
        (("none",), ["README.txt"]),
        (("npy",), ["README.txt", "npy/"]),
        (("zarr", "bin", "zarr"), ["README.txt", "bin/", "zarr/"]),
    ],
)
def test_chosen_trees_are_listed_and_all_open_by_name(
    show: Show, views: tuple[str, ...], listed: list[str]
) -> None:
    filesystem = show(memory_store(t=b"ab"), views=views)
    assert names(filesystem) == listed
    assert names(filesystem, "bin") == ["t.bin", "t.json"]
    assert contents(filesystem, "npy/t.npy").endswith(b"ab")
    assert contents(filesystem, "zarr/t/c/0") == b"ab"
    assert all(filesystem.entry(tree).is_directory for tree in TREES)


@pytest.mark.parametrize("views", [("tif",), ("",), ("bin", "all"), ("none", "bin")])
def test_view_that_does_not_exist_is_refused_with_those_that_do(
    show: Show, views: tuple[str, ...]
) -> None:
    with pytest.raises(UsageError, match="bin, npy, zarr"):
        show(memory_store(), views=views)


def test_layout_that_does_not_exist_is_refused_with_those_that_do(show: Show) -> None:
    with pytest.raises(UsageError, match="no layout 'h5'; there are: tree, bin, npy, zarr"):
        show(memory_store(), layout="h5")


@pytest.mark.parametrize("layout", TREES)
def test_layout_makes_one_tree_the_root(show: Show, layout: str) -> None:
    store = memory_store(t=b"ab", g=None, g__u=b"c")
    alone, tree = show(store, layout=layout), show(store)
    below = {(path, is_directory) for path, is_directory in walk(tree, layout)}
    assert {(f"{layout}/{path}", is_directory) for path, is_directory in walk(alone)} == below
    for path, is_directory in walk(alone):
        if not is_directory:
            assert contents(alone, path) == contents(tree, f"{layout}/{path}")


@pytest.mark.parametrize("layout", TREES)
def test_readme_and_other_trees_stand_in_the_tree_layout_only(show: Show, layout: str) -> None:
    filesystem = show(memory_store(), layout=layout)
    for name in ("README.txt", *TREES):
        with pytest.raises(EntryNotFoundError):
            filesystem.entry(name)


@pytest.mark.parametrize("layout", ["tree", *TREES])
def test_control_directory_is_not_listed_but_opens_in_every_layout(show: Show, layout: str) -> None:
    filesystem = show(memory_store(t=b"ab"), layout=layout)
    assert ".zarrfs/" not in names(filesystem)
    assert (filesystem.entry(".zarrfs").is_directory, filesystem.entry(".zarrfs").mode) == (
        True,
        0o500,
    )
    assert names(filesystem, ".zarrfs") == ["log", "stats.json", "version"]
    assert filesystem.entry(".zarrfs/log").mode == 0o400
    assert contents(filesystem, ".zarrfs/version") == b"1.2\n"


def test_nodes_named_like_a_tree_or_the_readme_do_not_hide_it(show: Show) -> None:
    store = memory_store(bin=None, bin__zarr=b"ab", npy=b"cd")
    put_array(store, "README.txt")
    put_array(store, ".zarrfs", b"xyz")
    filesystem = show(store)
    assert names(filesystem) == ["README.txt", "bin/", "npy/", "zarr/"]
    assert names(filesystem, "bin") == [
        ".zarrfs.bin",
        ".zarrfs.json",
        "README.txt.bin",
        "README.txt.json",
        "bin/",
        "npy.bin",
        "npy.json",
    ]
    assert contents(filesystem, "bin/bin/zarr.bin") == b"ab"
    assert contents(filesystem, "zarr/.zarrfs/c/0") == b"xyz"


def test_key_or_group_that_the_control_directory_stands_before_is_not_listed(show: Show) -> None:
    store = memory_store()
    put_array(store, ".zarrfs/t")
    store.set(".zarrfs/zarr.json", store.get("zarr.json"))
    for layout in ("zarr", "bin"):
        filesystem = show(store, layout=layout)
        assert ".zarrfs/" not in names(filesystem)
        assert names(filesystem, ".zarrfs") == ["log", "stats.json", "version"]


@pytest.mark.parametrize("path", ["nothing", "bin/nothing", "README.txt/x", ".zarrfs/x", "zarr/x"])
def test_what_is_not_there_is_an_error_to_every_question(show: Show, path: str) -> None:
    filesystem = show(memory_store())
    for question in (filesystem.entry, filesystem.names, filesystem.open):
        with pytest.raises(EntryNotFoundError):
            question(path)


@pytest.mark.parametrize("path", ["", "bin", "bin/g", "zarr", "zarr/g", ".zarrfs"])
def test_directory_cannot_be_opened_as_a_file(show: Show, path: str) -> None:
    with pytest.raises(EntryNotFoundError):
        show(memory_store(g=None)).open(path)
