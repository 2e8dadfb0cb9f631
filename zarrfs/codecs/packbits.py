"""Codec ``packbits``: an array <-> the bits of its elements that mean something, without gaps.

Each part of an element (complex numbers have two) gives its bits `first_bit` to `last_bit`, the
least significant first; the last byte is filled up with zeros. A byte that tells how many zeros
can stand before or behind.

Spec: registry, codec ``packbits``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

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
from zarrfs.codecs.number_types import NumberType, expect_numbers
from zarrfs.format.documents import expect_choice, expect_integer, refuse_unknown

if TYPE_CHECKING:
    from zarrfs.format.extensions import Extension

_BLOCK = 2**13
"""Numbers unpacked at a time, a byte for each bit: at most 512 KiB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackbitsCodec(ArrayBytesCodec):
    """Packs bits."""

    name: str
    spec: ChunkSpec
    encoded_spec: BytesSpec

    number: NumberType
    bits: slice
    """Bits of a part that are stored."""

    padding_encoding: str
    """Where the number of padding bits stands: ``first_byte``, ``last_byte`` or ``none``."""

    n_padding: int
    """Padding bits at the end."""

    def encode(self, array: Array) -> Buffer:
        """Pack the bits of a chunk."""
        parts = self.number.parts(array)
        blocks = (parts[start : start + _BLOCK] for start in range(0, len(parts), _BLOCK))
        packed = b"".join(self._pack(block) for block in blocks)
        padding = bytes([self.n_padding])
        if self.padding_encoding == "first_byte":
            return padding + packed
        return packed + padding if self.padding_encoding == "last_byte" else packed

    def decode(self, data: Buffer) -> Array:
        """Unpack the bits of a chunk."""
        packed, n_bits = np.frombuffer(data, np.uint8), self.bits.stop - self.bits.start
        if self.padding_encoding != "none":
            is_first = self.padding_encoding == "first_byte"
            declared, packed = (packed[0], packed[1:]) if is_first else (packed[-1], packed[:-1])
            if declared != self.n_padding:
                reason = f"the data declare {declared} bits of padding, not {self.n_padding}"
                raise ValueError(reason)
        array = np.empty(self.spec.shape, self.spec.dtype)
        parts = array.reshape(-1).view(self.number.carrier)
        for start in range(0, len(parts), _BLOCK):
            block = parts[start : start + _BLOCK]
            begin = start * n_bits // 8
            unpacked = np.unpackbits(
                packed[begin : begin + -(-len(block) * n_bits // 8)],
                count=len(block) * n_bits,
                bitorder="little",
            )
            block[...] = self._unpack(unpacked.reshape(len(block), n_bits))
        return array

    def _pack(self, parts: Array) -> bytes:
        if self.number.kind == "bool":
            return np.packbits(parts, bitorder="little").tobytes()
        stored = parts.view(self.number.carrier).astype(self._stored, copy=False)
        bits = np.unpackbits(
            stored.view(np.uint8).reshape(len(parts), -1), axis=1, bitorder="little"
        )
        return np.packbits(bits[:, self.bits], bitorder="little").tobytes()

    def _unpack(self, stored: Array) -> Array:
        """Return parts of which some bits are stored, shape ``(parts, bits)``."""
        if self.number.kind == "bool":
            return stored[:, 0]
        bits = np.zeros((len(stored), 8 * self._stored.itemsize), np.uint8)
        bits[:, self.bits] = stored
        if self.number.kind == "int":
            bits[:, self.bits.stop : self.number.n_bits] = stored[:, -1:]
        return np.packbits(bits, axis=1, bitorder="little").view(self._stored)[:, 0]

    @property
    def _stored(self) -> np.dtype[np.generic]:
        return self.number.carrier.newbyteorder("<")


def parse_packbits(extension: Extension, spec: Spec) -> PackbitsCodec:
    """Build ``packbits`` from ``padding_encoding``, ``first_bit`` and ``last_bit``."""
    chunk, field = expect_array(extension.name, spec), f"codecs.{extension.name}"
    configuration = extension.configuration
    refuse_unknown(configuration, ("padding_encoding", "first_bit", "last_bit"), field)
    number = expect_numbers(chunk, ("bool", "int", "uint", "float"), field)
    first, last = (configuration.get(member) for member in ("first_bit", "last_bit"))
    most = number.n_bits - 1
    if first is None:
        first = 0
    first = expect_integer(first, f"{field}.first_bit", minimum=0, maximum=most)
    if last is None:
        last = most
    last = expect_integer(last, f"{field}.last_bit", minimum=first, maximum=most)
    padding_encoding = expect_choice(
        configuration.get("padding_encoding", "none"),
        ("none", "first_byte", "last_byte"),
        f"{field}.padding_encoding",
    )
    n_bits = math.prod(chunk.shape) * number.n_components * (last - first + 1)
    n_bytes = -(-n_bits // 8)
    return PackbitsCodec(
        name=extension.name,
        spec=chunk,
        encoded_spec=BytesSpec(nbytes=n_bytes + (padding_encoding != "none")),
        number=number,
        bits=slice(first, last + 1),
        padding_encoding=padding_encoding,
        n_padding=8 * n_bytes - n_bits,
    )
