from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest

from tests.contracts.codec_contract import NUMBERS, OTHERS, CodecContract, build
from zarrfs.codecs.base import BytesSpec
from zarrfs.errors import MetadataError, UnsupportedError

RECORD = np.dtype([("a", "<i2"), ("b", ">f8"), ("c", "S3"), ("d", "<u4", (2,))])


class TestLittleEndian(CodecContract):
    codecs = ({"name": "bytes", "configuration": {"endian": "little"}},)
    dtypes = (*NUMBERS, *OTHERS, RECORD, ml_dtypes.bfloat16)


class TestBigEndian(CodecContract):
    codecs = ({"name": "endian", "configuration": {"endian": "big"}},)
    dtypes = (*NUMBERS, *OTHERS, RECORD, ml_dtypes.bfloat16)


class TestNoByteOrder(CodecContract):
    codecs = ("bytes",)
    dtypes = ("bool", "i1", "u1", "S3", "V5", RECORD, ml_dtypes.float8_e5m2)


def endian(order: str) -> list[Any]:
    return [{"name": "bytes", "configuration": {"endian": order}}]


@pytest.mark.parametrize("dtype", ["i2", "f8", "c16", "U3", "M8[s]"])
def test_encoded_bytes_are_those_of_the_stored_byte_order(dtype: str) -> None:
    array = np.arange(6).reshape(2, 3).astype(dtype)
    for order, mark in (("little", "<"), ("big", ">")):
        stored = array.astype(np.dtype(dtype).newbyteorder(mark)).tobytes()  # type: ignore[arg-type]
        pipeline = build(endian(order), (2, 3), dtype)
        assert bytes(pipeline.encode(array)) == stored
        decoded = pipeline.decode(stored)
        assert decoded.dtype.isnative
        assert decoded.tobytes() == array.tobytes()


def test_types_that_numpy_does_not_know_are_swapped() -> None:
    array = np.array([1, 2], ml_dtypes.bfloat16)
    assert bytes(build(endian("big"), (2,), array.dtype).encode(array)) == b"\x3f\x80\x40\x00"


def test_fields_keep_declared_byte_orders_without_endian() -> None:
    array = np.zeros(1, RECORD)
    array["a"], array["b"] = 1, 1
    assert bytes(build(["bytes"], (1,), RECORD).encode(array)) == array.tobytes()
    assert bytes(build(endian("big"), (1,), RECORD).encode(array))[:3] == b"\x00\x01\x3f"
    assert build(endian("big"), (1,), RECORD).decode(bytes(RECORD.itemsize)).dtype == RECORD


def test_native_order_is_decoded_without_a_copy() -> None:
    data = bytes(range(8))
    decoded = build(endian("little"), (2,), "i4").decode(data)
    assert np.shares_memory(decoded, np.frombuffer(data, np.uint8))
    assert not decoded.flags.writeable


def test_any_byte_but_0_is_true() -> None:
    decoded = build(["bytes"], (4,), "bool").decode(b"\x00\x01\x02\xff")
    assert decoded.tobytes() == b"\x00\x01\x01\x01"


def test_wrong_size_names_both_sizes() -> None:
    with pytest.raises(Exception, match=r"with bytes: it was given 7 bytes, not 8"):
        build(endian("little"), (2,), "i4").decode(bytes(7))


@pytest.mark.parametrize(
    ("configuration", "dtype", "error", "match"),
    [
        ({}, "i2", MetadataError, r"codecs.bytes.endian: is missing, and int16 has more"),
        ({"endian": "middle"}, "i2", MetadataError, r'codecs.bytes.endian: must be "little" or'),
        ({"endian": 1}, "u1", MetadataError, r"endian: must be"),
        ({"order": "big"}, "u1", UnsupportedError, r"codecs.bytes.order"),
        ({}, object, MetadataError, r"codecs.bytes: cannot encode elements of variable length"),
    ],
)
def test_wrong_configuration_is_refused(
    configuration: dict[str, Any], dtype: Any, error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        build([{"name": "bytes", "configuration": configuration}], (2,), dtype)


def test_bytes_behind_it_are_described_as_stored() -> None:
    encoded = build(endian("big"), (2, 3), "i2").array_bytes.encoded_spec
    assert encoded.nbytes == 12
    assert encoded.array is not None
    assert (encoded.array.shape, encoded.array.dtype) == ((2, 3), np.dtype(">i2"))
    assert isinstance(encoded, BytesSpec)
