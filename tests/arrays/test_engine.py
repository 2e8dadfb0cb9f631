from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np
import pytest
import zarr

from zarrfs.arrays.engine import Engine
from zarrfs.arrays.hierarchy import ArrayNode, Hierarchy
from zarrfs.stores.local import LocalStore

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(("memory", "n_lines"), [(799, 1), (800, 0)])
def test_chunk_larger_than_all_memory_is_logged(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    memory: int,
    n_lines: int,
) -> None:
    array = zarr.create_array(str(tmp_path), shape=(100,), chunks=(100,), dtype="f8")
    array[...] = np.arange(100)
    store = LocalStore(str(tmp_path))
    node = Hierarchy(store).node("")
    assert isinstance(node, ArrayNode)
    engine = Engine(memory=memory, failure_ttl=1)
    with caplog.at_level(logging.INFO, logger="zarrfs.arrays.engine"):
        engine.source(store, node)
    engine.close()
    lines = [line for line in caplog.messages if "a chunk is 800 bytes" in line]
    assert len(lines) == n_lines
