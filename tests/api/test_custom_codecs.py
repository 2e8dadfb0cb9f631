"""Arrays whose codecs a program registered, written and read by the Python interface."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import zarrfs
from tests.codecs.example_codecs import Negated, Xor, registered
from zarrfs.errors import UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def _registered() -> Iterator[None]:
    with registered(Xor, Negated):
        yield


XOR = {"name": "example.xor", "configuration": {"mask": 85}}


@pytest.mark.usefixtures("_registered")
@pytest.mark.parametrize(
    "arguments",
    [
        {"codecs": ["example.negated", "bytes", XOR, "zstd"]},
        {"codecs": ["example.negated", "bytes", XOR], "shards": (8, 6)},
        {"compressor": {"id": "example.xor", "mask": 3}, "zarr_format": 2},
        {
            "compressor": {"id": "zlib", "level": 1},
            "filters": [{"id": "example.negated"}, {"id": "example.xor"}],
            "zarr_format": 2,
            "order": "F",
        },
        {"compressor": {"id": "example.xor", "mask": 3}, "zarr_format": 3},
    ],
)
def test_arrays_with_codecs_of_the_program_are_written_and_read(
    arguments: dict[str, Any], tmp_path: Path
) -> None:
    data = np.arange(80, dtype="i4").reshape(10, 8)
    place = tmp_path / "a.zarr"
    array = zarrfs.create_array(place, shape=(10, 8), chunks=(4, 3), dtype="i4", **arguments)
    array[...] = data
    array[2:5, 1:4] = 7
    data[2:5, 1:4] = 7
    assert (zarrfs.open_array(place)[...] == data).all()


def test_array_whose_codec_is_not_registered_any_more_says_so(tmp_path: Path) -> None:
    place = tmp_path / "a.zarr"
    with registered(Xor):
        zarrfs.create_array(place, shape=(4,), dtype="i4", codecs=["bytes", XOR])
    with pytest.raises(UnsupportedError, match=r"zarrfs has no codec 'example\.xor'"):
        zarrfs.open_array(place)[...]
