from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ml_dtypes
import numpy as np
import pytest

from tests.arrays import writer
from tests.flat.opened import opened
from zarrfs.errors import ViewError
from zarrfs.flat.element_order import flat_dtype
from zarrfs.format.metadata_v2 import parse_array

if TYPE_CHECKING:
    from zarrfs.flat.element_order import Endian

DATA = np.arange(300, 308, dtype="i4")
BIG = [writer.bytes_codec("big")]


@pytest.mark.parametrize(
    ("endian", "codecs", "expected"),
    [
        ("little", BIG, "<i4"),
        ("big", None, ">i4"),
        ("stored", None, "<i4"),
        ("stored", BIG, ">i4"),
        ("stored", [writer.sharding((4,), BIG)], ">i4"),
        ("stored", [{"name": "transpose", "configuration": {"order": [0]}}, *BIG], ">i4"),
    ],
)
def test_bytes_have_the_order_that_was_asked_for(
    endian: Endian, codecs: writer.Codecs | None, expected: str
) -> None:
    with opened(writer.write_v3(DATA, (8,), codecs), endian=endian) as file:
        assert file.dtype == np.dtype(expected)
        assert file.dtype.str == expected
        assert file.read(0, 100) == DATA.astype(expected).tobytes()


def test_one_byte_types_have_no_order() -> None:
    with opened(writer.write_v2(DATA.astype("i1"), (8,)), endian="stored") as file:
        assert file.dtype == np.dtype("i1")


@pytest.mark.parametrize(
    ("endian", "expected"),
    [
        ("stored", [("a", "<i4"), ("b", ">f8")]),
        ("little", [("a", "<i4"), ("b", "<f8")]),
        ("big", [("a", ">i4"), ("b", ">f8")]),
    ],
)
def test_fields_have_their_own_order_only_as_stored(endian: Endian, expected: Any) -> None:
    data = np.zeros(3, [("a", "<i4"), ("b", ">f8")])
    data["a"], data["b"] = 258, 1 / 3
    with opened(writer.write_v2(data, (2,)), endian=endian) as file:
        assert file.dtype == np.dtype(expected)
        assert file.read(0, 100) == data.astype(expected).tobytes()


def test_elements_without_a_fixed_size_are_refused() -> None:
    metadata = parse_array(
        {
            "zarr_format": 2,
            "shape": [1],
            "chunks": [1],
            "dtype": "|O",
            "compressor": None,
            "filters": [{"id": "vlen-utf8"}],
            "fill_value": "",
            "order": "C",
        },
        None,
    )
    with pytest.raises(ViewError, match="no fixed size"):
        flat_dtype(metadata, "little")


@pytest.mark.parametrize("dtype", [ml_dtypes.bfloat16, ml_dtypes.int4, ml_dtypes.float8_e5m2])
@pytest.mark.parametrize("endian", ["little", "stored"])
def test_types_that_numpy_lacks_are_read_as_they_are_in_memory(dtype: Any, endian: Endian) -> None:
    data = np.arange(8).astype(dtype)
    with opened(writer.write_v3(data, (3,)), endian=endian) as file:
        assert file.dtype == np.dtype(dtype)
        assert file.read(0, 100) == data.tobytes()


def test_bfloat16_of_another_byte_order_is_refused() -> None:
    data = np.arange(8).astype(ml_dtypes.bfloat16)
    for codecs, endian in ((BIG, "stored"), (None, "big")):
        with (
            pytest.raises(
                ViewError, match=r"^NumPy has its elements \(bfloat16\) in little-endian"
            ),
            opened(writer.write_v3(data, (3,), codecs), endian=endian),  # type: ignore[arg-type]  # a literal
        ):
            pass
    with opened(writer.write_v3(data, (3,), BIG)) as file:
        assert file.read(0, 100) == data.tobytes()
