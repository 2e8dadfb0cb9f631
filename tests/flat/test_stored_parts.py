"""Scattered reads of chunks that are stored as they are: only what is asked for is fetched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.arrays import writer
from tests.flat.opened import opened
from zarrfs.arrays.chunk_io import LEAST_PARTED_BYTES
from zarrfs.errors import ChunkError

if TYPE_CHECKING:
    import numpy.typing as npt

    from tests.log_check import LogCheck
    from zarrfs.stores.base import Store

DATA = np.arange(64 * 130 * 96, dtype="<u4").reshape(64, 130, 96)
CHUNK = (32, 64, 64)
"""Two of them along each axis, and a bit over."""

CHUNK_BYTES = 32 * 64 * 64 * 4
assert CHUNK_BYTES >= LEAST_PARTED_BYTES
assert DATA.nbytes > 16 * LEAST_PARTED_BYTES, "reads are scattered, not worth slabs"

AT = DATA[40, 70].nbytes * (40 * 130 + 70)
"""First byte of a row in the second half of the first axis."""


TRANSPOSE = {"name": "transpose", "configuration": {"order": [2, 1, 0]}}


def written(data: npt.NDArray[Any] = DATA, **options: Any) -> Store:
    return writer.write_v3(data, CHUNK, [writer.bytes_codec()], **options)


@pytest.mark.parametrize("size", [1, 3, 4 * 96, 4 * 96 * 10 + 5, 4 * 96 * 130])
def test_no_more_is_fetched_than_is_asked_for(size: int) -> None:
    with opened(written()) as file:
        offset = AT + 2
        assert file.read(offset, size) == DATA.tobytes()[offset : offset + size]
        assert file.count("chunks_decoded") == 0
        # Elements are read whole, and in edge chunks some lie between that the array does not have.
        assert file.count("bytes_fetched") <= 1.5 * size + 3 * 4 * 2


def test_whole_elements_are_converted_to_the_byte_order_of_the_file() -> None:
    with opened(written(), endian="big") as file:
        assert file.read(AT, 8) == DATA[40, 70, :2].astype(">u4").tobytes()


@pytest.mark.parametrize(
    ("codecs", "dtype"),
    [
        ([writer.bytes_codec("big")], "<u4"),
        ([writer.bytes_codec(), writer.GZIP], "<u4"),
        (
            [{"name": "transpose", "configuration": {"order": [2, 1, 0]}}, writer.bytes_codec()],
            "<u4",
        ),
        ([writer.sharding((32, 64, 32), [writer.bytes_codec()])], "<u4"),
        ([writer.bytes_codec()], "bool"),
    ],
)
def test_other_chunks_are_decoded_whole(codecs: writer.Codecs, dtype: str) -> None:
    data = np.asarray(DATA % 2 if dtype == "bool" else DATA, dtype)
    with opened(writer.write_v3(data, CHUNK, codecs)) as file:
        offset = AT // 4 * data.itemsize
        assert file.read(offset, 8) == data.tobytes()[offset : offset + 8]
        assert file.count("chunks_decoded") == 1


def test_chunks_that_were_never_written_are_fill_value() -> None:
    store = written(fill=7)
    store.delete("c/1/1/0")
    expected = DATA.copy()
    expected[32:, 64:128, :64] = 7
    with opened(store) as file:
        assert file.read(AT, 4 * 96) == expected.tobytes()[AT : AT + 4 * 96]


@pytest.mark.parametrize("change", [-1, 1, -CHUNK_BYTES])
def test_objects_of_another_size_are_errors_wherever_they_are_read(
    change: int, expected_logs: LogCheck
) -> None:
    expected_logs("c/1/1/0", times=1)
    store = written()
    stored = bytes(store.get("c/1/1/0")) + b"x"
    store.set("c/1/1/0", stored[: CHUNK_BYTES + change])
    with opened(store) as file:
        for _ in range(2):
            with pytest.raises(ChunkError, match="c/1/1/0"):
                file.read(AT, 4)
        offset = AT + 64 * 4  # in the next chunk
        assert file.read(offset, 4) == DATA.tobytes()[offset : offset + 4]


def test_a_change_of_what_was_read_is_noticed() -> None:
    store = written()
    with opened(store) as file:
        file.read(AT, 4)
        assert not file.flat.has_changed()
        store.set("c/1/1/0", bytes(CHUNK_BYTES))
        assert file.flat.has_changed()
        assert file.read(AT, 4) == bytes(4)
