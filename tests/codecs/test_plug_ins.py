"""Codecs of other packages and programs, in all places where a codec can stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import zarrfs
from tests.codecs.example_codecs import (
    LITTLE,
    Halves,
    Negated,
    Text,
    Xor,
    XorInto,
    codec,
    registered,
    v2_pipeline,
)
from tests.contracts.codec_contract import CodecContract, build, random_array, same
from zarrfs.errors import MetadataError, RegistrationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from zarrfs.codecs.base import Array


@pytest.fixture(autouse=True, scope="module")
def _registered() -> Iterator[None]:
    with registered(Xor, XorInto, Halves, Negated, Text):
        yield


# --- Zarr v3 --------------------------------------------------------------------------------------


class TestBytesCodecBetweenBuiltIns(CodecContract):
    codecs = (LITTLE, "crc32c", codec("example.xor", mask=85), "zstd")


class TestBytesCodecThatDecodesInto(CodecContract):
    codecs = (LITTLE, codec("example.xor-into"), "gzip")


class TestArrayCodecsBehindEachOther(CodecContract):
    codecs = (codec("example.negated"), codec("transpose", order="F"), codec("example.text"))
    dtypes = ("i4", "i8")

    def array(self, shape: tuple[int, ...], dtype: np.dtype[Any], seed: int) -> Array:
        return np.random.default_rng(seed).integers(-1000, 1000, shape).astype(dtype)


class TestInsideAShard(CodecContract):
    codecs = (
        {
            "name": "sharding_indexed",
            "configuration": {
                "chunk_shape": [2],
                "codecs": [codec("example.negated"), LITTLE, codec("example.xor"), "crc32c"],
                "index_codecs": [LITTLE, codec("numcodecs.crc32")],
            },
        },
    )
    shapes = st.integers(0, 4).map(lambda n: (2 * n,))
    dtypes = ("i4", "f8")


def test_fill_value_goes_through_a_codec_that_changes_the_type() -> None:
    pipeline = build([codec("example.halves"), LITTLE], (3,), "f8", 2.5)
    assert pipeline.array_bytes.spec.dtype == "f4"
    assert pipeline.array_bytes.spec.fill_value == 2.5
    assert pipeline.encoded_nbytes == 12
    array = np.array([1.5, 2.5, -3], "f8")
    assert same(pipeline.decode(pipeline.encode(array)), array)


@given(st.integers(0, 255), st.integers(0, 2**32))
def test_codec_gets_its_configuration(mask: int, seed: int) -> None:
    array = random_array((5,), np.dtype("u1"), seed)
    encoded = build(["bytes", codec("example.xor", mask=mask)], (5,), "u1").encode(array)
    assert encoded == (array ^ np.uint8(mask)).tobytes()


# --- Zarr v2 --------------------------------------------------------------------------------------

V2 = [
    (None, {"id": "example.xor", "mask": 7}),
    ([{"id": "example.xor"}], {"id": "zlib", "level": 1}),
    ([{"id": "example.negated"}], {"id": "blosc"}),
    ([{"id": "delta", "dtype": "<i4"}, {"id": "example.negated"}, {"id": "shuffle"}], None),
    (None, {"id": "example.text"}),
    ([{"id": "example.negated"}, {"id": "example.text"}], {"id": "example.xor"}),
]


@pytest.mark.parametrize(("filters", "compressor"), V2)
@pytest.mark.parametrize("dtype", ["<i4", ">i4"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_codecs_work_as_filters_and_compressors_of_v2(
    filters: Any, compressor: Any, dtype: str, order: str
) -> None:
    if filters and filters[0]["id"] == "delta":
        filters = [{**filters[0], "dtype": dtype}, *filters[1:]]
    pipeline = v2_pipeline(dtype, filters, compressor, order)
    array = random_array((4, 3), np.dtype("i4"), 1)
    assert same(pipeline.decode(pipeline.encode(array)), array)


def test_array_codec_of_v2_gets_numbers_and_its_own_are_stored_little_endian() -> None:
    pipeline = v2_pipeline(">i4", [{"id": "example.negated"}], None)
    stored = bytes(pipeline.encode(np.arange(12, dtype="i4").reshape(4, 3)))
    assert stored == np.negative(np.arange(12, dtype="<i4")).tobytes()


def test_structured_elements_keep_their_byte_orders_in_v2() -> None:
    class Reversed(zarrfs.ArrayArrayCodec):
        """Turns the first dimension around."""

        name = "example.reversed"

        def encode(self, array: Array) -> Array:
            return np.ascontiguousarray(array[::-1])

        decode = encode

    with registered(Reversed):
        pipeline = build(["bytes", codec("numcodecs.example.reversed")], (2,), [("a", "<i2")])
        array = np.array([(1,), (2,)], [("a", "<i2")])
        assert same(pipeline.decode(pipeline.encode(array)), array)


def test_array_codec_behind_a_compressor_is_refused() -> None:
    with pytest.raises(MetadataError, match="encodes arrays, and here are only bytes"):
        build([LITTLE, "zstd", codec("numcodecs.example.negated")], (4,), "i4")
    with pytest.raises(MetadataError, match="stands behind the codec that made bytes"):
        build([LITTLE, codec("example.negated")], (4,), "i4")
    with pytest.raises(MetadataError, match="no codec before it makes bytes"):
        build([codec("example.xor"), LITTLE], (4,), "i4")


def test_id_of_numcodecs_means_its_codec_unless_the_whole_name_is_replaced() -> None:
    class Zlib(Xor):
        name = "zlib"

    class NumcodecsZlib(Xor):
        name = "numcodecs.zlib"

    array = np.arange(4, dtype="i4")
    expected = build([LITTLE, codec("numcodecs.zlib")], (4,), "i4").encode(array)
    with registered(Zlib):
        assert build([LITTLE, codec("numcodecs.zlib")], (4,), "i4").encode(array) == expected
    with pytest.raises(RegistrationError, match="is built in; force=True"):
        zarrfs.register_codec(NumcodecsZlib)
    with registered(NumcodecsZlib, force=True):
        inverted = build([LITTLE, codec("numcodecs.zlib")], (4,), "i4").encode(array)
        assert inverted == bytes(255 - byte for byte in array.tobytes())
        assert zarrfs.codec_info("numcodecs.zlib").origin == "registered"
    assert build([LITTLE, codec("numcodecs.zlib")], (4,), "i4").encode(array) == expected
