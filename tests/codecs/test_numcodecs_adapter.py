from __future__ import annotations

import lzma
from typing import TYPE_CHECKING, Any

import ml_dtypes
import numcodecs
import numpy as np
import pytest
from hypothesis import strategies as st

from tests.contracts.codec_contract import (
    NUMBERS,
    OTHERS,
    SHAPES,
    SHAPES_WITH_EMPTY,
    CodecContract,
    build,
    random_array,
    same,
)
from zarrfs.errors import CodecError, MetadataError

if TYPE_CHECKING:
    from zarrfs.codecs.base import Array

LITTLE = {"name": "bytes", "configuration": {"endian": "little"}}
BIG = {"name": "bytes", "configuration": {"endian": "big"}}
INTEGERS = ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8")


def codec(codec_id: str, **configuration: Any) -> dict[str, Any]:
    return {"name": f"numcodecs.{codec_id}", "configuration": configuration}


class SmallNumbers(CodecContract):
    """For codecs that keep only some numbers: here sixteenths below 16."""

    shapes = SHAPES

    def array(self, shape: tuple[int, ...], dtype: np.dtype[Any], seed: int) -> Array:
        array = np.random.default_rng(seed).integers(0, 256, shape) / 16
        return np.asarray(array).astype(dtype)


# --- bytes→bytes, behind `bytes` ----------------------------------------------------------------


@pytest.mark.parametrize(
    "further",
    [
        codec("lz4"),
        codec("zlib"),
        codec("bz2"),
        codec("lzma"),
        codec("crc32"),
        codec("shuffle", elementsize=12),
        codec("zstd"),
        codec("blosc", shuffle=-1),
    ],
    ids=lambda further: str(further["name"]),
)
def test_records_of_times_are_encoded(further: dict[str, Any]) -> None:
    records = np.array([(3, 1.5), (4, 2.5)], [("t", "<M8[s]"), ("x", "<f4")])
    pipeline = build([LITTLE, further], records.shape, records.dtype)
    assert (pipeline.decode(pipeline.encode(records)) == records).all()


class TestZlib(CodecContract):
    codecs = (LITTLE, codec("zlib", level=1))
    dtypes = (*NUMBERS, *OTHERS)


class TestGzip(CodecContract):
    codecs = (LITTLE, codec("gzip", level=-1))


class TestBz2(CodecContract):
    codecs = (LITTLE, codec("bz2", level=9))


class TestLzma(CodecContract):
    codecs = (LITTLE, codec("lzma", format=1, check=-1, preset=None, filters=None))
    shapes = st.just((3, 4))  # slow


class TestRawLzma(CodecContract):
    codecs = (LITTLE, codec("lzma", format=3, filters=[{"id": 33, "preset": 1}]))
    shapes = st.just((3, 4))  # slow


class TestLz4(CodecContract):
    codecs = (LITTLE, codec("lz4", acceleration=1))
    dtypes = (*NUMBERS, *OTHERS)


class TestZstd(CodecContract):
    codecs = (BIG, codec("zstd", level=1))
    dtypes = (*NUMBERS, *OTHERS)


class TestBlosc(CodecContract):
    codecs = (BIG, codec("blosc", cname="lz4", clevel=5, shuffle=-1, blocksize=0))
    dtypes = (*NUMBERS, *OTHERS)
    shapes = st.one_of(SHAPES_WITH_EMPTY, st.tuples(st.integers(100, 500)))


class TestShuffle(CodecContract):
    codecs = (LITTLE, codec("shuffle"))
    dtypes = (*NUMBERS, *OTHERS)


class TestShuffleOfSingleBytes(CodecContract):
    codecs = (
        LITTLE,
        codec("shuffle", elementsize=0),
        codec("zlib"),
        codec("shuffle", elementsize=1),
    )
    dtypes = NUMBERS


class TestBase64(CodecContract):
    codecs = (LITTLE, codec("base64"))
    dtypes = (*NUMBERS, *OTHERS)


class TestAdler32(CodecContract):
    codecs = (LITTLE, codec("adler32"))
    detects_damage = True


class TestCrc32(CodecContract):
    codecs = (LITTLE, codec("crc32"), codec("crc32", location="end"))
    detects_damage = True


class TestCrc32c(CodecContract):
    codecs = (LITTLE, codec("crc32c"))
    detects_damage = True


class TestFletcher32(CodecContract):
    codecs = (LITTLE, codec("fletcher32"))
    shapes = SHAPES  # the checksum of nothing is not defined


class TestJenkins(CodecContract):
    codecs = (LITTLE, codec("jenkins_lookup3", initval=1))
    shapes = SHAPES
    detects_damage = True


