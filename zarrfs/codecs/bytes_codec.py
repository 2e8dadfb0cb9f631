"""Codec ``bytes`` (once ``endian``): an array <-> its elements in C order and one byte order.

Spec: Zarr v3, codec ``bytes`` 1.0. Arrays in memory have native byte order. A structured type
without ``endian`` is stored with the byte orders that its fields declare, with ``endian`` all its
fields have that order.

Bits that mean nothing, or more than the specification has (``bool`` is 0 or 1), are as `narrow`
has them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from zarrfs.codecs.base import (
    Array,
    ArrayBytesCodec,
    Buffer,
    BytesSpec,
    ChunkSpec,
    Spec,
    array_bytes,
    expect_array,
)
from zarrfs.codecs.narrow import NarrowPart, cleared, narrow_parts, sign_extended
from zarrfs.errors import MetadataError
from zarrfs.format.documents import expect_choice, refuse_unknown
from zarrfs.format.dtypes import carrier

if TYPE_CHECKING:
    from zarrfs.format.extensions import Extension


@dataclass(frozen=True, slots=True, kw_only=True)
class BytesCodec(ArrayBytesCodec):
    """Lays out elements one after another."""

    name: str
    spec: ChunkSpec
    encoded_spec: BytesSpec

    carrier: np.dtype[Any]
    """Type that stands for the element's, of the same size, and whose byte order can be set."""

    stored: np.dtype[Any]
    """`carrier` in stored byte order; `carrier` itself if that is its own."""

    narrow: tuple[NarrowPart, ...]
    """Parts of the element that have fewer bits than bytes hold."""

    @property
    def is_plain(self) -> bool:
        """Whether nothing is swapped or cleared, so that the bytes are the array's memory."""
        return self.stored is self.carrier and not self.narrow

    def encode(self, array: Array) -> Buffer:
        """Return the array's memory, byte-swapped if need be."""
        carried = sign_extended(array.view(self.carrier), self.narrow)
        return array_bytes(carried.astype(self.stored, copy=False))

    def decode(self, data: Buffer) -> Array:
        """View the bytes as an array; a copy where they are swapped, or bits mean nothing."""
        plain = self.is_plain
        dtype = self.spec.dtype if plain else self.stored
        array: Array = np.ndarray(self.spec.shape, dtype, buffer=data)
        if plain:
            return array
        carried = array.astype(self.carrier, copy=False)
        return cleared(carried, self.narrow).view(self.spec.dtype)


def parse_bytes(extension: Extension, spec: Spec) -> BytesCodec:
    """Build ``bytes`` from ``{"endian": "little" | "big"}``; one-byte types need no ``endian``."""
    chunk, field = expect_array(extension.name, spec), f"codecs.{extension.name}"
    refuse_unknown(extension.configuration, ("endian",), field)
    if chunk.dtype.hasobject:
        raise MetadataError("cannot encode elements of variable length", field=field)
    in_memory = carrier(chunk.dtype)
    stored = in_memory
    endian = extension.configuration.get("endian")
    if endian is not None:
        order = expect_choice(endian, ("little", "big"), f"{field}.endian")
        ordered = in_memory.newbyteorder(">" if order == "big" else "<")
        stored = in_memory if ordered == in_memory else ordered
    elif in_memory.newbyteorder("S") != in_memory and in_memory.names is None:
        reason = f"is missing, and {chunk.dtype.name} has more than one byte"
        raise MetadataError(reason, field=f"{field}.endian")
    return BytesCodec(
        name=extension.name,
        spec=chunk,
        encoded_spec=BytesSpec(
            nbytes=chunk.nbytes,
            array=ChunkSpec(shape=chunk.shape, dtype=stored, fill_value=None),
        ),
        carrier=in_memory,
        stored=stored,
        narrow=narrow_parts(chunk.dtype),
    )
