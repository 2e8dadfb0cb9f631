"""Stores and mount points for tests on real mounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.mounted.mounting import mounted
from tests.plain_arrays import sample, write_array

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy.typing as npt

    from tests.mounted.mounting import Mounted

GROUP = b'{"zarr_format": 3, "node_type": "group"}'

GRID = sample(64, 96, 40)
"""The array ``grid``: 24 chunks, cut along all axes."""

ROWS = sample(256, 512)
"""The array ``rows``: 16 chunks of 16 whole rows, 64 KiB each; a row is a page."""

N_ROW_CHUNKS = 16
ROW_CHUNK_BYTES = ROWS.nbytes // N_ROW_CHUNKS


def fill_store(folder: Path) -> Path:
    """Write a group of arrays."""
    folder.mkdir()
    (folder / "zarr.json").write_bytes(GROUP)
    write_array(folder / "grid", GRID, (16, 32, 20), checksum=True)
    write_array(folder / "rows", ROWS, (16, 512), checksum=True)
    write_array(folder / "scalar", np.array(1.5), ())
    write_array(folder / "empty", np.empty((0, 4)), (1, 4))
    write_array(folder / "inner" / "small", np.arange(6, dtype="int16"), (2,))
    (folder / "inner" / "zarr.json").write_bytes(GROUP)
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A directory store that the test may damage."""
    return fill_store(tmp_path.resolve() / "store.zarr")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mounted]:
    """A mount for all tests of a module, none of which may make its log warn."""
    folder = tmp_path_factory.mktemp("shared").resolve()
    with mounted(fill_store(folder / "store.zarr"), folder / "mnt", ro=True) as made:
        yield made


@pytest.fixture(params=["grid", "rows"])
def array(request: pytest.FixtureRequest) -> tuple[str, npt.NDArray[Any]]:
    """Name and content of an array, one after the other."""
    return {"grid": ("grid", GRID), "rows": ("rows", ROWS)}[request.param]
