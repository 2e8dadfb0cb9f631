"""Program: decode chunks made to fill memory; tell of each the error and how much memory it took.

One line of JSON a chunk: its name and bytes, the error's text or ``null``, and by how many bytes
the process grew at most while it was decoded.
"""

from __future__ import annotations

import bz2
import json
import lzma
import sys
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numcodecs
import numpy as np

from zarrfs.codecs.base import ChunkSpec
from zarrfs.codecs.pipeline import build_pipeline
from zarrfs.errors import CodecError
from zarrfs.format.extensions import parse_extensions

if TYPE_CHECKING:
    from collections.abc import Iterator

MIB = 2**20
SIZE = 256 * MIB
"""Bytes that each bomb would decode to, or more."""

LITTLE = {"name": "bytes", "configuration": {"endian": "little"}}
INT64 = np.dtype("i8")


def codec(name: str, **configuration: Any) -> dict[str, Any]:
    return {"name": name, "configuration": configuration}


def deflated() -> tuple[bytes, bytes]:
    """Zeros as gzip and as zlib: one block, repeated, since compressing them all takes seconds."""
    stream = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    block = stream.compress(bytes(MIB)) + stream.flush(zlib.Z_FULL_FLUSH)
    blocks = block * (SIZE // MIB) + stream.flush()
    zeros = bytes(SIZE)
    as_gzip = b"\x1f\x8b\x08\0\0\0\0\0\x02\xff" + blocks
    as_gzip += zlib.crc32(zeros).to_bytes(4, "little") + SIZE.to_bytes(4, "little")
    return as_gzip, b"\x78\xda" + blocks + zlib.adler32(zeros).to_bytes(4, "big")


def zstd_frame(size: int, *, declared: int | None) -> bytes:
    """A frame of zeros: blocks of 128 KiB, each one byte repeated."""
    block = 2**17
    n = size // block
    blocks = [(block << 3 | 1 << 1 | (i == n - 1)).to_bytes(3, "little") + b"\0" for i in range(n)]
    header = b"\0\x58" if declared is None else b"\xc0\x58" + declared.to_bytes(8, "little")
    return b"".join([b"\x28\xb5\x2f\xfd", header, *blocks])


def bombs() -> Iterator[tuple[str, list[Any], Any, bytes]]:
    """Name, codecs, dtype, bytes of the chunk; each array has one element."""
    gzip_bomb, zlib_bomb = deflated()
    streams = {
        "gzip": gzip_bomb,
        "numcodecs.gzip": gzip_bomb,
        "numcodecs.zlib": zlib_bomb,
        "numcodecs.bz2": bz2.compress(bytes(8 * MIB)) * 32,
        "numcodecs.lzma": lzma.compress(bytes(8 * MIB)) * 32,
    }
    unsized = zstd_frame(SIZE, declared=None)
    frames = {
        "sized": zstd_frame(SIZE, declared=SIZE),
        "lying": zstd_frame(SIZE, declared=8),
        "unsized": unsized,
        "second": zstd_frame(2**17, declared=2**17) + zstd_frame(SIZE, declared=SIZE),
        "second unsized": numcodecs.Zstd().encode(bytes(8)) + unsized,
    }
    blosc = numcodecs.Blosc(cname="zstd").encode(bytes(SIZE))
    huge_blosc = b"\x02\x01\x13\x08" + (2**31 - 17).to_bytes(4, "little") + blosc[8:]
    huge_block = bytearray(numcodecs.Blosc(shuffle=0).encode(bytes(8)) + bytes(100))
    huge_block[8:12] = (2**31 - 1).to_bytes(4, "little")
    lz4 = numcodecs.LZ4().encode(bytes(SIZE))
    blocks = {
        "blosc": blosc,
        "blosc of 2 GiB": huge_blosc,
        "blosc of huge blocks": bytes(huge_block),
        "numcodecs.lz4": lz4,
        "numcodecs.lz4 of 2 GiB": (2**31 - 1).to_bytes(4, "little") + lz4[4:],
        "numcodecs.lz4 of 4 GiB": b"\xff\xff\xff\xff" + lz4[4:],
    }
    # As the only compressor the decoder knows what is due; behind another it has a bound.
    for inner in ([], ["gzip"], ["zstd", "crc32c"]):
        where = f" behind {' and '.join(inner)}" if inner else ""
        for name, data in streams.items():
            yield f"{name}{where}", [LITTLE, *inner, name], INT64, data
        for kind, data in frames.items():
            yield f"zstd, {kind}{where}", [LITTLE, *inner, "zstd"], INT64, data
        for name, data in blocks.items():
            yield f"{name}{where}", [LITTLE, *inner, name.partition(" ")[0]], INT64, data
    for name in ("gzip", "zstd"):
        data = gzip_bomb if name == "gzip" else unsized
        shard = codec(
            "sharding_indexed", chunk_shape=[1], codecs=[LITTLE, "zstd"], index_codecs=[LITTLE]
        )
        yield f"{name} behind a shard", [shard, name], INT64, data
        yield f"{name} behind JSON", ["numcodecs.json2", name], np.dtype(object), data
        yield f"{name} behind pcodec", ["numcodecs.pcodec", name], INT64, data
    pcodec = numcodecs.get_codec({"id": "pcodec"}).encode(np.zeros(2**24, "i8"))
    yield "pcodec", ["numcodecs.pcodec"], INT64, pcodec
    msgpack = numcodecs.get_codec({"id": "msgpack2"})
    for shape in ([10**9], [1, 10**9], [10**9, 10**9]):
        text = json.dumps([1, "|O", shape]).encode()
        yield f"JSON of shape {shape}", ["numcodecs.json2"], np.dtype(object), text
    yield "JSON of long texts", ["numcodecs.json2"], np.dtype(object), b'["a","<U250000000",[1]]'
    yield "JSON of one value", ["numcodecs.json2"], np.dtype(object), b"7"
    yield "JSON that nests", ["numcodecs.json2"], np.dtype(object), b"[" * 10**6
    packed = bytes(msgpack.encode(np.array(["a"], object)))
    many = packed[:-2] + b"\x91\xce\x3b\x9a\xca\x00"
    yield "msgpack", ["numcodecs.msgpack2"], np.dtype(object), many
    lzma_alone = lzma.compress(bytes(8), format=lzma.FORMAT_ALONE)
    for name, size in (("512 MiB", 2**29), ("4 GiB", 2**32 - 1)):
        data = lzma_alone[:1] + size.to_bytes(4, "little") + lzma_alone[5:-4]
        yield (
            f"lzma with a dictionary of {name}",
            [LITTLE, codec("numcodecs.lzma", format=lzma.FORMAT_ALONE)],
            INT64,
            data,
        )
    for step in (
        codec("numcodecs.packbits"),
        codec("numcodecs.astype", encode_dtype="u1", decode_dtype="<U1000000"),
        codec("numcodecs.categorize", labels=["a"], dtype="<U1000000", astype="u1"),
    ):
        yield f"{step['name']} behind gzip", [LITTLE, "gzip", step], INT64, b"\1" * 20_000


def measured(codecs: list[Any], dtype: np.dtype[Any], data: bytes) -> tuple[str | None, int]:
    """Decode a chunk; return the error's text and the growth in bytes."""
    fill = "" if dtype.hasobject else np.zeros((), dtype)[()]
    spec = ChunkSpec(shape=(1,), dtype=dtype, fill_value=fill)
    pipeline = build_pipeline(parse_extensions(codecs, "codecs"), spec)
    Path("/proc/self/clear_refs").write_text("5")  # sets the greatest size to the present one
    before = resident("VmRSS")
    error = None
    try:
        pipeline.decode(data)
    except CodecError as caught:
        error = str(caught)
    return error, resident("VmHWM") - before


def resident(field: str) -> int:
    """Bytes of memory in use now (``VmRSS``) or at most (``VmHWM``)."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition(f"{field}:")[2].split()[0]) * 1024


if __name__ == "__main__":
    for bomb, codecs, dtype, data in bombs():
        error, growth = measured(codecs, dtype, data)
        json.dump({"bomb": bomb, "error": error, "growth": growth, "nbytes": len(data)}, sys.stdout)
        print()
