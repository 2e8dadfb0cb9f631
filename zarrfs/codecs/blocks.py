"""Decoders of data that declare their size: zstd, blosc and lz4, through numcodecs.

What the data declare is checked before anything is allocated.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numcodecs.blosc
import numcodecs.lz4
import numcodecs.zstd
import numpy as np

if TYPE_CHECKING:
    from zarrfs.codecs.base import Buffer, BytesSpec

# Chunks are decoded in threads of our own; blosc's would only compete with them.
numcodecs.blosc.use_threads = False

_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_ZSTD_SKIPPABLE = b"\x2a\x4d\x18"
_SKIPPABLE_NIBBLE = 5
"""Magic number of frames without content: 0x50 to 0x5f, then these three bytes."""

_ZSTD_MAX_BLOCK = 128 * 1024
"""Bytes that a block of zstd can hold. RFC 8878, section 3.1.1.2.4."""

_ZSTD_MAX_HEADER = 18
_REPEATED, _COMPRESSED = 1, 2
"""Kinds of block."""

MAX_UNDECLARED = 32 * 2**20
"""Bytes that zstd blocks of undeclared size may hold whatever is due: they hold less than they
can."""

_BLOSC_HEADER = struct.Struct("<4xI4xI")
"""Bytes declared, and bytes stored."""

_LZ4_HEADER = 4


def decode_zstd(data: Buffer, spec: BytesSpec, out: memoryview | None) -> Buffer:
    """Decode zstd frames."""
    nbytes = spec.nbytes
    declared = _content_size(data)
    if nbytes is None or declared not in (nbytes, None):
        # Several frames, or of unknown size: what they hold has to be counted.
        most, is_exact = _zstd_bound(data)
        limit = spec.limit(len(data))
        if is_zero(most, limit if is_exact else max(limit, MAX_UNDECLARED)):
            return b""  # numcodecs refuses frames without content
        if is_exact or nbytes is None:
            return _decoded(numcodecs.zstd.decompress(data))
    elif declared == 0:
        return b""
    # numcodecs fills a buffer of the content's size, and refuses one that is too small.
    into = np.empty(nbytes, np.uint8).data if out is None else out
    try:
        return _decoded(numcodecs.zstd.decompress(data, into))
    except RuntimeError as error:
        if "buffer is too small" not in str(error):
            raise
        raise ValueError(f"holds more than the {nbytes} bytes that are due") from error


def decode_blosc(data: Buffer, spec: BytesSpec, out: memoryview | None) -> Buffer:
    """Decode a blosc 1 buffer; what follows it is ignored, as blosc does."""
    if len(data) < _BLOSC_HEADER.size:
        raise ValueError(f"{len(data)} bytes hold no blosc header")
    declared, stored = _BLOSC_HEADER.unpack_from(data)
    if stored > len(data):  # blosc would read on behind the end
        raise ValueError(f"the header declares {stored} bytes, there are {len(data)}")
    if is_zero(declared, spec.limit(len(data))):
        return b""
    # A larger buffer would keep what it held behind the content.
    into = out if declared == spec.nbytes else None
    return _decoded(numcodecs.blosc.decompress(data, into))


def decode_lz4(data: Buffer, spec: BytesSpec, out: memoryview | None) -> Buffer:
    """Decode an lz4 block behind its size, as numcodecs writes it."""
    if len(data) < _LZ4_HEADER:
        raise ValueError(f"{len(data)} bytes hold no size")
    declared = int.from_bytes(data[:_LZ4_HEADER], "little")
    if is_zero(declared, spec.limit(len(data))):
        return b""
    into = out if declared == spec.nbytes else None
    return _decoded(numcodecs.lz4.decompress(data, into))


def is_zero(declared: int, limit: int) -> bool:
    """Check a declared size against the due one; whether there is nothing to decode."""
    if declared > limit:
        raise ValueError(f"holds {declared} bytes where {limit} are due")
    return declared == 0


def _content_size(data: Buffer, start: int = 0) -> int | None:
    """Bytes that a zstd frame says it holds, if it does. RFC 8878, section 3.1.1.1."""
    if data[start : start + 4] != _ZSTD_MAGIC or len(data) < start + 5:
        return None
    size, position = _CONTENT_SIZE_FIELDS[data[start + 4]]
    first = start + position
    content_size = int.from_bytes(data[first : first + size], "little")
    return (content_size + 256 if size == 2 else content_size) if size else None


def _content_size_field(descriptor: int) -> tuple[int, int]:
    """Bytes of the content size in the header of a frame, and where they stand in it."""
    is_single_segment = descriptor >> 5 & 1
    size = (is_single_segment, 2, 4, 8)[descriptor >> 6]
    return size, 5 + (1 - is_single_segment) + (0, 1, 2, 4)[descriptor & 3]


_CONTENT_SIZE_FIELDS = [_content_size_field(descriptor) for descriptor in range(256)]
"""By the byte behind the magic number."""


def _zstd_bound(data: Buffer) -> tuple[int, bool]:
    """Bytes that all frames hold at most, and whether they say so themselves.

    Raises
    ------
    ValueError
        If anything is no frame, or the last one is cut short.
    """
    total, is_exact, position = 0, True, 0
    while position < len(data) or not position:
        magic = bytes(data[position : position + 4])
        if magic[1:] == _ZSTD_SKIPPABLE and magic[0] >> 4 == _SKIPPABLE_NIBBLE:
            position += 8 + int.from_bytes(data[position + 4 : position + 8], "little")
            continue
        if magic != _ZSTD_MAGIC or position + 4 == len(data):
            raise ValueError("invalid input data: no zstd frame")
        declared = _content_size(data, position)
        descriptor = data[position + 4]
        most, position = _blocks(data, position + sum(_content_size_field(descriptor)))
        position += 4 * (descriptor >> 2 & 1)  # checksum
        total += most if declared is None else declared
        is_exact = is_exact and declared is not None
    if position > len(data):
        raise ValueError("invalid input data: the last zstd frame is cut short")
    return total, is_exact


def _blocks(data: Buffer, position: int) -> tuple[int, int]:
    """Bytes that the blocks of a frame hold at most, and where they end. Section 3.1.1.2."""
    most = 0
    is_last = 0
    while not is_last and position < len(data):
        header = int.from_bytes(data[position : position + 3], "little")
        is_last, kind, size = header & 1, header >> 1 & 3, header >> 3
        most += _ZSTD_MAX_BLOCK if kind == _COMPRESSED else size
        position += 3 + (1 if kind == _REPEATED else size)
    return most, position


def _decoded(content: Any) -> Buffer:
    """Return what numcodecs decoded to: bytes of its own, or the `memoryview` it was given."""
    return content  # type: ignore[no-any-return]  # numcodecs has no types
