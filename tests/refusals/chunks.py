"""Good documents with stored chunks that cannot be decoded, or would fill memory."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import google_crc32c
import numcodecs
import numpy as np

from tests.refusals import bombs
from tests.refusals.refusal import ARRAY_V2, ARRAY_V3, BYTES, Refusal, codec, document, sharding
from zarrfs.errors import ChunkError

ROW = np.arange(4, dtype="<i4").tobytes()
MISSING = 2**64 - 1


def chunk(name: str, codecs: list[Any], data: bytes, *words: str, **changes: Any) -> Refusal:
    """Refuse the chunk of an array of v3."""
    files = {"zarr.json": document(ARRAY_V3, {"codecs": codecs, **changes}), "c/0": data}
    return Refusal(
        name=f"chunk-{name}", files=files, error=ChunkError, words=("c/0", *words), at="read"
    )


def chunk_v2(name: str, data: bytes, *words: str, **changes: Any) -> Refusal:
    """Refuse the chunk of an array of v2."""
    files = {".zarray": document(ARRAY_V2, changes), "0": data}
    return Refusal(
        name=f"chunk-v2-{name}", files=files, error=ChunkError, words=("/0", *words), at="read"
    )


def bomb(name: str, data: bytes, *words: str, text: bytes = b"") -> list[Refusal]:
    """Refuse a bomb where the decoded size is known, and where it is not.

    Texts may be 128 times as large as what is stored of them; so theirs may have to be smaller.
    """
    step = (
        codec(f"numcodecs.{name}", {})
        if name in ("bz2", "lzma", "zlib", "lz4")
        else codec(name, {})
    )
    if name == "blosc":
        step = codec("blosc", {"typesize": 1})
    label = f"{name}-bomb"
    return [
        chunk(label, [BYTES, step], data, name, *words),
        chunk(f"{label}-in-{name}", [BYTES, step, "gzip"], gzipped(data)),
        chunk(
            f"{label}-of-text",
            ["vlen-utf8", step],
            text or data,
            name,
            data_type="string",
            fill_value="",
        ),
        chunk(f"{label}-of-shards", [sharding(codecs=[BYTES, "gzip"]), step], data, name),
    ]


def gzipped(data: bytes) -> bytes:
    """Compress as gzip."""
    made = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    return made.compress(data) + made.flush()


def index(*entries: int) -> bytes:
    """Return a shard's index with its checksum."""
    data = struct.pack(f"<{len(entries)}Q", *entries)
    return data + struct.pack("<I", google_crc32c.value(data))


def shard(name: str, data: bytes, *words: str, **changes: Any) -> Refusal:
    """Refuse a shard of two inner chunks of eight bytes."""
    return chunk(f"shard-{name}", [sharding(**changes)], data, *words)


def text(name: str, data: bytes, *words: str) -> Refusal:
    """Refuse a chunk of four strings."""
    return chunk(f"text-{name}", ["vlen-utf8"], data, *words, data_type="string", fill_value="")


def objects(name: str, codec_id: str, data: bytes, *words: str) -> Refusal:
    """Refuse a chunk of objects of v2."""
    return chunk_v2(
        name, data, codec_id, *words, dtype="|O", fill_value=None, filters=[{"id": codec_id}]
    )


def vlen(count: int, *lengths: int, rest: bytes = b"") -> bytes:
    """Return text or bytes as numcodecs lays them out."""
    return struct.pack(f"<{1 + len(lengths)}I", count, *lengths) + rest


def msgpack_nested(depth: int) -> bytes:
    """Return lists inside each other, each of one item."""
    return b"\x91" * depth + b"\xc0"


TERABYTE = {
    "shape": [2**37],
    "chunk_grid": codec("regular", {"chunk_shape": [2**37]}),
    "data_type": "float64",
}
ZSTD, GZIP, CRC32C = codec("zstd", {"level": 1}), codec("gzip", {"level": 1}), codec("crc32c")

