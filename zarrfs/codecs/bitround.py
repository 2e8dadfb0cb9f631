"""Codec ``bitround``: an array -> the same, rounded to few bits; decoding changes nothing.

Floating-point numbers keep so many bits of their mantissa, integers so many from the first that
is set; they are rounded to the nearest, half to even. What rounding must not do: a NaN stays a
NaN (numcodecs makes -0.0 of some), and an integer whose rounding would overflow is cut off
instead, as zarrs 0.24 has it. Negative integers begin with a set bit, so they lose their last
bits of two's complement.

Spec: registry, codec ``bitround``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from zarrfs.codecs.base import Array, ArrayArrayCodec, ChunkSpec, Spec, expect_array
from zarrfs.codecs.number_types import NumberType, bit_lengths, expect_numbers
from zarrfs.format.documents import expect_integer, refuse_unknown, take

if TYPE_CHECKING:
    from zarrfs.format.extensions import Extension


@dataclass(frozen=True, slots=True, kw_only=True)
class BitroundCodec(ArrayArrayCodec):
    """Rounds numbers to fewer bits."""

    name: str
    spec: ChunkSpec
    encoded_spec: ChunkSpec

    number: NumberType

    keepbits: int
    """Bits to keep of the mantissa, or of an integer from its first set bit."""

    def encode(self, array: Array) -> Array:
        """Round a chunk."""
        return _round(array, self.number, self.keepbits)

    def decode(self, array: Array) -> Array:
        """Return the chunk as it is."""
        return array


def parse_bitround(extension: Extension, spec: Spec) -> BitroundCodec:
    """Build ``bitround`` from ``{"keepbits": 1…}``."""
    chunk, field = expect_array(extension.name, spec), f"codecs.{extension.name}"
    refuse_unknown(extension.configuration, ("keepbits",), field)
    number = expect_numbers(chunk, ("int", "uint", "float"), field)
    value = take(extension.configuration, "keepbits", field)
    # The registry's text wants at least 1, its schema 0, as numcodecs takes for a mantissa.
    least = 0 if number.kind == "float" else 1
    keepbits = expect_integer(value, f"{field}.keepbits", minimum=least)
    keepbits = min(keepbits, number.n_bits)  # more change nothing
    fill = ChunkSpec(shape=(1,), dtype=chunk.dtype, fill_value=chunk.fill_value).filled()
    return BitroundCodec(
        name=extension.name,
        spec=chunk,
        encoded_spec=ChunkSpec(
            shape=chunk.shape, dtype=chunk.dtype, fill_value=_round(fill, number, keepbits)[0]
        ),
        number=number,
        keepbits=keepbits,
    )


def _round(array: Array, number: NumberType, keepbits: int) -> Array:
    parts = number.parts(array)
    bits = parts.view(number.carrier)
    if number.kind == "float":
        n_dropped = max(number.finfo().nmant - keepbits, 0)
        rounded, cut_off = _round_bits(bits, np.asarray(n_dropped, bits.dtype))
        # Types without infinity have nothing above their greatest number: the sign would change,
        # or it would become a NaN.
        is_wrong = rounded >> (number.n_bits - 1) != bits >> (number.n_bits - 1)
        with np.errstate(invalid="ignore"):  # bfloat16's isnan complains of signalling NaNs
            if number.is_user_defined:
                is_wrong |= np.isnan(rounded.view(number.component))
            rounded = np.where(np.isnan(parts), bits, np.where(is_wrong, cut_off, rounded))
    else:
        n_dropped = np.maximum(bit_lengths(bits), keepbits) - keepbits
        rounded, cut_off = _round_bits(bits, n_dropped)
        is_wrong = (rounded < cut_off) | (rounded >> (number.n_bits - 1) > 1)
        rounded = np.where(is_wrong, cut_off, rounded)
    return rounded.view(array.dtype).reshape(array.shape)


def _round_bits(bits: Array, n_dropped: Array) -> tuple[Array, Array]:
    """Return numbers without their last bits: rounded, perhaps beyond their type, and cut off."""
    one = bits.dtype.type(1)
    dropped = (one << n_dropped) - one
    is_odd = bits >> n_dropped & one & dropped
    return (bits + (dropped >> one) + is_odd) & ~dropped, bits & ~dropped
