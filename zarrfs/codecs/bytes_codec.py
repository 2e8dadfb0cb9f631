"""Codec ``bytes`` (once ``endian``): an array <-> its elements in C order and one byte order.

Spec: Zarr v3, codec ``bytes`` 1.0. Arrays in memory have native byte order. A structured type
without ``endian`` is stored with the byte orders that its fields declare, with ``endian`` all its
fields have that order.

The specification stores ``bool`` as 0 or 1. Any other byte is true, as it is for NumPy and C, and
decodes to 1: a NumPy bool that holds another byte breaks comparisons.
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
from zarrfs.errors import MetadataError
from zarrfs.format.documents import expect_choice, refuse_unknown

if TYPE_CHECKING:
    from zarrfs.format.extensions import Extension


_USER_DEFINED = 2
"""What ``dtype.isbuiltin`` is for types that NumPy does not know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BytesCodec(ArrayBytesCodec):
    """Lays out elements one after another."""

    name: str
    spec: ChunkSpec
    encoded_spec: BytesSpec

    carrier: np.dtype[Any]
    """Type that stands for the element's, of the same size, and whose byte order can be set."""

    stored: np.dtype[Any]
    """`carrier` in stored byte order."""

    def encode(self, array: Array) -> Buffer:
        """Return the array's memory, byte-swapped if need be."""
        return array_bytes(array.view(self.carrier).astype(self.stored, copy=False))

    def decode(self, data: Buffer) -> Array:
        """View the bytes as an array; a copy where bytes are swapped."""
        array: Array = np.ndarray(self.spec.shape, self.stored, buffer=data)
        if self.spec.dtype == np.bool_:
            raw = array.view(np.uint8)
            return array if raw.max(initial=0) <= 1 else raw != 0
        return array.astype(self.carrier, copy=False).view(self.spec.dtype)


def parse_bytes(extension: Extension, spec: Spec) -> BytesCodec:
    """Build ``bytes`` from ``{"endian": "little" | "big"}``; one-byte types need no ``endian``."""
    chunk, field = expect_array(extension.name, spec), f"codecs.{extension.name}"
    refuse_unknown(extension.configuration, ("endian",), field)
    if chunk.dtype.hasobject:
        raise MetadataError("cannot encode elements of variable length", field=field)
    carrier = _carrier(chunk.dtype)
    stored = carrier
    endian = extension.configuration.get("endian")
    if endian is not None:
        order = expect_choice(endian, ("little", "big"), f"{field}.endian")
        stored = carrier.newbyteorder(">" if order == "big" else "<")
    elif carrier.newbyteorder("S") != carrier and carrier.names is None:
        reason = f"is missing, and {chunk.dtype.name} has more than one byte"
        raise MetadataError(reason, field=f"{field}.endian")
    return BytesCodec(
        name=extension.name,
        spec=chunk,
        encoded_spec=BytesSpec(
            nbytes=chunk.nbytes,
            array=ChunkSpec(shape=chunk.shape, dtype=stored, fill_value=None),
        ),
        carrier=carrier,
        stored=stored,
    )


def _carrier(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return `dtype`, or for types that NumPy does not know an unsigned integer of their size.

    ``newbyteorder`` of bfloat16 and its like does nothing (ml_dtypes 0.6).
    """
    return np.dtype(f"u{dtype.itemsize}") if dtype.isbuiltin == _USER_DEFINED else dtype
