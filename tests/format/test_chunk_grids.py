from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.grids import chunk_lengths, grids
from zarrfs.errors import MetadataError, RegistrationError, UnsupportedError
from zarrfs.format.axes import RegularAxis, irregular_axis
from zarrfs.format.chunk_grids import (
    ChunkGrid,
    chunk_grid_info,
    list_chunk_grids,
    parse_chunk_grid,
    parse_chunk_shape,
    parse_shape,
    register_chunk_grid,
    regular_grid,
    resized,
    serialise_chunk_grid,
    unregister_chunk_grid,
)
from zarrfs.format.extensions import Extension, parse_extension

if TYPE_CHECKING:
    from collections.abc import Iterator

SHAPES = st.lists(st.integers(0, 20), max_size=3).map(tuple)


@given(SHAPES.flatmap(grids))
def test_grid_is_the_product_of_its_axes(grid: ChunkGrid) -> None:
    lengths = [chunk_lengths(axis) for axis in grid.axes]
    coords = list(itertools.product(*(range(n) for n in grid.grid_shape)))
    assert grid.n_chunks == len(coords)
    assert grid.shape == tuple(axis.length for axis in grid.axes)
    shapes = [grid.stored_shape(c) for c in coords]
    assert shapes == list(itertools.product(*lengths))
    if shapes:
        assert grid.is_uniform == (len(set(shapes)) == 1)
        assert grid.largest_shape == tuple(map(max, zip(*shapes, strict=True)))


@given(SHAPES.flatmap(grids))
def test_grid_survives_writing(grid: ChunkGrid) -> None:
    written = json.loads(json.dumps(serialise_chunk_grid(grid)))
    assert parse_chunk_grid(parse_extension(written, "x"), grid.shape, "x") == grid


@given(SHAPES.flatmap(grids))
def test_listed_chunks_add_up_to_the_shape(grid: ChunkGrid) -> None:
    for axis, listed in zip(grid.axes, grid.chunks, strict=True):
        if isinstance(listed, tuple):
            assert (sum(listed), len(listed)) == (axis.length, axis.n_chunks)
        else:
            assert {listed} == set(axis.stored_lengths)


@given(SHAPES.flatmap(grids), st.data())
def test_resized_grid_has_the_new_shape(grid: ChunkGrid, data: st.DataObject) -> None:
    shape = tuple(data.draw(st.integers(0, 30)) for _ in grid.shape)
    assert resized(grid, shape) == ChunkGrid(
        tuple(axis.resized(n) for axis, n in zip(grid.axes, shape, strict=True))
    )
    assert resized(grid, shape).shape == shape


def test_regular_grid_is_written_as_such_whatever_its_name_was() -> None:
    configuration = {"kind": "inline", "chunk_shapes": [3, 4]}
    extension = Extension(name="rectilinear", configuration=configuration)
    grid = parse_chunk_grid(extension, (9, 9), "x")
    assert grid.chunk_shape == (3, 4)
    assert serialise_chunk_grid(grid) == {
        "name": "regular",
        "configuration": {"chunk_shape": [3, 4]},
    }


def test_irregular_grid_is_written_in_runs() -> None:
    grid = ChunkGrid((irregular_axis(9, [(2, 3), (5, 1)]), RegularAxis(9, 4)))
    assert grid.chunk_shape is None
    assert serialise_chunk_grid(grid) == {
        "name": "rectilinear",
        "configuration": {"kind": "inline", "chunk_shapes": [[[2, 3], 5], 4]},
    }


def test_too_many_chunks_are_not_listed() -> None:
    grid = ChunkGrid((irregular_axis(10**12, [(1, 10**12)]),))
    with pytest.raises(UnsupportedError, match="too many to list"):
        _ = grid.chunks


