from __future__ import annotations

import numpy as np
import pytest

from benchmarks.arrays import STANDARD_ARRAYS

NAMES = list(STANDARD_ARRAYS)


def test_all_arrays_but_one_are_one_gib() -> None:
    sizes = {name: array.nbytes >> 20 for name, array in STANDARD_ARRAYS.items()}
    assert sizes == {**dict.fromkeys(NAMES, 1024), "small": 256}


def test_chunks_are_counted_inside_shards() -> None:
    assert STANDARD_ARRAYS["i"].n_chunks == 16 * 16 * 8
    assert STANDARD_ARRAYS["vi"].n_chunks == 32 * 32 * 16


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("divisor", [1, 4, 16, 64])
def test_scaled_array_is_smaller_by_just_that_if_chunks_allow(name: str, divisor: int) -> None:
    array = STANDARD_ARRAYS[name]
    assert array.scaled(divisor).nbytes == array.nbytes // divisor


def test_array_of_one_chunk_cannot_be_scaled_further() -> None:
    assert STANDARD_ARRAYS["iii"].scaled(10**6).shape == (512, 512)


@pytest.mark.parametrize("name", NAMES)
def test_pieces_fill_the_array_and_share_no_stored_object(name: str) -> None:
    array = STANDARD_ARRAYS[name].scaled(4)
    edges = [0, *(stop for _, stop in array.pieces())]
    assert [start for start, _ in array.pieces()] == edges[:-1]
    assert edges[-1] == array.shape[0]
    assert all(edge % array.rows == 0 for edge in edges[:-1])


@pytest.mark.parametrize("name", ["i", "iii", "iv"])
def test_elements_are_the_same_at_each_call_and_differ_from_row_to_row(name: str) -> None:
    array = STANDARD_ARRAYS[name].scaled(10**6)
    elements = array.elements(0, array.shape[0])
    assert elements.dtype == array.dtype
    assert elements.shape == array.shape
    assert np.array_equal(elements, array.elements(0, array.shape[0]))
    assert not np.array_equal(elements, array.elements(array.rows, array.rows + array.shape[0]))
