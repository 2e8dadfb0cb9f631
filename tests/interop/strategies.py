"""Hypothesis strategies for Zarr arrays, in the terms of the specifications.

An `ArrayV3` or `ArrayV2` says what the metadata document of an array says, and what is written to
it. It is no document: each writer makes its own. `v3_arrays` and `v2_arrays` draw them from what a
writer has: data types, codecs.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from hypothesis import strategies as st

from tests.interop.codec_strategies import (
    Support,
    codec_chains,
    compressors_v2,
    filters_v2,
)
from tests.interop.elements import content, fill_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    from hypothesis.strategies import DrawFn, SearchStrategy

    from tests.interop.data_types import DataType, Json

Shape = tuple[int, ...]

# Enough for ragged edges, several chunks and several shards along an axis, and few enough for
# hundreds of arrays a minute: by number of dimensions the longest inner chunk, the most inner
# chunks of a shard, and the most chunks, along an axis.
_LONGEST_CHUNK = (1, 40, 8, 4, 3)
_MOST_INNER = (1, 4, 3, 2, 2)
_MOST_CHUNKS = (1, 5, 3, 2, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """A box of elements that is written."""

    region: tuple[slice, ...]
    seed: int
    """Of its content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyArray:
    """What arrays of both formats have."""

    shape: Shape
    data_type: DataType
    fill_value: Any
    """NumPy scalar, or ``str`` or ``bytes``."""
    has_null_fill_value: bool = False
    """Documents of v2 may have ``null`` for a zero."""
    writes: tuple[Write, ...]
    """In order; they may overlap. What none of them holds was never written."""
    stores_empty_chunks: bool
    """Whether chunks that are all fill value are stored."""
    is_tame: bool
    """Whether codecs do arithmetic with elements, and may lose something. Then only small numbers
    are written."""

    def content(self, write: Write) -> npt.NDArray[Any]:
        """Make the elements of a box."""
        shape = tuple(part.stop - part.start for part in write.region)
        return content(shape, self.data_type.dtype, write.seed, is_tame=self.is_tame)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayV3(AnyArray):
    """An array of Zarr v3."""

    chunk_shape: Shape | tuple[Shape, ...]
    """Of all chunks; or the lengths of all chunks along each dimension, in a rectilinear grid."""
    codecs: tuple[dict[str, Json], ...]
    chunk_key_encoding: dict[str, Json]
    dimension_names: tuple[str | None, ...] | None

    @property
    def is_rectilinear(self) -> bool:
        """Whether chunks differ in length."""
        return any(isinstance(lengths, tuple) for lengths in self.chunk_shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayV2(AnyArray):
    """An array of Zarr v2."""

    chunks: Shape
    order: Literal["C", "F"]
    filters: tuple[dict[str, Json], ...]
    compressor: dict[str, Json] | None
    dimension_separator: Literal[".", "/"]


@st.composite
def v3_arrays(draw: DrawFn, data_types: Sequence[DataType], support: Support) -> ArrayV3:
    """Draw arrays of Zarr v3.

    Parameters
    ----------
    draw
        Hypothesis's.
    data_types
        To choose from.
    support
        What the writer has beyond the specification's core.
    """
    data_type = draw(st.sampled_from(data_types))
    max_levels = 3 if support.sharded_void or data_type.dtype.kind != "V" else 1
    shape, levels = draw(grids(max_levels, sharded_scalars=support.sharded_scalars))
    chunk_shape: Shape | tuple[Shape, ...] = levels[0]
    if support.rectilinear and shape and draw(st.sampled_from([False, False, True])):
        least = levels[min(1, len(levels) - 1)]
        chunk_shape = tuple(draw(_chunk_lengths(*ends)) for ends in zip(shape, least, strict=True))
        levels = (least, *levels[1:])
    codecs, is_tame = draw(codec_chains(data_type.dtype, levels, support))
    fill_value = draw(fill_values(data_type.dtype, is_tame=is_tame))
    if any(codec["name"] == "bitround" for codec in codecs):
        # Of chunks that are not stored, zarrs 0.23 reads the rounded one.
        fill_value = np.zeros((), data_type.dtype)[()]
    if data_type.dtype.hasobject and not support.filled_texts:
        fill_value = type(fill_value)()
    return ArrayV3(
        shape=shape,
        data_type=data_type,
        fill_value=fill_value,
        writes=draw(writes(shape)),
        stores_empty_chunks=draw(st.booleans()),
        is_tame=is_tame,
        chunk_shape=chunk_shape,
        codecs=codecs,
        chunk_key_encoding=draw(_chunk_key_encodings(support)),
        dimension_names=draw(st.none() | _dimension_names(len(shape), support)),
    )


@st.composite
def v2_arrays(
    draw: DrawFn, data_types: Sequence[DataType], support: Support, *, zarr_format: int = 2
) -> ArrayV2:
    """Draw arrays of Zarr v2, or of v3 in the terms of v2."""
    data_type = draw(st.sampled_from(data_types))
    shape, levels = draw(grids(1))
    filters, is_tame = draw(filters_v2(data_type.dtype, support, zarr_format=zarr_format))
    # zarr-python takes it for "not a time", and for "0" in the strings of records.
    kind = data_type.dtype.kind
    may_be_null = support.complex_null if kind == "c" else kind in "biufSUTO"
    has_null: bool = may_be_null and draw(st.sampled_from([False, False, False, True]))
    zero = b"" if data_type.dtype.kind == "O" else np.zeros((), data_type.dtype)[()]
    return ArrayV2(
        shape=shape,
        data_type=data_type,
        fill_value=zero if has_null else draw(fill_values(data_type.dtype, is_tame=is_tame)),
        has_null_fill_value=has_null,
        writes=draw(writes(shape)),
        stores_empty_chunks=draw(st.booleans()),
        is_tame=is_tame,
        chunks=levels[0],
        order=draw(st.sampled_from(["C", "F"])),
        filters=filters,
        compressor=draw(compressors_v2(support)),
        dimension_separator=draw(st.sampled_from([".", "/"])),
    )


def spans(nbytes: int) -> SearchStrategy[tuple[int, int]]:
    """Draw offset and size of a byte span, which may reach over the end of the file."""
    edges = st.integers(0, nbytes + 9)
    return st.tuples(edges, edges)


@st.composite
def grids(
    draw: DrawFn, max_levels: int, *, sharded_scalars: bool = False
) -> tuple[Shape, tuple[Shape, ...]]:
    """Draw a shape and the shapes of chunk, inner chunk, inner chunk of that …, outermost first."""
    ndim = draw(st.integers(0, 4))
    innermost = draw(_lengths(ndim, 1, _LONGEST_CHUNK[ndim]))
    levels = [innermost]
    n_levels = draw(st.integers(1, max_levels)) if ndim or sharded_scalars else 1
    for _ in range(n_levels - 1):
        factors = draw(_lengths(ndim, 1, _MOST_INNER[ndim]))
        levels.insert(0, tuple(n * k for n, k in zip(levels[0], factors, strict=True)))
    # Arrays without elements are right to have, and show little: one in ten may be one.
    least = draw(st.sampled_from([0, *itertools.repeat(1, 9)]))
    shape = tuple(draw(st.integers(least, n * _MOST_CHUNKS[ndim])) for n in levels[0])
    return shape, tuple(levels)


@st.composite
def _chunk_lengths(draw: DrawFn, length: int, least: int) -> tuple[int, ...]:
    """Draw lengths of chunks along a dimension, multiples of the least; they may end behind it."""
    lengths: list[int] = []
    while sum(lengths) < length or not lengths:
        lengths.append(least * draw(st.integers(1, 3)))
    return tuple(lengths)


def _lengths(ndim: int, least: int, most: int) -> SearchStrategy[Shape]:
    return st.tuples(*itertools.repeat(st.integers(least, most), ndim))


@st.composite
def _chunk_key_encodings(draw: DrawFn, support: Support) -> dict[str, Json]:
    name = draw(st.sampled_from(["default", "v2", *["zarrs.default_suffix"] * support.suffixes]))
    configuration = draw(st.sampled_from([{}, {"separator": "/"}, {"separator": "."}]))
    if name == "zarrs.default_suffix":
        configuration = {**configuration, "suffix": ".tiff"}
    return {"name": name, "configuration": configuration}


def _dimension_names(ndim: int, support: Support) -> SearchStrategy[tuple[str | None, ...]]:
    name = st.none() | st.sampled_from(["", "x", "y", "time", "größe"])
    names = st.tuples(*itertools.repeat(name, ndim))
    if support.repeated_names:
        return names
    return names.map(lambda all_: tuple(None if n in all_[:i] else n for i, n in enumerate(all_)))


@st.composite
def writes(draw: DrawFn, shape: Shape) -> tuple[Write, ...]:
    """Draw what is written to an array, in order."""
    regions = st.tuples(*map(_slices, shape)) | st.just(tuple(slice(0, n) for n in shape))
    write = st.builds(Write, region=regions, seed=st.integers(0, 2**16))
    n_writes = draw(st.sampled_from([1, 1, 1, 2, 2, 2, 3, 3, 3, 0]))
    return tuple(draw(write) for _ in range(n_writes))


@st.composite
def _slices(draw: DrawFn, length: int) -> slice:
    if not length:
        return slice(0, 0)
    start = draw(st.integers(0, length - 1))
    return slice(start, draw(st.integers(start + 1, length)))