@pytest.mark.parametrize(
    ("configuration", "message"),
    [
        ({}, r"^x\.configuration\.kind: is missing"),
        ({"kind": "inline"}, r"^x\.configuration\.chunk_shapes: is missing"),
        ({"kind": "file", "chunk_shapes": [1]}, r'^x\.configuration\.kind: must be "inline"'),
        ({"kind": "inline", "chunk_shapes": [[2]]}, r"^x\.configuration\.chunk_shapes\[0\]: has"),
        ({"kind": "inline", "chunk_shapes": [5], "a": 1}, r"^x\.configuration\.a: is unknown"),
    ],
)
def test_malformed_rectilinear_grid_is_refused(configuration: dict[str, Any], message: str) -> None:
    with pytest.raises(MetadataError, match=message):
        parse_chunk_grid(Extension(name="rectilinear", configuration=configuration), (5,), "x")


def test_rectangular_grid_of_the_draft_is_parsed() -> None:
    configuration = {"chunk_shape": [[5, 5, 5, 15, 15, 20, 35], 10]}
    grid = parse_chunk_grid(
        Extension(name="rectangular", configuration=configuration), (100, 100), "x"
    )
    assert grid.chunks == ((5, 5, 5, 15, 15, 20, 35), 10)


def test_bounded_grid_stores_edge_chunks_clipped() -> None:
    configuration = {"chunk_shape": [4, 5, 9, 3]}
    extension = Extension(name="zarrs.regular_bounded", configuration=configuration)
    grid = parse_chunk_grid(extension, (10, 10, 5, 0), "x")
    assert grid.chunks == ((4, 4, 2), 5, (5,), 3)
    assert grid.stored_shape((2, 1, 0, 0)) == (2, 5, 5, 3)


# --- plug-ins -------------------------------------------------------------------------------


@pytest.fixture
def halves() -> Iterator[str]:
    """A grid that cuts each axis in two, the smaller half first."""

    def parse(extension: Extension, shape: tuple[int, ...], field: str) -> ChunkGrid:
        halves = ((n, ((n // 2, 1), (n - n // 2, 1))) for n in shape)
        return ChunkGrid(tuple(irregular_axis(n, runs, field) for n, runs in halves))

    register_chunk_grid("test.halves", parse)
    yield "test.halves"
    unregister_chunk_grid("test.halves")


def test_registered_grid_is_parsed_and_listed(halves: str) -> None:
    grid = parse_chunk_grid(Extension(name=halves), (5, 6), "x")
    assert grid.chunks == ((2, 3), (3, 3))
    assert halves in list_chunk_grids()
    assert chunk_grid_info(halves).origin == "registered"


def test_registered_grid_needs_force_to_replace_another(halves: str) -> None:
    with pytest.raises(RegistrationError, match="'regular' is built in"):
        register_chunk_grid("regular", lambda extension, shape, field: ChunkGrid(()))
    with pytest.raises(RegistrationError, match="'regular' is built in"):
        unregister_chunk_grid("regular")


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (ZeroDivisionError("no"), "the chunk grid 'test.bad' failed: ZeroDivisionError: no"),
        (MetadataError("odd", field="x"), "^x: odd$"),
        (None, r"made no grid of shape \[5\]"),
        (regular_grid((6,), (1,)), r"made no grid of shape \[5\]"),
    ],
)
def test_registered_grid_that_fails_is_an_error_of_the_array(made: Any, message: str) -> None:
    def parse(extension: Extension, shape: tuple[int, ...], field: str) -> ChunkGrid:
        if isinstance(made, Exception):
            raise made
        grid: ChunkGrid = made
        return grid

    register_chunk_grid("test.bad", parse)
    try:
        with pytest.raises(MetadataError, match=message):
            parse_chunk_grid(Extension(name="test.bad"), (5,), "x")
    finally:
        unregister_chunk_grid("test.bad")


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
    with pytest.raises(
        MetadataError, match=r"^shape: must be a list of integers ≥ 0( and < 2\*\*63)?, not "
    ):
        parse_shape(value)


def test_largest_length_is_parsed() -> None:
    assert parse_shape([2**63 - 1, 0]) == (2**63 - 1, 0)


def test_as_many_dimensions_as_numpy_has_are_parsed() -> None:
    assert len(parse_shape([1] * 64)) == 64
    with pytest.raises(UnsupportedError, match="has 65 dimensions"):
        parse_shape([1] * 65)
