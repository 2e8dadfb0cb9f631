from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contracts.codec_contract import NUMBERS, CodecContract, build, random_array, same
from zarrfs.byte_range import ByteRange
from zarrfs.codecs.sharding import MISSING, ShardIndex, ShardingCodec
from zarrfs.errors import CodecError, MetadataError, UnsupportedError

LITTLE = {"name": "bytes", "configuration": {"endian": "little"}}
BIG = {"name": "bytes", "configuration": {"endian": "big"}}


def sharding(
    chunk_shape: Any,
    codecs: Any = (LITTLE,),
    index_codecs: Any = (LITTLE, "crc32c"),
    **more: Any,
) -> dict[str, Any]:
    configuration = {
        "chunk_shape": chunk_shape,
        "codecs": list(codecs),
        "index_codecs": list(index_codecs),
        **more,
    }
    return {"name": "sharding_indexed", "configuration": configuration}


SHARDS = st.tuples(st.integers(0, 3).map(lambda n: 2 * n), st.integers(0, 2).map(lambda n: 3 * n))


class TestSharding(CodecContract):
    codecs = (sharding([2, 3]),)
    shapes = SHARDS


class TestIndexFirstBigEndianUnchecked(CodecContract):
    codecs = (sharding([2, 3], [BIG, "crc32c"], [BIG], index_location="start"),)
    shapes = SHARDS
    dtypes = (*NUMBERS, "U2", "M8[s]")


class TestNestedAndCompressed(CodecContract):
    codecs = (
        sharding([4, 6], [sharding([2, 3], [LITTLE, "zstd"], index_location="start"), "crc32c"]),
    )
    shapes = st.tuples(st.sampled_from([0, 4, 8]), st.sampled_from([0, 6]))


class TestTransposedInsideAndOut(CodecContract):
    codecs = (
        {"name": "transpose", "configuration": {"order": [1, 0]}},
        sharding([3, 2], [{"name": "transpose", "configuration": {"order": [1, 0]}}, LITTLE]),
        "crc32c",
    )
    shapes = SHARDS
    detects_damage = True


class TestOtherIndexCodecs(CodecContract):
    codecs = (
        sharding(
            [2, 3],
            [LITTLE],
            [
                {"name": "transpose", "configuration": {"order": [2, 0, 1]}},
                BIG,
                {"name": "numcodecs.shuffle", "configuration": {"elementsize": 8}},
                {"name": "numcodecs.adler32"},
            ],
        ),
    )
    shapes = SHARDS


class TestInnerCodecsChangeShapeAndType(CodecContract):
    codecs = (sharding([2, 3], [{"name": "numcodecs.packbits"}, "bytes", "zstd"]),)
    shapes = SHARDS
    dtypes = ("bool",)


class TestShardOfOneElement(CodecContract):
    codecs = (sharding([]),)
    shapes = st.just(())


class TestShardOfOneElementInTheOtherByteOrder(CodecContract):
    codecs = (sharding([], [BIG]),)
    shapes = st.just(())


def codec_of(extension: Any, shape: tuple[int, ...] = (4, 6), fill: Any = 0) -> ShardingCodec:
    codec = build([extension], shape, "i4", fill).sharding
    assert codec is not None
    return codec


@given(
    st.integers(0, 2**32),
    st.sampled_from(["start", "end"]),
    st.sampled_from([[LITTLE], [LITTLE, "zstd"], [LITTLE, {"name": "gzip"}, "crc32c"]]),
)
def test_inner_chunks_are_read_by_their_byte_ranges(
    seed: int, location: str, codecs: list[Any]
) -> None:
    codec = codec_of(sharding([2, 3], codecs, index_location=location))
    array = random_array((4, 6), np.dtype("i4"), seed).copy()
    array[:2, 3:] = 0
    shard = bytes(codec.encode(array))
    start, stop = codec.index_range.resolve(len(shard))
    index = codec.parse_index(shard[start:stop])
    for coords in np.ndindex(codec.grid_shape):
        region = tuple(
            slice(c * n, (c + 1) * n) for c, n in zip(coords, codec.inner_shape, strict=True)
        )
        inner_range = index.inner_range(coords)
        if inner_range is None:
            assert not array[region].any()
        else:
            first, last = inner_range.resolve(len(shard))
            assert same(codec.inner.decode(shard[first:last]), np.ascontiguousarray(array[region]))
    assert index.inner_range((0, 1)) is None


def test_shard_has_the_layout_of_the_specification() -> None:
    at_end = codec_of(sharding([2, 3], index_codecs=[LITTLE]))
    array = np.zeros((4, 6), "i4")
    array[0, 0] = 1
    index = np.array([0, 24, *[MISSING] * 6], "<u8").tobytes()
    inner = array[:2, :3].tobytes()
    assert bytes(at_end.encode(array)) == inner + index
    assert at_end.index_range == ByteRange(-64, 64)
    at_start = codec_of(sharding([2, 3], index_codecs=[LITTLE], index_location="start"))
    index = np.array([64, 24, *[MISSING] * 6], "<u8").tobytes()
    assert bytes(at_start.encode(array)) == index + inner
    assert at_start.index_range == ByteRange(0, 64)


def test_missing_inner_chunks_are_the_fill_value() -> None:
    codec = codec_of(sharding([2, 3]), fill=7)
    shard = codec.encode(np.full((4, 6), 7, "i4"))
    assert len(shard) == codec.index_nbytes
    assert (codec.decode(shard) == 7).all()


