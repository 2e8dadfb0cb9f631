"""Stores that zarr-python wrote, for the tests of the Python interface."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import zarr

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A v3 hierarchy: two arrays and a group with one in it."""
    path = tmp_path_factory.mktemp("api") / "data.zarr"
    root = zarr.create_group(path, attributes={"title": "weather"})
    t = root.create_array(
        "t",
        shape=(10, 7),
        chunks=(4, 3),
        dtype="float32",
        fill_value=np.nan,
        dimension_names=("y", "x"),
        attributes={"units": "K"},
    )
    t[:8] = np.arange(56, dtype="float32").reshape(8, 7)
    sharded = root.create_array("sharded", shape=(16, 16), chunks=(4, 4), shards=(8, 8), dtype="i2")
    sharded[...] = np.arange(256, dtype="i2").reshape(16, 16)
    scalar = root.create_group("deep/er").create_array("scalar", shape=(), dtype="u1")
    scalar[...] = 7
    return path
