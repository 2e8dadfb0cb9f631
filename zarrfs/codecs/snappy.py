"""Codec ``snappy`` of Zarr v2: bytes <-> a snappy block, without framing.

A block begins with the number of bytes that it holds (snappy, ``format_description.txt``); they
are held against what is due before memory is taken for them. numcodecs has no such codec, so
stores with it come from other libraries.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zarrfs.codecs.base import Buffer, BytesBytesCodec, BytesSpec, Spec, expect_bytes
from zarrfs.errors import UnsupportedError
from zarrfs.format.documents import refuse_unknown

if TYPE_CHECKING:
    from zarrfs.format.extensions import Extension


@dataclass(frozen=True, slots=True, kw_only=True)
class SnappyCodec(BytesBytesCodec):
    """Compresses bytes fast."""

    name: str
    spec: BytesSpec
    encoded_spec: BytesSpec
    decodes_into: bool = False

    def encode(self, data: Buffer) -> Buffer:
        """Compress a chunk."""
        return bytes(_library().compress_raw(data))

    def decode(self, data: Buffer, out: memoryview | None = None) -> Buffer:
        """Decompress a chunk."""
        declared, limit = _library().decompress_raw_len(data), self.spec.limit(len(data))
        if declared > limit:
            raise ValueError(f"the block declares {declared} bytes where {limit} are due")
        return bytes(_library().decompress_raw(data))


def parse_snappy(extension: Extension, spec: Spec) -> SnappyCodec:
    """Build ``snappy``, which has no configuration.

    Raises
    ------
    MetadataError
        If it stands before the codec that makes bytes of the array.
    UnsupportedError
        If cramjam is not installed.
    """
    field = f"codecs.{extension.name}"
    refuse_unknown(extension.configuration, (), field)
    content = expect_bytes(extension.name, spec)
    try:
        _library()
    except ImportError as error:
        reason = "needs the package cramjam: pip install 'zarrfs[cramjam]'"
        raise UnsupportedError(reason, field=field) from error
    return SnappyCodec(name=extension.name, spec=content, encoded_spec=BytesSpec())


def _library() -> Any:
    import cramjam

    return cramjam.snappy
