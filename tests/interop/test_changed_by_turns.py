"""Arrays that zarrfs and another program change by turns hold what was written last."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

import zarrfs
from tests.interop.all_programs import PROGRAMS
from tests.interop.cases import CASES
from tests.interop.comparing import assert_equal, assert_same_bits
from tests.interop.programs import written
from tests.interop.strategies import v2_arrays, v3_arrays, writes

if TYPE_CHECKING:
    from hypothesis.strategies import DataObject

    from tests.interop.programs import Program
    from tests.interop.strategies import ArrayV2, ArrayV3

pytestmark = [
    pytest.mark.filterwarnings("ignore::zarr.errors.UnstableSpecificationWarning"),
    pytest.mark.filterwarnings(
        "ignore:Combining a `sharding_indexed` codec:zarr.errors.ZarrUserWarning"
    ),
    pytest.mark.filterwarnings(
        "ignore:Numcodecs codecs are not in the Zarr version 3:zarr.errors.ZarrUserWarning"
    ),
]


@pytest.mark.parametrize("name", PROGRAMS)
@given(data=st.data())
def test_v3_arrays(name: str, data: DataObject) -> None:
    program = PROGRAMS[name]
    check(program, data.draw(v3_arrays(program.v3_types, program.support), label="array"), data)


@pytest.mark.parametrize("name", PROGRAMS)
@given(data=st.data())
def test_v2_arrays(name: str, data: DataObject) -> None:
    program = PROGRAMS[name]
    check(program, data.draw(v2_arrays(program.v2_types, program.support), label="array"), data)


def check(program: Program, array: ArrayV2 | ArrayV3, data: DataObject) -> None:
    """Have an array made, write to it by turns, and compare what both read."""
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder) / "x.zarr"
        program.make(directory, array)
        expected = written(array)
        for turn, change in enumerate(data.draw(writes(array.shape), label="changes")):
            content = array.content(change)
            if turn % 2:
                program.write(directory, array, change.region, content)
            else:
                z = zarrfs.open_array(directory, write_empty_chunks=array.stores_empty_chunks)
                z[change.region] = content
            expected[change.region] = content
        read = program.read(directory, expected.dtype)
        assert_same_bits(zarrfs.open_array(directory)[...], read)
        if not array.is_tame:
            assert_equal(read, expected)
    CASES["changed by turns"] += 1
