from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zarrfs.arrays.chunk_shapes import (
    LENGTH_OF_EMPTY_AXIS,
    MAX_CHUNK_BYTES,
    ROW_BYTES,
    choose_chunk_shape,
)


@pytest.mark.parametrize(
    ("shape", "itemsize", "chunks"),
    [
        ((), 8, ()),
        ((10,), 8, (10,)),
        ((100, 100), 8, (100, 100)),
        ((1_000_000,), 8, (125_000,)),
        ((16384, 16384), 4, (512, 512)),
        # A year of hourly values on a globe: 8 rows of 4 MB are a row of chunks.
        ((8760, 721, 1440), 4, (8, 181, 360)),
        ((0, 100), 8, (1024, 100)),
        ((1, 10**9), 1, (1, 976_563)),
        ((10**5, 10**5, 10**5), 8, (1, 782, 782)),
    ],
)
def test_shapes_that_the_rule_gives(
    shape: tuple[int, ...], itemsize: int, chunks: tuple[int, ...]
) -> None:
    assert choose_chunk_shape(shape, itemsize) == chunks


@given(st.lists(st.integers(0, 10**6), max_size=6).map(tuple), st.integers(0, 10**5))
def test_chunks_are_neither_large_nor_larger_than_the_array(
    shape: tuple[int, ...], itemsize: int
) -> None:
    chunks = choose_chunk_shape(shape, itemsize)
    lengths = [n or LENGTH_OF_EMPTY_AXIS for n in shape]
    assert all(1 <= c <= n for c, n in zip(chunks, lengths, strict=True))
    nbytes = math.prod(chunks) * max(1, itemsize)
    assert nbytes <= max(MAX_CHUNK_BYTES, itemsize)
    if shape and math.prod(lengths) * itemsize > 2**20 >= itemsize:
        assert nbytes > 2**20 // 8
    if chunks[:1] > (1,):
        assert chunks[0] * math.prod(lengths[1:]) * itemsize <= ROW_BYTES
    for c, n in zip(chunks, lengths, strict=True):
        n_chunks = -(-n // c)
        assert c == -(-n // n_chunks)  # no shorter chunks would do with as many
