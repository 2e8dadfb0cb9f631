"""What numcodecs takes and gives <-> arrays and bytes of known size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from zarrfs.codecs.base import Array, Buffer, ChunkSpec, array_bytes
from zarrfs.errors import MetadataError

if TYPE_CHECKING:
    from collections.abc import Callable

Numcodec = Any
"""A codec object of numcodecs, which has no types."""


def quietly(function: Callable[[Any], Any], argument: Any) -> Any:
    """Call numcodecs; values that overflow are the array's own affair, not worth a warning."""
    with np.errstate(all="ignore"):
        return function(argument)


def as_array(data: Buffer, spec: ChunkSpec) -> Array:
    """View bytes as an array of at least one dimension."""
    return np.ndarray(spec.shape or (1,), spec.dtype, buffer=data)


def shaped(decoded: Any, spec: ChunkSpec) -> Array:
    """View what numcodecs returned as the array that is due."""
    array = np.asarray(decoded)
    if array.nbytes != spec.nbytes:
        raise ValueError(f"{array.nbytes} bytes came out, not {spec.nbytes}")
    return array.reshape(-1).view(spec.dtype).reshape(spec.shape)


def as_buffer(encoded: Any) -> Buffer:
    """View what numcodecs returned as bytes."""
    return encoded if isinstance(encoded, bytes) else array_bytes(np.asarray(encoded))


def expect_no_objects(name: str, spec: ChunkSpec) -> None:
    """Refuse elements of variable length."""
    if spec.dtype.hasobject:
        raise MetadataError("cannot encode elements of variable length", field=f"codecs.{name}")
