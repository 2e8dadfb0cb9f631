from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zarrfs.arrays.placing import has_places, is_at, place_of, put, region_of
from zarrfs.codecs.base import ChunkSpec

ARRAY = np.zeros((8, 6), "<u2")


def spec(shape: tuple[int, ...], dtype: str = "<u2") -> ChunkSpec:
    return ChunkSpec(shape=shape, dtype=np.dtype(dtype), fill_value=0)


@pytest.mark.parametrize(
    ("region", "chunk"),
    [
        (ARRAY[2:4], spec((2, 6))),
        (ARRAY[3:4, 2:5], spec((1, 3))),
        (ARRAY[1, 1, ...], spec(())),
    ],
)
def test_a_region_that_a_chunk_fills_as_it_is_has_a_place(
    region: npt.NDArray[Any], chunk: ChunkSpec
) -> None:
    place = place_of(region, chunk)
    assert place is not None
    place[:] = bytes(range(len(place)))
    assert region.tobytes() == bytes(range(chunk.nbytes))


@pytest.mark.parametrize(
    ("region", "chunk"),
    [
        (ARRAY[2:4, :3], spec((2, 3))),
        (ARRAY[2:4], spec((3, 6))),
        (ARRAY[::2], spec((4, 6))),
        (ARRAY[2:4], spec((2, 6), ">u2")),
        (ARRAY[:0], spec((0, 6))),
        (np.zeros(3, object), spec((3,), "O")),
    ],
    ids=["gaps", "cut at the edge", "steps", "byte order", "empty", "objects"],
)
def test_other_regions_have_none(region: npt.NDArray[Any], chunk: ChunkSpec) -> None:
    assert place_of(region, chunk) is None


def test_a_chunk_is_in_its_place_only_if_no_element_has_to_move() -> None:
    square = np.arange(9, dtype="<u2").reshape(3, 3)
    assert is_at(square, square)
    assert not is_at(square.T, square), "the same memory, in another order"
    assert not is_at(square.copy(), square)


@pytest.mark.parametrize(
    ("shape", "chunk", "expected"),
    [
        ((8, 6), (2, 6), True),
        ((8, 6), (2, 3), False),
        ((8, 6), (1, 3), True),
        ((8, 6, 4), (1, 2, 4), True),
        ((8, 6, 4), (2, 6, 2), False),
        ((9,), (4,), True),
        ((), (), True),
        ((8, 6), (1, 1), True),
    ],
)
def test_chunks_have_places_where_some_region_has_one(
    shape: tuple[int, ...], chunk: tuple[int, ...], expected: bool
) -> None:
    assert has_places(shape, spec(chunk)) is expected
    corner = region_of(np.zeros(shape, "<u2"), tuple(slice(0, n) for n in chunk))
    assert (place_of(corner, spec(chunk)) is not None) is expected


def test_put_copies_what_lies_elsewhere_and_fills_what_was_never_written() -> None:
    target, chunk = np.zeros((2, 3), "<u2"), np.arange(6, dtype="<u2").reshape(2, 3)
    whole = (slice(0, 2), slice(0, 3))
    put(target, None, chunk, whole, spec((2, 3)))
    assert np.array_equal(target, chunk)
    put(target[:1], None, chunk, (slice(1, 2), slice(0, 3)), spec((2, 3)))
    assert np.array_equal(target[0], chunk[1])
    put(target, None, None, whole, ChunkSpec(shape=(2, 3), dtype=target.dtype, fill_value=9))
    assert set(target.flat) == {9}


@given(
    dtype=st.sampled_from(["u1", "<u2", ">u2", "<c16", "M8[s]", "V3", [("a", "u1"), ("b", "<f4")]]),
    shape=st.lists(st.integers(1, 40), min_size=0, max_size=3).map(tuple),
    order=st.sampled_from("CF"),
    data=st.data(),
)
def test_put_gives_a_region_the_elements_of_any_part_of_a_chunk(
    dtype: Any, shape: tuple[int, ...], order: Any, data: st.DataObject
) -> None:
    chunk = np.zeros(shape, dtype, order=order)
    some = np.random.default_rng(0).integers(0, 64, chunk.nbytes, np.uint8)
    chunk[...] = np.frombuffer(some, chunk.dtype).reshape(shape)
    in_chunk = tuple(slice(data.draw(st.integers(0, n - 1)), n) for n in shape)
    part = region_of(chunk, in_chunk)
    target = np.zeros([n + 3 for n in part.shape], chunk.dtype.newbyteorder("="))
    region = region_of(target, tuple(slice(2, 2 + n) for n in part.shape))
    put(region, None, chunk, in_chunk, spec(shape))
    assert region.tolist() == part.tolist()
    rest = target.copy()
    region_of(rest, tuple(slice(2, 2 + n) for n in part.shape))[...] = np.zeros((), target.dtype)
    assert rest.tobytes() == bytes(rest.nbytes)
