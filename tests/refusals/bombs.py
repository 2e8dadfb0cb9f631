"""Streams of a few kilobytes that decode to more than 2 GiB of zeros.

Made by hand from one compressed block that is repeated, since compressing 2 GiB takes seconds.
What a bomb says of its own end (length, checksum) is wrong, or there is no end: who reads that far
has lost already.
"""

from __future__ import annotations

import bz2
import functools
import lzma
import zlib

import numcodecs

SIZE = 2**31
"""Bytes that each of them would decode to."""

PIECE = bytes(2**20)


@functools.cache
def deflated() -> bytes:
    """Deflate blocks without a last one: 1 KiB for a MiB."""
    deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = deflater.compress(PIECE) + deflater.flush(zlib.Z_FULL_FLUSH)
    return block * (SIZE // len(PIECE))


def gzip_bomb() -> bytes:
    """One gzip member."""
    return b"\x1f\x8b\x08\0\0\0\0\0\x02\xff" + deflated()


def zlib_bomb() -> bytes:
    """A zlib stream."""
    return b"\x78\xda" + deflated()


def members_bomb() -> bytes:
    """Gzip members of a MiB each, all of them right."""
    member = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    return (member.compress(PIECE) + member.flush()) * (SIZE // len(PIECE))


@functools.cache
def bz2_bomb() -> bytes:
    """Bzip2 streams of 16 MiB each: 6 KiB in all."""
    return bz2.compress(bytes(2**24)) * (SIZE // 2**24)


def lzma_bomb() -> bytes:
    """Xz streams of 4 MiB each."""
    return lzma.compress(bytes(2**22)) * (SIZE // 2**22)


def zstd_bomb(*, is_declared: bool = True) -> bytes:
    """One zstd frame of blocks that repeat a byte; 64 KiB. RFC 8878, section 3.1.1."""
    size = 2**17
    header = b"\xe0" + SIZE.to_bytes(8, "little") if is_declared else b"\x00\xa0"
    block = (size << 3 | 1 << 1).to_bytes(3, "little") + b"\0"
    last = (size << 3 | 1 << 1 | 1).to_bytes(3, "little") + b"\0"
    return b"\x28\xb5\x2f\xfd" + header + block * (SIZE // size - 1) + last


def zstd_frames_bomb() -> bytes:
    """Zstd frames of a MiB each, all of them right."""
    frame: bytes = numcodecs.Zstd().encode(PIECE)
    return frame * (SIZE // len(PIECE))


def blosc_bomb() -> bytes:
    """A blosc header that declares almost 2 GiB, before a real block."""
    real = bytearray(numcodecs.Blosc("lz4", 5, numcodecs.Blosc.NOSHUFFLE).encode(PIECE))
    real[4:8] = (SIZE - 17).to_bytes(4, "little")
    return bytes(real)


def lz4_bomb() -> bytes:
    """An lz4 size of almost 2 GiB, before a real block."""
    real: bytes = numcodecs.LZ4().encode(PIECE)
    return (SIZE - 1).to_bytes(4, "little") + real[4:]
