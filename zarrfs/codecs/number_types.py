"""NumPy dtypes -> the numbers that they hold: how many parts, of which kind and how many bits.

Types of ml_dtypes (bfloat16, float8 …, int2, int4) are user-defined to NumPy, which tells neither
their kind nor their bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from zarrfs.errors import MetadataError
from zarrfs.format.small_numbers import small_number

if TYPE_CHECKING:
    from zarrfs.codecs.base import Array, ChunkSpec

Kind = Literal["bool", "int", "uint", "float"]

_KINDS: dict[str, Kind] = {"b": "bool", "i": "int", "u": "uint", "f": "float"}


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberType:
    """The numbers of one element."""

    component: np.dtype[Any]
    """Type of one part; that of the element itself unless it is complex."""

    n_components: int
    """2 for complex numbers, else 1."""

    kind: Kind
    """Of a part; times are counted as ``"int"``."""

    n_bits: int
    """Bits of a part that mean something: 1 for ``bool``, 4 for ``int4``."""

    @property
    def carrier(self) -> np.dtype[Any]:
        """Unsigned integer with the bytes of a part."""
        return np.dtype(f"u{self.component.itemsize}")

    @property
    def plain(self) -> np.dtype[Any]:
        """Integer type of NumPy that has the values of an integer part."""
        return np.dtype(f"{self.kind[0]}{self.component.itemsize}")

    @property
    def is_user_defined(self) -> bool:
        """NumPy itself does not know the type."""
        return small_number(self.component) is not None

    def parts(self, array: Array) -> Array:
        """View the elements as their parts, in C order and one dimension."""
        return np.ascontiguousarray(array).reshape(-1).view(self.component)

    def finfo(self) -> Any:
        """Return what NumPy or ml_dtypes knows of a floating-point part, such as `nmant`."""
        if not self.is_user_defined:
            return np.finfo(self.component)
        import ml_dtypes  # only here: who has such a type has the package, others may lack it

        finfo: Any = ml_dtypes.finfo
        return finfo(self.component)

    def limits(self) -> tuple[int, int]:
        """Return the least and the greatest integer of an integer part."""
        low = -(2 ** (self.n_bits - 1)) if self.kind == "int" else 0
        return low, low + 2**self.n_bits - 1


def find_number_type(dtype: np.dtype[Any]) -> NumberType | None:
    """Tell what numbers elements of a type hold; ``None`` if they are no numbers."""
    component, n_components = dtype, 1
    if dtype.kind == "c":
        component, n_components = np.dtype(f"{dtype.byteorder}f{dtype.itemsize // 2}"), 2
    elif dtype.kind in "mM":
        component = np.dtype(np.int64).newbyteorder(dtype.byteorder)
    elif dtype.names == ("real", "imag") and dtype["real"] == dtype["imag"]:
        component, n_components = dtype["real"], 2
    kind: Kind
    if small := small_number(component):
        kind, n_bits = small.kind, small.bits
    elif component.kind in _KINDS:
        kind = _KINDS[component.kind]
        n_bits = 1 if kind == "bool" else 8 * component.itemsize
    else:
        return None
    return NumberType(component=component, n_components=n_components, kind=kind, n_bits=n_bits)


def expect_numbers(spec: ChunkSpec, kinds: tuple[Kind, ...], field: str) -> NumberType:
    """Return the numbers that a chunk holds, if they are of one of the `kinds`.

    Raises
    ------
    MetadataError
        If they are of another kind, or it holds none.
    """
    number = find_number_type(spec.dtype)
    if number is None or number.kind not in kinds:
        raise MetadataError(f"cannot encode elements of type {spec.dtype}", field=field)
    return number


def expect_real_numbers(dtype: np.dtype[Any], field: str) -> NumberType:
    """Return the integers or floats that elements of a type are.

    Raises
    ------
    MetadataError
        If they are complex, times, or no numbers.
    """
    number = find_number_type(dtype)
    if number is None or number.component != dtype or number.kind == "bool":
        raise MetadataError(f"must be integers or real numbers, not {dtype}", field=field)
    return number


def bit_lengths(bits: Array) -> Array:
    """Return how many bits stand from the first that is set to the last, as unsigned integers."""
    below = bits
    for shift in (1, 2, 4, 8, 16, 32):
        if shift < 8 * bits.itemsize:
            below = below | below >> bits.dtype.type(shift)
    return np.bitwise_count(below).astype(bits.dtype)
