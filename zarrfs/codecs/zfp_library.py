"""An array <-> a zfp stream without header, by way of the zfp library that zfpy brings.

zfpy's own functions cannot encode in expert mode, hold the interpreter's lock, and do not say how
much of a stream they read. The functions here are those of zfp 1.0, ``zfp.h``.

The library does not know where a stream ends. So it is given the stream with as many zeros behind
it as it can read, and afterwards asked how far it came.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from zarrfs.codecs.base import Array, Buffer

MAX_BLOCK_BITS = 16658
"""Bits of the largest block. zfp.h, ``ZFP_MAX_BITS``."""

SetMode = Callable[[Any, "Array"], None]
"""Gives a stream the compression mode, for an array."""

_TYPES = MappingProxyType({"int32": 1, "int64": 2, "float32": 3, "float64": 4})
"""zfp.h, ``zfp_type``."""

_SPARE = 64
"""Zeros behind what a stream can hold: the library reads whole words."""

_POINTER, _SIZE, _UINT, _INT, _DOUBLE = (
    ctypes.c_void_p,
    ctypes.c_size_t,
    ctypes.c_uint,
    ctypes.c_int,
    ctypes.c_double,
)

_SIGNATURES: MappingProxyType[str, tuple[Any, ...]] = MappingProxyType(
    {
        "stream_open": (_POINTER, _POINTER, _SIZE),
        "stream_close": (None, _POINTER),
        "zfp_compress": (_SIZE, _POINTER, _POINTER),
        "zfp_decompress": (_SIZE, _POINTER, _POINTER),
        "zfp_field_1d": (_POINTER, _POINTER, _INT, _SIZE),
        "zfp_field_2d": (_POINTER, _POINTER, _INT, *2 * (_SIZE,)),
        "zfp_field_3d": (_POINTER, _POINTER, _INT, *3 * (_SIZE,)),
        "zfp_field_4d": (_POINTER, _POINTER, _INT, *4 * (_SIZE,)),
        "zfp_field_free": (None, _POINTER),
        "zfp_stream_close": (None, _POINTER),
        "zfp_stream_maximum_size": (_SIZE, _POINTER, _POINTER),
        "zfp_stream_open": (_POINTER, _POINTER),
        "zfp_stream_set_accuracy": (_DOUBLE, _POINTER, _DOUBLE),
        "zfp_stream_set_bit_stream": (None, _POINTER, _POINTER),
        "zfp_stream_set_params": (_INT, _POINTER, _UINT, _UINT, _UINT, _INT),
        "zfp_stream_set_precision": (_UINT, _POINTER, _UINT),
        "zfp_stream_set_rate": (_DOUBLE, _POINTER, _DOUBLE, _INT, _UINT, _INT),
        "zfp_stream_set_reversible": (None, _POINTER),
    }
)
"""Function -> what it returns, what it takes."""


# --- modes ------------------------------------------------------------------------------------


def reversible(zfp: Any, array: Array) -> None:
    """Lose nothing."""
    _library().zfp_stream_set_reversible(zfp)


def fixed_rate(rate: float) -> SetMode:
    """Spend so many bits on a value; at most `MAX_BLOCK_BITS` on a block of ``4**ndim``."""

    def set_mode(zfp: Any, array: Array) -> None:
        _library().zfp_stream_set_rate(zfp, rate, _TYPES[array.dtype.name], array.ndim, 0)

    return set_mode


def fixed_precision(precision: int) -> SetMode:
    """Keep so many bit planes of a block."""
    return lambda zfp, array: _library().zfp_stream_set_precision(zfp, precision)


def fixed_accuracy(tolerance: float) -> SetMode:
    """Keep errors below so much."""
    return lambda zfp, array: _library().zfp_stream_set_accuracy(zfp, tolerance)


def expert(minbits: int, maxbits: int, maxprec: int, minexp: int) -> SetMode:
    """Bound the bits of a block, its bit planes, and the exponent of the last of them."""

    def set_mode(zfp: Any, array: Array) -> None:
        _library().zfp_stream_set_params(zfp, minbits, maxbits, maxprec, minexp)

    return set_mode


# --- streams ----------------------------------------------------------------------------------


def maximum_size(shape: tuple[int, ...], dtype: np.dtype[Any], set_mode: SetMode) -> int:
    """Return the most bytes that an array can be compressed to."""
    array = np.broadcast_to(np.empty((), dtype), shape)
    with _opened(array, set_mode) as (zfp, field):
        return int(_library().zfp_stream_maximum_size(zfp, field)) + _SPARE


def compress(array: Array, set_mode: SetMode) -> bytes:
    """Compress an array of 1 to 4 dimensions, none of them empty, of a type that zfp has."""
    array = np.ascontiguousarray(array)
    with _opened(array, set_mode) as (zfp, field):
        buffer = bytearray(_library().zfp_stream_maximum_size(zfp, field) + _SPARE)
        with _bits(zfp, buffer):
            size = _library().zfp_compress(zfp, field)
    return bytes(memoryview(buffer)[:size])


def decompress(data: Buffer, array: Array, set_mode: SetMode) -> None:
    """Decompress a stream into an array in C order.

    Raises
    ------
    ValueError
        If the stream ends too soon.
    """
    with _opened(array, set_mode) as (zfp, field):
        most = _library().zfp_stream_maximum_size(zfp, field) + _SPARE
        buffer = bytearray(most)
        used = min(len(data), most)
        buffer[:used] = memoryview(data)[:used]
        with _bits(zfp, buffer):
            size = _library().zfp_decompress(zfp, field)
    if not size or size > len(data):
        raise ValueError("the data end too soon")


@contextmanager
def _opened(array: Array, set_mode: SetMode) -> Iterator[tuple[Any, Any]]:
    """Describe an array and a stream to the library; both are forgotten at the end."""
    library = _library()
    make_field = getattr(library, f"zfp_field_{array.ndim}d")
    field = make_field(array.ctypes.data, _TYPES[array.dtype.name], *array.shape[::-1])
    zfp = library.zfp_stream_open(None)
    try:
        set_mode(zfp, array)
        yield zfp, field
    finally:
        library.zfp_stream_close(zfp)
        library.zfp_field_free(field)


@contextmanager
def _bits(zfp: Any, buffer: bytearray) -> Iterator[None]:
    """Let a stream read and write a buffer from its start."""
    library = _library()
    memory = (ctypes.c_char * len(buffer)).from_buffer(buffer)
    bits = library.stream_open(ctypes.addressof(memory), len(buffer))
    try:
        library.zfp_stream_set_bit_stream(zfp, bits)
        yield
    finally:
        library.stream_close(bits)


@cache
def _library() -> ctypes.CDLL:
    """Load the library, which an extension module of zfpy is linked to."""
    import zfpy  # type: ignore[import-not-found]  # a compiled module without types

    library = ctypes.CDLL(zfpy.__file__)
    for name, (result, *arguments) in _SIGNATURES.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def is_installed() -> bool:
    """Whether zfpy is there."""
    try:
        _library()
    except ImportError:
        return False
    return True
