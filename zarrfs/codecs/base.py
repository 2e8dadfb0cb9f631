"""The three kinds of codec, and the descriptions of chunk and bytes that are threaded through them.

A codec is a frozen value made for one `ChunkSpec` or `BytesSpec`: whatever depends on shape, dtype
or fill value is settled when the pipeline is built, so that encoding and decoding take only the
data. Codecs are pure and may be called from many threads at once. They may raise whatever their
library raises; the pipeline makes a `CodecError` of it.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from zarrfs.errors import MetadataError

if TYPE_CHECKING:
    from collections.abc import Mapping

Array = npt.NDArray[Any]
Buffer = bytes | bytearray | memoryview
"""A contiguous buffer of bytes; a `memoryview` is one-dimensional with format ``B``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkSpec:
    """What a chunk is at one step of the pipeline."""

    shape: tuple[int, ...]
    """As stored: what lies over the array's edge included."""

    dtype: np.dtype[Any]
    fill_value: Any
    """Element that stands for what was never written."""

    nbytes: int = field(init=False, repr=False, compare=False)
    """Bytes of the chunk in memory."""

    def __post_init__(self) -> None:
        """Count the bytes, once: they are asked for with each chunk."""
        object.__setattr__(self, "nbytes", math.prod(self.shape) * self.dtype.itemsize)

    def filled(self) -> Array:
        """Return a chunk that was never written: a new array full of the fill value."""
        array = np.empty(self.shape, self.dtype)
        array[...] = self.fill_element()
        return array

    def is_fill(self, array: Array) -> bool:
        """Whether every element of a chunk is the fill value, byte for byte.

        So -0.0 and NaNs of another payload are data. Elements of dtype `object` are compared
        by type and value: false is not 0.
        """
        fill = self.fill_element()
        if self.dtype.hasobject:
            return all(_are_same(element, fill[()]) for element in array.flat)
        first = array[(slice(0, 1),) * array.ndim or ...]  # no scalar: bytes lose their last NULs
        if array.nbytes and first.tobytes() != fill.tobytes():  # true of most data
            return False
        raw = np.frombuffer(array_bytes(array), np.uint8)
        return bool((raw[fill.nbytes :] == raw[: raw.size - fill.nbytes]).all())

    def fill_element(self) -> Array:
        """Return the fill value as a 0-d array."""
        element = np.empty((), self.dtype)
        element.fill(self.fill_value)  # takes a list for one element, as `element[()] = …` does not
        return element


def _are_same(element: object, other: object) -> bool:
    if type(element) is not type(other):
        return False
    if isinstance(element, np.ndarray) and isinstance(other, np.ndarray):
        return element.dtype == other.dtype and np.array_equal(element, other)
    return bool(element == other)


UNBOUNDED_MOST = 16 * 2**20
"""`BytesSpec.most` where nothing bounds the bytes: they may be as many whatever they come from."""

