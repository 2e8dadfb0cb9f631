"""Chunks that are contiguous in the flat file, and so read or decoded straight into their place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import zarr
from zarr.codecs import BloscCodec, ZstdCodec

from tests.arrays import writer
from tests.flat.opened import opened
from zarrfs.errors import ChunkError
from zarrfs.stores.local import LocalStore

if TYPE_CHECKING:
    from pathlib import Path

    from tests.log_check import LogCheck
    from zarrfs.flat.element_order import Endian


@pytest.mark.parametrize("endian", ["little", "big"])
@pytest.mark.parametrize(
    "codecs",
    [
        [writer.bytes_codec()],
        [writer.bytes_codec("big")],
        [writer.bytes_codec(), writer.GZIP],
        [{"name": "transpose", "configuration": {"order": [1, 0]}}, writer.bytes_codec()],
    ],
    ids=["plain", "swapped", "compressed", "transposed"],
)
def test_whole_rows_are_right_whether_or_not_they_are_decoded_into_place(
    codecs: list[Any], endian: Endian, tmp_path: Path
) -> None:
    data = np.arange(1, 7 * 4 + 1, dtype="<u2").reshape(7, 4)
    store = writer.write_v3(data, (2, 4), codecs, store=LocalStore(tmp_path))
    with opened(store, endian=endian) as one:
        expected = data.astype("<u2" if endian == "little" else ">u2").tobytes()
        assert one.read_through(10) == expected
        assert one.read_through(56) == expected


@pytest.mark.parametrize("compressor", ["zstd", "blosc"])
def test_decompressed_rows_are_right_in_place(compressor: str, tmp_path: Path) -> None:
    data = np.arange(7 * 400, dtype="<u2").reshape(7, 400)
    codec = {"zstd": ZstdCodec(), "blosc": BloscCodec()}[compressor]
    array = zarr.create_array(
        tmp_path, shape=(7, 400), chunks=(2, 400), dtype="<u2", compressors=[codec]
    )
    array[...] = data
    with opened(LocalStore(tmp_path)) as one:
        assert one.read_through(1000) == data.tobytes()


def test_an_object_of_another_size_than_is_due_is_an_error_also_in_place(
    tmp_path: Path, expected_logs: LogCheck
) -> None:
    expected_logs("bytes")
    store = writer.write_v3(np.ones((8, 4), "<u2"), (2, 4), store=LocalStore(tmp_path))
    store.set("c/1/0", bytes(15))
    store.set("c/2/0", bytes(17))
    with opened(store) as one:
        for row in (2, 4):
            with pytest.raises(ChunkError, match=f"c/{row // 2}/0"):
                one.read(row * 8, 1)
        assert one.read(0, 16) == np.ones(8, "<u2").tobytes()
