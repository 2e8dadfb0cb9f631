"""Chunks of a v2 array under the v3 document it converts to: zarrfs, tensorstore read the same."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, reject

import zarrfs
from tests.interop.cases import CASES
from tests.interop.comparing import assert_same_bits
from tests.interop.linting import findings
from tests.interop.strategies import ArrayV2, v2_arrays
from tests.interop.tensor_store import TENSORSTORE
from tests.interop.zarr_python import ZARR_PYTHON
from tests.interop.zarrs import ZARRS
from zarrfs.arrays.hierarchy import Hierarchy
from zarrfs.format.conversion import array_to_v3
from zarrfs.format.metadata import ArrayMetadata
from zarrfs.format.metadata_v3 import serialise_node
from zarrfs.stores.urls import open_store

if TYPE_CHECKING:
    from zarrfs.format.documents import Json

pytestmark = pytest.mark.filterwarnings("ignore::zarr.errors.UnstableSpecificationWarning")


# Records of both byte orders, as these are, have no form in v3.
TENSORSTORE_V2 = [t for t in TENSORSTORE.v2_types if t.dtype.names is None]
ZARR_PYTHON_V2 = [t for t in ZARR_PYTHON.v2_types if t.dtype.names is None]


@given(array=v2_arrays(TENSORSTORE_V2, TENSORSTORE.support))
def test_converted_arrays_read_by_tensorstore(array: ArrayV2) -> None:
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder) / "x.zarr"
        expected = TENSORSTORE.make(directory, array)
        document = convert(directory)
        if any(codec["name"].startswith("numcodecs.") for codec in document["codecs"]):
            reject()  # tensorstore has none of them
        assert findings(directory) == []
        assert_same_bits(zarrfs.open_array(directory)[...], expected)
        assert_same_bits(TENSORSTORE.read(directory, array.data_type.dtype), expected)
    CASES["converted"] += 1


@given(array=v2_arrays(ZARR_PYTHON_V2, ZARR_PYTHON.support))
def test_converted_arrays_of_zarr_python_read_the_same(array: ArrayV2) -> None:
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder) / "x.zarr"
        expected = ZARR_PYTHON.make(directory, array)
        convert(directory)
        assert findings(directory) == []
        assert_same_bits(zarrfs.open_array(directory)[...], expected)
    CASES["converted"] += 1


@given(array=v2_arrays(ZARRS.v2_types, ZARRS.support))
def test_converted_arrays_read_by_zarrs(array: ArrayV2) -> None:
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder) / "x.zarr"
        expected = ZARR_PYTHON.make(directory, array)
        convert(directory)
        assert findings(directory) == []
        assert_same_bits(zarrfs.open_array(directory)[...], expected)
        assert_same_bits(ZARRS.read(directory, array.data_type.dtype), expected)
    CASES["converted"] += 1


def convert(directory: Path) -> dict[str, Json]:
    """Replace the v2 document of an array by that of v3, and return it."""
    node = Hierarchy(open_store(directory)).node("")
    metadata = getattr(node, "metadata", None)
    assert isinstance(metadata, ArrayMetadata)
    document = serialise_node(array_to_v3(metadata))
    (directory / ".zarray").unlink()
    (directory / "zarr.json").write_text(json.dumps(document))
    return document
