"""How chunks tile an array: the product of its axes' chunks; the documents that say so.

Shapes in elements. Edge chunks of a regular grid are stored full size and clipped on reading. A
grid by whatever name, a plug-in's too, becomes a product of regular and irregular axes, and is
written as ``regular`` or ``rectilinear``. Law: ``parse(serialise(grid), shape) == grid``.
Spec: Zarr v3 core, "Chunk grids"; Zarr extensions, chunk grid ``rectilinear``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zarrfs.errors import MetadataError, UnsupportedError, ZarrfsError
from zarrfs.format.axes import Axis, RegularAxis, irregular_axis
from zarrfs.format.documents import (
    Json,
    expect_choice,
    expect_integers,
    refuse_unknown,
    show,
    take,
)
from zarrfs.format.rectilinear import parse_axes, serialise_axis
from zarrfs.registry import Registry

if TYPE_CHECKING:
    from zarrfs.format.extensions import Extension

MAX_NDIM = 64
"""Dimensions of the largest array that NumPy can hold (its ``NPY_MAXDIMS``)."""

MAX_LISTED = 2**20
"""Chunks along an axis whose lengths are listed one by one."""


@dataclass(frozen=True, slots=True)
class ChunkGrid:
    """A tiling of an array by the product of its axes' chunks."""

    axes: tuple[Axis, ...]

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

    @property
    def largest_shape(self) -> tuple[int, ...]:
        """Shape in which no chunk exceeds it along any axis; all chunks' if they are equal."""
        return tuple(axis.stored_lengths[-1] for axis in self.axes)

    @property
    def is_uniform(self) -> bool:
        """Whether all chunks are stored in one shape."""
        return all(len(axis.stored_lengths) == 1 for axis in self.axes)

    @property
    def chunk_shape(self) -> tuple[int, ...] | None:
        """Shape of all chunks of a regular grid; ``None`` of others."""
        regular = [axis.chunk_length for axis in self.axes if isinstance(axis, RegularAxis)]
        return tuple(regular) if len(regular) == len(self.axes) else None

    @property
    def chunks(self) -> tuple[int | tuple[int, ...], ...]:
        """Elements of chunks along each axis: one number of a regular axis, else of every chunk.

        The last one is clipped at the array's edge, so that they add up to its length.

        Raises
        ------
        UnsupportedError
            If there are more than `MAX_LISTED` along an irregular axis.
        """
        return tuple(_listed(axis) for axis in self.axes)


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


ChunkGridParser = Callable[["Extension", tuple[int, ...], str], ChunkGrid]
"""Makes a grid of an extension, the shape of the array, and the field that holds the extension."""


def parse_chunk_grid(extension: Extension, shape: tuple[int, ...], field: str) -> ChunkGrid:
    """Parse the chunk grid of a v3 array.

    Spec: Zarr v3 core, "Array metadata", `chunk_grid`.

    Raises
    ------
    MetadataError
        If its configuration is malformed or does not fit `shape`.
    UnsupportedError
        If zarrfs has no such grid.
    """
    parse = CHUNK_GRIDS.find(extension.name)
    if parse is None:
        names = ", ".join(map(repr, CHUNK_GRIDS.names()))
        reason = f"zarrfs has no chunk grid {extension.name!r}; it has {names}"
        raise UnsupportedError(reason, field=field)
    try:
        grid: object = parse(extension, shape, field)
    except ZarrfsError:
        raise
    except Exception as error:  # a plug-in's code, which may fail as it likes
        reason = f"the chunk grid {extension.name!r} failed: {type(error).__name__}: {error}"
        raise UnsupportedError(reason, field=field) from error
    if not isinstance(grid, ChunkGrid) or grid.shape != shape:
        reason = f"the chunk grid {extension.name!r} made no grid of shape {show(list(shape))}"
        raise UnsupportedError(reason, field=field)
    return grid


def serialise_chunk_grid(grid: ChunkGrid) -> Json:
    """Write a grid as the member `chunk_grid` of a v3 document.

    A grid of regular axes is ``regular``, any other ``rectilinear``.
    """
    if grid.chunk_shape is not None:
        return {"name": "regular", "configuration": {"chunk_shape": list(grid.chunk_shape)}}
    configuration = {"kind": "inline", "chunk_shapes": chunk_shapes(grid)}
    return {"name": "rectilinear", "configuration": configuration}


