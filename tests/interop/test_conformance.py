"""Arrays of other projects with known content: each is right by the API and through a mount."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

import numcodecs
import numpy as np
import pytest

import zarrfs
from tests.interop.conformance_data import Expected, read_expected, sha256
from zarrfs.cli.main import run
from zarrfs.errors import ViewError

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from tests.interop.conftest import MountOf

ALL = read_expected()
HASHED = [array for array in ALL if array.sha256]
FIXED_SIZE = [array for array in HASHED if array.has_fixed_size]
NO_FIXED_SIZE = [array for array in ALL if not array.has_fixed_size]
FIXTURE_STRINGS = [array for array in ALL if not array.sha256 and array.has_fixed_size]
JSON_OBJECTS = [array for array in ALL if not array.sha256 and not array.has_fixed_size]
STORES = sorted({array.store for array in ALL})


def each(arrays: list[Expected]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("array", [pytest.param(a, id=a.name) for a in arrays])


def test_no_array_is_left_out() -> None:
    assert len(ALL) == 459
    assert len(FIXED_SIZE) == 415
    assert len(HASHED) - len(FIXED_SIZE) == 27
    assert (len(FIXTURE_STRINGS), len(JSON_OBJECTS)) == (14, 3)


# --- by the API -----------------------------------------------------------------------------


@each(HASHED)
def test_array_holds_what_the_references_read(array: Expected, data_root: Path) -> None:
    z = zarrfs.open_array(data_root / array.location)
    assert (z.shape, z.dtype, z.zarr_format) == (array.shape, array.dtype, array.zarr_format)
    assert sha256(np.asarray(z[...])) == array.sha256


@each(FIXED_SIZE)
def test_flat_bytes_are_the_elements_in_c_order(array: Expected, data_root: Path) -> None:
    z = zarrfs.open_array(data_root / array.location)
    flat = np.frombuffer(z.read_bytes(), z.dtype.newbyteorder("<"))
    assert sha256(flat) == array.sha256


@each(NO_FIXED_SIZE)
def test_array_without_fixed_itemsize_has_no_flat_bytes(array: Expected, data_root: Path) -> None:
    z = zarrfs.open_array(data_root / array.location)
    with pytest.raises(ViewError, match="no fixed size"):
        z.read_bytes()


# --- what no reference reads ------------------------------------------------------------------


def fixture_strings(root: Path, array: Expected) -> npt.NDArray[Any]:
    """Content of a 1-d array of zarr-python 2's fixture, without zarrfs.

    The specification of v2 leaves no choice: a chunk is its elements, compressed; along one
    dimension orders C and F are the same; the last chunk is stored whole, and what lies behind
    the array's end is cut off. The fill value 0, over which zarr-python 3 stumbles, stands for
    chunks that are missing, and none is.
    """
    folder = root / array.location
    document = json.loads((folder / ".zarray").read_text())
    assert document["fill_value"] == 0
    assert document["filters"] is None
    ((length,), (chunk_length,)) = document["shape"], document["chunks"]
    config = document["compressor"]
    decode = numcodecs.get_codec(config).decode if config else bytes
    chunks = [
        decode((folder / str(i)).read_bytes()) for i in range(math.ceil(length / chunk_length))
    ]
    return np.frombuffer(b"".join(chunks), document["dtype"])[:length]


@each(FIXTURE_STRINGS)
def test_strings_of_zarr_python_2_are_what_their_chunks_hold(
    array: Expected, data_root: Path
) -> None:
    expected = fixture_strings(data_root, array)
    z = zarrfs.open_array(data_root / array.location)
    assert (z.shape, z.dtype) == (expected.shape, expected.dtype)
    assert np.array_equal(z[...], expected)
    assert z.read_bytes() == expected.tobytes()


@pytest.mark.parametrize(
    ("number", "words"),
    [("14", {b"A", b"C", b"G", b"T"}), ("15", {"foo", "bar", "baz", "quux"})],
)
def test_strings_of_zarr_python_2_are_the_same_with_every_compressor(
    number: str, words: set[object], data_root: Path
) -> None:
    # Upstream wrote one random choice of these words with each of its seven compressors.
    siblings = [array for array in FIXTURE_STRINGS if array.path.startswith(f"{number}/")]
    contents = [zarrfs.open_array(data_root / array.location)[...] for array in siblings]
    assert len(contents) == 7
    assert all(np.array_equal(content, contents[0]) for content in contents)
    assert set(contents[0].tolist()) == words


@each(JSON_OBJECTS)
def test_json_objects_are_what_the_stored_json_says(array: Expected, data_root: Path) -> None:
    # numcodecs defines json2: the elements, then the data type and the shape, in one JSON list.
    if array.store.endswith(".zip"):
        with ZipFile(data_root / array.store) as archive:
            stored = archive.read(f"{array.path}/0")
    else:
        stored = (data_root / array.location / "0").read_bytes()
    *elements, dtype, shape = json.loads(stored)
    z = zarrfs.open_array(data_root / array.location)
    assert (dtype, shape) == ("|O", list(z.shape))
    assert z.dtype == object
    assert z[...].tolist() == elements


# --- through a mount --------------------------------------------------------------------------


@pytest.mark.mounted
@each(FIXED_SIZE)
def test_mounted_files_hold_what_the_references_read(array: Expected, mount_of: MountOf) -> None:
    assert array.dtype is not None
    mount = mount_of(array.store)
    flat = np.fromfile(mount / f"bin/{array.path}.bin", array.dtype.newbyteorder("<"))
    assert sha256(flat) == array.sha256
    loaded = np.load(mount / f"npy/{array.path}.npy")
    assert (loaded.shape, loaded.dtype) == (array.shape, array.dtype)
    assert sha256(loaded) == array.sha256


@pytest.mark.mounted
@each(FIXTURE_STRINGS)
def test_mounted_strings_of_zarr_python_2_are_what_their_chunks_hold(
    array: Expected, data_root: Path, mount_of: MountOf
) -> None:
    expected = fixture_strings(data_root, array)
    mount = mount_of(array.store)
    assert (mount / f"bin/{array.path}.bin").read_bytes() == expected.tobytes()
    assert np.array_equal(np.load(mount / f"npy/{array.path}.npy"), expected)


@pytest.mark.mounted
@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("suffix", ["bin", "npy"])
def test_mount_lists_the_arrays_of_fixed_itemsize_and_no_others(
    store: str, suffix: str, mount_of: MountOf
) -> None:
    tree = mount_of(store) / suffix
    listed = {
        str(file.relative_to(tree)).removesuffix(f".{suffix}") for file in tree.rglob(f"*.{suffix}")
    }
    assert listed == {array.path for array in ALL if array.store == store and array.has_fixed_size}


@pytest.mark.mounted
@each(NO_FIXED_SIZE)
def test_readme_says_why_an_array_is_not_shown(array: Expected, mount_of: MountOf) -> None:
    readme = (mount_of(array.store) / "README.txt").read_text("utf-8")
    (line,) = [line for line in readme.splitlines() if f" /{array.path}: not in " in line]
    assert line.startswith(f"  /{array.path}: not in bin, npy: its elements (")
    assert line.endswith(") have no fixed size")


@each(NO_FIXED_SIZE)
def test_info_says_why_an_array_is_not_shown(
    array: Expected, data_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("zarrfs", ["info", "--json", str(data_root / array.location)]) == 0
    reasons = json.loads(capsys.readouterr().out)["views"]
    assert set(reasons) == {"bin", "npy"}
    assert all(reason.endswith("have no fixed size") for reason in reasons.values())
