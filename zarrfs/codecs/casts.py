"""Numbers of one type -> the same numbers in another, rounded and brought into range as asked for.

Every cast is exact arithmetic up to the one rounding: floats are rounded as float64, which holds
all smaller ones, to the grid of the type that they go to; integers as integers. Values are
compared with the range after rounding, as the registry's codec ``cast_value`` has it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np

from zarrfs.codecs.base import Array
from zarrfs.codecs.number_types import NumberType, bit_lengths

_ONE = np.uint64(1)

OutOfRange = Literal["clamp", "wrap"] | None
"""What becomes of values out of range: the nearest (or infinity), modulo 2^bits, or an error."""


def _nearest_away(values: Array) -> Array:
    whole = np.trunc(values)
    away: Array = whole + np.copysign(np.abs(values - whole) >= 0.5, values)
    return away


ROUNDINGS = MappingProxyType[str, Callable[[Array], Array]](
    {
        "nearest-even": np.rint,
        "towards-zero": np.trunc,
        "towards-positive": np.ceil,
        "towards-negative": np.floor,
        "nearest-away": _nearest_away,
    }
)
"""Name -> float64 to the integers that they are rounded to, as float64."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """A cast of one type to another."""

    source: NumberType
    target: NumberType
    rounding: str
    """A name in `ROUNDINGS`."""

    out_of_range: OutOfRange

    def __call__(self, array: Array) -> Array:
        """Cast an array.

        Raises
        ------
        ValueError
            If a value has no place in the target type.
        """
        if not array.size or self.source.component == self.target.component:
            return array.astype(self.target.component, copy=False)
        # NaNs and infinities go through all steps; what the target lacks is looked for at the end.
        with np.errstate(invalid="ignore", over="ignore"):
            return self._cast(array)

    def _cast(self, array: Array) -> Array:
        if self.source.kind == "float":
            values = array.astype(np.float64)
            if self.target.kind == "float":
                return self._to_floats(self._on_grid(values))
            return self._floats_to_integers(values)
        # NumPy has no arithmetic of its own with int4 and its like.
        integers = array.astype(self.source.plain, copy=False)
        if self.target.kind == "float":
            return self._to_floats(self._integers_on_grid(integers))
        return self._integers_to_integers(integers)

    # --- to integers --------------------------------------------------------------------------

    def _integers_to_integers(self, values: Array) -> Array:
        low, high = self.target.limits()
        if self.out_of_range == "wrap":
            return self._wrapped(values.astype(np.uint64))
        least, greatest = self.source.limits()
        inside = np.clip(values, max(low, least), min(high, greatest))
        if self.out_of_range is None:
            _refuse(values, inside != values, self.target)
        return inside.astype(self.target.plain).astype(self.target.component)

    def _floats_to_integers(self, values: Array) -> Array:
        _refuse(values, ~np.isfinite(values), self.target)
        rounded = ROUNDINGS[self.rounding](values)
        low, high = self.target.limits()
        below, above = rounded < low, rounded >= float(high + 1)  # a power of two, so exact
        if self.out_of_range == "wrap":
            # Both signs have their bits; those of a float64 stand in 2**64 or are all zero.
            magnitudes = np.fmod(np.abs(rounded), 2.0**64).astype(np.uint64)
            return self._wrapped(np.where(rounded < 0, ~magnitudes + _ONE, magnitudes))
        if self.out_of_range is None:
            _refuse(values, below | above, self.target)
        integers = np.where(below | above, 0, rounded).astype(self.target.plain)
        integers[below], integers[above] = low, high
        return integers.astype(self.target.component)

    def _wrapped(self, bits: Array) -> Array:
        """Return integers of the last bits of two's complement, given as uint64."""
        unused = np.uint64(64 - self.target.n_bits)
        signed = np.int64 if self.target.kind == "int" else np.uint64
        values = (bits << unused).view(signed) >> signed(unused)
        return values.astype(self.target.plain).astype(self.target.component)

    # --- to floats ----------------------------------------------------------------------------

    def _on_grid(self, values: Array) -> Array:
        """Round float64 to what the target could hold if its exponents had no upper bound."""
        finfo = self.target.finfo()
        if finfo.bits == 64:
            return values
        _, exponents = np.frexp(values)
        quantum = np.maximum(exponents - finfo.nmant - 1, finfo.minexp - finfo.nmant)
        rounded: Array = np.ldexp(ROUNDINGS[self.rounding](np.ldexp(values, -quantum)), quantum)
        return rounded

    def _integers_on_grid(self, values: Array) -> Array:
        """Round integers to the bits of a mantissa; a float64 can hold those."""
        is_negative = values < 0
        bits = values.astype(np.uint64)
        magnitudes = np.where(is_negative, ~bits + _ONE, bits)
        n_kept = np.uint64(self.target.finfo().nmant + 1)
        dropped = np.maximum(bit_lengths(magnitudes), n_kept) - n_kept
        whole, rest = magnitudes >> dropped, magnitudes & ((_ONE << dropped) - _ONE)
        # The rest as a fraction that rounds as it does: 0, ¼, ½ or ¾, behind the last bit of the
        # whole, for a float64 cannot hold more of 2**53 than its last bit.
        half = (_ONE << dropped) >> _ONE
        fraction = np.where(rest == half, 0.5, np.where(rest < half, 0.25, 0.75))
        last = (whole & _ONE) + np.where(rest == 0, 0.0, fraction)
        sign = np.where(is_negative, -1.0, 1.0)
        rounded = ROUNDINGS[self.rounding](sign * last)
        floats = sign * (whole & ~_ONE).astype(np.float64) + rounded
        result: Array = np.ldexp(floats, dropped.astype(np.int32))
        return result

    def _to_floats(self, values: Array) -> Array:
        """Cast float64 that are on the target's grid already."""
        target, finfo = self.target.component, self.target.finfo()
        low, high = float(finfo.min), float(finfo.max)
        below, above = values < low, values > high
        special = np.array([np.nan, np.inf]).astype(target)
        if not np.isnan(special[0]):
            _refuse(values, np.isnan(values), self.target)
        if not np.isinf(special[1]):
            _refuse(values, np.isinf(values), self.target)
            if self.out_of_range == "clamp":
                values = np.where(below, low, np.where(above, high, values))
        if self.out_of_range != "clamp":
            _refuse(values, np.isfinite(values) & (below | above), self.target)
        return values.astype(target)


def _refuse(values: Array, wrong: Array, target: NumberType) -> None:
    if wrong.any():
        raise ValueError(f"{values[wrong][0]} has no place in {target.component}")