UNBOUNDED_RATIO = 32
"""`BytesSpec.ratio` there. Text seldom shrinks to a twentieth, a bomb to less than a thousandth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BytesSpec:
    """What the bytes are that stand between two codecs."""

    nbytes: int | None = None
    """How many; ``None`` where that depends on the data, as behind a compressor."""

    array: ChunkSpec | None = None
    """The array in C order whose memory they are, its dtype in stored byte order; ``None``
    where they are no array's memory. Codecs of Zarr v2 look at it when encoding. Its fill value
    has no meaning."""

    most: int | None = None
    """How many they are at most, where `nbytes` is not known; see `limit`. ``None`` leaves that
    to `zarrfs.codecs.bounds`."""

    ratio: int = 0
    """How many more they may be for each byte that they are decoded from: elements of variable
    length have no bound of their own."""

    def limit(self, n_encoded: int) -> int:
        """Bytes that so many may be decoded to; who decodes makes no more of them."""
        if self.nbytes is not None:
            return self.nbytes
        if self.most is None:
            return UNBOUNDED_MOST + UNBOUNDED_RATIO * n_encoded
        return self.most + self.ratio * n_encoded


Spec = ChunkSpec | BytesSpec


class _Configured:
    """What the three kinds of codec share."""

    @classmethod
    def from_configuration(cls, configuration: Mapping[str, Any], spec: Any) -> Self:
        """Build a registered codec: here from its configuration, as keyword arguments.

        Parameters
        ----------
        configuration
            Members of its configuration in the metadata document.
        spec
            What it will encode: a `ChunkSpec`, or a `BytesSpec` for codecs of bytes.
        """
        return cls(**configuration)


class ArrayArrayCodec(_Configured, ABC):
    """Turns an array into an array, perhaps of another shape or dtype."""

    name: str
    """As in the metadata document."""

    spec: ChunkSpec
    """What the array is when decoded."""

    encoded_spec: ChunkSpec
    """What the array is after encoding."""

    @abstractmethod
    def encode(self, array: Array) -> Array:
        """Encode a chunk; may return a view."""

    @abstractmethod
    def decode(self, array: Array) -> Array:
        """Decode a chunk; may return a view."""


class ArrayBytesCodec(_Configured, ABC):
    """Turns an array into bytes; each pipeline has exactly one."""

    name: str
    """As in the metadata document."""

    spec: ChunkSpec
    """What the array is when decoded."""

    encoded_spec: BytesSpec
    """What the bytes are."""

    @property
    def is_plain(self) -> bool:
        """Whether the bytes are the memory of the array in C order, and any may be."""
        return False

    @abstractmethod
    def encode(self, array: Array) -> Buffer:
        """Encode a chunk; may return a view of `array`."""

    @abstractmethod
    def decode(self, data: Buffer) -> Array:
        """Decode a chunk; may return a view of `data`, read-only if that is."""


class BytesBytesCodec(_Configured, ABC):
    """Turns bytes into bytes: a compressor or a checksum."""

    name: str
    """As in the metadata document."""

    spec: BytesSpec
    """What the bytes are when decoded."""

    encoded_spec: BytesSpec
    """What the bytes are after encoding."""

    decodes_into: bool
    """`decode` writes into the buffer that it is given."""

    @abstractmethod
    def encode(self, data: Buffer) -> Buffer:
        """Encode a chunk; may return a view of `data`."""

    @abstractmethod
    def decode(self, data: Buffer, out: memoryview | None = None) -> Buffer:
        """Decode a chunk.

        Parameters
        ----------
        data
            Encoded bytes.
        out
            Where to decode into, writable and exactly ``spec.nbytes`` long; only given to
            codecs that have `decodes_into`.

        Returns
        -------
        Buffer
            The decoded bytes: `out`, a view of `data`, or a buffer of their own.
        """


Codec = ArrayArrayCodec | ArrayBytesCodec | BytesBytesCodec


def expect_array(name: str, spec: Spec) -> ChunkSpec:
    """Return `spec` if codec `name`, which takes arrays, stands where there still is one.

    Raises
    ------
    MetadataError
        If the codec stands behind the one that turned the array into bytes.
    """
    if isinstance(spec, ChunkSpec):
        return spec
    raise MetadataError(
        f"{name!r} encodes arrays, but stands behind the codec that made bytes of the array",
        field="codecs",
    )


def expect_bytes(name: str, spec: Spec) -> BytesSpec:
    """Return `spec` if codec `name`, which takes bytes, stands where there are some.

    Raises
    ------
    MetadataError
        If no codec before it turned the array into bytes.
    """
    if isinstance(spec, BytesSpec):
        return spec
    raise MetadataError(
        f"{name!r} encodes bytes, but no codec before it makes bytes of the array",
        field="codecs",
    )


def array_bytes(array: Array) -> Buffer:
    """Memory of an array in C order; a copy only where the array is not contiguous so."""
    if not array.nbytes:
        return b""  # NumPy cannot view elements of no bytes as uint8
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