class TestBigEndianDelta(CodecContract):
    codecs = (BIG, codec("delta", dtype=">i4", astype=">i4"), codec("zlib"))
    dtypes = ("i4", "u4", "f4")
    shapes = SHAPES

    def array(self, shape: tuple[int, ...], dtype: np.dtype[Any], seed: int) -> Array:
        return random_array(shape, np.dtype("i4"), seed).view(dtype)


class TestDeltaOfOtherElements(CodecContract):
    codecs = (LITTLE, codec("delta", dtype="|u1"), codec("blosc"))
    dtypes = ("i4", "f8", "S3")
    shapes = SHAPES


class TestV2Quantize(SmallNumbers):
    codecs = (BIG, codec("quantize", digits=1, dtype=">f8", astype=">f4"), codec("crc32"))
    dtypes = ("f8",)


class TestV2BitRound(SmallNumbers):
    codecs = (LITTLE, codec("bitround", keepbits=8), codec("blosc"))
    dtypes = ("f2", "f4", "f8")


class TestV2PackBits(CodecContract):
    codecs = ("bytes", codec("packbits"), codec("zlib"))
    dtypes = ("bool",)


class TestV2Categorize(CodecContract):
    codecs = (LITTLE, codec("categorize", labels=["a", "bb"], dtype="<U2", astype="|u1"))
    dtypes = ("U2",)

    def array(self, shape: tuple[int, ...], dtype: np.dtype[Any], seed: int) -> Array:
        return np.asarray(np.random.default_rng(seed).choice(["", "a", "bb"], shape)).astype(dtype)


class TestV2Zfpy(SmallNumbers):
    codecs = (LITTLE, codec("zfpy", mode=4, tolerance=-1))
    dtypes = ("i4", "i8", "f4", "f8")
    shapes = st.lists(st.integers(1, 5), min_size=1, max_size=4).map(tuple)


class TestV2PCodec(CodecContract):
    codecs = (LITTLE, codec("pcodec"), codec("crc32c"))
    dtypes = ("i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8")
    shapes = SHAPES
    detects_damage = True


class TestV2TextInJson(CodecContract):
    codecs = (BIG, codec("json2"))
    dtypes = ("U3",)
    shapes = SHAPES

    def array(self, shape: tuple[int, ...], dtype: np.dtype[Any], seed: int) -> Array:
        text = np.random.default_rng(seed).choice(["", "a", "bcd"], shape)
        return np.asarray(text).astype(dtype)


# --- array→array ---------------------------------------------------------------------------------


class TestDelta(CodecContract):
    codecs = (codec("delta", dtype=">i4"), BIG)
    dtypes = ("i4",)
    shapes = SHAPES


class TestDeltaOfTheArraysType(CodecContract):
    codecs = (codec("delta"), LITTLE)
    dtypes = INTEGERS
    shapes = SHAPES


class TestDeltaBehindTranspose(CodecContract):
    codecs = (
        {"name": "transpose", "configuration": {"order": [1, 2, 0]}},
        codec("delta", dtype="i2"),
        LITTLE,
    )
    dtypes = ("i2",)
    shapes = st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3))


class TestDeltaBeforeTranspose(CodecContract):
    codecs = (
        codec("delta", dtype="i2"),
        {"name": "transpose", "configuration": {"order": "F"}},
        LITTLE,
    )
    dtypes = ("i2",)
    shapes = SHAPES


class TestFixedScaleOffset(SmallNumbers):
    codecs = (codec("fixedscaleoffset", offset=1, scale=16, astype="i2"), LITTLE)
    dtypes = ("f4", "f8")


class TestQuantize(SmallNumbers):
    codecs = (codec("quantize", digits=1), LITTLE)
    dtypes = ("f4", "f8")


class TestAsType(SmallNumbers):
    codecs = (codec("astype", encode_dtype="f8"), LITTLE)
    dtypes = ("f2", "f4", "i2", "u4")


class TestBitRound(SmallNumbers):
    codecs = (codec("bitround", keepbits=8), LITTLE, codec("zlib"))
    dtypes = ("f2", "f4", "f8")


class TestPackBits(CodecContract):
    codecs = (codec("packbits"), "bytes")
    dtypes = ("bool",)


class TestFilterBeforeSharding(SmallNumbers):
    codecs = (
        codec("astype", encode_dtype="f8"),
        {
            "name": "sharding_indexed",
            "configuration": {"chunk_shape": [2], "codecs": [LITTLE], "index_codecs": [LITTLE]},
        },
    )
    dtypes = ("f4", "i2")
    shapes = st.just((6,))


# --- array→bytes ---------------------------------------------------------------------------------


class TestPCodec(CodecContract):
    codecs = (codec("pcodec", level=4),)
    dtypes = ("i2", "u4", "i8", "f2", "f4", "f8", "c8", "c16", "M8[s]")
    shapes = SHAPES


