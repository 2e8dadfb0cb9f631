"""Shape of an array -> shape of its chunks, for who does not want to choose. Pure arithmetic.

The rule, in this order:

1. A chunk has about 1 MiB of elements, decoded. Then a chunk's own cost (30 to 70 µs to find, fetch
   and place it, measured) is small beside decoding it (about 1 ms with zstd), and a single element
   costs no more than that. zarr-python 3 and h5py choose from 16 KiB to 64 MiB, growing with the
   array; tensorstore a million elements.
2. Arrays of more than 16 GiB get larger chunks, up to 8 MiB, so that there are about 16,384 of
   them: as many files or objects as are still handled well.
3. A row of chunks along the first axis is not larger than 32 MiB, if one can be: that is what is
   held in memory when the array is read from its first element to the last, as a flat file is.
4. Apart from that chunks are as long along one axis as along another, so that reading across any
   axis is as good: the longest is halved until the chunk is small enough.

Axes are cut into parts as equal as can be. An axis without elements counts as one of 1,024: it is
there to grow.
"""

from __future__ import annotations

import math

CHUNK_BYTES = 2**20
"""Decoded, of arrays that are not huge."""

MAX_CHUNK_BYTES = 8 * 2**20
"""Decoded, of any array."""

MOST_CHUNKS = 2**14
"""So many chunks are worth larger ones."""

ROW_BYTES = 32 * 2**20
"""Of a row of chunks along the first axis."""

LENGTH_OF_EMPTY_AXIS = 1024

BYTES_OF_OBJECT = 64
"""What an element of variable length is taken to have."""


def choose_chunk_shape(shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    """Choose the shape of chunks by the rule above.

    Parameters
    ----------
    shape
        Elements of the array along each axis.
    itemsize
        Bytes of one element.

    Returns
    -------
    tuple of int
        At least 1 along each axis, and no more than the array has there.
    """
    if not shape:
        return ()
    lengths = [n or LENGTH_OF_EMPTY_AXIS for n in shape]
    itemsize = max(1, itemsize)
    nbytes = math.prod(lengths) * itemsize
    target = min(max(CHUNK_BYTES, nbytes // MOST_CHUNKS), MAX_CHUNK_BYTES)
    rows = max(1, ROW_BYTES * lengths[0] // nbytes)
    n_parts = [-(-lengths[0] // rows), *(1 for _ in lengths[1:])]

    def chunk() -> list[int]:
        return [-(-n // parts) for n, parts in zip(lengths, n_parts, strict=True)]

    while math.prod(longest := chunk()) * itemsize > target and max(longest) > 1:
        axis = longest.index(max(longest))
        n_parts[axis] = -(-lengths[axis] // -(-longest[axis] // 2))
    return tuple(chunk())
