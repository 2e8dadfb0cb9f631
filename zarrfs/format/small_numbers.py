"""The numbers that NumPy does not have and ml_dtypes brings: bfloat16, float8, int4 and others.

Each takes whole bytes in memory. Where it has fewer bits, those above them are zero: NumPy and
ml_dtypes compare values whatever stands there, but equal values shall be equal bytes.

ml_dtypes is imported when the first of these types is met. Its dtypes are user-defined to NumPy:
``kind`` is ``"V"`` for most and ``"f"`` for float8_e5m2, ``str`` is ``"<V1"``, ``newbyteorder``
does nothing. So whoever looks at `numpy.dtype.kind` has to ask `small_number` first.

Spec: registry, ``data-types``. float8_e4m3fn is not registered; tensorstore reads and writes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from zarrfs.errors import UnsupportedError

_USER_DEFINED = 2
"""What ``dtype.isbuiltin`` is for types that NumPy does not know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallNumber:
    """What a number is made of."""

    kind: Literal["int", "uint", "float"]
    bits: int
    """That mean something."""

    nan: int | None = None
    """Bits of the NaN that ``"NaN"`` stands for."""

    has_infinity: bool = False

    @property
    def limits(self) -> tuple[int, int]:
        """Least and greatest integer."""
        low = -(2 ** (self.bits - 1)) if self.kind == "int" else 0
        return low, low + 2**self.bits - 1


def _float(bits: int, nan: int | None = None, *, infinity: bool = False) -> SmallNumber:
    return SmallNumber(kind="float", bits=bits, nan=nan, has_infinity=infinity)


SMALL_NUMBERS = {
    "int2": SmallNumber(kind="int", bits=2),
    "int4": SmallNumber(kind="int", bits=4),
    "uint2": SmallNumber(kind="uint", bits=2),
    "uint4": SmallNumber(kind="uint", bits=4),
    "bfloat16": _float(16, 0x7FC0, infinity=True),
    "float8_e3m4": _float(8, 0x78, infinity=True),
    "float8_e4m3": _float(8, 0x7C, infinity=True),
    "float8_e4m3b11fnuz": _float(8, 0x80),
    "float8_e4m3fn": _float(8, 0x7F),
    "float8_e4m3fnuz": _float(8, 0x80),
    "float8_e5m2": _float(8, 0x7E, infinity=True),
    "float8_e5m2fnuz": _float(8, 0x80),
    "float8_e8m0fnu": _float(8, 0xFF),
    "float6_e2m3fn": _float(6),
    "float6_e3m2fn": _float(6),
    "float4_e2m1fn": _float(4),
}
"""By their name in Zarr v3, which is also ml_dtypes'."""


def small_number(dtype: np.dtype[Any]) -> SmallNumber | None:
    """Return what a dtype's numbers are made of; ``None`` for all that NumPy knows itself."""
    return SMALL_NUMBERS.get(dtype.name) if dtype.isbuiltin == _USER_DEFINED else None


def small_dtype(name: str, field: str) -> np.dtype[Any]:
    """Return the dtype of a name in `SMALL_NUMBERS`.

    Raises
    ------
    UnsupportedError
        If ml_dtypes is not installed, or too old to have the type.
    """
    try:
        import ml_dtypes
    except ImportError as error:
        reason = f"{name!r} needs ml_dtypes: pip install 'zarrfs[ml_dtypes]'"
        raise UnsupportedError(reason, field=field) from error
    found: type[np.generic] | None = getattr(ml_dtypes, name, None)
    if found is None:
        reason = f"{name!r} needs a newer ml_dtypes than {ml_dtypes.__version__}"
        raise UnsupportedError(reason, field=field)
    return np.dtype(found)


def python_number(value: Any) -> Any:
    """Return a NumPy scalar as Python has it, numbers of ml_dtypes too (``item`` leaves those)."""
    small = small_number(value.dtype)
    if small is None:
        return value.item()
    return float(value) if small.kind == "float" else int(value)


def nearest(number: float, dtype: np.dtype[Any]) -> Any:
    """Return the float of a small type that is nearest to a finite number, half to even.

    Raises
    ------
    ValueError
        If the type has no infinity and the number is outside of its range.
    """
    import ml_dtypes

    about = SMALL_NUMBERS[dtype.name]
    limits = ml_dtypes.finfo(dtype)  # type: ignore[no-untyped-call]  # ml_dtypes leaves it so
    low, high = min(float(limits.min), 0.0), float(limits.max)
    if not about.has_infinity and not low <= number <= high:
        raise ValueError(f"a number from {low} to {high}")
    least = float(limits.min)
    if low == 0 and number < 2 * least:
        # float8_e8m0fnu has neither sign nor zero. Between its two least numbers, which are
        # subnormal as float32, ml_dtypes takes the greater even where it is farther.
        number = least if number < 1.5 * least else 2 * least
    with np.errstate(over="ignore"):
        return np.array(_odd(number)).astype(dtype)[()]


def _odd(number: float) -> np.floating[Any]:
    """Round to a float32 whose last bit says that there was more.

    ml_dtypes takes doubles by way of float32, where 1 + 2**-8 + 2**-40 becomes the middle between
    two bfloat16, and goes the wrong way from there.
    """
    with np.errstate(over="ignore"):
        rounded = np.float32(number)
    if float(rounded) == number:  # NumPy would compare them as float32
        return rounded
    if abs(float(rounded)) > abs(number):
        rounded = np.nextafter(rounded, np.float32(0))
    return (rounded.view(np.uint32) | np.uint32(1)).view(np.float32)
