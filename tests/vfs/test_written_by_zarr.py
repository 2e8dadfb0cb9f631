"""Stores that zarr-python wrote, as a whole: what is listed, and every byte of it."""

from __future__ import annotations

import io
import json
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import zarr

from tests.vfs.mounting import contents, names, read, walk
from zarrfs.stores.local import LocalStore
from zarrfs.stores.memory import MemoryStore
from zarrfs.vfs.filesystem import TREES
from zarrfs.views.registry import FORMATS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.vfs.mounting import Show
    from zarrfs.stores.base import Store

pytestmark = pytest.mark.interop

DTYPES = ("?", "i1", ">i2", "u4", "<i8", "f2", ">f4", "f8", "c8", "M8[s]", "m8[ns]", "S3", "U2")


def element(dtype: str, shape: tuple[int, ...], seed: int) -> Any:
    numbers = np.random.default_rng(seed).integers(0, 100, shape)
    if np.dtype(dtype).kind in "mM":
        return numbers.astype("i8").view(dtype)
    return numbers.astype(dtype)


def write(path: Path, zarr_format: Any) -> dict[str, Any]:
    """Write a hierarchy; return the arrays by their path."""
    arrays: dict[str, Any] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # types that v3 has not standardised yet
        root = zarr.open_group(path, mode="w", zarr_format=zarr_format, attributes={"a": 1})
        deep = root.create_group("ocean").create_group("surface")
        root.create_group("empty")
        for number, dtype in enumerate(DTYPES):
            for group, shape, chunks in (
                (root, (7, 5), (3, 2)),
                (deep, (11,), (4,)),
            ):
                values = element(dtype, shape, number)
                name = f"v{number}"
                array = group.create_array(
                    name, shape=shape, chunks=chunks, dtype=dtype, attributes={"n": number}
                )
                array[...] = values
                arrays[array.path] = values
        for name, empty in (("scalar", ()), ("none", (0, 3))):
            root.create_array(name, shape=empty, dtype="f8", fill_value=2.5)
            arrays[name] = np.full(empty, 2.5)
        sparse = root.create_array("sparse", shape=(10,), chunks=(3,), dtype="i4", fill_value=-1)
        sparse[4] = 9
        arrays["sparse"] = np.array([-1] * 4 + [9] + [-1] * 5, "i4")
        if zarr_format == 2:
            records = np.array([(1.5, 2), (2.5, 3)], [("x", "<f4"), ("n", ">i2")])
            root.create_array("records", shape=(2,), dtype=records.dtype)[:] = records
            arrays["records"] = records
        if zarr_format == 3:
            sharded = root.create_array(
                "sharded", shape=(8, 8), chunks=(2, 2), shards=(4, 4), dtype="u2"
            )
            sharded[...] = arrays["sharded"] = np.arange(64, dtype="u2").reshape(8, 8)
        root.create_array("words", shape=(2,), dtype=str)[:] = np.array(["a", "bc"], dtype=object)
    return arrays


@pytest.fixture(scope="module", params=[2, 3], ids=["v2", "v3"])
def written(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any]]:
    path = tmp_path_factory.mktemp("written") / "data.zarr"
    return path, write(path, request.param)


def in_memory(path: Path) -> MemoryStore:
    store = MemoryStore()
    for file in path.rglob("*"):
        if file.is_file():
            store.set(file.relative_to(path).as_posix(), file.read_bytes())
    return store


@pytest.fixture(params=["local", "memory"])
def store(request: pytest.FixtureRequest, written: tuple[Path, dict[str, Any]]) -> Store:
    return LocalStore(written[0]) if request.param == "local" else in_memory(written[0])


def expected_listing(arrays: dict[str, Any], suffixes: list[str]) -> Iterator[str]:
    """Yield all that a tree must show; directories end in ``/``."""
    yield from ("ocean/", "ocean/surface/", "empty/")
    for path in arrays:
        yield from (path + suffix for suffix in suffixes)


@pytest.mark.parametrize("view", list(FORMATS))
def test_listing_is_that_of_a_model_of_the_hierarchy(
    show: Show, written: tuple[Path, dict[str, Any]], store: Store, view: str
) -> None:
    filesystem = show(store, layout=view)
    shown = {path + "/" * is_directory for path, is_directory in walk(filesystem)}
    suffixes = [file.suffix for file in FORMATS[view].files]
    assert shown == set(expected_listing(written[1], suffixes))
    assert names(filesystem, "empty") == []


