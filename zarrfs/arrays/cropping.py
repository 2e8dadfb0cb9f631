"""A stored chunk or shard -> the same with fill value in place of what a smaller array cuts off.

Pure. Inner chunks that are not cut move as bytes; those that lie outside go.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from zarrfs.arrays.object_codecs import encode_chunk
from zarrfs.codecs.shard_bytes import find_inner_chunk, rebuild_shard

if TYPE_CHECKING:
    from zarrfs.arrays.object_codecs import ObjectCodecs
    from zarrfs.arrays.regions import Coords
    from zarrfs.codecs.base import Buffer
    from zarrfs.codecs.sharding import Pipeline


def crop(
    codecs: ObjectCodecs, data: Buffer, extent: tuple[int, ...], *, write_empty_chunks: bool
) -> Buffer | None:
    """Put the fill value behind a part of an object.

    Parameters
    ----------
    codecs
        The object's.
    data
        The object as it is stored.
    extent
        Elements to keep along each axis, counted from its first; at least 1.
    write_empty_chunks
        Whether chunks that hold only the fill value are stored.

    Returns
    -------
    Buffer | None
        The new object; ``None`` if it need not be stored.

    Raises
    ------
    CodecError
        If the object is damaged, where that matters.
    """
    levels, chunk = codecs.levels, codecs.chunk
    if not levels:
        return _crop_chunk(chunk, data, extent, write_empty_chunks=write_empty_chunks)
    changes: dict[Coords, Buffer | None] = {}
    lengths = chunk.spec.shape
    n_chunks = (whole // n for whole, n in zip(codecs.pipeline.spec.shape, lengths, strict=True))
    for coords in itertools.product(*map(range, n_chunks)):
        kept = tuple(e - c * n for e, c, n in zip(extent, coords, lengths, strict=True))
        if all(k >= n for k, n in zip(kept, lengths, strict=True)):
            continue
        changes[coords] = None
        if min(kept) > 0 and (inner := find_inner_chunk(levels, data, coords)) is not None:
            changes[coords] = _crop_chunk(chunk, inner, kept, write_empty_chunks=write_empty_chunks)
    return rebuild_shard(levels, data, changes)


def _crop_chunk(
    pipeline: Pipeline, data: Buffer, extent: tuple[int, ...], *, write_empty_chunks: bool
) -> Buffer | None:
    kept = tuple(slice(0, n) for n in extent)
    chunk = pipeline.spec.filled()
    chunk[kept] = pipeline.decode(data)[kept]
    return encode_chunk(pipeline, chunk, write_empty_chunks=write_empty_chunks)
