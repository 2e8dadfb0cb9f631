"""Decoders of streams: gzip, zlib, bzip2 and lzma, through Python's own libraries and ISA-L.

A stream does not say how long it is: it is cut off where more bytes come out than are due.
ISA-L is given the chunks that are one sound gzip or zlib stream, as nearly all are, since it
decodes them up to twice as fast as zlib. What it does not decode is left to zlib.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from isal import isal_zlib

if TYPE_CHECKING:
    from collections.abc import Callable

    from zarrfs.codecs.base import Buffer, BytesSpec


class _Stream(Protocol):
    """What `zlib`, `bz2` and `lzma` call a decompressor."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: Buffer, max_length: int, /) -> bytes: ...


_STREAM_ERRORS = (OSError, zlib.error, lzma.LZMAError)
"""What decompressors raise at what is no stream."""

_GZIP = zlib.MAX_WBITS | 16
"""What zlib calls a window of full size in a gzip stream."""

_PIECE = 64 * 1024
"""Bytes that a further stream is given at a time: each returns a copy of what it did not use."""

LZMA_MEMORY = 1 << 30
"""Bytes of memory that an lzma stream may ask for; the strongest preset needs 65 MiB."""


def decode_streams(
    start: Callable[[], _Stream],
    data: Buffer,
    spec: BytesSpec,
    out: memoryview | None,
    *,
    ignores_rest: bool = True,
) -> Buffer:
    """Decode streams that stand one behind the other, perhaps with zeros behind them.

    Parameters
    ----------
    start
        Makes a decompressor for the next stream.
    data, spec, out
        See `zarrfs.codecs.compressors.Decompress`; `out` is not used.
    ignores_rest
        What follows the first stream and is no stream is ignored, as Python's `bz2` and `lzma`
        do; else it is an error.
    """
    view, limit = memoryview(data), spec.limit(len(data))
    part, position = _decode_stream(start(), view, limit, limit, max(len(view), 1))
    parts, room = [part], limit - len(part)
    while (position := _skip_zeros(view, position)) < len(view):
        try:
            part, used = _decode_stream(start(), view[position:], room, limit, _PIECE)
        except _STREAM_ERRORS:
            if ignores_rest:
                break
            raise
        parts.append(part)
        room -= len(part)
        position += used
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _decode_stream(
    stream: _Stream, data: memoryview, room: int, limit: int, piece: int
) -> tuple[bytes, int]:
    """Decode one stream to at most `room` bytes; also tell how many bytes of `data` it has."""
    parts: list[bytes] = []
    position = 0
    while not stream.eof:
        given = data[position : position + piece]
        if not given:
            raise EOFError("the data end too soon")
        parts.append(stream.decompress(given, room + 1))
        position += len(given)
        room -= len(parts[-1])
        if room < 0:
            raise ValueError(f"holds more than the {limit} bytes that are due")
    decoded = parts[0] if len(parts) == 1 else b"".join(parts)
    return decoded, position - len(stream.unused_data)


def _skip_zeros(data: memoryview, position: int) -> int:
    """Return where the next byte stands that is not zero, or the end."""
    while position < len(data):
        piece = bytes(data[position : position + _PIECE])
        rest = piece.lstrip(b"\0")
        position += len(piece) - len(rest)
        if rest:
            break
    return position


def decode_gzip(data: Buffer, spec: BytesSpec, out: memoryview | None) -> Buffer:
    """Decode gzip members."""
    whole = _decode_whole(data, spec.limit(len(data)), _GZIP)
    if whole is not None:
        return whole
    start = partial(zlib.decompressobj, _GZIP)
    return decode_streams(start, data, spec, out, ignores_rest=False)


def decode_zlib(data: Buffer, spec: BytesSpec, out: memoryview | None) -> Buffer:
    """Decode a zlib stream; what follows it is ignored, as `zlib.decompress` does."""
    view, limit = memoryview(data), spec.limit(len(data))
    whole = _decode_whole(data, limit, zlib.MAX_WBITS)
    if whole is not None:
        return whole
    return _decode_stream(zlib.decompressobj(), view, limit, limit, max(len(view), 1))[0]


def _decode_whole(data: Buffer, limit: int, wbits: int) -> bytes | None:
    """Decode one sound gzip or zlib stream of at most `limit` bytes that ends where `data` do.

    ``None`` if it is anything else. The checksum holds of what is returned; some faults of a
    header pass that zlib refuses, such as bits that are reserved.
    """
    stream = isal_zlib.decompressobj(wbits)
    try:
        decoded = stream.decompress(data, limit + 1)
    except isal_zlib.error:  # type: ignore[misc]  # a class, which its stubs call an instance
        return None
    return decoded if stream.eof and not stream.unused_data and len(decoded) <= limit else None


def decode_bz2(data: Buffer, spec: BytesSpec, out: memoryview | None) -> Buffer:
    """Decode bzip2 streams."""
    return decode_streams(bz2.BZ2Decompressor, data, spec, out)


def lzma_decoder(format_: int, filters: Any) -> Callable[..., Buffer]:
    """Return the decoder of lzma streams of one format; only raw ones have `filters` given."""
    # The library takes no memory limit for raw streams: their dictionary is in the metadata.
    memory = None if format_ == lzma.FORMAT_RAW else LZMA_MEMORY
    start = partial(lzma.LZMADecompressor, format=format_, memlimit=memory, filters=filters)
    return partial(decode_streams, start)
