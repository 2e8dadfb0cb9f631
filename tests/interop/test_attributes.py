"""Attributes that zarrfs and zarr-python write for one another."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest
import zarr
from hypothesis import given
from hypothesis import strategies as st

import zarrfs
from tests.interop.cases import CASES

if TYPE_CHECKING:
    from tests.interop.data_types import Json

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
ATTRIBUTES = st.dictionaries(NAMES, VALUES, max_size=4)


@pytest.mark.parametrize("zarr_format", [2, 3])
@given(first=ATTRIBUTES, second=ATTRIBUTES)
def test_attributes(
    first: dict[str, Json], second: dict[str, Json], zarr_format: Literal[2, 3]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder) / "x.zarr"
        zarrfs.create_array(
            directory, shape=(3,), dtype="i2", zarr_format=zarr_format, attributes=first
        )
        theirs = zarr.open_array(directory, mode="r+")
        assert text(theirs.attrs.asdict()) == text(first)
        theirs.attrs.update(second)
        merged = {**first, **second}
        assert text(dict(zarrfs.open_array(directory).attributes)) == text(merged)
        ours = zarrfs.open_array(directory)
        ours.attributes.clear()
        ours.attributes.update(second)
        assert text(zarr.open_array(directory, mode="r").attrs.asdict()) == text(second)
    CASES["attributes"] += 1


def text(attributes: dict[str, Json]) -> str:
    """Attributes as JSON, in which NaN is equal to itself, and 1 is not 1.0."""
    return json.dumps(attributes, sort_keys=True)
