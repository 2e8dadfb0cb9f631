"""Chunks made to fill memory are refused before they do; short ones are refused too."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.contracts.codec_contract import build
from zarrfs.codecs.base import UNBOUNDED_RATIO, BytesSpec, ChunkSpec
from zarrfs.codecs.bounds import bounded
from zarrfs.errors import CodecError

LITTLE = {"name": "bytes", "configuration": {"endian": "little"}}
MAX_GROWTH = 50_000_000


def test_chunks_made_to_fill_memory_are_refused_before_they_do() -> None:
    program = [sys.executable, str(Path(__file__).with_name("hostile_chunks.py"))]

    done = subprocess.run(program, capture_output=True, text=True, check=True)

    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(results) > 60
    assert [result["bomb"] for result in results if result["error"] is None] == []
    grown = {}
    for result in results:
        # Elements of variable length are bounded by their number and by the encoded bytes only;
        # zlib holds what it decoded twice for a moment.
        more = 2 * UNBOUNDED_RATIO * result["nbytes"] if "JSON" in result["bomb"] else 0
        if result["growth"] > MAX_GROWTH + more:
            grown[result["bomb"]] = result["growth"]
    assert grown == {}


OF_BYTES = (
    *("zstd", "gzip", "blosc", "crc32c"),
    *("adler32", "base64", "blosc", "bz2", "crc32", "crc32c", "fletcher32", "gzip"),
    *("jenkins_lookup3", "lz4", "lzma", "packbits", "shuffle", "zlib", "zstd"),
)
OF_ARRAYS = ("pcodec", "zfpy")
FILTERS: list[dict[str, Any]] = [
    {"name": "numcodecs.delta", "configuration": {"dtype": "<f4"}},
    {"name": "numcodecs.quantize", "configuration": {"digits": 1, "dtype": "<f4"}},
]
SHUFFLE = {"name": "numcodecs.shuffle", "configuration": {"elementsize": 4}}
CASES: list[list[Any]] = [
    *([name] for name in OF_BYTES[:4]),
    *([f"numcodecs.{name}"] for name in (*OF_BYTES[4:], *OF_ARRAYS)),
    *(["gzip", f"numcodecs.{name}"] for name in OF_BYTES[4:] if name != "shuffle"),
    *([step] for step in FILTERS),
    *(["gzip", step] for step in (*FILTERS, SHUFFLE)),
]


@pytest.mark.parametrize("codecs", CASES)
def test_short_data_are_refused_by_every_codec(codecs: list[Any]) -> None:
    pipeline = build([LITTLE, *codecs], (3,), "f4")
    for data in (b"", b"\0", b"\xff\xff\xff", bytes(7), b"\xff" * 9):
        with pytest.raises(CodecError):
            pipeline.decode(data)


@pytest.mark.parametrize(
    ("decoded", "most", "ratio"),
    [
        (ChunkSpec(shape=(10,), dtype=np.dtype("i4"), fill_value=0), 320 + 4096, 0),
        (ChunkSpec(shape=(10,), dtype=np.dtype(object), fill_value=""), 2**24 + 40960, 32),
        (BytesSpec(nbytes=40), 80 + 4096, 0),
        (BytesSpec(most=40), 80 + 4096, 0),
        (BytesSpec(most=40, ratio=3), 80 + 4096, 6),
        (BytesSpec(), 2**25 + 4096, 0),
    ],
)
def test_what_a_codec_leaves_open_is_bounded_by_what_it_encodes(
    decoded: Any, most: int, ratio: int
) -> None:
    assert bounded(decoded, BytesSpec()) == BytesSpec(most=most, ratio=ratio)


@pytest.mark.parametrize("encoded", [BytesSpec(nbytes=3), BytesSpec(most=3)])
def test_what_a_codec_says_of_its_size_is_kept(encoded: BytesSpec) -> None:
    assert bounded(BytesSpec(nbytes=40), encoded) is encoded


@pytest.mark.parametrize(
    ("spec", "limit"),
    [
        (BytesSpec(nbytes=5), 5),
        (BytesSpec(most=5), 5),
        (BytesSpec(most=5, ratio=2), 25),
        (BytesSpec(), 2**24 + 320),
    ],
)
def test_bytes_have_a_limit_whatever_is_known_of_them(spec: BytesSpec, limit: int) -> None:
    assert spec.limit(10) == limit


@pytest.mark.parametrize(
    "codecs",
    [
        ["zstd", "gzip", "blosc", "numcodecs.lz4", "numcodecs.bz2", "numcodecs.lzma"],
        ["numcodecs.zlib"] * 6,
        [{"name": "numcodecs.gzip", "configuration": {"level": 0}}, "zstd", "numcodecs.base64"],
    ],
)
@pytest.mark.parametrize("shape", [(1,), (1000,), (300_000,)])
def test_what_encoders_make_of_random_data_is_within_the_bounds(
    codecs: list[Any], shape: tuple[int, ...]
) -> None:
    array = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    pipeline = build(["bytes", *codecs], shape, "u1")
    encoded = pipeline.encode(array)
    assert len(encoded) <= pipeline.encoded_spec.limit(0)
    assert (pipeline.decode(encoded) == array).all()


def test_shards_of_many_small_inner_chunks_are_within_the_bounds() -> None:
    sharding = {
        "name": "sharding_indexed",
        "configuration": {
            "chunk_shape": [1],
            "codecs": ["bytes", "gzip", "zstd", "crc32c"],
            "index_codecs": [LITTLE, "crc32c"],
        },
    }
    pipeline = build([sharding, "zstd", "gzip"], (500,), "u1")
    array = np.random.default_rng(1).integers(1, 256, (500,), np.uint8)
    assert (pipeline.decode(pipeline.encode(array)) == array).all()


@pytest.mark.parametrize("name", ["gzip", "zstd", "blosc"])
def test_text_that_shrinks_much_is_within_the_bounds(name: str) -> None:
    texts = np.full(20_000, "the same long label in each of the elements " * 20, object)
    pipeline = build(["vlen-utf8", name], (20_000,), object, "x")
    assert (pipeline.decode(pipeline.encode(texts)) == texts).all()
