"""Codecs ``gzip``, ``zstd`` and ``blosc``: bytes <-> fewer bytes; and which decoder is whose.

A decoder knows how many bytes must come out, or how many at most, and never makes more of them,
so that damaged or hostile data cannot fill memory. Every decoder is of type `Decompress`.

Spec: Zarr v3, codecs ``gzip``, ``blosc`` 1.0; ``zstd`` of the extension registry.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numcodecs
import numcodecs.blosc

from zarrfs.codecs.base import Buffer, BytesBytesCodec, BytesSpec, Spec, expect_bytes
from zarrfs.codecs.blocks import decode_blosc, decode_lz4, decode_zstd
from zarrfs.codecs.streams import decode_bz2, decode_gzip, decode_zlib, lzma_decoder
from zarrfs.errors import MetadataError
from zarrfs.format.documents import expect_choice, expect_integer, refuse_unknown, show

if TYPE_CHECKING:
    from zarrfs.format.extensions import Extension

Compress = Callable[[Buffer], Buffer]
Decompress = Callable[[Buffer, BytesSpec, memoryview | None], Buffer]
"""Decodes bytes to what a `BytesSpec` says that is due, never to more than its `limit`; into the
buffer of exactly its size if given."""

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
        return self.decompress(data, self.spec, out)


# --- decoders ---------------------------------------------------------------------------------

DECODE_INTO = frozenset({"blosc", "lz4", "zstd"})
"""Names of those whose decoders write into the buffer that they are given."""


def find_decompress(codec: Any) -> Decompress | None:
    """Return the decoder here of what a codec object of numcodecs encodes, if there is one."""
    if codec.codec_id == "lzma":
        return lzma_decoder(codec.format, codec.filters)
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

    A missing ``typesize`` is the size of an element. Without shuffling it has no meaning, and may
    be 0, as zarr-java leaves it.
    """
    content = expect_bytes(extension.name, spec)
    known = ("cname", "clevel", "shuffle", "typesize", "blocksize")
    refuse_unknown(extension.configuration, known, _field(extension))
    itemsize = content.array.dtype.itemsize if content.array else 1
    shuffle = _choice(extension, "shuffle", BLOSC_SHUFFLES, "noshuffle")
    least = 0 if shuffle == "noshuffle" else 1
    typesize = _integer(extension, "typesize", max(itemsize, 1), least, 2**31 - 1)
    codec = numcodecs.Blosc(
        cname=_choice(extension, "cname", BLOSC_COMPRESSORS, "zstd"),
        clevel=_integer(extension, "clevel", 5, 0, 9),
        shuffle=BLOSC_SHUFFLES.index(shuffle),
        blocksize=_integer(extension, "blocksize", 0, 0, 2**31 - 1),
        # blosc itself takes sizes that its header's byte cannot hold for 1.
        typesize=typesize if 1 <= typesize <= numcodecs.blosc.MAX_TYPESIZE else 1,
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
