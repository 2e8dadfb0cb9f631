"""Arrays that ``zarrfs create`` made, read by zarr-python."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import zarr

from zarrfs.cli.main import run

if TYPE_CHECKING:
    from pathlib import Path

DATA = np.arange(1, 301, dtype="i4").reshape(15, 20)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--chunks", "4,7"],
        ["--chunks", "4,7", "--shards", "8,14"],
        ["--order", "F", "--codec", "gzip:level=1", "--codec", "crc32c"],
        ["--codec", "none"],
        ["--codec", "blosc:cname=zstd,clevel=3,shuffle=shuffle"],
        ["--codec", "transpose:order=[1,0]"],
        ["--zarr-format", "2"],
        ["--zarr-format", "2", "--codec", "none", "--order", "F"],
        ["--zarr-format", "2", "--filter", "delta:dtype=<i4", "--codec", "zlib:level=2"],
    ],
    ids=" ".join,
)
def test_elements_are_those_of_the_file(arguments: list[str], tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", DATA)
    url = tmp_path / "d.zarr" / "t"

    code = run("zarrfs", ["create", str(url), "--from", str(tmp_path / "x.npy"), *arguments])

    array = zarr.open_array(url, mode="r")
    assert code == 0
    assert array.dtype == DATA.dtype
    np.testing.assert_array_equal(array[...], DATA)


@pytest.mark.parametrize("zarr_format", ["2", "3"])
def test_hierarchy_and_metadata(zarr_format: str, tmp_path: Path) -> None:
    root = tmp_path / "d.zarr"
    version = ["--zarr-format", zarr_format]
    attributes = ["--attributes", '{"units": "K"}']
    options = ["--shape", "9,9", "--dtype", "float32", "--chunks", "4,4", "--fill-value", "NaN"]

    codes = [
        run("zarrfs", ["create-group", str(root / "g"), *attributes, *version]),
        run("zarrfs", ["create", str(root / "g/t"), *options, *attributes, *version]),
        run("zarrfs", ["resize", str(root / "g/t"), "--shape", "5,10"]),
        run("zarrfs", ["consolidate", str(root)]),
    ]

    group = zarr.open_consolidated(root, mode="r")
    array = group["g/t"]
    assert codes == [0, 0, 0, 0]
    assert isinstance(array, zarr.Array)
    assert dict(group["g"].attrs) == {"units": "K"}
    assert (array.shape, array.chunks, dict(array.attrs)) == ((5, 10), (4, 4), {"units": "K"})
    assert np.isnan(np.asarray(array[...])).all()
