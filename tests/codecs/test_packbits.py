from __future__ import annotations

from typing import Any, ClassVar

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contracts.codec_contract import NUMBERS, CodecContract, build, random_array, same
from zarrfs.codecs.number_types import find_number_type
from zarrfs.errors import CodecError, MetadataError, UnsupportedError

SMALL = (
    ml_dtypes.int2,
    ml_dtypes.uint2,
    ml_dtypes.int4,
    ml_dtypes.uint4,
    ml_dtypes.float4_e2m1fn,
    ml_dtypes.float6_e2m3fn,
    ml_dtypes.float8_e5m2,
    ml_dtypes.bfloat16,
)


def packbits(**configuration: Any) -> dict[str, Any]:
    return {"name": "packbits", "configuration": configuration}


def small_array(shape: tuple[int, ...], dtype: np.dtype[Any], seed: int) -> Any:
    """Return an array of random bits, those above the element's own all zero."""
    number = find_number_type(dtype)
    assert number is not None
    bits = random_array(shape, number.carrier, seed) & (2**number.n_bits - 1)
    return bits.astype(number.carrier).view(dtype)


class TestPackbits(CodecContract):
    codecs = (packbits(),)
    dtypes = (*NUMBERS, "M8[s]", "m8[25ns]")


class TestPackbitsOfSmallNumbers(CodecContract):
    codecs = (packbits(padding_encoding="first_byte"),)
    dtypes: ClassVar[Any] = SMALL

    def array(self, shape: tuple[int, ...], dtype: np.dtype[Any], seed: int) -> Any:
        return small_array(shape, dtype, seed)


class TestSomeBits(CodecContract):
    codecs = (packbits(first_bit=2, last_bit=6, padding_encoding="last_byte"),)
    dtypes = ("u1", "u2", "u4", "u8")

    def array(self, shape: tuple[int, ...], dtype: np.dtype[Any], seed: int) -> Any:
        return random_array(shape, dtype, seed) & dtype.type(0b1111100)


@given(st.data(), st.sampled_from(["i1", "i2", "i4", "i8", "u2", "c8", "?"]))
def test_bits_are_those_of_the_definition(data: st.DataObject, code: str) -> None:
    dtype = np.dtype(code)
    number = find_number_type(dtype)
    assert number is not None
    first = data.draw(st.integers(0, number.n_bits - 1))
    last = data.draw(st.integers(first, number.n_bits - 1))
    array = random_array((data.draw(st.integers(0, 9)),), dtype, data.draw(st.integers(0, 99)))
    encoded = build([packbits(first_bit=first, last_bit=last)], array.shape, dtype).encode(array)
    parts = [int(part) for part in number.parts(array).view(number.carrier)]
    whole = position = 0
    for part in parts:
        whole |= (part >> first & 2 ** (last - first + 1) - 1) << position
        position += last - first + 1
    assert encoded == whole.to_bytes(-(-position // 8), "little")


@pytest.mark.parametrize("padding_encoding", ["none", "first_byte", "last_byte"])
def test_number_of_padding_bits_stands_where_it_was_asked_for(padding_encoding: str) -> None:
    array = np.array([True, False, True])
    codec = packbits(padding_encoding=padding_encoding)
    expected = {"none": b"\x05", "first_byte": b"\x05\x05", "last_byte": b"\x05\x05"}
    assert build([codec], (3,), "?").encode(array) == expected[padding_encoding]
    whole = {"none": b"\x01", "first_byte": b"\x00\x01", "last_byte": b"\x01\x00"}
    first = np.array([True] + 7 * [False])
    assert build([codec], (8,), "?").encode(first) == whole[padding_encoding]


def test_signed_integers_are_sign_extended_from_the_last_bit() -> None:
    array = np.array([-3, 3, -4, 0], "i2")
    pipeline = build([packbits(last_bit=2)], (4,), "i2")
    assert len(pipeline.encode(array)) == 2
    assert same(pipeline.decode(pipeline.encode(array)), array)


def test_parts_of_complex_numbers_are_packed_each() -> None:
    array = np.array([1 + 2j], "c8")
    encoded = build([packbits(first_bit=16)], (1,), "c8").encode(array)
    assert encoded == np.array([0x3F80, 0x4000], "<u2").tobytes()


def test_many_elements_are_packed_in_blocks() -> None:
    array = random_array((50_001,), np.dtype("u2"), 7) & np.uint16(0x7FF)
    pipeline = build([packbits(last_bit=10)], array.shape, "u2")
    assert same(pipeline.decode(pipeline.encode(array)), array)


def test_wrong_number_of_padding_bits_is_refused() -> None:
    pipeline = build([packbits(padding_encoding="first_byte")], (3,), "?")
    with pytest.raises(CodecError, match="the data declare 4 bits of padding, not 5"):
        pipeline.decode(b"\x04\x05")


@pytest.mark.parametrize(
    ("configuration", "error", "match"),
    [
        ({"first_bit": 9}, MetadataError, "codecs.packbits.first_bit: must be an integer from 0"),
        ({"last_bit": 8}, MetadataError, "last_bit: must be an integer from 0 to 7, not 8"),
        ({"first_bit": 3, "last_bit": 2}, MetadataError, "last_bit: must be an integer from 3"),
        ({"first_bit": True}, MetadataError, "first_bit"),
        ({"padding_encoding": "start_byte"}, MetadataError, "packbits.padding_encoding: must be"),
        ({"bits": 1}, UnsupportedError, "codecs.packbits.bits: is unknown"),
    ],
)
def test_wrong_configuration_is_refused(
    configuration: dict[str, Any], error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        build([packbits(**configuration)], (3,), "u1")


@pytest.mark.parametrize("dtype", ["S3", "V3", "O"])
def test_what_are_no_numbers_is_refused(dtype: str) -> None:
    with pytest.raises(MetadataError, match=r"codecs.packbits: cannot encode elements of type"):
        build([packbits()], (3,), dtype)
