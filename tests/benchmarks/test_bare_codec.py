from __future__ import annotations

from typing import TYPE_CHECKING

import numcodecs.zstd
import numpy as np
import pytest

from benchmarks.arrays import STANDARD_ARRAYS
from benchmarks.bare_codec import decoder, encoded_chunks
from benchmarks.stored_arrays import StoredArrays

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", ["iii", "vi", "small"])
def test_encoded_chunks_are_all_there_and_decode(name: str, tmp_path: Path) -> None:
    stored = StoredArrays(tmp_path, scale=1024).get(name)
    chunks = encoded_chunks(stored)
    assert len(chunks) == stored.array.n_chunks
    decoder(stored)()


def test_chunks_of_a_shard_are_cut_at_the_right_places(tmp_path: Path) -> None:
    stored = StoredArrays(tmp_path, scale=1024).get("vi")
    array = stored.array
    first = numcodecs.zstd.Zstd().decode(encoded_chunks(stored)[0])
    expected = array.elements(0, array.shape[0])[tuple(slice(n) for n in array.chunks)]
    assert np.array_equal(np.frombuffer(first, array.dtype).reshape(array.chunks), expected)


def test_arrays_are_stored_once_and_removed_when_not_needed(tmp_path: Path) -> None:
    arrays = StoredArrays(tmp_path, scale=4096)
    first = arrays.get("v1")
    assert arrays.get("v1") is first
    assert first.stored_bytes == first.array.nbytes == STANDARD_ARRAYS["v1"].scaled(4096).nbytes
    second = arrays.get("iv")
    arrays.drop_all_but({"iv", None})
    assert [path.name for path in tmp_path.iterdir()] == ["iv.zarr"]
    assert second.path.exists()
