from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from typing import TYPE_CHECKING, Any

import numcodecs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contracts.codec_contract import NUMBERS, OTHERS, CodecContract, build
from zarrfs.codecs.base import BytesSpec
from zarrfs.codecs.blocks import decode_lz4, decode_zstd
from zarrfs.codecs.compressors import Decompress, find_decompress
from zarrfs.codecs.streams import decode_bz2, decode_gzip, decode_zlib
from zarrfs.errors import CodecError, MetadataError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable

LITTLE = {"name": "bytes", "configuration": {"endian": "little"}}


def due(nbytes: int | None) -> BytesSpec:
    return BytesSpec(nbytes=nbytes)


CONTENT = b"what is compressed " * 20


def codec(name: str, **configuration: Any) -> dict[str, Any]:
    return {"name": name, "configuration": configuration}


class TestGzip(CodecContract):
    codecs = (LITTLE, codec("gzip", level=6))
    dtypes = (*NUMBERS, *OTHERS)


class TestZstd(CodecContract):
    codecs = (LITTLE, codec("zstd", level=3, checksum=False))
    dtypes = (*NUMBERS, *OTHERS)


class TestZstdWithChecksum(CodecContract):
    codecs = (LITTLE, codec("zstd", level=-5, checksum=True))


class TestBloscLz4(CodecContract):
    codecs = (
        LITTLE,
        codec("blosc", cname="lz4", clevel=5, shuffle="shuffle", typesize=4, blocksize=0),
    )
    dtypes = (*NUMBERS, *OTHERS)
    # Blosc stores small chunks as they are; these have several compressed blocks.
    shapes = st.one_of(CodecContract.shapes, st.tuples(st.integers(100, 700)))


class TestBloscZstdBitshuffle(CodecContract):
    codecs = (
        LITTLE,
        codec("blosc", cname="zstd", clevel=9, shuffle="bitshuffle", blocksize=256),
    )
    shapes = st.tuples(st.integers(0, 700))


class TestTwoCompressorsAndAChecksum(CodecContract):
    codecs = (LITTLE, codec("zstd"), codec("gzip"), "crc32c", codec("blosc"))


class TestChecksumInsideACompressor(CodecContract):
    codecs = (LITTLE, "crc32c", codec("zstd"))


@pytest.mark.parametrize(
    ("codecs", "is_used"),
    [
        ([LITTLE, codec("zstd")], True),
        ([LITTLE, codec("blosc"), "crc32c"], True),
        ([LITTLE, "crc32c", codec("zstd")], True),
        ([LITTLE, codec("gzip")], False),
        ([LITTLE, codec("zstd"), codec("zstd")], True),
        ([LITTLE, codec("numcodecs.lz4")], True),
        ([LITTLE, codec("numcodecs.zlib"), codec("zstd")], False),
    ],
)
def test_scratch_buffer_holds_the_chunk_where_the_compressor_can(
    codecs: list[Any], is_used: bool
) -> None:
    pipeline = build(codecs, (1000,), "i4")
    encoded = pipeline.encode(np.arange(1000, dtype="i4"))
    scratch = memoryview(bytearray(4004))
    decoded = pipeline.decode(encoded, scratch)
    assert np.shares_memory(decoded, np.frombuffer(scratch, np.uint8)) == is_used
    assert decoded.tobytes() == np.arange(1000, dtype="i4").tobytes()


