"""The shipped climate data, mounted: v2 and v3 are the same bytes, and those of zarr-python."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
import zarr
from zarr.storage import ZipStore

from tests.interop.conformance_data import DATA
from zarrfs.mounts.detaching import detach
from zarrfs.mounts.mountinfo import mounted_at

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.mounted

ARRAYS = ("latitude", "longitude", "pr", "tas", "time")
FORMATS = ("v2", "v3")


def run_zarrfs(*arguments: str | Path) -> None:
    """Run the program, which must succeed."""
    subprocess.run([sys.executable, "-m", "zarrfs", *map(str, arguments)], check=True, timeout=60)


@pytest.fixture(scope="module")
def mounts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """The mount points of both zips, mounted by the command line."""
    points = {name: tmp_path_factory.mktemp(name).resolve() for name in FORMATS}
    try:
        for name, point in points.items():
            run_zarrfs("mount", DATA / "bcsd" / f"bcsd_{name}.zarr.zip", point, "-o", "ro")
        yield points
        for point in points.values():
            run_zarrfs("umount", point)
    finally:
        for point in points.values():
            if mounted_at(str(point)):
                detach(str(point))


def files(tree: Path, suffix: str) -> dict[str, Path]:
    """Files of a suffix by array name; each store has one folder, named after its format."""
    return {file.stem: file for file in tree.rglob(f"*.{suffix}")}


def reference(name: str) -> zarr.Group:
    """A store as zarr-python reads it from the zip itself."""
    store = ZipStore(DATA / "bcsd" / f"bcsd_{name}.zarr.zip", mode="r")
    return zarr.open_group(store, path=f"bcsd_{name}.zarr", mode="r")


def test_flat_files_of_v2_and_v3_are_the_same_bytes(mounts: dict[str, Path]) -> None:
    v2, v3 = (files(mounts[name] / "bin", "bin") for name in FORMATS)
    assert sorted(v2) == sorted(v3) == sorted(ARRAYS)
    for array in ARRAYS:
        assert subprocess.run(["cmp", v2[array], v3[array]], check=False).returncode == 0


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("array", ARRAYS)
def test_flat_file_is_what_zarr_python_reads(
    array: str, name: str, mounts: dict[str, Path]
) -> None:
    expected = np.asarray(reference(name)[array])
    flat = files(mounts[name] / "bin", "bin")[array]
    assert flat.read_bytes() == expected.astype(expected.dtype.newbyteorder("<")).tobytes()


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("array", ARRAYS)
def test_mapped_npy_file_is_what_zarr_python_reads(
    array: str, name: str, mounts: dict[str, Path]
) -> None:
    expected = np.asarray(reference(name)[array])
    mapped = np.load(files(mounts[name] / "npy", "npy")[array], mmap_mode="r")
    assert isinstance(mapped, np.memmap)
    assert (mapped.shape, mapped.dtype) == (expected.shape, expected.dtype)
    assert mapped.tobytes() == expected.tobytes()


@pytest.mark.parametrize("name", FORMATS)
def test_zarr_python_reads_the_raw_keys_and_warns_of_nothing(
    name: str, mounts: dict[str, Path]
) -> None:
    # Warnings are errors in all tests.
    group = zarr.open(mounts[name] / "zarr" / f"bcsd_{name}.zarr", mode="r")
    assert isinstance(group, zarr.Group)
    original = reference(name)
    assert sorted(group.array_keys()) == sorted(ARRAYS)
    assert dict(group.attrs) == dict(original.attrs)
    for array in ARRAYS:
        mounted, expected = group[array], original[array]
        assert isinstance(mounted, zarr.Array)
        assert isinstance(expected, zarr.Array)
        assert dict(mounted.attrs) == dict(expected.attrs)
        assert np.asarray(mounted).tobytes() == np.asarray(expected).tobytes()
