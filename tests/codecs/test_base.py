from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contracts.codec_contract import NUMBERS, OTHERS, SHAPES_WITH_EMPTY, random_array, same
from zarrfs.codecs.base import ChunkSpec, array_bytes

RECORD = np.dtype([("a", "<i2"), ("b", "f8")])


@given(SHAPES_WITH_EMPTY, st.sampled_from([*NUMBERS, *OTHERS, RECORD]), st.integers(0, 99))
def test_filled_chunk_is_fill(shape: tuple[int, ...], dtype: Any, seed: int) -> None:
    fill = random_array((), np.dtype(dtype), seed)[()]
    spec = ChunkSpec(shape=shape, dtype=np.dtype(dtype), fill_value=fill)
    array = spec.filled()
    assert same(array, np.full(shape, fill, dtype))
    assert array.flags.writeable
    assert spec.is_fill(array)
    assert spec.nbytes == array.nbytes


def test_last_nuls_of_the_only_element_count() -> None:
    spec = ChunkSpec(shape=(), dtype=np.dtype("S3"), fill_value=b"\1")
    assert spec.is_fill(np.array(b"\1", "S3"))
    assert not spec.is_fill(np.array(b"\1\0\1", "S3"))


@given(st.sampled_from([*NUMBERS, *OTHERS, RECORD]), st.integers(0, 23), st.integers(1, 255))
def test_chunk_with_one_other_byte_is_not_fill(dtype: Any, place: int, change: int) -> None:
    spec = ChunkSpec(shape=(2, 3), dtype=np.dtype(dtype), fill_value=np.zeros((), dtype)[()])
    raw = bytearray(spec.nbytes)
    raw[place % len(raw)] ^= change
    assert not spec.is_fill(np.ndarray((2, 3), dtype, buffer=raw))


@pytest.mark.parametrize(
    ("fill", "element"), [(0.0, -0.0), (np.nan, np.uint64(0x7FF8000000000001).view("f8"))]
)
def test_signed_zeros_and_nan_payloads_are_data(fill: float, element: float) -> None:
    spec = ChunkSpec(shape=(1,), dtype=np.dtype("f8"), fill_value=fill)
    assert spec.is_fill(np.array([fill]))
    assert not spec.is_fill(np.array([element]))


def test_elements_of_no_bytes_are_all_fill() -> None:
    spec = ChunkSpec(shape=(2,), dtype=np.dtype("S0"), fill_value=b"")
    assert spec.is_fill(np.zeros(2, "S0"))


@pytest.mark.parametrize("fill", ["", b"ab", None])
def test_objects_are_compared_by_value(fill: Any) -> None:
    spec = ChunkSpec(shape=(2,), dtype=np.dtype(object), fill_value=fill)
    array = spec.filled()
    assert list(array) == [fill, fill]
    assert spec.is_fill(array)
    array[1] = "other"
    assert not spec.is_fill(array)


@pytest.mark.parametrize(
    ("fill", "element"), [(0, False), (1, 1.0), (None, np.array([])), ("", np.array([1, 2]))]
)
def test_objects_of_another_type_are_data(fill: Any, element: Any) -> None:
    array = np.empty(1, object)
    array[0] = element
    assert not ChunkSpec(shape=(1,), dtype=np.dtype(object), fill_value=fill).is_fill(array)


@pytest.mark.parametrize(
    ("element", "is_fill"),
    [([1, 2], True), ([1, 3], False), ([1, 2, 3], False), ([1.0, 2.0], False)],
)
def test_objects_that_are_arrays_are_compared_as_a_whole(element: Any, is_fill: bool) -> None:
    array = np.empty(1, object)
    array[0] = np.array(element)
    spec = ChunkSpec(shape=(1,), dtype=np.dtype(object), fill_value=np.array([1, 2]))
    assert spec.is_fill(array) is is_fill


@pytest.mark.parametrize("fill", [[], [1], {"a": [1, 2]}])
def test_fill_value_may_be_a_list(fill: Any) -> None:
    array = ChunkSpec(shape=(2,), dtype=np.dtype(object), fill_value=fill).filled()
    assert list(array) == [fill, fill]


def test_bytes_of_an_array_are_its_memory_where_it_is_contiguous() -> None:
    array = np.arange(6, dtype="i4").reshape(2, 3)
    assert np.shares_memory(np.frombuffer(array_bytes(array), np.uint8), array)
    assert bytes(array_bytes(array.T)) == array.T.tobytes()
    assert array_bytes(array[:0]) == b""