@pytest.mark.parametrize("name", ["gzip", "zstd", "blosc"])
def test_equal_chunks_are_encoded_equally(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = build([LITTLE, codec(name)], (100,), "i4")
    array = np.arange(100, dtype="i4")
    first = pipeline.encode(array)
    monkeypatch.setattr("time.time", lambda: 2e9)
    assert pipeline.encode(array) == first


@pytest.mark.parametrize(
    ("configuration", "error", "match"),
    [
        (codec("gzip", level=10), MetadataError, r"codecs.gzip.level: must be an integer from 0"),
        (codec("gzip", level=True), MetadataError, r"codecs.gzip.level"),
        (codec("gzip", window=1), UnsupportedError, r"codecs.gzip.window"),
        (codec("zstd", level=23), MetadataError, r"codecs.zstd.level"),
        (codec("zstd", checksum=1), MetadataError, r"codecs.zstd.checksum: must be true or false"),
        (codec("zstd", dictionary=1), UnsupportedError, r"codecs.zstd.dictionary"),
        (codec("blosc", cname="lz5"), MetadataError, r'codecs.blosc.cname: must be "blosclz" or'),
        (codec("blosc", shuffle=1), MetadataError, r"codecs.blosc.shuffle: must be"),
        (codec("blosc", clevel=10), MetadataError, r"codecs.blosc.clevel"),
        (
            codec("blosc", shuffle="shuffle", typesize=0),
            MetadataError,
            r"codecs.blosc.typesize: must be an integer from 1",
        ),
        (codec("blosc", typesize=-1), MetadataError, r"codecs.blosc.typesize: .* from 0"),
        (codec("blosc", blocksize=-1), MetadataError, r"codecs.blosc.blocksize"),
        (codec("blosc", nthreads=1), UnsupportedError, r"codecs.blosc.nthreads"),
    ],
)
def test_wrong_configuration_is_refused(
    configuration: Any, error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        build([LITTLE, configuration], (2,), "i4")


@pytest.mark.parametrize(
    ("given_size", "stored"),
    [({}, 8), ({"typesize": 3}, 3), ({"typesize": 300}, 1), ({"typesize": 0}, 1)],
)
def test_blosc_types_are_as_wide_as_configured_or_as_the_elements(
    given_size: dict[str, int], stored: int
) -> None:
    encoded = build([LITTLE, codec("blosc", **given_size)], (100,), "i8").encode(
        np.arange(100, dtype="i8")
    )
    assert encoded[3] == stored


def test_blosc_behind_a_compressor_takes_bytes_for_elements() -> None:
    encoded = build([LITTLE, codec("gzip"), codec("blosc")], (9,), "i8").encode(np.zeros(9, "i8"))
    assert encoded[3] == 1


def test_blosc_does_not_use_threads_of_its_own() -> None:
    assert numcodecs.blosc.use_threads is False


def test_snappy_which_numcodecs_is_built_without_is_an_error() -> None:
    pipeline = build([LITTLE, codec("blosc", cname="snappy")], (9,), "i8")
    with pytest.raises(CodecError, match=r"cannot encode a chunk with blosc: bad compressor"):
        pipeline.encode(np.zeros(9, "i8"))


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("blosc", bytes(15), "15 bytes hold no blosc header"),
        (
            "blosc",
            b"\x02\x01\x33\x01" + bytes(8) + b"\x11\0\0\0",
            "declares 17 bytes, there are 16",
        ),
        ("blosc", b"\x02\x01\x33\x01\xff\xff\xff\x7f" + bytes(8), "holds 2147483647 bytes where 8"),
        ("zstd", bytes.fromhex("28b52ffda0ffffff7f"), "holds 2147483647 bytes where 8 are due"),
        ("zstd", numcodecs.Zstd().encode(bytes(7)), "it gave 7 bytes, not 8"),
        ("zstd", b"\x28\xb5\x2f\xfd", "invalid input data"),
        ("gzip", gzip.compress(bytes(9), mtime=0), "holds more than the 8 bytes that are due"),
        ("gzip", gzip.compress(bytes(8), mtime=0)[:-1], "the data end too soon"),
        ("gzip", gzip.compress(bytes(7), mtime=0), "it gave 7 bytes, not 8"),
        ("gzip", gzip.compress(bytes(8), mtime=0) + b"junk", "incorrect header check"),
    ],
)
def test_wrong_sizes_are_found_before_memory_is_taken(name: str, data: bytes, reason: str) -> None:
    with pytest.raises(CodecError, match=f"with {name}: .*{reason}"):
        build([LITTLE, codec(name)], (1,), "i8").decode(data)


def test_gzip_may_have_several_members_and_zeros_behind_them() -> None:
    data = gzip.compress(bytes(3), mtime=0) + gzip.compress(bytes(5), mtime=0) + bytes(7)
    assert build([LITTLE, codec("gzip")], (1,), "i8").decode(data)[0] == 0


@pytest.mark.parametrize(("level", "size"), [(1, 100), (1, 255), (1, 256), (1, 70_000)])
@pytest.mark.parametrize("is_size_known", [True, False])
def test_zstd_sizes_of_all_widths_are_read(level: int, size: int, is_size_known: bool) -> None:
    content = bytes(size)
    out = decode_zstd(
        numcodecs.Zstd(level).encode(content), due(size if is_size_known else None), None
    )
    assert bytes(out) == content


def test_zstd_frames_without_a_size_are_decoded() -> None:
    # One raw block of three bytes, a window descriptor and no content size.
    frame = bytes.fromhex("28b52ffd 00 58 190000 616263")
    assert bytes(decode_zstd(frame, due(3), None)) == b"abc"
    assert bytes(decode_zstd(frame, due(None), None)) == b"abc"
    with pytest.raises(RuntimeError):
        decode_zstd(frame, due(4), None)


