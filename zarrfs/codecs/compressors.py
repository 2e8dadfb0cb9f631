"""Codecs ``gzip``, ``zstd`` and ``blosc``: bytes <-> fewer bytes; and the decoders of their kind.

A decoder knows how many bytes must come out and never makes more of them than that, so damaged or
hostile data cannot fill memory: sizes that the data declare are checked before anything is
allocated, streams are cut off. Every decoder is of type `Decompress`.

Spec: Zarr v3, codecs ``gzip``, ``blosc`` 1.0; ``zstd`` of the extension registry.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

import numcodecs
import numcodecs.blosc
import numcodecs.lz4
import numcodecs.zstd
import numpy as np

from zarrfs.codecs.base import Buffer, BytesBytesCodec, BytesSpec, Spec, expect_bytes
from zarrfs.errors import MetadataError
from zarrfs.format.documents import expect_choice, expect_integer, refuse_unknown, show

if TYPE_CHECKING:
    from zarrfs.format.extensions import Extension

# Chunks are decoded in threads of our own; blosc's would only compete with them.
numcodecs.blosc.use_threads = False

Compress = Callable[[Buffer], Buffer]
Decompress = Callable[[Buffer, int | None, memoryview | None], Buffer]
"""Decodes `data` to so many bytes (``None``: unknown), into the buffer of that size if given."""

BLOSC_COMPRESSORS = ("blosclz", "lz4", "lz4hc", "snappy", "zlib", "zstd")
BLOSC_SHUFFLES = ("noshuffle", "shuffle", "bitshuffle")
"""In the order of blosc's numbers, which Zarr v2 writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BytesFilter(BytesBytesCodec):
    """A codec made of two functions."""

    name: str
    spec: BytesSpec
    compress: Compress
    decompress: Decompress
    encoded_spec: BytesSpec = field(default=BytesSpec())
    decodes_into: bool = False

    def encode(self, data: Buffer) -> Buffer:
        """Compress a chunk."""
        return self.compress(data)

    def decode(self, data: Buffer, out: memoryview | None = None) -> Buffer:
        """Decompress a chunk."""
        return self.decompress(data, self.spec.nbytes, out)


# --- decoders of data that declare their size -------------------------------------------------

_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_BLOSC_HEADER = 16


def decode_zstd(data: Buffer, nbytes: int | None, out: memoryview | None) -> Buffer:
    """Decode zstd frames."""
    declared = _zstd_content_size(data)
    if _is_empty(declared, nbytes):
        return b""  # numcodecs refuses frames without content
    if declared not in (nbytes, None):
        out = None  # several frames, whose sum is not known yet, would leave a part of it unwritten
    elif out is None and declared is None and nbytes is not None:
        out = np.empty(nbytes, np.uint8).data
    return _buffer(numcodecs.zstd.decompress(data, out))


def decode_blosc(data: Buffer, nbytes: int | None, out: memoryview | None) -> Buffer:
    """Decode a blosc 1 buffer; what follows it is ignored, as blosc does."""
    if len(data) < _BLOSC_HEADER:
        raise ValueError(f"{len(data)} bytes hold no blosc header")
    stored = int.from_bytes(data[12:16], "little")
    if stored > len(data):  # blosc would read on behind the end
        raise ValueError(f"the header declares {stored} bytes, there are {len(data)}")
    if _is_empty(int.from_bytes(data[4:8], "little"), nbytes):
        return b""
    return _buffer(numcodecs.blosc.decompress(data, out))


def decode_lz4(data: Buffer, nbytes: int | None, out: memoryview | None) -> Buffer:
    """Decode an lz4 block behind its size, as numcodecs writes it."""
    if len(data) >= 4 and _is_empty(int.from_bytes(data[:4], "little"), nbytes):
        return b""
    return _buffer(numcodecs.lz4.decompress(data, out))


