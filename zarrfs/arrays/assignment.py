"""``array[selection] = value``: the value -> new elements of each chunk. Pure, as NumPy does it.

What NumPy's assignment does to an element, this does: numbers are cast to the array's data type
whatever is lost (1.7 -> 1, 300 -> 44 as uint8 if it comes in an array), and a plain Python number
that the type cannot hold is refused. Where NumPy has no complex type, such as that of float16, and
a record of ``real`` and ``imag`` stands for it, numbers are complex numbers all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from zarrfs.arrays.indexing import AxisSelection, Selection
from zarrfs.errors import AssignmentError
from zarrfs.format.small_numbers import small_number

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import EllipsisType

    from zarrfs.arrays.regions import Coords
    from zarrfs.codecs.base import Array, ChunkSpec
    from zarrfs.format.chunk_grids import ChunkGrid

# Casts among these cannot fail halfway, so each chunk's elements are cast when it is their turn.
_NUMBERS = "biufc"


@dataclass(frozen=True, slots=True, eq=False)
class Edit:
    """New elements for some of a box of elements: an array, a shard or a chunk."""

    selection: Selection
    """Which elements."""

    values: Array
    """Of the selection's `full_shape`; or without dimensions, one element for all of them."""

    extent: tuple[int, ...]
    """Elements of the box that lie inside the array, along each axis."""

    @property
    def is_whole(self) -> bool:
        """Whether nothing inside the array keeps its old element."""
        # A selection has no element twice.
        return self.selection.full_shape == self.extent

    def parts(self, grid: ChunkGrid) -> Iterator[tuple[Coords, Edit]]:
        """Split into the chunks of a grid that tiles the box."""
        for piece in self.selection.pieces(grid):
            axes = tuple(
                AxisSelection(here.start, here.step, there.stop - there.start, is_integer=False)
                for here, there in zip(piece.in_chunk, piece.in_region, strict=True)
            )
            extent = tuple(
                min(axis.start(c + 1), n) - axis.start(c)
                for axis, c, n in zip(grid.axes, piece.coords, self.extent, strict=True)
            )
            # The ellipsis: of an array of objects too, a view and not an element.
            place: tuple[slice | EllipsisType, ...] = (*piece.in_region, ...)
            values = self.values[place] if self.values.ndim else self.values
            yield piece.coords, Edit(Selection(axes), values, extent)

    def new_chunk(self, spec: ChunkSpec) -> Array:
        """Make the chunk, if nothing of an old one stays; may be a view of the values."""
        is_such = self.values.shape == spec.shape and self.values.dtype == spec.dtype
        # Codecs of objects take no array that is read-only, as users' may be.
        is_fit = is_such and not spec.dtype.hasobject
        if is_fit and all(axis.step > 0 for axis in self.selection.axes):
            return self.values
        chunk = np.empty(spec.shape, spec.dtype) if self.extent == spec.shape else spec.filled()
        self.apply(chunk)
        return chunk

    def apply(self, chunk: Array) -> None:
        """Put the new elements into their places in a chunk."""
        # The ellipsis: an array of one object takes elements, and not the values for its element.
        places: list[slice | EllipsisType] = [_slice(axis) for axis in self.selection.axes]
        chunk[(*places, ...)] = self.values


def _slice(axis: AxisSelection) -> slice:
    stop = axis.start + axis.count * axis.step
    return slice(axis.start, stop if stop >= 0 else None, axis.step)


def new_elements(value: object, dtype: np.dtype[Any], selection: Selection) -> Array:
    """Understand the value of ``array[selection] = value``.

    Parameters
    ----------
    value
        An array or what NumPy makes one of; its shape is broadcast to the selection's.
    dtype
        Of the array's elements.
    selection
        What they are for.

    Returns
    -------
    Array
        Of the selection's `full_shape`, often a view of the value; or without dimensions, if one
        element is assigned to all. Numbers may still be of another type than `dtype`.

    Raises
    ------
    AssignmentError
        If the shapes do not fit, or an element cannot become one of `dtype`.
    """
    values = as_array(value, dtype)
    try:
        is_number = values.dtype.kind in _NUMBERS and dtype.kind in _NUMBERS
        if values.dtype != dtype and not (is_number and values.ndim):
            values = values.astype(dtype)
        if dtype.kind in "mM" and values.dtype != dtype:  # NumPy keeps a unit where none is
            raise ValueError(f"it has no unit; create the array with one, such as {dtype}[s]")
    except (ValueError, TypeError, OverflowError, RuntimeError) as error:
        raise AssignmentError(f"cannot make elements of type {dtype}: {error}") from error
    if not values.ndim:
        return values
    while values.ndim > len(selection.shape) and values.shape[0] == 1:
        values = values[0, ...]
    try:
        values = np.broadcast_to(values, selection.shape)
    except ValueError:
        raise AssignmentError(
            f"could not broadcast values of shape {values.shape} into shape {selection.shape}"
        ) from None
    return values[
        (*(np.newaxis if axis.is_integer else slice(None) for axis in selection.axes), ...)
    ]


def as_array(value: object, dtype: np.dtype[Any]) -> Array:
    """Make an array of a value; arrays stay as they are, often of another type.

    Lists and scalars of Python become elements of `dtype` at once: by way of a type that NumPy
    guesses, strings lose their last NULs, and integers wrap around.

    Raises
    ------
    AssignmentError
        If an element cannot become one of `dtype`.
    """
    if isinstance(value, np.ndarray | np.generic) or hasattr(value, "__array__"):
        given = np.asarray(value)
        is_number = given.dtype.kind in _NUMBERS or small_number(given.dtype) is not None
        if is_number and _is_pair(dtype):
            return _pairs(given, dtype)
        if not (given.dtype.hasobject and _is_pair(dtype)):
            return given
        value = given.tolist()
    try:
        if _is_pair(dtype) and not isinstance(_first_leaf(value), tuple):
            return _pairs(np.asarray(value, np.complex128), dtype)
        elements = np.asarray(value, dtype)
        number = small_number(dtype)
        if number is not None and number.kind != "float":
            # ml_dtypes wraps around what does not fit.
            given = np.asarray(value)
            low, high = number.limits
            is_plain = given.size > 0 and given.dtype.kind in "iufO"
            if is_plain and not low <= given.min() <= given.max() <= high:
                raise OverflowError(f"{dtype} holds numbers from {low} to {high}")
    except (ValueError, TypeError, OverflowError) as error:
        raise AssignmentError(f"cannot make elements of type {dtype}: {error}") from error
    return elements


def _is_pair(dtype: np.dtype[Any]) -> bool:
    """Whether records of a type stand for complex numbers."""
    return dtype.names == ("real", "imag") and dtype["real"] == dtype["imag"]


def _pairs(numbers: Array, dtype: np.dtype[Any]) -> Array:
    """Make records of real and imaginary part; NumPy would put a number into both."""
    pairs: Array = np.empty(numbers.shape, dtype)
    with np.errstate(over="ignore"):  # too large is infinite, as it is for NumPy's own types
        pairs["real"] = numbers.real.astype(dtype["real"])
        pairs["imag"] = numbers.imag.astype(dtype["imag"])
    return pairs


def _first_leaf(value: object) -> object:
    """Return the first element of nested lists; a tuple is a record, as NumPy has it."""
    while isinstance(value, list) and value:
        value = value[0]
    return value