class TestZfpy(SmallNumbers):
    codecs = (
        {"name": "transpose", "configuration": {"order": "F"}},
        codec("zfpy", mode=4, tolerance=-1),
    )
    dtypes = ("i4", "i8", "f4", "f8")
    shapes = st.lists(st.integers(1, 5), min_size=1, max_size=4).map(tuple)


class Objects(CodecContract):
    """For codecs of Python objects."""

    dtypes = (object,)
    values: tuple[Any, ...] = ("", "a", "ŵord", "日本", "\0")

    def array(self, shape: tuple[int, ...], dtype: np.dtype[Any], seed: int) -> Array:
        array = np.empty(shape, object)
        rng = np.random.default_rng(seed)
        for coords in np.ndindex(shape):
            array[coords] = self.values[rng.integers(len(self.values))]
        return array


class TestVlenUtf8(Objects):
    codecs = (codec("vlen-utf8"), codec("zstd"))


class TestUncompressedVlenUtf8(Objects):
    codecs = (codec("vlen-utf8"),)


class TestVlenBytes(Objects):
    codecs = (codec("vlen-bytes"),)
    values = (b"", b"\xff\0", b"abc")


class TestVlenArray(Objects):
    codecs = (codec("vlen-array", dtype="<i2"),)
    values = (np.array([1, 2], "i2"), np.array([], "i2"))


class TestJson2(Objects):
    codecs = (codec("json2"), codec("crc32c"))
    values = ("a", 1, 2.5, None, True, {"b": 1})
    shapes = SHAPES
    detects_damage = True


class TestUncheckedJson2(Objects):
    codecs = (codec("json2"),)
    shapes = SHAPES


class TestMsgPack2(Objects):
    codecs = (codec("msgpack2"),)
    values = ("a", 1, None, True, b"b", 2.5)
    shapes = SHAPES


class TestCategorizedObjects(Objects):
    codecs = (codec("categorize", labels=["a", "bb"], dtype="|O"), codec("zlib"))
    values = ("", "a", "bb")


# --- places ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("codecs", "dtype", "match"),
    [
        ([codec("zlib"), LITTLE], "i4", r"'numcodecs\.zlib' encodes bytes, but no codec before"),
        ([LITTLE, codec("zlib"), codec("zfpy")], "f4", r"zfpy: encodes arrays, and here are only"),
        ([LITTLE, codec("zlib"), codec("json2")], "U2", r"json2: encodes arrays, and here"),
        ([codec("vlen-utf8"), codec("vlen-utf8")], object, r"encodes arrays, and here are only"),
        ([LITTLE, codec("zlib"), codec("shuffle")], "f8", r"shuffle\.elementsize: is missing, and"),
        ([codec("pcodec")], object, r"pcodec: cannot encode elements of variable length"),
        ([codec("pcodec")], "S3", r"pcodec: cannot encode elements of type \|S3"),
        (
            [codec("astype", encode_dtype="<i4", decode_dtype="|S3")],
            "S3",
            r"astype: cannot encode \|S3",
        ),
        ([codec("delta"), LITTLE], object, r"delta: cannot encode elements of variable|refuses"),
        ([codec("bitround", keepbits=3)], "?", r"bitround: cannot encode elements of type bool"),
        ([codec("astype", encode_dtype="i4")], "U2", r"astype: cannot encode <U2: invalid literal"),
        ([codec("delta", dtype="nonsense")], "i4", r"delta\.dtype: must be a type string"),
    ],
)
def test_codec_in_a_place_or_for_a_type_that_is_not_its_own_is_refused(
    codecs: list[Any], dtype: Any, match: str
) -> None:
    with pytest.raises(MetadataError, match=match):
        build(codecs, (4,), dtype)


def test_filter_behind_a_compressor_takes_bytes_for_elements() -> None:
    pipeline = build([LITTLE, codec("zlib"), codec("delta", dtype="|u1")], (4,), "i4")
    array = np.arange(4, dtype="i4")
    assert same(pipeline.decode(pipeline.encode(array)), array)


def test_blosc_sees_the_type_that_a_filter_made() -> None:
    delta = codec("delta", dtype="<i4", astype="<i2")
    encoded = build([LITTLE, delta, codec("blosc")], (40,), "i4").encode(np.arange(40, dtype="i4"))
    assert bytes(encoded)[3] == 2


