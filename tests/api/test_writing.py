"""Arrays are written, resized and appended to as NumPy arrays are, and everybody sees it."""

from __future__ import annotations

import datetime
import shutil
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import zarrfs
from zarrfs.api.array import Array
from zarrfs.api.group import open_found
from zarrfs.api.process_engine import process_engine
from zarrfs.arrays.hierarchy import Hierarchy
from zarrfs.errors import (
    AssignmentError,
    MetadataError,
    NodeExistsError,
    NodeNotFoundError,
    NodeTypeError,
    ReadOnlyError,
    SelectionError,
    StoreError,
)
from zarrfs.stores.faulty import FaultyStore
from zarrfs.stores.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SHARDED = {"chunks": (2, 5), "shards": (4, 10)}
PLAIN = {"chunks": (4, 5)}


@pytest.fixture(params=[PLAIN, SHARDED], ids=["chunks", "shards"])
def grid(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Arguments for an array in chunks, or in shards."""
    grid: dict[str, Any] = request.param
    return grid


def numbers(*shape: int) -> np.ndarray[Any, np.dtype[np.int32]]:
    return np.arange(1, 1 + np.prod(shape), dtype="i4").reshape(shape)


def test_all_that_have_the_array_open_see_what_was_written(
    tmp_path: Path, grid: dict[str, Any]
) -> None:
    z = zarrfs.create_array(tmp_path / "x.zarr/a", shape=(10, 12), dtype="i4", **grid)
    other = zarrfs.open_array(tmp_path / "x.zarr/a")
    by_group = zarrfs.open_group(tmp_path / "x.zarr")["a"]
    assert isinstance(by_group, Array)
    expected = np.zeros((10, 12), "i4")
    indices: list[Any] = [np.s_[3:5, 2:9], np.s_[::3], np.s_[-1, -1], np.s_[...]]
    for number, index in enumerate(indices):
        for array in (z, other, by_group):  # fills what is kept of chunks and slabs
            assert array.read_bytes(4, 100) == expected.tobytes()[4:104]
        z[index] = expected[index] = number + 7
        for array in (z, other, by_group):
            np.testing.assert_array_equal(array[...], expected)
            assert array.read_bytes() == expected.tobytes()


def test_writing_through_two_objects_loses_nothing(tmp_path: Path, grid: dict[str, Any]) -> None:
    url = tmp_path / "x.zarr"
    zarrfs.create_array(url, shape=(8, 10), dtype="i4", **grid)
    values = numbers(8, 10)

    def write(row: int) -> None:
        array = zarrfs.open_array(url)
        for column in range(10):
            array[row, column] = values[row, column]

    threads = [threading.Thread(target=write, args=(row,)) for row in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_array_equal(zarrfs.load(url), values)


def test_smaller_and_larger_again_shows_fill_value(tmp_path: Path, grid: dict[str, Any]) -> None:
    values = numbers(10, 12)
    z = zarrfs.save(tmp_path / "x", values, fill_value=-1, **grid)
    z.resize((5, 7))
    assert z.shape == (5, 7)
    np.testing.assert_array_equal(z[...], values[:5, :7])
    z.resize((10, 12))
    expected = np.full((10, 12), -1)
    expected[:5, :7] = values[:5, :7]
    np.testing.assert_array_equal(z[...], expected)
    np.testing.assert_array_equal(zarrfs.load(tmp_path / "x"), expected)
    assert z.read_bytes() == expected.astype("<i4").tobytes()


def test_resizing_cuts_before_it_tells_the_shape() -> None:
    store = FaultyStore(MemoryStore())
    engine = process_engine()
    hierarchy = Hierarchy(store)
    zarrfs.save("memory://resizing", numbers(8), chunks=4, overwrite=True)
    inner = MemoryStore("resizing")
    for key in inner.list_prefix(""):
        store.set(key, inner.get(key))
    z = open_found(hierarchy, hierarchy.node(""), engine)
    assert isinstance(z, Array)
    store.inject(error="always:set", keys="zarr.json")
    with pytest.raises(StoreError, match=r"cannot set zarr\.json"):
        z.resize(3)
    store.heal()
    reopened = open_found(hierarchy, hierarchy.node(""), engine)
    assert isinstance(reopened, Array)
    assert reopened[...].tolist() == [1, 2, 3, 0, 0, 0, 0, 0]
    z.resize(3)  # once more, to the end
    assert [op.key for op in store.operations if op.name == "set"][-1] == "zarr.json"
    z.resize(8)
    assert z[...].tolist() == [1, 2, 3, 0, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("shape", "message"), [((3,), "must have 2 numbers"), ((3, -1), "≥ 0"), ("x", "whole numbers")]
)
def test_a_shape_that_is_none_is_refused(tmp_path: Path, shape: Any, message: str) -> None:
    z = zarrfs.save(tmp_path / "x", numbers(4, 4))
    with pytest.raises(MetadataError, match=message):
        z.resize(shape)
    assert z.shape == (4, 4)


@pytest.mark.parametrize("axis", [0, 1, -1, -2])
def test_appended_elements_stand_behind_the_others(
    tmp_path: Path, grid: dict[str, Any], axis: int
) -> None:
    expected = numbers(6, 7)
    z = zarrfs.save(tmp_path / "x", expected, **grid)
    for n in (1, 0, 5):
        more = -numbers(n, expected.shape[1]) if axis in (0, -2) else -numbers(len(expected), n)
        expected = np.concatenate([expected, more], axis)
        assert z.append(more, axis=axis) == expected.shape
        np.testing.assert_array_equal(z[...], expected)
    np.testing.assert_array_equal(zarrfs.load(tmp_path / "x"), expected)


def test_an_append_that_fails_leaves_the_array_as_it_was() -> None:
    zarrfs.save("memory://appending", numbers(6), chunks=4, overwrite=True)
    store = FaultyStore(MemoryStore("appending"))
    hierarchy = Hierarchy(store)
    z = open_found(hierarchy, hierarchy.node(""), process_engine())
    assert isinstance(z, Array)
    store.inject(error="always:set", keys="zarr.json")
    with pytest.raises(StoreError):
        z.append([7, 8, 9])
    store.heal()
    assert z[...].tolist() == zarrfs.load("memory://appending").tolist() == [1, 2, 3, 4, 5, 6]
    assert z.append([10]) == (7,)
    assert z[...].tolist() == [1, 2, 3, 4, 5, 6, 10]


@pytest.mark.parametrize(
    ("dtype", "values"),
    [
        ("string", ["a\0", "b"]),
        ("bytes", [b"a\0\0", b"b"]),
        ("uint64", [2**64 - 1, 0]),
        ([("a", "i4"), ("b", "f8")], [(1, 2.5), (3, 4.5)]),
        ("int4", [-8, 7]),
    ],
)
def test_lists_that_are_appended_lose_nothing(tmp_path: Path, dtype: Any, values: Any) -> None:
    z = zarrfs.create_array(tmp_path / "x", shape=0, dtype=dtype)
    z.append(values)
    assert z[...].tolist() == values


@pytest.mark.parametrize(
    ("dtype", "values"), [("uint8", [-1]), ("uint8", [300]), ("int4", [9]), ("uint2", [-1])]
)
def test_plain_numbers_that_do_not_fit_the_type_are_refused(
    tmp_path: Path, dtype: str, values: list[int]
) -> None:
    z = zarrfs.create_array(tmp_path / "x", shape=1, dtype=dtype)
    with pytest.raises(AssignmentError, match=f"cannot make elements of type {dtype}"):
        z.append(values)
    with pytest.raises(AssignmentError, match=f"cannot make elements of type {dtype}"):
        z[...] = values
    assert z[...].tolist() == [0]


@pytest.mark.parametrize(
    "value", ["2020-01-01", datetime.datetime(2020, 1, 1), np.datetime64(5, "s")]
)
def test_times_do_not_go_into_an_array_without_a_unit(tmp_path: Path, value: Any) -> None:
    z = zarrfs.create_array(tmp_path / "x", shape=2, dtype="datetime64", chunks=1)
    with pytest.raises(AssignmentError, match=r"it has no unit; .* such as datetime64\[s\]"):
        z[...] = value
    z[...] = "NaT"
    assert np.isnat(z[...]).all()


@pytest.mark.parametrize("dtype", ["U3", "S3"])
def test_what_numpy_cannot_make_text_of_is_refused(tmp_path: Path, dtype: str) -> None:
    z = zarrfs.create_array(tmp_path / "x", shape=2, dtype=dtype)
    with pytest.raises(AssignmentError, match="cannot make elements of type"):
        z[...] = np.datetime64("2020")


def test_objects_become_complex_numbers(tmp_path: Path) -> None:
    z = zarrfs.create_array(tmp_path / "x", shape=3, dtype="complex_float16")
    z[...] = np.array([1, 2j, 3 + 4j], object)
    assert z[...].tolist() == [(1, 0), (0, 2), (3, 4)]
    pairs = np.empty(3, object)
    pairs[:] = [(1, 2), (3, 4), (5, 6)]
    z[...] = pairs
    assert z[...].tolist() == [(1, 2), (3, 4), (5, 6)]


@pytest.mark.parametrize(
    ("values", "axis"), [(np.ones((2, 3)), 0), ([1, 2], 0), ([[1]], 2), ([[1]], "y"), ([[1]], None)]
)
def test_values_that_cannot_be_appended_are_refused(tmp_path: Path, values: Any, axis: int) -> None:
    z = zarrfs.save(tmp_path / "x", numbers(4, 4))
    with pytest.raises(AssignmentError, match=r"append|no axis"):
        z.append(values, axis=axis)
    np.testing.assert_array_equal(zarrfs.load(tmp_path / "x"), numbers(4, 4))


def test_what_does_not_fit_is_refused_and_nothing_written(tmp_path: Path) -> None:
    z = zarrfs.save(tmp_path / "x", numbers(4, 4))
    with pytest.raises(SelectionError):
        z[4] = 1
    with pytest.raises(AssignmentError, match="could not broadcast"):
        z[0] = [1, 2, 3]
    with pytest.raises(ValueError, match="invalid literal"):
        z[0] = "one"
    np.testing.assert_array_equal(z[...], numbers(4, 4))


def test_mode_r_refuses_all_that_would_write(tmp_path: Path) -> None:
    zarrfs.save(tmp_path / "x.zarr/a", numbers(4), attributes={"units": "K"})
    g = zarrfs.open_group(tmp_path / "x.zarr", mode="r")
    a = g["a"]
    assert isinstance(a, Array)
    with pytest.raises(ReadOnlyError, match="opened with mode='r'"):
        a[0] = 1
    with pytest.raises(ReadOnlyError, match="opened with mode='r'"):
        a.resize(2)
    with pytest.raises(ReadOnlyError, match="opened with mode='r'"):
        a.append([1])
    with pytest.raises(ReadOnlyError, match="opened with mode='r'"):
        a.attributes["units"] = "m"
    with pytest.raises(ReadOnlyError, match="opened with mode='r'"):
        g.create_array("b", shape=1, dtype="i4")
    with pytest.raises(ReadOnlyError, match="opened with mode='r'"):
        g.require_group("b")
    with pytest.raises(ReadOnlyError, match="opened with mode='r'"):
        del g["a"]
    assert zarrfs.load(tmp_path / "x.zarr/a").tolist() == [1, 2, 3, 4]


def test_a_store_that_cannot_be_written_is_read_all_the_same(tmp_path: Path) -> None:
    zarrfs.save(tmp_path / "x.zarr/a", numbers(4))
    shutil.make_archive(str(tmp_path / "y"), "zip", tmp_path / "x.zarr")
    z = zarrfs.open_array(tmp_path / "y.zip/a")
    assert z[...].tolist() == [1, 2, 3, 4]
    with pytest.raises(ReadOnlyError, match="read-only"):
        z[0] = 1
    with pytest.raises(ReadOnlyError):
        zarrfs.create_group(tmp_path / "y.zip/g")
    with pytest.raises(ReadOnlyError, match=r"cannot set b in .*: the store is read-only"):
        zarrfs.save(tmp_path / "y.zip/b", numbers(4))


def test_a_zip_is_not_created(tmp_path: Path) -> None:
    for url in (tmp_path / "x.zip", tmp_path / "x.ZIP"):
        with pytest.raises(ReadOnlyError, match="zip files are only read; create a directory"):
            zarrfs.save(url, numbers(4))
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_property_cannot_be_set(tmp_path: Path) -> None:
    z = zarrfs.save(tmp_path / "x.zarr/a", numbers(4))
    for node in (z, zarrfs.open_group(tmp_path / "x.zarr")):
        with pytest.raises(AttributeError, match="attrs"):
            node.attrs = {"units": "K"}  # type: ignore[union-attr]  # as of zarr-python


def test_another_mode_is_refused(tmp_path: Path) -> None:
    with pytest.raises(zarrfs.ZarrfsError, match="create_array creates arrays"):
        zarrfs.open(tmp_path, mode="w")  # type: ignore[arg-type]  # what NumPy's users may try


# --- attributes -----------------------------------------------------------------------------


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_attributes_are_stored_when_they_change(tmp_path: Path, zarr_format: Any) -> None:
    url = tmp_path / "x.zarr/a"
    z = zarrfs.save(url, numbers(4), zarr_format=zarr_format, attributes={"units": "K", "n": [1]})
    other = zarrfs.open_array(url)
    z.attributes["units"] = "m"
    other.attributes.update({"more": {"a": None}}, n=2)  # keeps what z has changed
    assert other.attributes == {"units": "m", "n": 2, "more": {"a": None}}
    del other.attributes["n"]
    assert zarrfs.open_array(url).attributes == {"units": "m", "more": {"a": None}}
    z.attributes = {"only": 1}
    assert dict(z.attributes) == {"only": 1} == zarrfs.open_array(url).attributes
    z.attributes.clear()
    assert len(zarrfs.open_array(url).attributes) == 0
    assert list(z.attributes) == []
    assert zarrfs.load(url).tolist() == [1, 2, 3, 4]


def test_attributes_of_groups(tmp_path: Path) -> None:
    g = zarrfs.create_group(tmp_path / "x.zarr", attributes={"title": "weather"})
    g.attributes["year"] = 2024
    assert repr(g.attributes) == "{'title': 'weather', 'year': 2024}"
    g.attributes = {}
    assert zarrfs.open_group(tmp_path / "x.zarr").attributes == {}


def test_what_json_cannot_hold_is_no_attribute(tmp_path: Path) -> None:
    z = zarrfs.save(tmp_path / "x", numbers(4), attributes={"a": 1})
    with pytest.raises(MetadataError, match="JSON"):
        z.attributes["b"] = {1, 2}
    with pytest.raises(KeyError):
        del z.attributes["c"]
    assert z.attributes == zarrfs.open_array(tmp_path / "x").attributes == {"a": 1}


def test_an_array_that_was_deleted_is_not_made_again(tmp_path: Path) -> None:
    g = zarrfs.create_group(tmp_path / "x.zarr")
    z = g.create_array("a", shape=4, dtype="i4")
    del g["a"]
    with pytest.raises(NodeNotFoundError, match="deleted"):
        z.attributes["a"] = 1
    with pytest.raises(NodeNotFoundError, match="deleted"):
        z.resize(5)
    with pytest.raises(NodeNotFoundError, match="deleted"):
        z.append([1])


def test_groups_are_required_created_and_deleted(tmp_path: Path) -> None:
    g = zarrfs.create_group(tmp_path / "x.zarr")
    deep = g.require_group("a/b")
    deep.create_array("c", shape=3, dtype="i2")
    again = g.require_group("a/b")
    assert list(again) == ["c"]
    with pytest.raises(NodeTypeError, match="is an array"):
        g.require_group("a/b/c")
    with pytest.raises(NodeExistsError):
        g.create_group("a")
    assert list(g.create_group("a", attributes={"new": True}, overwrite=True)) == []
    with pytest.raises(NodeNotFoundError, match="name a node below"):
        del g[""]
    with pytest.raises(NodeNotFoundError):
        del g["nothing"]


def test_a_group_of_v2_holds_nodes_of_v2(tmp_path: Path) -> None:
    g = zarrfs.create_group(tmp_path / "x.zarr", zarr_format=2)
    assert g.create_array("a/b", shape=3, dtype="i2").zarr_format == 2
    assert g["a"].zarr_format == 2


def test_an_array_that_is_replaced_is_another_one_to_whoever_opens_it(tmp_path: Path) -> None:
    old = zarrfs.save(tmp_path / "x", numbers(4, 4), chunks=2)
    assert old.read_bytes(0, 4) == b"\x01\0\0\0"
    with pytest.raises(NodeExistsError, match="overwrite"):
        zarrfs.save(tmp_path / "x", numbers(3))
    zarrfs.save(tmp_path / "x", numbers(3) + 5, chunks=2, overwrite=True)
    assert zarrfs.load(tmp_path / "x").tolist() == [6, 7, 8]


@pytest.mark.parametrize("values", [["a", "βeta", ""], [b"a", b"", b"\0"]], ids=["texts", "bytes"])
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_objects_are_saved_as_texts_or_bytes(
    tmp_path: Path, values: list[Any], zarr_format: int
) -> None:
    zarrfs.save(tmp_path / "x", np.array(values, object), zarr_format=zarr_format)
    assert zarrfs.load(tmp_path / "x").tolist() == values


def test_other_objects_need_a_type(tmp_path: Path) -> None:
    with pytest.raises(MetadataError):
        zarrfs.save(tmp_path / "x", np.array(["a", 1], object))
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"codecs": "bytes"}, '^codecs: must be a list of codecs, not "bytes"$'),
        ({"attributes": [1]}, r"^attributes: must be a mapping, not \[1\]$"),
        ({"dtype": "int4", "zarr_format": 2}, "^dtype: Zarr v2 has no data type 'int4'"),
    ],
)
def test_array_that_nobody_could_use_is_not_created(
    tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(MetadataError, match=message):
        zarrfs.create_array(tmp_path / "x", **{"shape": 4, "dtype": "f4", **options})
    assert not (tmp_path / "x").exists()


# --- killed ---------------------------------------------------------------------------------

KILLED = """
import itertools, os, signal, sys, zarrfs
from zarrfs.stores.local import LocalStore

url, n_stored = sys.argv[1], int(sys.argv[2])
place, numbers = LocalStore.set, itertools.count()
def dying(self, key, data):
    if next(numbers) >= n_stored:
        os.kill(os.getpid(), signal.SIGKILL)
    place(self, key, data)
LocalStore.set = dying
zarrfs.open_array(url)[...] = 2
"""


@pytest.mark.parametrize("n_stored", [0, 1, 3])
def test_a_process_that_is_killed_leaves_each_object_old_or_new(
    tmp_path: Path, grid: dict[str, Any], n_stored: int
) -> None:
    url = tmp_path / "x.zarr"
    zarrfs.save(url, np.ones((8, 20), "i4"), **grid)
    done = subprocess.run([sys.executable, "-c", KILLED, url, str(n_stored)], check=False)
    assert done.returncode == -signal.SIGKILL
    read = zarrfs.load(url)
    shape = grid.get("shards", grid["chunks"])
    n_new = 0
    for i in range(0, 8, shape[0]):
        for j in range(0, 20, shape[1]):
            part = read[i : i + shape[0], j : j + shape[1]]
            assert (part == part[0, 0]).all()
            n_new += part[0, 0] == 2
    # Those of other threads may have been stored in the last instant, or not any more.
    assert n_new <= n_stored


@pytest.fixture(autouse=True)
def _no_memory_left() -> Iterator[None]:
    yield
    for name in ("resizing", "appending"):
        MemoryStore(name).clear()


# --- saving whole arrays ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([1, 2.5], "float64"),
        ([1, float("nan")], "float64"),
        ([True, 2], "int64"),
        (["a", "é"], "<U1"),
        ([b"a", b"bc"], "|S2"),
        ([[1j], [2]], "complex128"),
        (2**63, "uint64"),
        ("text", "<U4"),
    ],
)
def test_values_are_saved_as_numpy_takes_them(tmp_path: Path, values: Any, dtype: str) -> None:
    saved = zarrfs.save(tmp_path / "x", values)
    assert saved.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(zarrfs.load(tmp_path / "x"), np.asarray(values))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["a", 1], "<U21, which NumPy finds, would turn 1 into '1'"),
        ([["b", "a\0"]], r"<U2, which NumPy finds, would turn 'a\\x00' into 'a'"),
        ([b"a\0"], "would turn b'a"),
        ([2**63 + 1, -1], "float64, which NumPy finds, would turn 9223372036854775809 into 9.22"),
        ([None, 1], "the elements are NoneType and int"),
        ([datetime.datetime(2020, 1, 1)], r'say for example dtype="datetime64\[us\]"'),
        ([datetime.timedelta(1)], r'say for example dtype="timedelta64\[us\]"'),
        (np.array([], object), "unknown, as there are none"),
        ([[1], [2, 3]], "cannot make an array of the value: .*inhomogeneous"),
    ],
)
def test_values_that_numpy_would_change_are_not_saved(
    tmp_path: Path, values: Any, message: str
) -> None:
    with pytest.raises(zarrfs.ZarrfsError, match=message):
        zarrfs.save(tmp_path / "x", values)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        (["a\0", "b"], "string", ["a\0", "b"]),
        ([(1, 2.5)], [("a", "i4"), ("b", "f8")], [(1, 2.5)]),
        ([datetime.date(2020, 1, 1)], "datetime64[D]", [datetime.date(2020, 1, 1)]),
        ([1, 2], "uint8", [1, 2]),
    ],
)
def test_values_are_saved_as_the_type_that_is_given(
    tmp_path: Path, values: Any, dtype: Any, expected: list[Any]
) -> None:
    zarrfs.save(tmp_path / "x", values, dtype=dtype)
    assert zarrfs.load(tmp_path / "x").tolist() == expected


def test_objects_are_saved_by_the_filter_that_takes_them(tmp_path: Path) -> None:
    values = np.array([{"a": 1}, [2]], object)
    zarrfs.save(tmp_path / "x", values, zarr_format=2, filters=["json2"])
    assert zarrfs.load(tmp_path / "x").tolist() == values.tolist()


@pytest.mark.parametrize(
    ("values", "options"),
    [
        ("x", {"dtype": "f4"}),
        ([1, 300], {"dtype": "uint8"}),
        ([1, 2], {"shape": 3}),
        ([1], {"dtype": "nosuch"}),
    ],
)
def test_what_cannot_be_saved_overwrites_nothing(
    tmp_path: Path, values: Any, options: dict[str, Any]
) -> None:
    zarrfs.save(tmp_path / "x", numbers(4))
    with pytest.raises(zarrfs.ZarrfsError):
        zarrfs.save(tmp_path / "x", values, overwrite=True, **options)
    assert zarrfs.load(tmp_path / "x").tolist() == [1, 2, 3, 4]


def test_a_save_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(zarrfs.ZarrfsError, match="an element is a int, not str"):
        zarrfs.save(tmp_path / "x.zarr/a", np.array(["a", 1], object), dtype="string", chunks=1)
    assert list(zarrfs.open_group(tmp_path / "x.zarr")) == []
    assert not (tmp_path / "x.zarr/a").exists()


def test_an_array_can_be_saved_in_its_own_place(tmp_path: Path) -> None:
    z = zarrfs.save(tmp_path / "x", numbers(6), chunks=2)
    zarrfs.save(tmp_path / "x", z, chunks=4, overwrite=True)
    assert zarrfs.load(tmp_path / "x").tolist() == [1, 2, 3, 4, 5, 6]


def test_unknown_and_missing_options_are_told_as_python_does(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"save\(\) got an .* 'chunk'; did you mean 'chunks'\?"):
        zarrfs.save(tmp_path / "x", [1], chunk=1)
    group = zarrfs.create_group(tmp_path / "g")
    with pytest.raises(TypeError, match=r"create_array\(\) got an unexpected .* 'colour'$"):
        group.create_array("x", shape=1, dtype="u1", colour=1)
    with pytest.raises(TypeError, match=r"create_array\(\) missing .*: 'dtype'"):
        group.create_array("x", shape=1)


def test_groups_and_attributes_that_cannot_be_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MetadataError, match="zarr_format: must be 2 or 3, not 4"):
        zarrfs.create_group(tmp_path / "g", zarr_format=4)  # type: ignore[arg-type]  # a typing error
    with pytest.raises(MetadataError, match="attributes: must be a mapping"):
        zarrfs.create_group(tmp_path / "g", attributes=[1])  # type: ignore[arg-type]  # a typing error
    assert list(tmp_path.iterdir()) == []
    z = zarrfs.save(tmp_path / "x", numbers(2), attributes={"a": 1})
    with pytest.raises(MetadataError, match="attributes: must be a mapping, not 5"):
        z.attributes = 5  # type: ignore[assignment]  # what a user may try
    with pytest.raises(MetadataError, match="names that are strings, not 5"):
        z.attributes[5] = 1  # type: ignore[index]  # what a user may try
    assert dict(zarrfs.open_array(tmp_path / "x").attributes) == {"a": 1}


def test_attributes_of_others_are_kept_whatever_they_are(tmp_path: Path) -> None:
    z = zarrfs.save(tmp_path / "x", numbers(2), attributes={"theirs": "#"})
    document = tmp_path / "x/zarr.json"
    document.write_text(document.read_text().replace("#", "\\ud800"))
    z.attributes["ours"] = 1
    assert dict(zarrfs.open_array(tmp_path / "x").attributes) == {"theirs": "\ud800", "ours": 1}
