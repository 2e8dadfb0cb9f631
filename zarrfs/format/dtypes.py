"""Data type names of the Zarr specifications <-> NumPy dtypes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True)
class DataType:
    """One element's type."""

    name: str
    """The name of Zarr v3 and its extension registry, such as ``float32``."""

    dtype: np.dtype[Any]
    """In memory: native byte order (structured fields as declared), ``object`` where elements
    have no fixed size."""