@pytest.mark.parametrize(
    ("filter_codec", "dtype", "fill", "encoded"),
    [
        (codec("fixedscaleoffset", offset=1, scale=10, astype="i2"), "f4", 2.5, 15),
        (codec("astype", encode_dtype="i8"), "f4", 7, 7),
        (codec("quantize", digits=1), "f4", 0.51, 0.5),
        (codec("bitround", keepbits=1), "f4", 5.1, 6.0),
        (codec("delta", dtype="i4", astype="i8"), "i4", 7, 7),
        (codec("packbits"), "bool", 1, 1),
    ],
)
def test_fill_value_goes_through_the_filter(
    filter_codec: Any, dtype: str, fill: float, encoded: float
) -> None:
    spec = build([filter_codec, LITTLE], (4,), dtype, fill).array_bytes.spec
    assert spec.fill_value == encoded
    assert np.asarray(spec.fill_value).dtype == spec.dtype


def test_missing_inner_chunks_of_filtered_arrays_are_the_fill_value() -> None:
    pipeline = build(TestFilterBeforeSharding.codecs, (6,), "f4", 7)
    encoded = pipeline.encode(np.array([1, 2, 7, 7, 7, 7], "f4"))
    assert len(encoded) == 16 + 3 * 16
    assert pipeline.decode(encoded).tolist() == [1, 2, 7, 7, 7, 7]


def test_values_that_overflow_give_no_warning() -> None:
    pipeline = build(
        [codec("fixedscaleoffset", offset=0, scale=10, astype="i1"), LITTLE], (2,), "f4"
    )
    pipeline.encode(np.array([np.nan, 1e30], "f4"))


def test_number_of_elements_is_checked_before_memory_is_taken() -> None:
    with pytest.raises(CodecError, match="the data hold 4294967295 elements, not 2"):
        build([codec("vlen-utf8")], (2,), object).decode(b"\xff\xff\xff\xff")
    with pytest.raises(CodecError, match="the data hold 1 elements, not 2"):
        build([codec("json2")], (2,), object).decode(b'["a","|O",[1]]')


def test_numbers_of_another_type_are_refused() -> None:
    data = numcodecs.get_codec({"id": "pcodec"}).encode(np.arange(4, dtype="i4"))
    with pytest.raises(CodecError, match="does not match chunk's number type"):
        build([codec("pcodec")], (4,), "f4").decode(data)


@pytest.mark.parametrize("delta_spec", ["none", "no_op"])
def test_pcodec_takes_no_differences_by_either_name(delta_spec: str) -> None:
    array = random_array((50,), np.dtype("f2"), 1)
    pipeline = build([codec("pcodec", delta_spec=delta_spec)], (50,), "f2")
    assert same(pipeline.decode(pipeline.encode(array)), array)


def test_pcodec_compresses_parts_of_complex_numbers_that_numpy_lacks() -> None:
    dtype = np.dtype([("real", "<f2"), ("imag", "<f2")])
    array = random_array((3, 4), dtype, 1)
    pipeline = build([codec("pcodec")], (3, 4), dtype)
    assert same(pipeline.decode(pipeline.encode(array)), array)


def test_delta_of_gdal_is_left_to_the_lzma_stream() -> None:
    array = np.arange(50, dtype="<i2")
    filters = [{"id": lzma.FILTER_DELTA, "dist": 2}, {"id": lzma.FILTER_LZMA2, "preset": 6}]
    stored = lzma.compress(array.tobytes(), filters=filters)
    pipeline = build([LITTLE, codec("lzma", preset=6, delta=2)], (50,), "<i2")
    assert same(pipeline.decode(stored), array)
    assert same(pipeline.decode(pipeline.encode(array)), array)
    with pytest.raises(MetadataError, match=r"lzma\.delta: is no setting of numcodecs' lzma"):
        build([LITTLE, codec("lzma", format=2, delta=2)], (50,), "<i2")


@pytest.mark.parametrize("name", ["pcodec", "zfpy"])
@pytest.mark.parametrize("dtype", [ml_dtypes.bfloat16, ml_dtypes.int4, ml_dtypes.float8_e4m3])
def test_numbers_that_numpy_lacks_are_refused_by_compressors_of_numbers(
    name: str, dtype: type[Any]
) -> None:
    with pytest.raises(MetadataError, match=f"{name}: cannot encode elements of type "):
        build([codec(name)], (4,), dtype)


@pytest.mark.parametrize("name", ["vlen-utf8", "vlen-bytes"])
def test_numbers_are_no_elements_of_variable_length(name: str) -> None:
    message = "encodes elements of variable length, not int32"
    with pytest.raises(MetadataError, match=message):
        build([{"name": f"numcodecs.{name}"}], (4,), "i4")


def test_junk_in_place_of_a_data_type_is_shown() -> None:
    pipeline = build([{"name": "numcodecs.json2"}], (2,), object)
    with pytest.raises(CodecError, match=r'the data name no data type, but \{"a": 1\}'):
        pipeline.decode(b'[1, 2, {"a": 1}, [2]]')