def test_nested_shards_are_read_level_by_level() -> None:
    outer = codec_of(sharding([4, 6], [sharding([2, 3])]), (8, 6))
    inner = outer.inner.sharding
    assert inner is not None
    assert (outer.grid_shape, inner.grid_shape, inner.inner_shape) == ((2, 1), (2, 2), (2, 3))
    assert inner.inner.sharding is None


def test_index_entry_out_of_the_shard_spoils_its_inner_chunk_only() -> None:
    codec = codec_of(sharding([2, 3], index_codecs=[LITTLE]))
    entries = np.full((2, 2, 2), MISSING, "<u8")
    entries[0, 0] = 1000, 24
    entries[0, 1] = 0, 24
    shard = bytes(24) + entries.tobytes()
    index = codec.parse_index(entries.tobytes(), len(shard))
    assert index.inner_range((0, 1)) == ByteRange(0, 24)
    with pytest.raises(CodecError, match=r"chunk \(0, 0\) at bytes 1000 to 1024 of 88, out of"):
        index.inner_range((0, 0))
    with pytest.raises(CodecError, match="out of the shard"):
        codec.decode(shard)


def test_inner_chunk_beyond_what_a_file_can_hold_is_refused_before_the_shard_is_asked() -> None:
    index = ShardIndex(np.array([(2**63 - 1, 0), (2**63 - 1, 1)], np.uint64))
    assert index.inner_range((0,)) == ByteRange(2**63 - 1, 0)
    with pytest.raises(CodecError, match="out of the shard"):
        index.inner_range((1,))


@pytest.mark.parametrize("entry", [(MISSING, 5), (5, MISSING), (2**63, 2**63)])
def test_index_entry_that_no_shard_can_have_is_refused(entry: tuple[int, int]) -> None:
    index = ShardIndex(np.array([entry], np.uint64))
    with pytest.raises(CodecError, match="out of the shard"):
        index.inner_range((0,))
    assert index.nbytes == 16


def test_index_with_a_wrong_checksum_is_refused() -> None:
    codec = codec_of(sharding([2, 3]))
    with pytest.raises(CodecError, match="with crc32c: the checksum is"):
        codec.parse_index(bytes(codec.index_nbytes))


def test_shard_smaller_than_its_index_is_refused() -> None:
    with pytest.raises(CodecError, match="with crc32c: it was given 3 bytes, not 68"):
        codec_of(sharding([2, 3])).decode(b"abc")


@pytest.mark.parametrize(
    ("extension", "error", "match"),
    [
        (sharding([2, 4]), MetadataError, r"chunk_shape: must divide the shard's shape \[4, 6\]"),
        (sharding([2]), MetadataError, r"chunk_shape: must divide"),
        (sharding([0, 3]), MetadataError, r"chunk_shape: must be a list of integers ≥ 1"),
        (sharding(2), MetadataError, r"chunk_shape: must be a list"),
        (
            sharding([2, 3], []),
            MetadataError,
            r"codecs: no codec makes bytes of the array \(none\)",
        ),
        (sharding([2, 3], [1]), MetadataError, r"sharding_indexed.codecs\[0\]: must be a name"),
        (sharding([2, 3], index_location="middle"), MetadataError, r"index_location: must be"),
        (sharding([2, 3], version=2), UnsupportedError, r"sharding_indexed.version"),
        (
            sharding([2, 3], index_codecs=[LITTLE, {"name": "gzip"}]),
            UnsupportedError,
            r"index_codecs: must give the index a fixed size",
        ),
        ("sharding_indexed", MetadataError, r"chunk_shape: is missing"),
    ],
)
def test_wrong_configuration_is_refused(extension: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        build([extension], (4, 6), "i4")


def test_more_inner_chunks_than_an_index_can_hold_are_refused() -> None:
    with pytest.raises(MetadataError, match=r"chunk_shape: cuts the shard into 1\d{24} inner"):
        build([sharding([1, 1])], (10**12, 10**12), "i4")


def test_unknown_codec_inside_a_shard_is_refused_or_left_out() -> None:
    unknown = {"name": "unheard-of", "must_understand": False}
    array = random_array((4, 6), np.dtype("i4"), 1)
    plain, with_unknown = (
        build([sharding([2, 3], codecs, index_codecs)], (4, 6), "i4")
        for codecs, index_codecs in (
            ([LITTLE], [LITTLE]),
            ([unknown, LITTLE, unknown], [LITTLE, unknown]),
        )
    )
    assert with_unknown.encode(array) == plain.encode(array)
    with pytest.raises(UnsupportedError, match="'unheard-of'"):
        build([sharding([2, 3], [LITTLE, "unheard-of"])], (4, 6), "i4")


def test_damaged_index_is_called_so() -> None:
    pipeline = build([sharding([2])], (4,), "u1")
    with pytest.raises(CodecError, match="with sharding_indexed: its index cannot be decoded with"):
        pipeline.decode(b"")


def test_wrong_codecs_inside_are_named_by_their_place() -> None:
    with pytest.raises(MetadataError, match=r"^codecs\.sharding_indexed\.index_codecs: no codec"):
        build([sharding([2], index_codecs=[])], (4,), "u1")
    gzip = {"name": "gzip", "configuration": {"level": 10}}
    with pytest.raises(
        MetadataError, match=r"^codecs\.sharding_indexed\.codecs\.gzip\.level: must"
    ):
        build([sharding([2], [LITTLE, gzip])], (4,), "u1")