def test_zstd_frame_of_unknown_size_that_holds_more_is_refused() -> None:
    codec = build([LITTLE, {"name": "zstd", "configuration": {"level": 1}}], (4,), "u1")
    # One block that repeats a byte 16 times. RFC 8878, sections 3.1.1.1 and 3.1.1.2.
    frame = b"\x28\xb5\x2f\xfd\x00\x58" + (16 << 3 | 1 << 1 | 1).to_bytes(3, "little") + b"x"
    with pytest.raises(CodecError, match="zstd: holds more than the 4 bytes that are due"):
        codec.decode(frame)


def test_zstd_frames_follow_each_other() -> None:
    frames = numcodecs.Zstd().encode(b"abc") + numcodecs.Zstd().encode(b"defg")
    assert bytes(decode_zstd(frames, due(7), None)) == b"abcdefg"


def test_zstd_frames_of_known_and_unknown_size_follow_each_other() -> None:
    unsized = bytes.fromhex("28b52ffd 00 58 190000 616263")
    frames = numcodecs.Zstd().encode(b"defg") + unsized
    assert bytes(decode_zstd(frames, due(7), None)) == b"defgabc"
    assert bytes(decode_zstd(frames, due(None), None)) == b"defgabc"


def test_zstd_frames_of_compressed_and_repeated_blocks_are_counted() -> None:
    repeated = bytes.fromhex("28b52ffd 00 58 4b0000 61")  # nine times "a"
    assert bytes(decode_zstd(repeated, due(None), None)) == b"a" * 9
    sized = bytearray(numcodecs.Zstd().encode(bytes(1000)))
    assert bytes(decode_zstd(bytes(sized) + repeated, due(None), None)) == bytes(1000) + b"a" * 9


def test_zstd_frames_without_content_are_left_out() -> None:
    skippable = bytes.fromhex("502a4d18 03000000 787878")
    empty = numcodecs.Zstd().encode(b"")
    assert bytes(decode_zstd(skippable + numcodecs.Zstd().encode(b"abc"), due(3), None)) == b"abc"
    assert bytes(decode_zstd(skippable + empty, due(None), None)) == b""
    assert bytes(decode_zstd(empty + empty, due(0), None)) == b""


@pytest.mark.parametrize(
    "data", [b"", b"\x28\xb5\x2f\xfd", b"no zstd frame", bytes.fromhex("28b52ffd 00 58 19")]
)
@pytest.mark.parametrize("size", [0, 3, None])
def test_what_is_no_zstd_frame_is_refused(data: bytes, size: int | None) -> None:
    with pytest.raises((RuntimeError, ValueError), match="invalid input data"):
        decode_zstd(data, due(size), None)


@pytest.mark.parametrize("size", [1000, 1007, None])
def test_zstd_frame_that_is_cut_short_is_refused_behind_another(size: int | None) -> None:
    frame = numcodecs.Zstd().encode(np.random.default_rng(1).bytes(1000))
    for n in range(1, len(frame), 97):
        with pytest.raises((RuntimeError, ValueError), match=r"(?i)zstd"):
            decode_zstd(numcodecs.Zstd().encode(bytes(7)) + frame[:n], due(size), None)


@pytest.mark.parametrize("codec_id", ["blosc", "lz4"])
def test_buffer_larger_than_the_content_is_not_passed_off_as_content(codec_id: str) -> None:
    encoded = numcodecs.get_codec({"id": codec_id}).encode(b"abc")
    decode = find_decompress(numcodecs.get_codec({"id": codec_id}))
    assert decode is not None
    assert bytes(decode(encoded, due(8), memoryview(bytearray(8)))) == b"abc"


def test_gzip_of_very_many_members_is_decoded_in_time() -> None:
    members = gzip.compress(b"") * 20_000 + gzip.compress(b"a", mtime=0) * 20_000 + bytes(200_000)
    assert decode_gzip(members, due(20_000), None) == b"a" * 20_000


def test_lz4_of_nothing_is_nothing() -> None:
    assert decode_lz4(numcodecs.LZ4().encode(b""), due(0), None) == b""


STREAMS: list[tuple[Callable[[bytes], bytes], Decompress]] = [
    (gzip.compress, decode_gzip),
    (zlib.compress, decode_zlib),
    (bz2.compress, decode_bz2),
    (lzma.compress, find_decompress(numcodecs.LZMA()) or decode_zlib),
]