def chunk_shapes(grid: ChunkGrid) -> list[Json]:
    """Tell the lengths of chunks along each axis, as short as a rectilinear grid's document does.

    A regular axis is one number, an irregular one a list of lengths, in which ``[length, count]``
    stands for several equal ones.
    """
    return [serialise_axis(axis) for axis in grid.axes]


def resized(grid: ChunkGrid, shape: tuple[int, ...]) -> ChunkGrid:
    """Return the grid of the array at another shape: the same chunks, and new ones past the last.

    How long those are along an irregular axis `IrregularAxis.resized` tells.
    """
    return ChunkGrid(tuple(axis.resized(n) for axis, n in zip(grid.axes, shape, strict=True)))


def _listed(axis: Axis) -> int | tuple[int, ...]:
    if isinstance(axis, RegularAxis):
        return axis.chunk_length
    if axis.n_chunks > MAX_LISTED:
        reason = f"{axis.n_chunks} chunks along an axis are too many to list; see the metadata"
        raise UnsupportedError(reason, field="chunk_grid")
    return tuple(axis.start(c + 1) - axis.start(c) for c in range(axis.n_chunks))


# --- the grids that there are ---------------------------------------------------------------


def _parse_regular(extension: Extension, shape: tuple[int, ...], field: str) -> ChunkGrid:
    field = f"{field}.configuration"
    refuse_unknown(extension.configuration, ("chunk_shape",), field)
    chunk_shape = take(extension.configuration, "chunk_shape", field)
    return parse_chunk_shape(chunk_shape, shape, f"{field}.chunk_shape")


def _parse_bounded(extension: Extension, shape: tuple[int, ...], field: str) -> ChunkGrid:
    """Parse the grid of zarrs whose edge chunks are stored as short as the array leaves them."""
    grid = _parse_regular(extension, shape, field)
    return ChunkGrid(
        tuple(_clipped(length, n) for length, n in zip(shape, grid.largest_shape, strict=True))
    )


def _clipped(length: int, chunk_length: int) -> Axis:
    if not length or length % chunk_length == 0:
        return RegularAxis(length, chunk_length)
    n_whole, rest = divmod(length, chunk_length)
    return irregular_axis(length, ((chunk_length, n_whole), (rest, 1)))


def _parse_rectilinear(extension: Extension, shape: tuple[int, ...], field: str) -> ChunkGrid:
    field = f"{field}.configuration"
    refuse_unknown(extension.configuration, ("kind", "chunk_shapes"), field)
    expect_choice(take(extension.configuration, "kind", field), ("inline",), f"{field}.kind")
    chunk_shapes = take(extension.configuration, "chunk_shapes", field)
    return ChunkGrid(parse_axes(chunk_shapes, shape, f"{field}.chunk_shapes"))


def _parse_rectangular(extension: Extension, shape: tuple[int, ...], field: str) -> ChunkGrid:
    """Parse the forerunner of ``rectilinear``, in ZEP 3 and zarrs; it has no runs."""
    field = f"{field}.configuration"
    refuse_unknown(extension.configuration, ("chunk_shape",), field)
    chunk_shape = take(extension.configuration, "chunk_shape", field)
    return ChunkGrid(parse_axes(chunk_shape, shape, f"{field}.chunk_shape"))


CHUNK_GRIDS: Registry[ChunkGridParser] = Registry(
    "chunk grid",
    {
        "rectangular": _parse_rectangular,
        "rectilinear": _parse_rectilinear,
        "regular": _parse_regular,
        "zarrs.regular_bounded": _parse_bounded,
    },
    group="zarrfs.chunk_grids",
)
"""Parsers of all chunk grids, by name. Each makes a grid of the extension, the shape of the array,
and the dotted field that holds the extension, for messages."""

register_chunk_grid = CHUNK_GRIDS.register
unregister_chunk_grid = CHUNK_GRIDS.unregister
list_chunk_grids = CHUNK_GRIDS.names
chunk_grid_info = CHUNK_GRIDS.info
