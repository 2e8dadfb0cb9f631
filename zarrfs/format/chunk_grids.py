"""How chunks tile an array: along each axis, which chunk holds an index, where it starts.

Pure arithmetic on integers, shape in elements. Edge chunks are stored full size and clipped on
reading. Spec: Zarr v3 core, "Chunk grids".
"""

from __future__ import annotations

import math
from dataclasses import dataclass


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
