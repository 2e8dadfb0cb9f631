"""Codecs of numcodecs: the filters and compressors of Zarr v2, and ``numcodecs.*`` names of v3.

Which kind of codec one is depends on where it stands:

- Before the array→bytes codec, as Zarr v3 has it, filters (``delta``, ``astype`` …) are
  array→array, and ``zfpy``, ``pcodec`` and the codecs of objects (``vlen-utf8`` …) are array→bytes.
  Arrays there have native byte order, so that the byte order in a filter's ``dtype`` says
  nothing; elements are taken in C order.
- Behind it, as v2 has it once ``bytes`` stands for the array's own byte order, all are
  bytes→bytes. They see memory in stored byte order, and their ``dtype`` counts.

The fill value goes through array→array filters as one element; ``delta`` and ``packbits``, which
have no encoding of a single element, only change its type.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numcodecs
import numpy as np
from numcodecs.errors import UnknownCodecError

from zarrfs.codecs.base import (
    Array,
    ArrayArrayCodec,
    ArrayBytesCodec,
    Buffer,
    BytesSpec,
    ChunkSpec,
    Codec,
    Spec,
    array_bytes,
    expect_bytes,
)
from zarrfs.codecs.compressors import DECODE_INTO, BytesFilter, find_decompress
from zarrfs.codecs.zfp import check_encodable, padded
from zarrfs.errors import MetadataError, UnsupportedError

if TYPE_CHECKING:
    from zarrfs.format.extensions import Extension

Numcodec = Any
"""A codec object of numcodecs, which has no types."""

_EXTRAS = MappingProxyType({"msgpack2": "msgpack", "pcodec": "pcodec", "zfpy": "zfpy"})
"""Codecs that need another package, and the extra of zarrfs that installs it."""

_OBJECT_CODECS = frozenset({"json2", "msgpack2", "vlen-array", "vlen-bytes", "vlen-utf8"})
_NUMBER_CODECS = frozenset({"pcodec", "zfpy"})

_DECODED_DTYPE = MappingProxyType(
    {
        "astype": "decode_dtype",
        "categorize": "dtype",
        "delta": "dtype",
        "fixedscaleoffset": "dtype",
        "quantize": "dtype",
    }
)
"""Members that zarr-python leaves out where they are the array's own type."""

_ENCODED_DTYPE = MappingProxyType(
    {
        "astype": "encode_dtype",
        "categorize": "astype",
        "delta": "astype",
        "fixedscaleoffset": "astype",
        "quantize": "astype",
    }
)
"""Members that say what type elements are encoded to."""

_ARRAY_FILTERS = frozenset({*_ENCODED_DTYPE, "bitround", "packbits"})
_NOT_ELEMENTWISE = frozenset({"delta", "packbits"})

