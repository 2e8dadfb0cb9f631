"""New elements -> stored objects: which objects, what of the old ones stays, encode, store.

Blocking. An object, a chunk or a shard, is stored whole or not at all; one of which nothing stays
is not read first. In a shard only inner chunks that change are encoded, and only those that change
in part are decoded; the others move as bytes. What lies over the array's edge is filled when a
chunk is written whole, and kept as it was when it is written in part.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zarrfs.arrays.object_locks import object_lock
from zarrfs.arrays.parallel import for_each
from zarrfs.codecs.base import ChunkSpec
from zarrfs.codecs.pipeline import build_pipeline
from zarrfs.codecs.shard_bytes import find_inner_chunk, rebuild_shard
from zarrfs.errors import CodecError, KeyNotFoundError, ReadOnlyError
from zarrfs.format.chunk_grids import regular_grid

if TYPE_CHECKING:
    from collections.abc import Callable

    from zarrfs.arrays.assignment import Edit
    from zarrfs.arrays.counters import Counters
    from zarrfs.arrays.decode_pool import DecodePool
    from zarrfs.arrays.regions import Coords
    from zarrfs.codecs.base import Buffer
    from zarrfs.codecs.pipeline import CodecPipeline
    from zarrfs.codecs.sharding import Pipeline, ShardingCodec
    from zarrfs.format.metadata import ArrayMetadata
    from zarrfs.stores.base import Store

# Pipelines kept for chunks of different shapes; one more forgets them all, which costs building
# them again.
MAX_PIPELINES = 256


class ChunkWriter:
    """Writes the chunks of one array.

    Parameters
    ----------
    store
        Where the array lies.
    prefix
        Prefix of the array's keys, ending in ``/`` unless empty.
    metadata
        The array.
    counters
        Where to count objects and bytes.
    changed
        Called with key and coordinates of each object that has been stored or deleted.
    write_empty_chunks
        Whether chunks that hold only the fill value are stored.
    """

    def __init__(
        self,
        store: Store,
        prefix: str,
        metadata: ArrayMetadata,
        counters: Counters,
        changed: Callable[[str, Coords], None],
        *,
        write_empty_chunks: bool,
    ) -> None:
        self._store = store
        self._prefix = prefix
        self._metadata = metadata
        self._counters = counters
        self._changed = changed
        self._write_empty_chunks = write_empty_chunks
        self._pipelines: dict[tuple[int, ...], CodecPipeline] = {}

    def write(self, edit: Edit, pool: DecodePool) -> None:
        """Put new elements into the array, a stored object at a time on each thread.

        Raises
        ------
        ReadOnlyError
            If the store cannot be written.
        CodecError, StoreError
            The first that hit any object, which it names. Other objects may have been stored.
        """
        self.require_writable()
        grid = self._metadata.chunk_grid
        n_objects = 1
        for axis, chosen in zip(grid.axes, edit.selection.axes, strict=True):
            if not chosen.count:
                return
            last = chosen.start + (chosen.count - 1) * chosen.step
            n_objects *= abs(axis.find(last) - axis.find(chosen.start)) + 1
        for_each(pool, edit.parts(grid), lambda part: self._edit(*part), n_items=n_objects)

    def require_writable(self) -> None:
        """Raise `ReadOnlyError` if the store cannot be written."""
        if not self._store.capabilities.writable:
            reason = "the store is read-only"
            raise ReadOnlyError("set", self._prefix, reason, store=self._store.url)

    def _edit(self, coords: Coords, edit: Edit) -> None:
        key = self._prefix + self._metadata.chunk_key_encoding.encode(coords)
        pipeline = self._pipeline(coords)
        with object_lock(self._store.url, key):
            old = None if edit.is_whole else self._get(key)
            try:
                new = self._encode(pipeline, old, edit)
            except CodecError as error:
                raise error.at(key) from error
            if new is not None:
                self._store.set(key, new)
                self._counters.add(objects_written=1, bytes_stored=len(new))
            elif edit.is_whole or old is not None:
                self._store.delete(key)
        self._changed(key, coords)

    def _get(self, key: str) -> Buffer | None:
        try:
            return self._store.get(key)
        except KeyNotFoundError:
            return None

    def _pipeline(self, coords: Coords) -> CodecPipeline:
        shape = self._metadata.chunk_grid.stored_shape(coords)
        pipeline = self._pipelines.get(shape)
        if pipeline is None:
            spec = ChunkSpec(
                shape=shape, dtype=self._metadata.dtype, fill_value=self._metadata.fill_value
            )
            if len(self._pipelines) >= MAX_PIPELINES:
                self._pipelines.clear()
            pipeline = self._pipelines[shape] = build_pipeline(self._metadata.codecs, spec)
        return pipeline

    def _encode(self, pipeline: CodecPipeline, old: Buffer | None, edit: Edit) -> Buffer | None:
        """Encode an object with new elements; ``None`` if it need not be stored."""
        levels: list[ShardingCodec] = []
        innermost: Pipeline = pipeline
        while (sharding := innermost.sharding) is not None:
            levels.append(sharding)
            innermost = sharding.inner
        if not levels:
            return self._encode_chunk(innermost, old, edit)
        changes: dict[Coords, Buffer | None] = {}
        for coords, part in edit.parts(regular_grid(pipeline.spec.shape, innermost.spec.shape)):
            is_kept = old is not None and not part.is_whole
            inner = find_inner_chunk(levels, old, coords) if old is not None and is_kept else None
            changes[coords] = self._encode_chunk(innermost, inner, part)
        return rebuild_shard(levels, old, changes)

    def _encode_chunk(self, pipeline: Pipeline, old: Buffer | None, edit: Edit) -> Buffer | None:
        if edit.is_whole:
            chunk = edit.new_chunk(pipeline.spec)
        else:
            chunk = pipeline.spec.filled() if old is None else pipeline.decode(old).copy()
            edit.apply(chunk)
        if not self._write_empty_chunks and pipeline.spec.is_fill(chunk):
            return None
        return pipeline.encode(chunk)
