from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from tests.contracts.codec_contract import build, random_array, same
from zarrfs.codecs.base import Array, ArrayBytesCodec, Buffer, BytesSpec, ChunkSpec
from zarrfs.codecs.pipeline import CodecPipeline
from zarrfs.errors import CodecError, MetadataError, UnsupportedError

LITTLE = {"name": "bytes", "configuration": {"endian": "little"}}
SHARDING = {
    "name": "sharding_indexed",
    "configuration": {"chunk_shape": [2], "codecs": [LITTLE], "index_codecs": [LITTLE]},
}
UNKNOWN = {"name": "unheard-of", "must_understand": False}


@pytest.mark.parametrize(
    ("codecs", "match"),
    [
        ([], r"no codec makes bytes of the array \(none\)"),
        (["transpose"], r"codecs.transpose.order"),
        (["zstd"], r"'zstd' encodes bytes, but no codec before it makes bytes of the array"),
        (["crc32c", LITTLE], r"'crc32c' encodes bytes"),
        ([LITTLE, LITTLE], r"'bytes' encodes arrays, but stands behind the codec that made bytes"),
        ([LITTLE, SHARDING], r"'sharding_indexed' encodes arrays"),
        ([LITTLE, {"name": "transpose", "configuration": {"order": [0]}}], r"'transpose' encodes"),
        (
            [{"name": "transpose", "configuration": {"order": [0]}}],
            r"no codec makes bytes of the array \('transpose'\)",
        ),
    ],
)
def test_codecs_in_the_wrong_order_are_refused(codecs: list[Any], match: str) -> None:
    with pytest.raises(MetadataError, match=match):
        build(codecs, (4,), "i4")


def test_unknown_codec_is_refused_by_name() -> None:
    with pytest.raises(UnsupportedError, match="zarrfs has no codec 'unheard-of'"):
        build([LITTLE, "unheard-of"], (4,), "i4")


def test_unknown_codec_that_need_not_be_understood_is_left_out() -> None:
    pipeline = build([UNKNOWN, LITTLE, UNKNOWN], (4,), "i4")
    assert bytes(pipeline.encode(np.arange(4, dtype="<i4"))) == np.arange(4, dtype="<i4").tobytes()
    assert pipeline.bytes_bytes == ()


def test_known_codec_with_an_unknown_member_is_refused_whatever_it_says() -> None:
    with pytest.raises(MetadataError):
        build(
            [{"name": "bytes", "configuration": {"endian": 7}, "must_understand": False}],
            (4,),
            "i4",
        )


@pytest.mark.parametrize(
    ("codecs", "is_alone"),
    [
        ([SHARDING], True),
        ([SHARDING, UNKNOWN], True),
        ([SHARDING, "crc32c"], False),
        ([{"name": "transpose", "configuration": {"order": [0]}}, SHARDING], False),
        ([LITTLE], False),
    ],
)
def test_inner_chunks_can_be_read_alone_if_no_codec_stands_beside(
    codecs: list[Any], is_alone: bool
) -> None:
    assert (build(codecs, (4,), "i4").sharding is not None) == is_alone


@pytest.mark.parametrize(
    ("codecs", "nbytes"),
    [
        ([LITTLE], 16),
        ([LITTLE, "crc32c"], 20),
        ([LITTLE, "zstd", "crc32c"], None),
        ([SHARDING], None),
    ],
)
def test_encoded_size_is_known_unless_it_depends_on_the_data(
    codecs: list[Any], nbytes: int | None
) -> None:
    assert build(codecs, (4,), "i4").encoded_nbytes == nbytes


def test_error_of_a_library_names_codec_direction_and_cause() -> None:
    with pytest.raises(CodecError) as caught:
        build([LITTLE, "zstd"], (4,), "i4").decode(b"no zstd frame")
    assert (caught.value.codec, caught.value.direction) == ("zstd", "decode")
    assert "invalid input data" in caught.value.reason
    assert isinstance(caught.value.__cause__, RuntimeError)


class Wordless(ArrayBytesCodec):
    """Fails as Python does when memory is short: with an error that has no message."""

    name = "wordless"
    encoded_spec = BytesSpec()

    def __init__(self, spec: ChunkSpec) -> None:
        self.spec = spec

    def encode(self, array: Array) -> Buffer:
        raise MemoryError

    def decode(self, data: Buffer) -> Array:
        raise MemoryError


def test_error_without_words_is_named_by_its_class() -> None:
    spec = build([LITTLE], (4,), "i4").spec
    pipeline = CodecPipeline(spec=spec, array_array=(), array_bytes=Wordless(spec), bytes_bytes=())
    with pytest.raises(CodecError, match="cannot decode a chunk with wordless: MemoryError"):
        pipeline.decode(b"")
    with pytest.raises(CodecError, match="cannot encode a chunk with wordless: MemoryError"):
        pipeline.encode(spec.filled())


def test_scratch_too_small_for_the_chunk_is_left_alone() -> None:
    pipeline = build([LITTLE, "zstd"], (4,), "i4")
    scratch = memoryview(bytearray(15))
    array = np.arange(4, dtype="i4")
    assert same(pipeline.decode(pipeline.encode(array), scratch), array)
    assert bytes(scratch) == bytes(15)


def test_one_pipeline_serves_many_threads() -> None:
    pipeline = build([LITTLE, "blosc", "crc32c"], (1000,), "i4")
    arrays = [random_array((1000,), np.dtype("i4"), seed) for seed in range(40)]
    with ThreadPoolExecutor(4) as threads:
        encoded = list(threads.map(pipeline.encode, arrays))
        decoded = list(threads.map(pipeline.decode, encoded))
    assert all(same(a, b) for a, b in zip(arrays, decoded, strict=True))


@pytest.mark.parametrize("array", [np.zeros(5, "i4"), np.zeros(4, "i8"), np.zeros((2, 2), "i4")])
def test_array_of_another_shape_or_type_is_not_encoded(array: Array) -> None:
    with pytest.raises(CodecError, match=r"with bytes: it was given int.*, not int32 of \(4,\)"):
        build([LITTLE], (4,), "i4").encode(array)