@pytest.mark.parametrize("layout", ["tree", *TREES])
def test_every_listed_file_opens_and_has_the_size_it_tells(
    show: Show, store: Store, layout: str
) -> None:
    filesystem = show(store, layout=layout)
    for path, is_directory in walk(filesystem):
        entry = filesystem.entry(path)
        assert entry.is_directory == is_directory
        assert entry.mtime_ns > 0
        if not is_directory:
            whole = contents(filesystem, path)
            assert len(whole) == entry.size, path
            middle = len(whole) // 3
            assert read(filesystem.open(path), middle, 7) == whole[middle : middle + 7], path


def test_flat_files_and_npy_files_hold_what_zarr_reads(
    show: Show, written: tuple[Path, dict[str, Any]], store: Store
) -> None:
    filesystem = show(store)
    for path, values in written[1].items():
        little = values.astype(values.dtype.newbyteorder("<"))
        assert contents(filesystem, f"bin/{path}.bin") == little.tobytes(), path
        saved = io.BytesIO()
        np.save(saved, little)
        assert contents(filesystem, f"npy/{path}.npy") == saved.getvalue(), path
        told = json.loads(contents(filesystem, f"bin/{path}.json"))
        assert (told["shape"], told["itemsize"]) == (list(values.shape), values.itemsize)


def test_raw_tree_is_the_directory_that_zarr_wrote(
    show: Show, written: tuple[Path, dict[str, Any]], store: Store
) -> None:
    directory = written[0]
    filesystem = show(store, layout="zarr")
    shown = {path for path, is_directory in walk(filesystem) if not is_directory}
    files = [file for file in directory.rglob("*") if file.is_file()]
    assert shown == {file.relative_to(directory).as_posix() for file in files}
    for file in files:
        assert contents(filesystem, file.relative_to(directory).as_posix()) == file.read_bytes()


def test_strings_are_in_the_raw_tree_alone_and_readme_says_why(show: Show, store: Store) -> None:
    text = contents(show(store), "README.txt").decode()
    assert "  /words: not in bin, npy: its elements (string) have no fixed size" in text
    assert text.count("not in") == 1


def test_directory_of_stores_shows_both_formats_side_by_side(show: Show, tmp_path: Path) -> None:
    for zarr_format in (2, 3):
        write(tmp_path / "runs" / f"v{zarr_format}.zarr", zarr_format)
    (tmp_path / "notes.txt").write_text("x")
    filesystem = show(LocalStore(tmp_path))
    assert names(filesystem, "bin") == ["runs/"]
    assert names(filesystem, "bin/runs") == ["v2.zarr/", "v3.zarr/"]
    paths = ("bin/runs/v2.zarr/v6.bin", "bin/runs/v3.zarr/v6.bin")
    assert len({contents(filesystem, path) for path in paths}) == 1
    assert "notes.txt" in names(filesystem, "zarr")


def test_store_that_is_one_array(show: Show, tmp_path: Path) -> None:
    for zarr_format in (2, 3):
        path = tmp_path / f"v{zarr_format}.zarr"
        array = zarr.create_array(
            path, shape=(5, 3), chunks=(2, 2), dtype="i2", zarr_format=zarr_format
        )
        array[...] = values = np.arange(15, dtype="i2").reshape(5, 3)
        filesystem = show(LocalStore(path), name=f"v{zarr_format}")
        assert names(filesystem, "bin") == [f"v{zarr_format}.bin", f"v{zarr_format}.json"]
        loaded = np.load(io.BytesIO(contents(filesystem, f"npy/v{zarr_format}.npy")))
        assert (loaded == values).all()


def test_metadata_that_zarr_changes_is_seen(show: Show, tmp_path: Path) -> None:
    root = zarr.open_group(tmp_path, mode="w", zarr_format=3)
    array = root.create_array("t", shape=(4,), chunks=(2,), dtype="i2")
    array[...] = [1, 2, 3, 4]
    filesystem = show(LocalStore(tmp_path), attr_timeout=0)
    file = filesystem.open("bin/t.bin")
    assert read(file) == np.array([1, 2, 3, 4], "<i2").tobytes()
    array.resize((6,))
    array.attrs["units"] = "K"
    assert filesystem.entry("bin/t.bin").size == 12
    assert read(file) == np.array([1, 2, 3, 4, 0, 0], "<i2").tobytes()
    assert json.loads(contents(filesystem, "bin/t.json"))["attributes"] == {"units": "K"}
    array[5] = 9
    assert contents(filesystem, "bin/t.bin") == np.array([1, 2, 3, 4, 0, 9], "<i2").tobytes()
    del root["t"]
    assert names(filesystem, "bin") == []
