"""Whatever zarr-python, tensorstore and zarrs write, zarrfs reads the same bytes."""

from __future__ import annotations

import tempfile
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import basic_indices

import zarrfs
from tests.interop.all_programs import PROGRAMS
from tests.interop.cases import CASES
from tests.interop.comparing import assert_equal
from tests.interop.programs import written
from tests.interop.strategies import spans, v2_arrays, v3_arrays
from tests.interop.tensor_store import SMALL_NUMBERS, write_small_numbers
from zarrfs.api.process_engine import process_engine
from zarrfs.arrays.hierarchy import ArrayNode, Hierarchy
from zarrfs.errors import UnsupportedError
from zarrfs.flat.element_order import flat_dtype
from zarrfs.flat.readahead import ReadAhead
from zarrfs.flat.reader import FlatArray
from zarrfs.flat.slabs import SlabTable
from zarrfs.stores.urls import open_store

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt
    from hypothesis.strategies import DataObject

    from tests.interop.programs import Program
    from tests.interop.strategies import ArrayV2, ArrayV3

pytestmark = [
    # What zarr-python says of data types and codecs that few others have, or that are slow.
    pytest.mark.filterwarnings("ignore::zarr.errors.UnstableSpecificationWarning"),
    pytest.mark.filterwarnings(
        "ignore:Combining a `sharding_indexed` codec:zarr.errors.ZarrUserWarning"
    ),
    pytest.mark.filterwarnings(
        "ignore:Numcodecs codecs are not in the Zarr version 3:zarr.errors.ZarrUserWarning"
    ),
]

DEADLINE = 60.0
"""Seconds for one read; reached only by a test that fails."""

# Six tests: 540 arrays in `make test`, 3,600 in `make fuzz`.
many = settings(max_examples=3 * settings().max_examples)


@pytest.mark.parametrize("name", PROGRAMS)
@many
@given(data=st.data())
def test_v3_arrays(name: str, data: DataObject) -> None:
    program = PROGRAMS[name]
    check(program, data.draw(v3_arrays(program.v3_types, program.support), label="array"), data)


@pytest.mark.parametrize("name", PROGRAMS)
@many
@given(data=st.data())
def test_v2_arrays(name: str, data: DataObject) -> None:
    program = PROGRAMS[name]
    check(program, data.draw(v2_arrays(program.v2_types, program.support), label="array"), data)


@pytest.mark.parametrize("name", SMALL_NUMBERS)
def test_small_numbers_of_tensorstore(name: str, tmp_path: Path) -> None:
    data = (np.arange(12) / 4 - 1).astype("f4").astype(name).reshape(3, 4)
    write_small_numbers(tmp_path / "x", data, "zarr3")
    read = zarrfs.open_array(tmp_path / "x")[...]
    assert read.dtype == data.dtype
    assert read.tobytes() == data.tobytes()


@pytest.mark.parametrize("name", ["bfloat16", "int4", "float8_e5m2"])
def test_small_numbers_of_tensorstore_in_v2_are_refused_by_name(name: str, tmp_path: Path) -> None:
    write_small_numbers(tmp_path / "x", np.zeros(4, name), "zarr")
    with pytest.raises(UnsupportedError, match=f"zarrfs has no data type ['\"]{name}['\"]"):
        zarrfs.open_array(tmp_path / "x")


def test_part_of_a_long_element_of_an_array_without_dimensions(tmp_path: Path) -> None:
    text = np.array("größer als ein Element", "U40")
    zarr.create_array(tmp_path / "x", data=text)
    read = open_flat_file(tmp_path / "x", memory=2**26)
    assert read(5, 2) == text.tobytes()[5:7]


def check(program: Program, array: ArrayV2 | ArrayV3, data: DataObject) -> None:
    """Have an array written, and compare what its writer and zarrfs read."""
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder) / "x.zarr"
        expected = program.make(directory, array)
        if not array.is_tame:
            assert_equal(expected, written(array))
        check_reads(directory, expected, data)
    CASES["written by others"] += 1


def check_reads(directory: Path, expected: npt.NDArray[Any], data: DataObject) -> None:
    """Read selections and byte spans in every way that zarrfs has."""
    z = zarrfs.open_array(directory)
    assert z.shape == expected.shape
    indices = basic_indices(expected.shape, allow_newaxis=False)
    for index in [..., *data.draw(st.lists(indices, min_size=1, max_size=4), label="indices")]:
        assert_same_elements(z[index], expected[index], z.dtype)
    if z.dtype.hasobject:
        return
    assert z.dtype == expected.dtype.newbyteorder("=") or z.dtype.names
    flat = expected.astype(z.dtype.newbyteorder("<")).tobytes()
    drawn = data.draw(st.lists(spans(len(flat)), min_size=2, max_size=8), label="spans")
    for offset, size in drawn:
        assert z.read_bytes(offset, size) == flat[offset : offset + size]
    read = open_flat_file(directory, memory=data.draw(st.sampled_from([2**10, 2**16, 2**26])))
    for offset, size in [(0, len(flat)), *drawn]:
        assert read(offset, size) == flat[offset : offset + size]


def assert_same_elements(read: object, expected: object, dtype: np.dtype[Any]) -> None:
    """Compare scalars or arrays, bit for bit."""
    ours, theirs = np.asarray(read, dtype), np.asarray(expected, dtype)
    assert ours.shape == theirs.shape
    if dtype.hasobject:
        assert ours.tolist() == theirs.tolist()
    else:
        assert ours.tobytes() == theirs.tobytes()


def open_flat_file(directory: Path, memory: int) -> Callable[[int, int], bytes]:
    """Open an array as a mount does, for several reads of one open file: slabs, read-ahead."""
    store = open_store(directory)
    node = Hierarchy(store).node("")
    assert isinstance(node, ArrayNode)
    engine = process_engine()
    flat = FlatArray(
        engine.source(store, node),
        flat_dtype(node.metadata, "little"),
        SlabTable(engine),
        memory=memory,
    )
    readahead = ReadAhead()

    def read(offset: int, size: int) -> bytes:
        reply = flat.read(offset, size, readahead)
        return bytes(reply.result(DEADLINE) if isinstance(reply, Future) else reply)

    return read
