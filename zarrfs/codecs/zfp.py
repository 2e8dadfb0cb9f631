"""Header of a zfp stream -> whether the stream can be decoded to one chunk without harm.

The zfp library does not know where a stream ends: it would read on in memory behind one that was
cut short, and make an array of whatever shape the header declares. Layout of the header: zfp
1.0, ``zfp_write_header``; sizes: ``zfp_stream_maximum_size``.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from zarrfs.codecs.base import Buffer, ChunkSpec

_MAGIC = b"zfp\x05"
_DTYPES = (np.int32, np.int64, np.float32, np.float64)
_BITS_PER_LENGTH = (48, 24, 16, 12)
"""Bits that hold each length less 1, for 1 to 4 dimensions."""

_FIXED_RATES = 2048
_LONG_MODE = 0xFFF
_WORD = 8
"""The library reads words of so many bytes."""


def check_encodable(spec: ChunkSpec) -> None:
    """Refuse shapes that zfp cannot hold: it would read behind the array."""
    if not 1 <= len(spec.shape) <= 4 or not all(spec.shape):
        raise ValueError(f"zfp cannot hold an array of shape {spec.shape}")


def padded(data: Buffer, spec: ChunkSpec) -> bytes:
    """Return a stream that the library can be given, with zeros behind it.

    Raises
    ------
    ValueError
        If it is no stream, declares another type or number of elements, or is too short for its
        fixed rate.
    """
    if bytes(data[:4]) != _MAGIC:
        raise ValueError("this is no zfp stream")
    bits = int.from_bytes(data[4:20], "little")
    ndim = (bits >> 2 & 3) + 1
    n_bits = _BITS_PER_LENGTH[ndim - 1]
    lengths = ((bits >> 4 + n_bits * axis & (1 << n_bits) - 1) + 1 for axis in range(ndim))
    dtype, shape = np.dtype(_DTYPES[bits & 3]), tuple(lengths)[::-1]
    # numcodecs once flattened arrays before it encoded them.
    if dtype != spec.dtype or math.prod(shape) != math.prod(spec.shape):
        raise ValueError(f"the stream holds {dtype} of shape {shape}")
    mode = bits >> 52 & 0xFFF
    n_blocks = math.prod(-(-n // 4) for n in shape)
    minimum = 1  # bits of a block
    if mode < _FIXED_RATES:
        minimum = mode + 1
    elif mode == _LONG_MODE:
        minimum = (bits >> 64 & 0x7FFF) + 1
    if n_blocks * minimum > 8 * len(data):
        raise ValueError("the data end too soon")
    block = 4**ndim
    most = 19 + block - 1 + block * 8 * dtype.itemsize
    return bytes(data) + bytes(n_blocks * most // 8 + 4 * _WORD)