_SIZES = MappingProxyType[str, Callable[[int], int]](
    {
        "adler32": lambda n: n + 4,
        "base64": lambda n: 4 * -(-n // 3),
        "crc32": lambda n: n + 4,
        "crc32c": lambda n: n + 4,
        "fletcher32": lambda n: n + 4,
        "jenkins_lookup3": lambda n: n + 4,
        "shuffle": lambda n: n,
    }
)
"""Filters of bytes, and how many bytes they make of so many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayFilter(ArrayArrayCodec):
    """A filter of arrays."""

    name: str
    spec: ChunkSpec
    encoded_spec: ChunkSpec
    codec: Numcodec

    def encode(self, array: Array) -> Array:
        """Filter a chunk."""
        return _shaped(_quietly(self.codec.encode, np.ascontiguousarray(array)), self.encoded_spec)

    def decode(self, array: Array) -> Array:
        """Undo the filter."""
        return _shaped(_quietly(self.codec.decode, np.ascontiguousarray(array)), self.spec)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectCodec(ArrayBytesCodec):
    """A codec of Python objects: text, bytes, arrays, JSON values."""

    name: str
    spec: ChunkSpec
    encoded_spec: BytesSpec
    codec: Numcodec

    def encode(self, array: Array) -> Buffer:
        """Encode a chunk."""
        return _buffer(self.codec.encode(np.ascontiguousarray(array)))

    def decode(self, data: Buffer) -> Array:
        """Decode a chunk."""
        size = math.prod(self.spec.shape)
        # These begin with the number of elements; numcodecs would make an array for as many
        # before it reads the first.
        if self.codec.codec_id.startswith("vlen-"):
            _expect_elements(int.from_bytes(data[:4], "little"), size)
        decoded = self.codec.decode(data)
        _expect_elements(decoded.size, size)
        array: Array = np.empty(size, self.spec.dtype)
        array[...] = decoded.reshape(-1)
        return array.reshape(self.spec.shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberCodec(ArrayBytesCodec):
    """A compressor of numbers: ``zfpy`` or ``pcodec``."""

    name: str
    spec: ChunkSpec
    encoded_spec: BytesSpec
    codec: Numcodec

    numbers: ChunkSpec
    """The chunk as the library sees it: times as integers, complex numbers as pairs."""

    def encode(self, array: Array) -> Buffer:
        """Compress a chunk."""
        if self.codec.codec_id == "zfpy":
            check_encodable(self.numbers)
        return _buffer(self.codec.encode(_array(array_bytes(array), self.numbers)))

    def decode(self, data: Buffer) -> Array:
        """Decompress a chunk."""
        if self.codec.codec_id == "zfpy":
            data = padded(data, self.numbers)
        decoded = self.codec.decode(data)
        if decoded is None or decoded.dtype != self.numbers.dtype:
            raise ValueError(f"the data hold other elements than {self.numbers.dtype}")
        return _shaped(decoded, self.spec)


def parse_numcodecs(extension: Extension, spec: Spec) -> Codec:
    """Build a codec of numcodecs, of the kind that its place asks for.

    Raises
    ------
    MetadataError
        If numcodecs refuses its configuration, or it cannot stand here.
    UnsupportedError
        If numcodecs does not have it, or a package is missing that it needs.
    """
    name, codec_id = extension.name, extension.name.removeprefix("numcodecs.")
    array = spec if isinstance(spec, ChunkSpec) else spec.array
    codec = _numcodec(extension, codec_id, array, is_native=array is spec)
    build = _find_array_bytes(codec_id, codec)
    if isinstance(spec, ChunkSpec):
        if build is not None:
            return build(name, codec, spec)
        if codec_id in _ARRAY_FILTERS:
            _expect_no_objects(name, spec)
            encoded = _encoded_array(name, codec_id, codec, spec)
            return ArrayFilter(name=name, spec=spec, encoded_spec=encoded, codec=codec)
    content = expect_bytes(name, spec)
    if build is not None:
        if array is None:
            raise MetadataError("encodes arrays, and here are only bytes", field=f"codecs.{name}")
        return _as_bytes_filter(build(name, codec, array), content, array)
    return BytesFilter(
        name=name,
        spec=content,
        encoded_spec=_encoded_bytes(codec_id, codec, content),
        compress=partial(_compress, codec, array),
        decompress=find_decompress(codec) or partial(_decompress, codec),
        decodes_into=codec_id in DECODE_INTO,
    )


# --- building -------------------------------------------------------------------------------


def _numcodec(
    extension: Extension, codec_id: str, array: ChunkSpec | None, *, is_native: bool
) -> Numcodec:
    """Return the codec object of numcodecs."""
    field = f"codecs.{extension.name}"
    if codec_id == "pickle":
        raise UnsupportedError("is refused: decoding can run any program", field=field)
    configuration = {**extension.configuration, "id": codec_id}
    members = [m[codec_id] for m in (_DECODED_DTYPE, _ENCODED_DTYPE) if codec_id in m]
    if array is not None:
        if members and configuration.get(members[0]) is None:
            configuration[members[0]] = array.dtype.str
        if codec_id == "shuffle" and configuration.get("elementsize") is None:
            configuration["elementsize"] = array.dtype.itemsize
    try:
        for member in members if is_native else ():
            if configuration.get(member) is not None:
                configuration[member] = np.dtype(configuration[member]).newbyteorder("=").str
        return numcodecs.get_codec(configuration)
    except UnknownCodecError as error:
        extra = _EXTRAS.get(codec_id)
        reason = (
            f"needs the package {extra}: pip install 'zarrfs[{extra}]'"
            if extra
            else "is not known to numcodecs"
        )
        raise UnsupportedError(reason, field=field) from error
    except Exception as error:  # each codec checks its configuration in its own way
        raise MetadataError(f"numcodecs refuses it: {error}", field=field) from error


def _find_array_bytes(
    codec_id: str, codec: Numcodec
) -> Callable[[str, Numcodec, ChunkSpec], ArrayBytesCodec] | None:
    """Return how to build a codec that takes arrays; ``None`` for those that take bytes."""
    if codec_id in _OBJECT_CODECS or (codec_id == "categorize" and codec.dtype.hasobject):
        return _object_codec
    return _number_codec if codec_id in _NUMBER_CODECS else None


def _object_codec(name: str, codec: Numcodec, spec: ChunkSpec) -> ObjectCodec:
    return ObjectCodec(name=name, spec=spec, encoded_spec=BytesSpec(), codec=codec)


def _number_codec(name: str, codec: Numcodec, spec: ChunkSpec) -> NumberCodec:
    _expect_no_objects(name, spec)
    dtype, shape = spec.dtype, spec.shape
    if dtype.kind in "mM":
        dtype = np.dtype(np.int64).newbyteorder(dtype.byteorder)
    elif dtype.kind == "c":
        dtype = np.dtype(f"{dtype.byteorder}f{dtype.itemsize // 2}")
        shape = (*shape, 2)
    return NumberCodec(
        name=name,
        spec=spec,
        encoded_spec=BytesSpec(),
        codec=codec,
        numbers=ChunkSpec(shape=shape, dtype=dtype, fill_value=0),
    )


def _as_bytes_filter(codec: ArrayBytesCodec, content: BytesSpec, array: ChunkSpec) -> BytesFilter:
    """Let a codec of arrays stand behind ``bytes``, as v2 has it."""

    def compress(data: Buffer) -> Buffer:
        return codec.encode(_array(data, array))

    def decompress(data: Buffer, nbytes: int | None, out: memoryview | None) -> Buffer:
        return array_bytes(codec.decode(data))

    return BytesFilter(name=codec.name, spec=content, compress=compress, decompress=decompress)


def _expect_no_objects(name: str, spec: ChunkSpec) -> None:
    if spec.dtype.hasobject:
        raise MetadataError("cannot encode elements of variable length", field=f"codecs.{name}")


def _encoded_layout(
    codec_id: str, codec: Numcodec, spec: ChunkSpec
) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Return shape and type of what a filter makes of an array."""
    if codec_id == "packbits":
        return (1 + -(-spec.nbytes // 8),), np.dtype(np.uint8)
    if codec_id == "bitround":
        return spec.shape, spec.dtype
    decoded: np.dtype[Any] = getattr(codec, _DECODED_DTYPE[codec_id])
    encoded: np.dtype[Any] = getattr(codec, _ENCODED_DTYPE[codec_id])
    if decoded.itemsize == spec.dtype.itemsize:
        return spec.shape, encoded
    return (spec.nbytes // decoded.itemsize,), encoded  # the filter views elements as others


def _encoded_array(name: str, codec_id: str, codec: Numcodec, spec: ChunkSpec) -> ChunkSpec:
    """Return what an array→array filter makes of an array."""
    shape, dtype = _encoded_layout(codec_id, codec, spec)
    fill = ChunkSpec(shape=(1,), dtype=spec.dtype, fill_value=spec.fill_value).filled()
    try:
        if codec_id in _NOT_ELEMENTWISE:
            fill = fill.astype(dtype)
        else:
            fill = np.asarray(_quietly(codec.encode, fill)).reshape(-1).view(dtype)
    except (TypeError, ValueError, KeyError) as error:
        reason = f"cannot encode {spec.dtype}: {error}"
        raise MetadataError(reason, field=f"codecs.{name}") from error
    return ChunkSpec(shape=shape, dtype=dtype, fill_value=fill[0])


def _encoded_bytes(codec_id: str, codec: Numcodec, content: BytesSpec) -> BytesSpec:
    """Return what a filter or compressor makes of bytes."""
    if codec_id in _ARRAY_FILTERS and content.array is not None:
        shape, dtype = _encoded_layout(codec_id, codec, content.array)
        array = ChunkSpec(shape=shape, dtype=dtype, fill_value=None)
        return BytesSpec(nbytes=array.nbytes, array=array)
    if codec_id in _SIZES and content.nbytes is not None:
        return BytesSpec(nbytes=_SIZES[codec_id](content.nbytes))
    return BytesSpec()


# --- coding ---------------------------------------------------------------------------------


def _compress(codec: Numcodec, array: ChunkSpec | None, data: Buffer) -> Buffer:
    """Encode bytes as the array that they are: numcodecs looks at type and shape."""
    elements = np.frombuffer(data, np.uint8) if array is None else _array(data, array)
    return _buffer(_quietly(codec.encode, elements))


def _decompress(
    codec: Numcodec, data: Buffer, nbytes: int | None, out: memoryview | None
) -> Buffer:
    return _buffer(_quietly(codec.decode, data))


def _quietly(function: Callable[[Any], Any], argument: Any) -> Any:
    """Call numcodecs; values that overflow are the array's own affair, not worth a warning."""
    with np.errstate(all="ignore"):
        return function(argument)


def _array(data: Buffer, spec: ChunkSpec) -> Array:
    """View bytes as an array of at least one dimension."""
    return np.ndarray(spec.shape or (1,), spec.dtype, buffer=data)


def _shaped(decoded: Any, spec: ChunkSpec) -> Array:
    """View what numcodecs returned as the array that is due."""
    array = np.asarray(decoded)
    if array.nbytes != spec.nbytes:
        raise ValueError(f"{array.nbytes} bytes came out, not {spec.nbytes}")
    return array.reshape(-1).view(spec.dtype).reshape(spec.shape)


def _buffer(encoded: Any) -> Buffer:
    """View what numcodecs returned as bytes."""
    return encoded if isinstance(encoded, bytes) else array_bytes(np.asarray(encoded))


def _expect_elements(n: int, expected: int) -> None:
    if n != expected:
        raise ValueError(f"the data hold {n} elements, not {expected}")
