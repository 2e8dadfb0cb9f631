"""Codecs ``vlen-utf8``, ``vlen-bytes`` and others of their layout: texts or bytes <-> bytes.

A chunk is the number of its elements, then each as its length and its bytes; numbers are 32 bits,
little-endian. What the elements are says the data type of the array: ``string`` or ``bytes``, and
not the codec's name. The registry allows each name for one of the two; zarrs 0.24 writes all
of them for both.

``zarrs.vlen`` keeps the offsets of elements apart from their bytes, each with codecs of their own.

Spec: registry, codecs ``vlen-utf8`` and ``vlen-bytes``; zarrs 0.24, ``codec/array_to_bytes``,
``vlen_v2`` and ``vlen``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numcodecs
import numpy as np

from zarrfs.codecs.base import (
    Array,
    ArrayBytesCodec,
    Buffer,
    BytesSpec,
    ChunkSpec,
    Spec,
    expect_array,
)
from zarrfs.errors import MetadataError
from zarrfs.format.documents import expect_choice, refuse_unknown, take
from zarrfs.format.extensions import Extension, parse_extensions

if TYPE_CHECKING:
    from zarrfs.codecs.sharding import BuildPipeline, Pipeline

_LENGTH_NBYTES = 8
"""Bytes of the number that says how long the stored offsets are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InterleavedCodec(ArrayBytesCodec):
    """Writes each element behind its length."""

    name: str
    spec: ChunkSpec
    encoded_spec: BytesSpec
    is_text: bool

    def encode(self, array: Array) -> Buffer:
        """Encode a chunk."""
        elements = array.reshape(-1)
        _check_elements(elements, is_text=self.is_text)
        codec = numcodecs.VLenUTF8() if self.is_text else numcodecs.VLenBytes()
        encoded: bytearray = codec.encode(elements)
        return encoded

    def decode(self, data: Buffer) -> Array:
        """Decode a chunk."""
        size, declared = math.prod(self.spec.shape), int.from_bytes(data[:4], "little")
        if declared != size:  # numcodecs would take memory for as many
            raise ValueError(f"the data hold {declared} elements, not {size}")
        codec = numcodecs.VLenUTF8() if self.is_text else numcodecs.VLenBytes()
        array: Array = codec.decode(data)
        return array.reshape(self.spec.shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class VlenCodec(ArrayBytesCodec):
    """Writes offsets and bytes of all elements, one beside the other."""

    name: str
    spec: ChunkSpec
    encoded_spec: BytesSpec
    is_text: bool

    offsets: Pipeline
    """Codecs of the offsets of the elements, and of their end."""

    data_codecs: tuple[Extension, ...]
    """Codecs of the bytes, as many as the offsets say."""

    build: BuildPipeline
    is_index_first: bool

    def encode(self, array: Array) -> Buffer:
        """Encode a chunk."""
        elements = array.reshape(-1)
        _check_elements(elements, is_text=self.is_text)
        parts = [element.encode() for element in elements] if self.is_text else list(elements)
        ends = np.cumsum([0, *map(len, parts)], dtype=np.uint64)
        dtype = self.offsets.spec.dtype
        if ends[-1] > np.iinfo(dtype).max:
            raise ValueError(f"the elements have {ends[-1]} bytes, too many for {dtype} offsets")
        index = bytes(self.offsets.encode(ends.astype(dtype)))
        joined = np.frombuffer(b"".join(parts), np.uint8)
        data = bytes(self._data_pipeline(len(joined)).encode(joined)) if len(joined) else b""
        length = len(index).to_bytes(_LENGTH_NBYTES, "little")
        return length + index + data if self.is_index_first else data + index + length

    def decode(self, data: Buffer) -> Array:
        """Decode a chunk."""
        index, stored = self._split(memoryview(data))
        ends = self.offsets.decode(index)
        total = int(ends[-1])
        if ends[0] != 0 or (ends[1:] < ends[:-1]).any():
            raise ValueError("the offsets do not increase from 0")
        if total > self.encoded_spec.limit(len(data)):
            raise ValueError(f"the offsets declare {total} bytes for {len(data)} stored ones")
        joined = self._data_pipeline(total).decode(stored).tobytes() if total else b""
        pairs = zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)
        parts = (joined[start:stop] for start, stop in pairs)
        array = np.empty(len(ends) - 1, object)
        array[:] = [part.decode() for part in parts] if self.is_text else list(parts)
        return array.reshape(self.spec.shape)

    def _data_pipeline(self, nbytes: int) -> Pipeline:
        spec = ChunkSpec(shape=(nbytes,), dtype=np.dtype(np.uint8), fill_value=np.uint8(0))
        return self.build(self.data_codecs, spec)

    def _split(self, data: memoryview) -> tuple[memoryview, memoryview]:
        """Return the stored offsets and the stored bytes."""
        if len(data) < _LENGTH_NBYTES:
            raise ValueError(f"{len(data)} bytes hold no length of the offsets")
        edge = data[:_LENGTH_NBYTES] if self.is_index_first else data[-_LENGTH_NBYTES:]
        rest = data[_LENGTH_NBYTES:] if self.is_index_first else data[:-_LENGTH_NBYTES]
        length = int.from_bytes(edge, "little")
        if length > len(rest):
            raise ValueError(f"the offsets shall have {length} bytes of {len(rest)}")
        if self.is_index_first:
            return rest[:length], rest[length:]
        return rest[len(rest) - length :], rest[: len(rest) - length]


