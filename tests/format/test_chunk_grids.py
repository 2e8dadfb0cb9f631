from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zarrfs.errors import MetadataError, UnsupportedError
from zarrfs.format.axes import RegularAxis
from zarrfs.format.chunk_grids import (
    ChunkGrid,
    parse_chunk_grid,
    parse_chunk_shape,
    parse_shape,
    regular_grid,
)
from zarrfs.format.extensions import Extension

axes = st.builds(RegularAxis, st.integers(0, 40), st.integers(1, 15))


@given(axes)
def test_axis_agrees_with_elements_dealt_out_one_by_one(axis: RegularAxis) -> None:
    chunks: list[list[int]] = []
    for index in range(axis.length):
        if index % axis.chunk_length == 0:
            chunks.append([])
        chunks[-1].append(index)
    assert axis.n_chunks == len(chunks)
    assert [axis.find(i) for i in range(axis.length)] == [
        number for number, elements in enumerate(chunks) for _ in elements
    ]
    assert [axis.start(c) for c in range(axis.n_chunks)] == [elements[0] for elements in chunks]
    assert axis.start(axis.n_chunks) == axis.length
    assert all(
        len(elements) <= axis.stored_length(number) == axis.chunk_length
        for number, elements in enumerate(chunks)
    )


@given(st.lists(axes, max_size=3))
def test_grid_is_the_product_of_its_axes(parts: list[RegularAxis]) -> None:
    grid = ChunkGrid(tuple(parts))
    coords = list(itertools.product(*(range(n) for n in grid.grid_shape)))
    assert grid.n_chunks == len(coords)
    assert grid.shape == tuple(axis.length for axis in parts)
    assert all(grid.stored_shape(c) == tuple(axis.chunk_length for axis in parts) for c in coords)


def test_ragged_edge_counts_as_a_chunk() -> None:
    # The example of the specification, "Regular chunk grid".
    assert regular_grid((10, 200, 3000), (5, 20, 400)).grid_shape == (2, 10, 8)


def test_array_without_dimensions_has_one_chunk() -> None:
    grid = parse_chunk_shape([], (), "chunks")
    assert (grid.shape, grid.n_chunks, grid.stored_shape(())) == ((), 1, ())


@pytest.mark.parametrize("chunk_shape", [[4, 0], [4, 3]])
def test_empty_axis_may_have_empty_chunks(chunk_shape: list[int]) -> None:
    grid = parse_chunk_shape(chunk_shape, (5, 0), "chunks")
    assert (grid.grid_shape, grid.n_chunks) == ((2, 0), 0)
    assert grid.axes[1].start(0) == 0


@pytest.mark.parametrize(
    ("chunk_shape", "shape", "reason"),
    [
        ([0, "a"], (1, 1), 'must be a list of integers ≥ 1, not [0, "a"]'),
        ([0], (1,), "must be a list of integers ≥ 1, not [0]"),
        ([-1], (0,), "must be a list of integers ≥ 0, not [-1]"),
        ([0, 0], (0, 5), "must be ≥ 1 along dimension 1, where the array is not empty"),
        ([1], (1, 1), "has 1 dimensions, but the array has 2"),
        (None, (), "must be a list of integers ≥ 1, not null"),
    ],
)
def test_chunk_shape_that_does_not_fit_is_refused(
    chunk_shape: object, shape: tuple[int, ...], reason: str
) -> None:
    extension = Extension(name="regular", configuration={"chunk_shape": chunk_shape})
    with pytest.raises(MetadataError) as error:
        parse_chunk_grid(extension, shape, "chunk_grid")
    assert str(error.value) == f"chunk_grid.configuration.chunk_shape: {reason}"


def test_regular_grid_is_parsed() -> None:
    extension = Extension(name="regular", configuration={"chunk_shape": [2]})
    assert parse_chunk_grid(extension, (5,), "chunk_grid") == regular_grid((5,), (2,))


def test_regular_grid_without_chunk_shape_is_refused() -> None:
    with pytest.raises(MetadataError, match=r"^chunk_grid\.configuration\.chunk_shape: is missing"):
        parse_chunk_grid(Extension(name="regular"), (5,), "chunk_grid")


def test_regular_grid_with_more_members_is_refused() -> None:
    extension = Extension(name="regular", configuration={"chunk_shape": [2], "origin": [1]})
    with pytest.raises(UnsupportedError, match=r"^chunk_grid\.configuration\.origin: is unknown"):
        parse_chunk_grid(extension, (5,), "chunk_grid")


def test_other_grid_is_named_as_unsupported() -> None:
    with pytest.raises(UnsupportedError, match="'hexagonal'"):
        parse_chunk_grid(Extension(name="hexagonal"), (5,), "chunk_grid")


@pytest.mark.parametrize("value", [[-1], [True], [1.5], [2**63], "5", None, {}, [None]])
def test_malformed_shape_is_refused(value: object) -> None:
    with pytest.raises(MetadataError, match=r"^shape: must be a list of integers ≥ 0, not "):
        parse_shape(value)


def test_largest_length_is_parsed() -> None:
    assert parse_shape([2**63 - 1, 0]) == (2**63 - 1, 0)


def test_as_many_dimensions_as_numpy_has_are_parsed() -> None:
    assert len(parse_shape([1] * 64)) == 64
    with pytest.raises(UnsupportedError, match="has 65 dimensions"):
        parse_shape([1] * 65)
