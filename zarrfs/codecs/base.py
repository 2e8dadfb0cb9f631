"""The three kinds of codec, and the description of a chunk that is threaded through them.

A codec is a frozen value made for one `ChunkSpec`: whatever depends on shape, dtype or fill value
is settled when the pipeline is built, so that encoding and decoding take only the data. Codecs
are pure and may be called from many threads at once.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Buffer = bytes | bytearray | memoryview
"""A contiguous buffer of bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkSpec:
    """What a chunk is at one step of the pipeline."""

    shape: tuple[int, ...]
    """As stored: what lies over the array's edge included."""

    dtype: np.dtype[Any]
    fill_value: Any
    """Element that stands for what was never written."""

    @property
    def nbytes(self) -> int:
        """Bytes of the chunk in memory."""
        return math.prod(self.shape) * self.dtype.itemsize


class ArrayArrayCodec(ABC):
    """Turns an array into an array, perhaps of another shape or dtype."""

    name: str

    @property
    @abstractmethod
    def encoded_spec(self) -> ChunkSpec:
        """What the array is after encoding."""

    @abstractmethod
    def encode(self, array: Array) -> Array:
        """Encode a chunk."""

    @abstractmethod
    def decode(self, array: Array) -> Array:
        """Decode a chunk; may return a view."""


class ArrayBytesCodec(ABC):
    """Turns an array into bytes; each pipeline has exactly one."""

    name: str

    @abstractmethod
    def encode(self, array: Array) -> Buffer:
        """Encode a chunk."""

    @abstractmethod
    def decode(self, data: Buffer) -> Array:
        """Decode a chunk; may return a read-only view of `data`."""


class BytesBytesCodec(ABC):
    """Turns bytes into bytes: a compressor or a checksum."""

    name: str

    @abstractmethod
    def encode(self, data: Buffer) -> Buffer:
        """Encode a chunk."""

    @abstractmethod
    def decode(self, data: Buffer, out: memoryview | None = None) -> Buffer:
        """Decode a chunk, into the start of `out` if it can and that is large enough.

        Returns
        -------
        Buffer
            The decoded bytes: a slice of `out`, or a buffer of its own.
        """


Codec = ArrayArrayCodec | ArrayBytesCodec | BytesBytesCodec