def parse_interleaved(extension: Extension, spec: Spec) -> InterleavedCodec:
    """Build a codec without configuration that writes lengths between the elements."""
    chunk, field = expect_array(extension.name, spec), f"codecs.{extension.name}"
    refuse_unknown(extension.configuration, (), field)
    return InterleavedCodec(
        name=extension.name,
        spec=chunk,
        encoded_spec=BytesSpec(),
        is_text=_is_text(chunk, field),
    )


def parse_vlen(extension: Extension, spec: Spec, build: BuildPipeline) -> VlenCodec:
    """Build ``zarrs.vlen`` from two lists of codecs, the offsets' type and their place."""
    chunk, field = expect_array(extension.name, spec), f"codecs.{extension.name}"
    configuration = extension.configuration
    known = ("index_codecs", "data_codecs", "index_data_type", "index_location")
    refuse_unknown(configuration, known, field)
    is_text = _is_text(chunk, field)
    data_type = expect_choice(
        take(configuration, "index_data_type", field),
        ("uint32", "uint64"),
        f"{field}.index_data_type",
    )
    location = expect_choice(
        configuration.get("index_location", "start"), ("start", "end"), f"{field}.index_location"
    )
    index_codecs = take(configuration, "index_codecs", field)
    data_codecs = take(configuration, "data_codecs", field)
    n_offsets = math.prod(chunk.shape) + 1
    codec = VlenCodec(
        name=extension.name,
        spec=chunk,
        encoded_spec=BytesSpec(),
        is_text=is_text,
        offsets=build(
            parse_extensions(index_codecs, f"{field}.index_codecs"),
            ChunkSpec(shape=(n_offsets,), dtype=np.dtype(data_type), fill_value=0),
        ),
        data_codecs=parse_extensions(data_codecs, f"{field}.data_codecs"),
        build=build,
        is_index_first=location == "start",
    )
    codec._data_pipeline(1)  # what is wrong with its codecs is told now
    return codec


def _is_text(chunk: ChunkSpec, field: str) -> bool:
    """Whether elements are texts; else they are bytes.

    Raises
    ------
    MetadataError
        If they have a fixed size.
    """
    # The fill value has the element's type: both types are `object` to NumPy.
    if chunk.dtype.hasobject and isinstance(chunk.fill_value, str | bytes):
        return isinstance(chunk.fill_value, str)
    reason = f"encodes texts or bytes of variable length, not elements of type {chunk.dtype}"
    raise MetadataError(reason, field=field)


def _check_elements(elements: Array, *, is_text: bool) -> None:
    """Refuse what numcodecs would take for an empty element, or cannot take."""
    expected = str if is_text else bytes
    for element in elements:
        if not isinstance(element, expected):
            name = type(element).__name__
            raise TypeError(f"an element is a {name}, not {expected.__name__}")