@pytest.mark.parametrize(("compress", "decode"), STREAMS)
def test_streams_are_decoded_whether_or_not_their_size_is_known(
    compress: Callable[[bytes], bytes], decode: Decompress
) -> None:
    assert decode(compress(CONTENT), due(len(CONTENT)), None) == CONTENT
    assert decode(compress(CONTENT), due(None), None) == CONTENT


@pytest.mark.parametrize(("compress", "decode"), STREAMS)
def test_streams_are_cut_off_at_the_size_that_is_due(
    compress: Callable[[bytes], bytes], decode: Decompress
) -> None:
    with pytest.raises(ValueError, match="more than the 5 bytes"):
        decode(compress(bytes(10_000_000)), due(5), None)


@pytest.mark.parametrize(("compress", "decode"), STREAMS[1:])
def test_what_follows_a_stream_and_is_none_is_ignored(
    compress: Callable[[bytes], bytes], decode: Decompress
) -> None:
    assert decode(compress(CONTENT) + b"junk, no stream", due(len(CONTENT)), None) == CONTENT


@pytest.mark.parametrize(("compress", "decode"), [STREAMS[0], *STREAMS[2:]])
def test_a_further_stream_is_part_of_the_chunk(
    compress: Callable[[bytes], bytes], decode: Decompress
) -> None:
    both = compress(CONTENT) + compress(b"more")
    assert decode(both, due(None), None) == CONTENT + b"more"
    with pytest.raises(ValueError, match="more than the 380 bytes"):
        decode(both, due(len(CONTENT)), None)
    with pytest.raises(EOFError, match="the data end too soon"):
        decode(both[:-5], due(None), None)


DEFLATED = pytest.mark.parametrize(("compress", "decode"), STREAMS[:2])


@DEFLATED
def test_one_sound_stream_is_not_left_to_zlib(
    compress: Callable[[bytes], bytes], decode: Decompress, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = compress(CONTENT)
    monkeypatch.delattr("zlib.decompressobj")
    assert decode(data, due(len(CONTENT)), None) == CONTENT
    assert decode(memoryview(data), due(None), None) == CONTENT


@DEFLATED
@pytest.mark.parametrize("size", [0, 1, 16_383, 16_384, 16_385, 300_000])
def test_streams_of_all_sizes_are_decoded_to_just_what_is_due(
    compress: Callable[[bytes], bytes], decode: Decompress, size: int
) -> None:
    content = np.random.default_rng(1).integers(0, 9, size, np.uint8).tobytes()
    assert decode(compress(content), due(size), None) == content
    if size:
        with pytest.raises(ValueError, match=f"more than the {size - 1} bytes"):
            decode(compress(content), due(size - 1), None)


contents = st.one_of(
    st.binary(max_size=200),
    st.builds(lambda part, n: part * n, st.binary(min_size=1, max_size=9), st.integers(1, 5000)),
)
formats = st.sampled_from([(0, decode_zlib), (16, decode_gzip)])


@given(
    content=contents,
    level=st.integers(0, 9),
    window=st.integers(9, 15),
    strategy=st.sampled_from([zlib.Z_DEFAULT_STRATEGY, zlib.Z_HUFFMAN_ONLY, zlib.Z_FIXED]),
    wrapped=formats,
)
def test_streams_by_all_settings_of_zlib_are_decoded(
    content: bytes, level: int, window: int, strategy: int, wrapped: tuple[int, Decompress]
) -> None:
    offset, decode = wrapped
    stream = zlib.compressobj(level, wbits=offset + window, strategy=strategy)
    data = stream.compress(content) + stream.flush()
    assert decode(data, due(len(content)), None) == content


@given(content=contents, level=st.integers(0, 9), codec_id=st.sampled_from(["gzip", "zlib"]))
def test_what_numcodecs_deflates_is_decoded(content: bytes, level: int, codec_id: str) -> None:
    numcodec = numcodecs.get_codec({"id": codec_id, "level": level})
    decode = find_decompress(numcodec)
    assert decode is not None
    assert decode(numcodec.encode(content), due(None), None) == content


@given(content=contents, place=st.integers(0, 2**16), wrapped=formats)
def test_deflated_data_with_a_wrong_bit_are_an_error_or_right(
    content: bytes, place: int, wrapped: tuple[int, Decompress]
) -> None:
    offset, decode = wrapped
    stream = zlib.compressobj(wbits=offset + zlib.MAX_WBITS)
    data = bytearray(stream.compress(content) + stream.flush())
    data[place // 8 % len(data)] ^= 1 << place % 8
    try:
        decoded = decode(bytes(data), due(len(content)), None)
    except (zlib.error, EOFError, ValueError):
        return
    assert decoded == content
