"""Lengths of chunks along an axis, as ``rectilinear`` grids give them <-> the axis.

Spec: Zarr extensions, chunk grid ``rectilinear``, "Chunk edge lengths". Law:
``parse_axes([serialise_axis(axis)], (axis.length,), field) == (axis,)``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zarrfs.errors import MetadataError, UnsupportedError
from zarrfs.format.axes import Axis, RegularAxis, irregular_axis
from zarrfs.format.documents import (
    MAX_INTEGER,
    Json,
    expect_integer,
    expect_list,
    is_integer,
    show,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_RUNS = 2**20
"""Entries of an axis' list, at about 100 bytes each in memory."""


def parse_axes(value: Json, shape: tuple[int, ...], field: str) -> tuple[Axis, ...]:
    """Cut an array of `shape` into the chunks whose lengths a document gives for each axis.

    Raises
    ------
    MetadataError
        If the list is malformed, of another number of dimensions, or the chunks of an axis do
        not cover it.
    UnsupportedError
        If the list of an axis has more than `MAX_RUNS` entries.
    """
    values = expect_list(value, field)
    if len(values) != len(shape):
        reason = f"has {len(values)} dimensions, but the array has {len(shape)}"
        raise MetadataError(reason, field=field)
    return tuple(
        _parse_axis(lengths, length, f"{field}[{i}]")
        for i, (lengths, length) in enumerate(zip(values, shape, strict=True))
    )


def serialise_axis(axis: Axis) -> Json:
    """Write a regular axis as a number, another as a list in which runs are ``[length, count]``."""
    if isinstance(axis, RegularAxis):
        return axis.chunk_length
    return [length if count == 1 else [length, count] for length, count in axis.runs]


def _parse_axis(value: Json, length: int, field: str) -> Axis:
    if is_integer(value):
        return RegularAxis(length, expect_integer(value, field, minimum=1))
    if not isinstance(value, list):
        reason = f"must be an integer ≥ 1 or a list of them, not {show(value)}"
        raise MetadataError(reason, field=field)
    if len(value) > MAX_RUNS:
        reason = f"has {len(value)} entries; zarrfs reads up to {MAX_RUNS}"
        raise UnsupportedError(reason, field=field)
    return irregular_axis(length, _runs(value, field), field)


def _runs(items: list[Json], field: str) -> Iterator[tuple[int, int]]:
    for i, item in enumerate(items):
        length, count = item if isinstance(item, list) and len(item) == 2 else (item, 1)
        if not (_is_count(length) and _is_count(count)):
            reason = f"must be an integer ≥ 1 or a pair [length, count] of them, not {show(item)}"
            raise MetadataError(reason, field=f"{field}[{i}]")
        yield length, count


def _is_count(value: Json) -> bool:
    return is_integer(value) and 1 <= value <= MAX_INTEGER
