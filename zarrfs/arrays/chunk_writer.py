"""New elements -> stored objects: which objects, what of the old ones stays, encode, store.

Blocking. An object, a chunk or a shard, is stored whole or not at all; one of which nothing stays
is not read first. In a shard only inner chunks that change are encoded, and only those that change
in part are decoded; the others move as bytes. What lies over the array's edge is filled when a
chunk is written whole, and kept as it was when it is written in part.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from zarrfs.arrays.cropping import crop
from zarrfs.arrays.object_codecs import ArrayCodecs, encode_chunk
from zarrfs.arrays.object_locks import object_lock
from zarrfs.arrays.parallel import for_each
from zarrfs.codecs.shard_bytes import find_inner_chunk, rebuild_shard
from zarrfs.errors import CodecError, KeyNotFoundError, ReadOnlyError
from zarrfs.format.chunk_grids import regular_grid
from zarrfs.format.chunk_keys import chunk_finder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from zarrfs.arrays.assignment import Edit
    from zarrfs.arrays.counters import Counters
    from zarrfs.arrays.decode_pool import DecodePool
    from zarrfs.arrays.object_codecs import ObjectCodecs
    from zarrfs.arrays.regions import Coords
    from zarrfs.codecs.base import Buffer
    from zarrfs.codecs.sharding import Pipeline
    from zarrfs.format.metadata import ArrayMetadata
    from zarrfs.stores.base import Store


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

    @cached_property
    def _codecs(self) -> ArrayCodecs:
        """Built when something is written: most arrays are only read."""
        return ArrayCodecs(self._metadata)

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
        n_objects = edit.selection.n_pieces(grid)
        for_each(pool, edit.parts(grid), lambda part: self._edit(*part), n_items=n_objects)

    def require_writable(self) -> None:
        """Raise `ReadOnlyError` if the store cannot be written."""
        if not self._store.capabilities.writable:
            reason = "the store is read-only"
            raise ReadOnlyError("set", self._prefix, reason, store=self._store.url)

    def clear_outside(self, shape: tuple[int, ...], pool: DecodePool) -> None:
        """Take away what lies outside of a smaller shape, so that growing again shows fill value.

        Objects outside are deleted, those that are cut are filled there. The array's objects are
        listed for that.

        Raises
        ------
        ReadOnlyError
            If the store cannot be written.
        UnsupportedError
            If the keys of the array do not tell which chunks they are.
        CodecError, StoreError
            The first that hit any object, which it names.
        """
        self.require_writable()
        for_each(pool, self._cut_by(shape), lambda cut: self._clear(*cut), n_items=pool.n_threads)

    def _cut_by(self, shape: tuple[int, ...]) -> Iterator[tuple[Coords, tuple[int, ...]]]:
        """Yield the objects that reach out of a shape, and what of them lies inside."""
        grid = self._metadata.chunk_grid
        find = chunk_finder(self._metadata.chunk_key_encoding, grid.grid_shape)
        for key in self._store.list_prefix(self._prefix):
            coords = find(key.removeprefix(self._prefix))
            if coords is None:
                continue
            starts = [axis.start(c) for axis, c in zip(grid.axes, coords, strict=True)]
            stops = [axis.start(c + 1) for axis, c in zip(grid.axes, coords, strict=True)]
            if any(stop > n for stop, n in zip(stops, shape, strict=True)):
                inside = zip(starts, stops, shape, strict=True)
                yield coords, tuple(min(stop, n) - start for start, stop, n in inside)

    def _clear(self, coords: Coords, extent: tuple[int, ...]) -> None:
        def cropped(codecs: ObjectCodecs, old: Buffer | None) -> Buffer | None:
            if old is None or min(extent) <= 0:
                return None
            return crop(codecs, old, extent, write_empty_chunks=self._write_empty_chunks)

        self._replace(coords, cropped, reads=min(extent) > 0)

    def _edit(self, coords: Coords, edit: Edit) -> None:
        self._replace(
            coords, lambda codecs, old: self._encode(codecs, old, edit), reads=not edit.is_whole
        )

    def _replace(
        self,
        coords: Coords,
        encode: Callable[[ObjectCodecs, Buffer | None], Buffer | None],
        *,
        reads: bool,
    ) -> None:
        """Store what is made of an object's old bytes, if those are read; ``None`` deletes it."""
        key = self._prefix + self._metadata.chunk_key_encoding.encode(coords)
        codecs = self._codecs.of(coords)
        with object_lock(self._store.url, key):
            old = self._get(key) if reads else None
            try:
                new = encode(codecs, old)
            except CodecError as error:
                raise error.at(key) from error
            if new is not None:
                self._store.set(key, new)
                self._counters.add(objects_written=1, bytes_stored=len(new))
            elif old is not None or not reads:
                self._store.delete(key)
        self._changed(key, coords)

    def _get(self, key: str) -> Buffer | None:
        try:
            return self._store.get(key)
        except KeyNotFoundError:
            return None

    def _encode(self, codecs: ObjectCodecs, old: Buffer | None, edit: Edit) -> Buffer | None:
        """Encode an object with new elements; ``None`` if it need not be stored."""
        levels, chunk = codecs.levels, codecs.chunk
        if not levels:
            return self._edit_chunk(chunk, old, edit)
        changes: dict[Coords, Buffer | None] = {}
        for coords, part in edit.parts(regular_grid(codecs.pipeline.spec.shape, chunk.spec.shape)):
            inner = None
            if old is not None and not part.is_whole:
                inner = find_inner_chunk(levels, old, coords)
            changes[coords] = self._edit_chunk(chunk, inner, part)
        return rebuild_shard(levels, old, changes)

    def _edit_chunk(self, pipeline: Pipeline, old: Buffer | None, edit: Edit) -> Buffer | None:
        if edit.is_whole:
            chunk = edit.new_chunk(pipeline.spec)
        else:
            chunk = pipeline.spec.filled() if old is None else pipeline.decode(old).copy()
            edit.apply(chunk)
        return encode_chunk(pipeline, chunk, write_empty_chunks=self._write_empty_chunks)
