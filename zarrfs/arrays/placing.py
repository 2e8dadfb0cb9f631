"""Chunks -> their places in an array in memory; no copy where they fill them just as decoded.

Chunks of one dimension are such, and those as long as the array on all axes but the first.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from zarrfs.codecs.base import array_bytes

if TYPE_CHECKING:
    from types import EllipsisType

    from zarrfs.codecs.base import Array, ChunkSpec

# Rows of so many bytes are copied as one element each if there are enough of them: rows of 16 to
# 128 bytes took 0.55 to 0.8 of the time, of 2 KiB 0.9 to 1 (chunks in cache, their places not).
MIN_ROW_BYTES = 16
MAX_ROW_BYTES = 1024
MIN_ROWS = 32


def region_of(array: Array, slices: tuple[slice, ...]) -> Array:
    """View a part of an array; also of one without dimensions, where NumPy gives a scalar."""
    index: tuple[slice | EllipsisType, ...] = (*slices, ...)
    return array[index]


def has_places(shape: tuple[int, ...], spec: ChunkSpec) -> bool:
    """Whether a chunk can lie in an array of a shape as it is: told once for all of its chunks."""
    first = next((i for i, length in enumerate(spec.shape) if length != 1), len(shape))
    return shape[first + 1 :] == spec.shape[first + 1 :] and not spec.dtype.hasobject


def place_of(region: Array, spec: ChunkSpec) -> memoryview | None:
    """Return the memory of a region that a whole chunk fills as it is; ``None`` of others."""
    if region.shape != spec.shape or not region.flags.c_contiguous:
        return None
    if region.dtype != spec.dtype or spec.dtype.hasobject or not region.nbytes:
        return None
    return memoryview(array_bytes(region))


def put(
    region: Array,
    place: memoryview | None,
    chunk: Array | None,
    in_chunk: tuple[slice, ...],
    spec: ChunkSpec,
) -> None:
    """Give a region the elements of a chunk, unless they lie there already.

    Parameters
    ----------
    region
        Where they belong.
    place
        Where the chunk may have been decoded to: the region's own, or ``None``.
    chunk
        Decoded; ``None`` for one never written.
    in_chunk
        Which elements of it.
    spec
        What the chunk is.
    """
    if chunk is None:
        region[...] = spec.fill_element()
    elif place is None or not is_at(chunk, region):
        _copy(chunk[in_chunk], region)


def is_at(chunk: Array, region: Array) -> bool:
    """Whether a chunk lies in its place already, element for element.

    A place has exactly the size of a chunk: whichever shares its memory, in C order, is all there.
    """
    return chunk.flags.c_contiguous and np.may_share_memory(chunk, region)


def _copy(part: Array, region: Array) -> None:
    """Copy elements, each row of them as one where that is faster."""
    if region.ndim > 1:
        length = region.shape[-1]
        row = _row_dtype(region.dtype, length)
        if (
            row is not None
            and region.size > MIN_ROWS * length
            and part.dtype == region.dtype
            and part.strides[-1] == region.strides[-1] == region.itemsize
        ):
            part, region = part.view(row), region.view(row)
    region[...] = part


@functools.lru_cache(maxsize=256)
def _row_dtype(dtype: np.dtype[Any], length: int) -> np.dtype[Any] | None:
    """Return what a row of elements is as one; ``None`` where that is not faster, or not right."""
    nbytes = length * dtype.itemsize
    if dtype.hasobject or not MIN_ROW_BYTES <= nbytes <= MAX_ROW_BYTES:
        return None
    return np.dtype((np.void, nbytes))
