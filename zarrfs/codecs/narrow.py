"""Numbers of fewer bits than their byte: the bits above them, in memory and as they are stored.

In memory they are zero, as ml_dtypes has them, so that equal elements are equal bytes. Stored,
the registry lets readers ignore them: those of int2 and int4 repeat the sign, as zarrs writes
them and needs them; tensorstore ignores them. ``bool`` counts as a number of one bit, but whatever
other byte is there is true, as it is for NumPy and C: a NumPy bool that holds one breaks
comparisons.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from zarrfs.format.small_numbers import small_number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from zarrfs.codecs.base import Array


@dataclass(frozen=True, slots=True, kw_only=True)
class NarrowPart:
    """One byte of an element."""

    path: tuple[str, ...]
    """Names of the fields that lead to it; empty for the element itself."""

    kind: Literal["bool", "int", "uint", "float"]
    bits: int

    def bytes_of(self, array: Array) -> Array:
        """View the part of all elements as bytes."""
        for name in self.path:
            array = array[name]
        return array.view(np.uint8)


def narrow_parts(dtype: np.dtype[Any]) -> tuple[NarrowPart, ...]:
    """Return the parts of an element that have fewer than 8 bits."""
    return tuple(_narrow_parts(dtype, ()))


def _narrow_parts(dtype: np.dtype[Any], path: tuple[str, ...]) -> Iterator[NarrowPart]:
    dtype = dtype.base
    small = small_number(dtype)
    if dtype == np.bool_:
        yield NarrowPart(path=path, kind="bool", bits=1)
    elif small and small.bits < 8:
        yield NarrowPart(path=path, kind=small.kind, bits=small.bits)
    for name in dtype.names or ():
        yield from _narrow_parts(dtype[name], (*path, name))


def cleared(array: Array, parts: tuple[NarrowPart, ...]) -> Array:
    """Return elements as they are in memory; a copy only where bits must be cleared."""
    for part in parts:
        raw, greatest = part.bytes_of(array), 2**part.bits - 1
        if raw.max(initial=0) > greatest:
            array = array.copy()
            raw = part.bytes_of(array)
            raw[...] = raw != 0 if part.kind == "bool" else raw & greatest
    return array


def sign_extended(array: Array, parts: tuple[NarrowPart, ...]) -> Array:
    """Return elements as they are stored; a copy only where there are signs to repeat."""
    for part in parts:
        if part.kind == "int":
            sign = 2 ** (part.bits - 1)
            array = array.copy()
            raw = part.bytes_of(array)
            # In place: of an array without dimensions other results are scalars, which warn of
            # overflow.
            raw &= 2 * sign - 1
            raw ^= sign
            raw -= sign
    return array
