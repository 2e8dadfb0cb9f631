"""Data types as metadata documents name them, beside NumPy's; and their JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ml_dtypes  # noqa: F401  # registers its types by name with NumPy
import numpy as np

Json = Any
Codec = dict[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class DataType:
    """A data type as a document names it, and its NumPy type."""

    name: Json
    """v3's ``data_type`` or v2's ``dtype``."""
    dtype: np.dtype[Any]
    """With the byte order in which v2 stores elements."""


def types(*names: str) -> list[DataType]:
    """Return types that NumPy and documents name alike."""
    return [DataType(name=name, dtype=np.dtype(name)) for name in names]


def complex_type(part: str) -> DataType:
    """Return the type of complex numbers of two small floats, a record for NumPy."""
    return DataType(name=f"complex_{part}", dtype=np.dtype([("real", part), ("imag", part)]))


TEXT = DataType(name="string", dtype=np.dtypes.StringDType())
BYTES = DataType(name="variable_length_bytes", dtype=np.dtype(object))

NUMBERS = types(
    "bool",
    *(f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)),
    *("float16", "float32", "float64", "complex64", "complex128"),
)
NUMBERS_V2 = types(
    *("|b1", "|i1", "|u1"),
    *(
        f"{order}{code}"
        for code in ("i2", "i4", "i8", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16")
        for order in "<>"
    ),
)


def is_small(dtype: np.dtype[Any]) -> bool:
    """Tell whether NumPy has a type of numbers from ml_dtypes."""
    return dtype.isbuiltin == 2
