"""Codec ``crc32c``: bytes <-> the same with their CRC-32C behind them, little-endian.

Spec: Zarr v3, codec ``crc32c`` 1.0; RFC 3720, appendix B.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import google_crc32c
import numpy as np

from zarrfs.codecs.base import Buffer, BytesBytesCodec, BytesSpec, Spec, expect_bytes
from zarrfs.errors import CodecError
from zarrfs.format.documents import refuse_unknown

if TYPE_CHECKING:
    from zarrfs.format.extensions import Extension

_SIZE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Crc32cCodec(BytesBytesCodec):
    """Appends and checks a checksum."""

    name: str
    spec: BytesSpec
    encoded_spec: BytesSpec
    decodes_into: bool = False

    def encode(self, data: Buffer) -> Buffer:
        """Return the bytes and their checksum."""
        return b"".join((data, _crc32c(data).to_bytes(_SIZE, "little")))

    def decode(self, data: Buffer, out: memoryview | None = None) -> Buffer:
        """Return a view of the bytes without their checksum."""
        view = memoryview(data)
        if len(view) < _SIZE:
            raise CodecError(self.name, "decode", f"{len(view)} bytes hold no checksum")
        content = view[:-_SIZE]
        stored, computed = int.from_bytes(view[-_SIZE:], "little"), _crc32c(content)
        if stored != computed:
            reason = f"the checksum is {computed:#010x}, the stored one {stored:#010x}"
            raise CodecError(self.name, "decode", reason)
        return content


def parse_crc32c(extension: Extension, spec: Spec) -> Crc32cCodec:
    """Build ``crc32c``, which has no configuration."""
    content = expect_bytes(extension.name, spec)
    refuse_unknown(extension.configuration, (), f"codecs.{extension.name}")
    nbytes = None if content.nbytes is None else content.nbytes + _SIZE
    return Crc32cCodec(name=extension.name, spec=content, encoded_spec=BytesSpec(nbytes=nbytes))


def _crc32c(data: Buffer) -> int:
    # google_crc32c takes bytes and arrays, but no memoryview of writable memory.
    return int(google_crc32c.value(np.frombuffer(data, np.uint8)))