def _zstd_content_size(data: Buffer) -> int | None:
    """Bytes that the first frame says it holds, if it does. RFC 8878, section 3.1.1.1."""
    if bytes(data[:4]) != _ZSTD_MAGIC or len(data) < 5:
        return None
    descriptor = data[4]
    is_single_segment = descriptor >> 5 & 1
    size = (is_single_segment, 2, 4, 8)[descriptor >> 6]
    start = 5 + (1 - is_single_segment) + (0, 1, 2, 4)[descriptor & 3]
    content_size = int.from_bytes(data[start : start + size], "little")
    return (content_size + 256 if size == 2 else content_size) if size else None


def _is_empty(declared: int | None, nbytes: int | None) -> bool:
    """Check a declared size against the due one; whether there is nothing to decode."""
    if declared is not None and nbytes is not None and declared > nbytes:
        raise ValueError(f"holds {declared} bytes where {nbytes} are due")
    return declared == 0


# --- decoders of streams ----------------------------------------------------------------------


class _Stream(Protocol):
    """What `zlib`, `bz2` and `lzma` call a decompressor."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: Buffer, max_length: int, /) -> bytes: ...


_STREAM_ERRORS = (OSError, zlib.error, lzma.LZMAError)
"""What decompressors raise at what is no stream."""

_UNBOUNDED = 2**62


def decode_streams(
    start: Callable[[], _Stream],
    data: Buffer,
    nbytes: int | None,
    out: memoryview | None,
    *,
    ignores_rest: bool = True,
) -> Buffer:
    """Decode streams that stand one behind the other, perhaps with zeros behind them.

    Parameters
    ----------
    start
        Makes a decompressor for the next stream.
    data, nbytes, out
        See `Decompress`; `out` is not used.
    ignores_rest
        What follows the first stream and is no stream is ignored, as Python's `bz2` and `lzma`
        do; else it is an error.
    """
    stream = start()
    parts = [_decode_stream(stream, data, nbytes)]
    while rest := stream.unused_data.lstrip(b"\0"):
        stream = start()
        try:
            parts.append(_decode_stream(stream, rest, nbytes, sum(map(len, parts))))
        except _STREAM_ERRORS:
            if ignores_rest:
                break
            raise
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _decode_stream(stream: _Stream, data: Buffer, nbytes: int | None, n_decoded: int = 0) -> bytes:
    """Decode one stream, which with what is decoded already holds at most `nbytes`."""
    room = _UNBOUNDED if nbytes is None else nbytes - n_decoded
    decoded = stream.decompress(data, room + 1)
    if len(decoded) > room:
        raise ValueError(f"holds more than the {nbytes} bytes that are due")
    if not stream.eof:
        raise EOFError("the data end too soon")
    return decoded


def decode_gzip(data: Buffer, nbytes: int | None, out: memoryview | None) -> Buffer:
    """Decode gzip members."""
    start = partial(zlib.decompressobj, zlib.MAX_WBITS | 16)
    return decode_streams(start, data, nbytes, out, ignores_rest=False)


def decode_zlib(data: Buffer, nbytes: int | None, out: memoryview | None) -> Buffer:
    """Decode a zlib stream; what follows it is ignored, as `zlib.decompress` does."""
    return _decode_stream(zlib.decompressobj(), data, nbytes)


def decode_bz2(data: Buffer, nbytes: int | None, out: memoryview | None) -> Buffer:
    """Decode bzip2 streams."""
    return decode_streams(bz2.BZ2Decompressor, data, nbytes, out)


DECODE_INTO = frozenset({"blosc", "lz4", "zstd"})
"""Names of those whose decoders write into the buffer that they are given."""


def find_decompress(codec: Any) -> Decompress | None:
    """Return the decoder here of what a codec object of numcodecs encodes, if there is one."""
    if codec.codec_id == "lzma":
        start = partial(lzma.LZMADecompressor, format=codec.format, filters=codec.filters)
        return partial(decode_streams, start)
    return _DECOMPRESS.get(codec.codec_id)


_DECOMPRESS = MappingProxyType[str, Decompress](
    {
        "blosc": decode_blosc,
        "bz2": decode_bz2,
        "gzip": decode_gzip,
        "lz4": decode_lz4,
        "zlib": decode_zlib,
        "zstd": decode_zstd,
    }
)


# --- the codecs of Zarr v3 --------------------------------------------------------------------


def parse_gzip(extension: Extension, spec: Spec) -> BytesFilter:
    """Build ``gzip`` from ``{"level": 0…9}``."""
    refuse_unknown(extension.configuration, ("level",), _field(extension))
    return BytesFilter(
        name=extension.name,
        spec=expect_bytes(extension.name, spec),
        # Without a time of compression equal chunks are equal objects.
        compress=partial(
            gzip.compress, compresslevel=_integer(extension, "level", 5, 0, 9), mtime=0
        ),
        decompress=decode_gzip,
    )


def parse_zstd(extension: Extension, spec: Spec) -> BytesFilter:
    """Build ``zstd`` from ``{"level": -131072…22, "checksum": bool}``."""
    refuse_unknown(extension.configuration, ("level", "checksum"), _field(extension))
    checksum = extension.configuration.get("checksum", False)
    if not isinstance(checksum, bool):
        reason = f"must be true or false, not {show(checksum)}"
        raise MetadataError(reason, field=_field(extension, "checksum"))
    level = _integer(extension, "level", 0, -131072, 22)
    return BytesFilter(
        name=extension.name,
        spec=expect_bytes(extension.name, spec),
        compress=numcodecs.Zstd(level, checksum).encode,
        decompress=decode_zstd,
        decodes_into=True,
    )


def parse_blosc(extension: Extension, spec: Spec) -> BytesFilter:
    """Build ``blosc`` from ``cname``, ``clevel``, ``shuffle``, ``typesize``, ``blocksize``.

    A missing ``typesize`` is the size of an element.
    """
    content = expect_bytes(extension.name, spec)
    known = ("cname", "clevel", "shuffle", "typesize", "blocksize")
    refuse_unknown(extension.configuration, known, _field(extension))
    itemsize = content.array.dtype.itemsize if content.array else 1
    typesize = _integer(extension, "typesize", max(itemsize, 1), 1, 2**31 - 1)
    shuffle = _choice(extension, "shuffle", BLOSC_SHUFFLES, "noshuffle")
    codec = numcodecs.Blosc(
        cname=_choice(extension, "cname", BLOSC_COMPRESSORS, "zstd"),
        clevel=_integer(extension, "clevel", 5, 0, 9),
        shuffle=BLOSC_SHUFFLES.index(shuffle),
        blocksize=_integer(extension, "blocksize", 0, 0, 2**31 - 1),
        # blosc itself takes sizes that its header's byte cannot hold for 1.
        typesize=typesize if typesize <= numcodecs.blosc.MAX_TYPESIZE else 1,
    )
    return BytesFilter(
        name=extension.name,
        spec=content,
        compress=codec.encode,
        decompress=decode_blosc,
        decodes_into=True,
    )


def _field(extension: Extension, *members: str) -> str:
    return ".".join(("codecs", extension.name, *members))


def _integer(extension: Extension, member: str, default: int, minimum: int, maximum: int) -> int:
    value = extension.configuration.get(member, default)
    field = _field(extension, member)
    return expect_integer(value, field, minimum=minimum, maximum=maximum)


def _choice(extension: Extension, member: str, choices: tuple[str, ...], default: str) -> str:
    value = extension.configuration.get(member, default)
    return expect_choice(value, choices, _field(extension, member))


def _buffer(decoded: Any) -> Buffer:
    """Return what numcodecs decoded to: bytes of its own, or the `memoryview` it was given."""
    return decoded  # type: ignore[no-any-return]  # numcodecs has no types
