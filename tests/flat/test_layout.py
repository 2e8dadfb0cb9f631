from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.grids import axes
from zarrfs.arrays.regions import box_shape
from zarrfs.flat.layout import SlabLayout, boxes, slab_layout
from zarrfs.format.chunk_grids import ChunkGrid, regular_grid

SHAPES = st.lists(st.integers(1, 7), max_size=4).map(tuple)


@st.composite
def runs(draw: st.DrawFn) -> tuple[tuple[int, ...], int, int]:
    """Shape of an array and a run of its elements."""
    shape = draw(st.lists(st.integers(0, 6), max_size=4).map(tuple))
    size = int(np.prod(shape, dtype=int))
    start, stop = sorted((draw(st.integers(0, size)), draw(st.integers(0, size))))
    return shape, start, stop


@given(runs())
def test_boxes_cover_a_run_once_and_in_order(run: tuple[tuple[int, ...], int, int]) -> None:
    shape, start, stop = run
    numbers = np.arange(int(np.prod(shape, dtype=int))).reshape(shape)
    found: list[int] = []
    for box in boxes(shape, start, stop):
        found += numbers[tuple(slice(*edges) for edges in box)].ravel().tolist()
    assert found == list(range(start, stop))


@given(runs())
def test_boxes_are_few_and_not_empty(run: tuple[tuple[int, ...], int, int]) -> None:
    shape, start, stop = run
    found = list(boxes(shape, start, stop))
    assert len(found) <= max(1, 2 * len(shape) - 1)
    assert all(0 not in box_shape(box) for box in found)


def test_whole_array_is_one_box() -> None:
    assert list(boxes((3, 4, 5), 0, 60)) == [((0, 3), (0, 4), (0, 5))]


@st.composite
def layouts(draw: st.DrawFn) -> tuple[ChunkGrid, SlabLayout, int]:
    """Grid, layout and its limit."""
    shape = draw(SHAPES)
    itemsize = draw(st.sampled_from([1, 2, 3, 8, 16]))
    limit = draw(st.integers(1, 3000))
    grid = ChunkGrid(tuple(draw(axes(length)) for length in shape))
    target = draw(st.integers(0, limit))
    return grid, slab_layout(grid, itemsize, target=target, limit=limit), limit


def slabs_of(layout: SlabLayout) -> list[tuple[int, int, int]]:
    """Number, offset and size of each slab, found by walking through the file."""
    size = layout.itemsize * int(np.prod(layout.shape, dtype=int))
    found, offset = [], 0
    while offset < size:
        slab = layout.find(offset)
        start, length = layout.span(slab)
        assert start == offset, "slabs leave no gap"
        assert length > 0
        found.append((slab, start, length))
        offset += length
    assert offset == size
    return found


@given(layouts())
def test_slabs_tile_the_file_in_the_order_of_their_numbers(
    case: tuple[ChunkGrid, SlabLayout, int],
) -> None:
    slabs = slabs_of(case[1])
    assert [slab for slab, _, _ in slabs] == list(range(len(slabs)))


@given(layouts())
def test_find_gives_the_slab_whose_span_holds_the_byte(
    case: tuple[ChunkGrid, SlabLayout, int],
) -> None:
    _, layout, _ = case
    for slab, start, length in slabs_of(layout):
        for offset in {start, start + length // 2, start + length - 1}:
            assert layout.find(offset) == slab


@given(layouts())
def test_a_slab_is_one_box_whose_elements_are_its_span(
    case: tuple[ChunkGrid, SlabLayout, int],
) -> None:
    _, layout, _ = case
    numbers = np.arange(int(np.prod(layout.shape, dtype=int))).reshape(layout.shape)
    for slab, start, length in slabs_of(layout):
        box = numbers[tuple(slice(*edges) for edges in layout.box(slab))].ravel()
        first, last = start // layout.itemsize, (start + length) // layout.itemsize
        assert box.tolist() == list(range(first, last))


@given(layouts())
def test_no_slab_is_larger_than_the_limit_unless_it_is_one_element(
    case: tuple[ChunkGrid, SlabLayout, int],
) -> None:
    _, layout, limit = case
    for _, _, length in slabs_of(layout):
        assert length <= max(limit, layout.itemsize)
        assert length <= layout.slab_bytes


@given(layouts())
def test_shares_chunks_tells_whether_a_chunk_lies_in_several_slabs(
    case: tuple[ChunkGrid, SlabLayout, int],
) -> None:
    grid, layout, _ = case
    owners: dict[tuple[int, ...], set[int]] = {}
    for slab, _, _ in slabs_of(layout):
        box = layout.box(slab)
        spans = [
            range(axis.find(start), axis.find(stop - 1) + 1)
            for axis, (start, stop) in zip(grid.axes, box, strict=True)
        ]
        for coords in np.ndindex(*(len(span) for span in spans)):
            chunk = tuple(span[i] for span, i in zip(spans, coords, strict=True))
            owners.setdefault(chunk, set()).add(slab)
    shared = any(len(slabs) > 1 for slabs in owners.values())
    assert layout.shares_chunks == shared


def test_small_rows_of_chunks_are_taken_several_at_a_time() -> None:
    layout = slab_layout(regular_grid((100, 10), (2, 5)), 4, target=400, limit=1000)
    assert (layout.axis, layout.stretches[0].step, layout.slab_bytes) == (0, 10, 400)
    assert not layout.shares_chunks


def test_a_row_of_chunks_within_the_limit_is_one_slab_even_if_larger_than_the_target() -> None:
    layout = slab_layout(regular_grid((100, 10), (20, 5)), 4, target=400, limit=800)
    assert (layout.axis, layout.stretches[0].step) == (0, 20)


def test_a_row_of_chunks_over_the_limit_is_cut_into_equal_parts() -> None:
    layout = slab_layout(regular_grid((100, 10), (24, 5)), 4, target=400, limit=7 * 40)
    (stretch,) = layout.stretches
    assert (layout.axis, stretch.period, stretch.step) == (0, 24, 6)
    assert layout.shares_chunks


def test_where_one_index_is_over_the_limit_slabs_lie_along_a_later_axis() -> None:
    layout = slab_layout(regular_grid((9, 64, 512), (3, 16, 16)), 1, target=1, limit=16 * 512)
    assert (layout.axis, layout.stretches[0].step) == (1, 16)
    assert layout.box(5) == ((1, 2), (16, 32), (0, 512))


@pytest.mark.parametrize("shape", [(0,), (0, 5), (5, 0), (3, 0, 4)])
def test_an_array_without_elements_has_a_layout(shape: tuple[int, ...]) -> None:
    layout = slab_layout(regular_grid(shape, (2,) * len(shape)), 8, target=100, limit=1000)
    assert slabs_of(layout) == []


@given(st.integers(1, 100), st.integers(0, 100))
@example(1, 0)
def test_a_zero_dimensional_array_is_one_slab(limit: int, target: int) -> None:
    layout = slab_layout(regular_grid((), ()), 8, target=target, limit=limit)
    assert slabs_of(layout) == [(0, 0, 8)]
    assert layout.slab_bytes == 8
