"""How chunks tile an array: along each axis, which chunk holds an index, where it starts.

Pure arithmetic on integers, shape in elements. Edge chunks are stored full size and clipped on
reading. Spec: Zarr v3 core, "Chunk grids".
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zarrfs.errors import MetadataError, UnsupportedError
from zarrfs.format.documents import Json, expect_integers, refuse_unknown, take

if TYPE_CHECKING:
    from zarrfs.format.extensions import Extension

MAX_NDIM = 64
"""Dimensions of the largest array that NumPy can hold (its ``NPY_MAXDIMS``)."""


@dataclass(frozen=True, slots=True)
class RegularAxis:
    """One axis cut into chunks of equal length, the last one perhaps running over the end."""

    length: int
    """Elements along the axis."""

    chunk_length: int
    """Elements of a chunk along the axis; at least 1 unless `length` is 0."""

    @property
    def n_chunks(self) -> int:
        """Chunks along the axis, the last one counted even if partial."""
        return -(-self.length // self.chunk_length) if self.length else 0

    def find(self, index: int) -> int:
        """Chunk that holds element `index`."""
        return index // self.chunk_length

    def start(self, chunk: int) -> int:
        """First element of a chunk; `length` for ``chunk == n_chunks``."""
        return min(chunk * self.chunk_length, self.length)

    def stored_length(self, chunk: int) -> int:
        """Elements that `chunk` stores along the axis, those over the end included."""
        return self.chunk_length


@dataclass(frozen=True, slots=True)
class ChunkGrid:
    """A tiling of an array by the product of its axes' chunks."""

    axes: tuple[RegularAxis, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Elements of the array along each axis."""
        return tuple(axis.length for axis in self.axes)

    @property
    def grid_shape(self) -> tuple[int, ...]:
        """Chunks along each axis."""
        return tuple(axis.n_chunks for axis in self.axes)

    @property
    def n_chunks(self) -> int:
        """Chunks in all; 1 for a 0-d array, 0 if any axis is empty."""
        return math.prod(self.grid_shape)

    def stored_shape(self, coords: tuple[int, ...]) -> tuple[int, ...]:
        """Shape in which a chunk is stored, what lies over the array's edge included."""
        return tuple(axis.stored_length(c) for axis, c in zip(self.axes, coords, strict=True))


def regular_grid(shape: tuple[int, ...], chunk_shape: tuple[int, ...]) -> ChunkGrid:
    """Tile an array of `shape` with equal chunks of `chunk_shape`, both in elements."""
    return ChunkGrid(
        tuple(RegularAxis(n, c) for n, c in zip(shape, chunk_shape, strict=True)),
    )


def parse_shape(value: Json, field: str = "shape") -> tuple[int, ...]:
    """Parse the shape of an array, in elements; lengths may be 0.

    Spec: Zarr v3 core, "Array metadata", `shape`; Zarr v2, "Metadata", `shape`.

    Raises
    ------
    MetadataError
        If it is not a list of integers from 0 to 2**63 - 1.
    UnsupportedError
        If it has more than `MAX_NDIM` dimensions.
    """
    shape = expect_integers(value, field, minimum=0)
    if len(shape) > MAX_NDIM:
        reason = f"has {len(shape)} dimensions; zarrfs reads up to {MAX_NDIM}"
        raise UnsupportedError(reason, field=field)
    return shape


def parse_chunk_shape(value: Json, shape: tuple[int, ...], field: str) -> ChunkGrid:
    """Tile an array of `shape` with the equal chunks that a document gives, in elements.

    Spec: Zarr v3, "Regular chunk grid"; Zarr v2, "Metadata", `chunks`.

    Raises
    ------
    MetadataError
        If the chunks have another number of dimensions, or no length where the array has one.
    """
    chunk_shape = expect_integers(value, field, minimum=0 if 0 in shape else 1)
    if len(chunk_shape) != len(shape):
        reason = f"has {len(chunk_shape)} dimensions, but the array has {len(shape)}"
        raise MetadataError(reason, field=field)
    for axis, (length, chunk_length) in enumerate(zip(shape, chunk_shape, strict=True)):
        if length and not chunk_length:
            reason = f"must be ≥ 1 along dimension {axis}, where the array is not empty"
            raise MetadataError(reason, field=field)
    return regular_grid(shape, chunk_shape)


def parse_chunk_grid(extension: Extension, shape: tuple[int, ...], field: str) -> ChunkGrid:
    """Parse the chunk grid of a v3 array.

    Spec: Zarr v3 core, "Array metadata", `chunk_grid`.

    Raises
    ------
    MetadataError
        If its configuration is malformed or does not fit `shape`.
    UnsupportedError
        If the grid is not ``regular``.
    """
    if extension.name != "regular":
        reason = f"zarrfs has no chunk grid {extension.name!r}; it reads 'regular'"
        raise UnsupportedError(reason, field=field)
    field = f"{field}.configuration"
    refuse_unknown(extension.configuration, ("chunk_shape",), field)
    chunk_shape = take(extension.configuration, "chunk_shape", field)
    return parse_chunk_shape(chunk_shape, shape, f"{field}.chunk_shape")
