"""Array→bytes codecs of numcodecs: those of Python objects, and ``zfpy`` and ``pcodec`` of numbers.

How many elements the data hold is known before memory is taken for them.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

import numpy as np

from zarrfs.codecs.base import (
    UNBOUNDED_MOST,
    UNBOUNDED_RATIO,
    Array,
    ArrayBytesCodec,
    Buffer,
    BytesSpec,
    ChunkSpec,
    array_bytes,
)
from zarrfs.codecs.number_types import expect_numbers
from zarrfs.codecs.numcodecs_values import (
    Numcodec,
    as_array,
    as_buffer,
    expect_no_objects,
    shaped,
)
from zarrfs.codecs.zfp import check_encodable, padded
from zarrfs.errors import MetadataError
from zarrfs.format.documents import show

OBJECT_CODECS = frozenset({"json2", "msgpack2", "vlen-array", "vlen-bytes", "vlen-utf8"})
NUMBER_CODECS = frozenset({"pcodec", "zfpy"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectCodec(ArrayBytesCodec):
    """A codec of Python objects: text, bytes, arrays, JSON values."""

    name: str
    spec: ChunkSpec
    encoded_spec: BytesSpec
    codec: Numcodec

    def encode(self, array: Array) -> Buffer:
        """Encode a chunk."""
        return as_buffer(self.codec.encode(np.ascontiguousarray(array)))

    def decode(self, data: Buffer) -> Array:
        """Decode a chunk."""
        size = math.prod(self.spec.shape)
        # numcodecs would make an array for as many elements as the data declare before it reads
        # the first.
        if self.codec.codec_id.startswith("vlen-"):
            _expect_elements(int.from_bytes(data[:4], "little"), size)
        elif self.codec.codec_id in ("json2", "msgpack2"):
            _expect_items(self.codec, data, size)
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
        return as_buffer(self.codec.encode(as_array(array_bytes(array), self.numbers)))

    def decode(self, data: Buffer) -> Array:
        """Decompress a chunk."""
        if self.codec.codec_id == "zfpy":
            return shaped(self.codec.decode(padded(data, self.numbers)), self.spec)
        return shaped(_decode_pcodec(data, self.numbers), self.spec)


def object_codec(name: str, codec: Numcodec, spec: ChunkSpec) -> ObjectCodec:
    """Build a codec of Python objects."""
    if codec.codec_id.startswith("vlen-") and spec.dtype.kind not in "OUS":
        # numcodecs would make numbers of texts that look like some.
        reason = f"encodes elements of variable length, not {spec.dtype}"
        raise MetadataError(reason, field=f"codecs.{name}")
    nbytes = None
    if codec.codec_id == "categorize":
        nbytes = math.prod(spec.shape) * codec.astype.itemsize
    return ObjectCodec(name=name, spec=spec, encoded_spec=BytesSpec(nbytes=nbytes), codec=codec)


def number_codec(name: str, codec: Numcodec, spec: ChunkSpec) -> NumberCodec:
    """Build ``zfpy`` or ``pcodec``."""
    expect_no_objects(name, spec)
    number = expect_numbers(spec, ("int", "uint", "float"), f"codecs.{name}")
    if number.is_user_defined:  # neither library has types of ml_dtypes
        reason = f"cannot encode elements of type {spec.dtype}"
        raise MetadataError(reason, field=f"codecs.{name}")
    shape = spec.shape if number.n_components == 1 else (*spec.shape, number.n_components)
    return NumberCodec(
        name=name,
        spec=spec,
        encoded_spec=BytesSpec(),
        codec=codec,
        numbers=ChunkSpec(shape=shape, dtype=number.component, fill_value=0),
    )


def _expect_elements(n: int, expected: int) -> None:
    if n != expected:
        raise ValueError(f"the data hold {n} elements, not {expected}")


def _expect_items(codec: Numcodec, data: Buffer, size: int) -> None:
    """Check type and shape, which stand behind the elements in ``json2`` and ``msgpack2``."""
    if codec.codec_id == "json2":
        items = json.loads(bytes(data))
    else:
        import msgpack  # type: ignore[import-untyped]  # it has no types

        items = msgpack.unpackb(data, raw=codec.raw)
    if not isinstance(items, list) or len(items) < 2:
        raise ValueError("the data hold no list of elements, type and shape")
    try:
        dtype, shape = np.dtype(items[-2]), items[-1]
    except Exception as error:
        raise ValueError(f"the data name no data type, but {show(items[-2])}") from error
    _expect_elements(math.prod(shape), size)
    if dtype.itemsize * size > UNBOUNDED_MOST + UNBOUNDED_RATIO * len(data):
        raise ValueError(f"the data hold elements of {dtype.itemsize} bytes")


def _decode_pcodec(data: Buffer, numbers: ChunkSpec) -> Array:
    """Decode to exactly as many numbers as are due: few bytes can hold very many."""
    from pcodec import standalone  # type: ignore[import-untyped]  # it has no types

    array: Array = np.empty(math.prod(numbers.shape), numbers.dtype)
    progress = standalone.simple_decompress_into(bytes(data), array)
    if progress.n_processed != array.size or not progress.finished:
        raise ValueError(f"the data hold other than {array.size} numbers")
    return array
