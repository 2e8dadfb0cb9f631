"""Coordinates of a stored object -> the codecs for it: of an irregular grid, one set a shape.

Law: objects of equal shape have the same codecs. Kept within a bound, built when first needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zarrfs.arrays.memory import MACHINE_BYTES
from zarrfs.codecs.base import ChunkSpec
from zarrfs.codecs.pipeline import CodecPipeline, build_pipeline
from zarrfs.errors import CodecError, MetadataError

if TYPE_CHECKING:
    from zarrfs.arrays.regions import Coords
    from zarrfs.codecs.base import Array, Buffer
    from zarrfs.codecs.sharding import Pipeline, ShardingCodec
    from zarrfs.format.metadata import ArrayMetadata

SLACK = 2**20
"""Bytes that a stored chunk may be larger than it could be, and is still fetched: its codecs say
better what is wrong with it."""

# Shapes whose codecs are kept; one more forgets them all, which costs building them again.
MAX_SHAPES = 256


@dataclass(frozen=True, slots=True)
class ObjectCodecs:
    """How objects of one shape are encoded."""

    pipeline: CodecPipeline
    """All of an object."""

    levels: tuple[ShardingCodec, ...]
    """The shards around a chunk that can be read on its own, the outermost first."""

    chunk: Pipeline
    """Such a chunk; the whole object if it is no shard."""

    most: int
    """Bytes of a stored chunk that are worth fetching: twice what any encoder makes of it, and
    something for what decoders ignore behind it, or all memory if nothing bounds it."""

    def too_large(self, key: str, size: int) -> CodecError | None:
        """Refuse so many stored bytes, before they are fetched, if no chunk can take as many."""
        if size <= self.most:
            return None
        reason = f"a stored chunk has {size} bytes, more than the {self.most} that one can take"
        return CodecError("its codecs", "decode", reason, key=key)


class ArrayCodecs:
    """The codecs of one array, for each shape in which objects are stored.

    May be used by many threads.

    Raises
    ------
    UnsupportedError
        If the array uses a codec that zarrfs does not have.
    MetadataError
        If its codecs do not fit together, or inner chunks do not divide all shards.
    """

    def __init__(self, metadata: ArrayMetadata) -> None:
        self._metadata = metadata
        grid = metadata.chunk_grid
        self.largest = self._build(grid.largest_shape)
        """Those of a chunk than which none is larger along any axis; all chunks', if equal."""
        self._is_uniform = grid.is_uniform
        self._by_shape = {grid.largest_shape: self.largest}
        for level in self.largest.levels[:1]:
            for dimension, axis in enumerate(grid.axes):
                inner = level.inner_shape[dimension]
                for length in axis.stored_lengths:
                    if length % inner:
                        reason = f"has a chunk of {length} along dimension {dimension}"
                        reason += f", which inner chunks of {inner} do not divide"
                        raise MetadataError(reason, field="chunk_grid")

    def of(self, coords: Coords) -> ObjectCodecs:
        """Codecs of one object.

        Raises
        ------
        MetadataError, UnsupportedError
            If they do not fit its shape.
        """
        if self._is_uniform:
            return self.largest
        shape = self._metadata.chunk_grid.stored_shape(coords)
        found = self._by_shape.get(shape)
        if found is None:
            found = self._build(shape)
            if len(self._by_shape) >= MAX_SHAPES:
                self._by_shape.clear()
            self._by_shape[shape] = found
        return found

    def _build(self, shape: tuple[int, ...]) -> ObjectCodecs:
        metadata = self._metadata
        spec = ChunkSpec(shape=shape, dtype=metadata.dtype, fill_value=metadata.fill_value)
        try:
            whole = build_pipeline(metadata.codecs, spec)
        except RecursionError as error:
            reason = "stand inside each other, too many levels deep"
            raise MetadataError(reason, field="codecs") from error
        levels: list[ShardingCodec] = []
        chunk: Pipeline = whole
        while (sharding := chunk.sharding) is not None:
            levels.append(sharding)
            chunk = sharding.inner
        return ObjectCodecs(whole, tuple(levels), chunk, _most(chunk))


def encode_chunk(pipeline: Pipeline, chunk: Array, *, write_empty_chunks: bool) -> Buffer | None:
    """Encode a chunk; ``None`` if it holds only the fill value, and such are not stored."""
    if not write_empty_chunks and pipeline.spec.is_fill(chunk):
        return None
    return pipeline.encode(chunk)


def _most(chunk: Pipeline) -> int:
    if chunk.spec.dtype.hasobject:
        return MACHINE_BYTES
    return min(2 * chunk.encoded_spec.limit(0) + SLACK, MACHINE_BYTES)