CASES = (
    # --- uncompressed --------------------------------------------------------------------------
    chunk("empty", [BYTES], b"", "bytes", "0 bytes, not 16"),
    chunk("short", [BYTES], ROW[:-1], "bytes", "15 bytes, not 16"),
    chunk("long", [BYTES], ROW + b"\0", "bytes", "17 bytes, not 16"),
    chunk("checksum", [BYTES, CRC32C], ROW + bytes(4), "crc32c", "checksum"),
    chunk("checksum-cut", [BYTES, CRC32C], b"ab", "crc32c", "2 bytes, not 20"),
    # --- a terabyte ----------------------------------------------------------------------------
    chunk("terabyte-raw", [BYTES], ROW, "1099511627776 bytes when decoded", "memory", **TERABYTE),
    chunk(
        "terabyte-zstd",
        [BYTES, ZSTD],
        bombs.zstd_bomb(),
        "1099511627776 bytes when decoded",
        "memory",
        **TERABYTE,
    ),
    chunk(
        "terabyte-gzip",
        [BYTES, GZIP],
        bombs.gzip_bomb(),
        "1099511627776 bytes when decoded",
        "memory",
        **TERABYTE,
    ),
    chunk(
        "terabyte-bz2",
        [BYTES, codec("numcodecs.bz2", {})],
        bombs.bz2_bomb(),
        "1099511627776 bytes when decoded",
        "memory",
        **TERABYTE,
    ),
    chunk(
        "terabyte-blosc",
        [BYTES, codec("blosc", {})],
        bombs.blosc_bomb(),
        "1099511627776 bytes when decoded",
        "memory",
        **TERABYTE,
    ),
    chunk(
        "terabyte-text",
        ["vlen-utf8"],
        vlen(2**32 - 1),
        "1099511627776 bytes when decoded",
        **{**TERABYTE, "data_type": "string", "fill_value": ""},
    ),
    chunk(
        "terabyte-shard",
        [sharding(chunk_shape=[2**37])],
        index(0, 16),
        "1099511627776 bytes when decoded",
        "memory",
        **TERABYTE,
    ),
    chunk("terabyte-index", [sharding(chunk_shape=[1])], ROW, "sharding_indexed", **TERABYTE),
    # --- compressed ----------------------------------------------------------------------------
    *(
        chunk(f"{name}-{kind}", [BYTES, step], data, step["name"])
        for name, step in {
            "gzip": GZIP,
            "zstd": ZSTD,
            "blosc": codec("blosc", {}),
            "zlib": codec("numcodecs.zlib", {}),
            "bz2": codec("numcodecs.bz2", {}),
            "lzma": codec("numcodecs.lzma", {}),
            "lz4": codec("numcodecs.lz4", {}),
        }.items()
        for kind, data in {
            "empty": b"",
            "garbage": bytes(range(1, 101)),
            "ones": b"\xff" * 64,
        }.items()
    ),
    chunk("gzip-cut", [BYTES, GZIP], gzipped(ROW)[:-4], "gzip", "end"),
    chunk("gzip-checksum", [BYTES, GZIP], gzipped(ROW)[:-8] + bytes(8), "gzip", "incorrect"),
    chunk("gzip-short", [BYTES, GZIP], gzipped(ROW[:12]), "gzip", "12 bytes, not 16"),
    chunk("gzip-long", [BYTES, GZIP], gzipped(ROW * 2), "gzip", "16"),
    chunk("zstd-short", [BYTES, ZSTD], numcodecs.Zstd().encode(ROW[:12]), "zstd", "12 bytes", "16"),
    chunk("zstd-cut", [BYTES, ZSTD], numcodecs.Zstd().encode(ROW)[:-3], "zstd"),
    chunk("zstd-lying", [BYTES, ZSTD], b"\x28\xb5\x2f\xfd\x20\x10\x01\x00\x00", "zstd"),
    chunk(
        "zstd-sizeless",
        [BYTES, ZSTD],
        bombs.zstd_bomb(is_declared=False),
        "zstd",
        "holds more than the 16 bytes that are due",
    ),
    chunk(
        "blosc-lying",
        [BYTES, codec("blosc", {})],
        numcodecs.Blosc().encode(ROW)[:12] + b"\xff\xff\xff\x7f" + ROW,
        "blosc",
        "declares 2147483647 bytes, there are 32",
    ),
    chunk(
        "blosc-block",
        [BYTES, codec("blosc", {})],
        numcodecs.Blosc().encode(ROW)[:8]
        + b"\xff\xff\xff\xff"
        + numcodecs.Blosc().encode(ROW)[12:],
        "blosc",
    ),
    chunk(
        "blosc-header",
        [BYTES, codec("blosc", {})],
        b"\x02\x01",
        "blosc",
        "2 bytes hold no blosc header",
    ),
    *bomb("gzip", bombs.gzip_bomb(), text=bombs.gzip_bomb()[: 2**17]),
    *bomb("zlib", bombs.zlib_bomb(), text=bombs.zlib_bomb()[: 2**17]),
    *bomb("bz2", bombs.bz2_bomb(), "16 bytes"),
    *bomb("lzma", bombs.lzma_bomb(), "16 bytes"),
    *bomb("zstd", bombs.zstd_bomb(), "2147483648 bytes where 16 are due"),
    *bomb("blosc", bombs.blosc_bomb(), "2147483631 bytes where 16 are due"),
    *bomb("lz4", bombs.lz4_bomb(), "2147483647 bytes where 16 are due"),
    chunk("gzip-members", [BYTES, GZIP], bombs.members_bomb(), "stored", "2152448"),
    chunk(
        "zstd-frames",
        [BYTES, ZSTD],
        bombs.zstd_frames_bomb(),
        "zstd",
        "2147483648 bytes where 16 are due",
    ),
    # --- shards --------------------------------------------------------------------------------
    shard("empty", b"", "sharding_indexed: its index", "0 bytes, not 36"),
    shard("shorter-than-index", b"x" * 35, "sharding_indexed: its index", "35 bytes, not 36"),
    shard("checksum", ROW + index(0, 8, 8, 8)[:-1] + b"\0", "crc32c", "checksum"),
    shard("beyond", ROW + index(0, 8, 10**6, 8), "sharding_indexed", "1000000"),
    shard("behind-the-end", ROW + index(0, 8, 50, 8), "sharding_indexed", "50"),
    shard("half-missing", ROW + index(0, 8, MISSING, 8), "sharding_indexed", str(MISSING)),
    shard("size-missing", ROW + index(0, 8, 8, MISSING), "sharding_indexed"),
    shard("overflow", ROW + index(0, 8, MISSING - 1, 2), "sharding_indexed", str(MISSING - 1)),
    shard("all-of-memory", ROW + index(0, 2**62, 0, 8), "a stored chunk has", str(2**62)),
    shard("wrong-size", ROW + index(0, 7, 8, 8), "bytes", "7 bytes, not 8"),
    shard("empty-inner", ROW + index(0, 0, 8, 8), "bytes", "0 bytes, not 8"),
    shard("of-itself", (index(0, 72, 36, 36) * 2), "bytes: it was given", "not 8"),
    shard("index-first", b"x" * 20, "20", index_location="start"),
    shard(
        "inner-bomb",
        bombs.zstd_bomb() + index(0, len(bombs.zstd_bomb()), MISSING, MISSING),
        "zstd",
        "2147483648",
        codecs=[BYTES, ZSTD],
    ),
    chunk(
        "shard-cyclic",
        [
            sharding(
                chunk_shape=[4],
                codecs=[sharding(chunk_shape=[4], codecs=[sharding(chunk_shape=[4])])],
            )
        ],
        index(0, 20),
        "16",
    ),
    # --- objects -------------------------------------------------------------------------------
    text("empty", b"", "vlen-utf8", "0 elements, not 4"),
    text("count", vlen(2**31), "vlen-utf8", "2147483648 elements, not 4"),
    text("length", vlen(4, 2**32 - 1, rest=b"abcd"), "vlen-utf8"),
    text("cut", vlen(4, 1, rest=b"a"), "vlen-utf8"),
    text("not-utf-8", vlen(4, 2, rest=b"\xff\xfe" + 3 * bytes(4)), "vlen-utf8", "utf-8"),
    chunk(
        "bytes-length",
        ["vlen-bytes"],
        vlen(4, 2**31, rest=b"abcd"),
        "vlen-bytes",
        data_type="variable_length_bytes",
        fill_value="",
    ),
    objects("json-deep", "json2", b"[" * 100_000 + b"]" * 100_000),
    objects("json-garbage", "json2", b"{]"),
    objects("json-number", "json2", b"3"),
    objects("json-shape", "json2", b'[1,2,3,4,"|O",[99999999999]]', "99999999999 elements, not 4"),
    objects("json-shape-negative", "json2", b'[1,2,3,4,"|O",[-2,-2]]'),
    objects("json-dtype", "json2", b'[1,2,3,4,"|S999999999",[4]]', "999999999 bytes"),
    objects("json-dtype-junk", "json2", b'[1,2,3,4,{"a":1},[4]]'),
    objects("json-not-utf-8", "json2", b"\xff\xfe\xff"),
    objects("msgpack-deep", "msgpack2", msgpack_nested(100_000)),
    objects("msgpack-length", "msgpack2", b"\xdd\xff\xff\xff\xff"),
    objects("msgpack-map", "msgpack2", b"\xdf\xff\xff\xff\xff"),
    objects("msgpack-text", "msgpack2", b"\xdb\xff\xff\xff\xff" + b"abc"),
    objects("msgpack-extension", "msgpack2", b"\xc9\xff\xff\xff\xff\x01"),
    # --- the rest ------------------------------------------------------------------------------
    chunk(
        "packbits-padding",
        [codec("packbits", {"padding_encoding": "first_byte"})],
        b"\x09\x0f",
        "packbits",
        "9",
        data_type="bool",
        fill_value=False,
    ),
    chunk(
        "packbits-wrong-padding",
        [codec("packbits", {"padding_encoding": "first_byte"})],
        b"\x01\x0f",
        "packbits",
        "1",
        "4",
        data_type="bool",
        fill_value=False,
    ),
    chunk(
        "packbits-short",
        [codec("packbits", {})],
        b"",
        "packbits",
        "0 bytes",
        "1",
        data_type="bool",
        fill_value=False,
    ),
    chunk("zfp-garbage", [codec("zfp", {"mode": "reversible"})], b"", "zfp", data_type="float32"),
    chunk(
        "zfpy-lying",
        [codec("numcodecs.zfpy", {"mode": 4, "tolerance": 0.1})],
        b"zfp\x05" + b"\xff" * 30,
        "zfpy",
        data_type="float32",
    ),
    chunk(
        "zfpy-garbage",
        [codec("numcodecs.zfpy", {"mode": 4, "tolerance": 0.1})],
        bytes(50),
        "zfpy",
        data_type="float32",
    ),
    chunk(
        "pcodec-garbage",
        [codec("numcodecs.pcodec", {})],
        b"pco!" + b"\xff" * 60,
        "pcodec",
        data_type="float32",
    ),
    chunk("fletcher32", [BYTES, codec("numcodecs.fletcher32", {})], ROW + bytes(4), "fletcher32"),
    chunk("adler32", [BYTES, codec("numcodecs.adler32", {})], bytes(4) + ROW, "adler32"),
    chunk("crc32", [BYTES, codec("numcodecs.crc32", {})], bytes(4) + ROW, "crc32"),
    chunk(
        "jenkins",
        [BYTES, codec("numcodecs.jenkins_lookup3", {})],
        ROW + bytes(4),
        "jenkins_lookup3",
    ),
    chunk_v2("zlib", b"\x78\xda\xff", "zlib", compressor={"id": "zlib", "level": 1}),
    chunk_v2(
        "delta", ROW[:5], "delta", "5 bytes, not 16", filters=[{"id": "delta", "dtype": "<i4"}]
    ),
    chunk_v2(
        "shuffle",
        ROW[:5],
        "shuffle",
        "5 bytes, not 16",
        filters=[{"id": "shuffle", "elementsize": 4}],
    ),
    chunk_v2(
        "packbits",
        b"\x09\x0f",
        "packbits",
        dtype="|b1",
        fill_value=False,
        filters=[{"id": "packbits"}],
    ),
    chunk_v2(
        "packbits-empty",
        b"",
        "packbits",
        dtype="|b1",
        fill_value=False,
        filters=[{"id": "packbits"}],
    ),
    chunk_v2("base64", b"!!!!" * 6, "base64", filters=[{"id": "base64"}]),
)
