"""Chunk coordinates -> decoded chunks, through the store: which object, which bytes of it, decode.

Blocking; run on the decode threads. Nothing is cached here but shard indexes.
"""

from __future__ import annotations

import pickle
import time
from functools import cached_property
from typing import TYPE_CHECKING, Any

from zarrfs.arrays.counters import Counters
from zarrfs.arrays.memory import MACHINE_BYTES
from zarrfs.arrays.object_codecs import ArrayCodecs
from zarrfs.arrays.object_versions import MISSING, ObjectVersions
from zarrfs.arrays.shard_indexes import ShardIndexes
from zarrfs.byte_range import ByteRange
from zarrfs.codecs.base import Array
from zarrfs.codecs.sharding import NAME as SHARDING
from zarrfs.errors import (
    CodecError,
    KeyNotFoundError,
    MetadataError,
    StoreError,
    ZarrfsError,
)
from zarrfs.format.chunk_grids import ChunkGrid, regular_grid
from zarrfs.format.node_keys import V2_ARRAY, V3_DOCUMENT
from zarrfs.stores.base import Buffer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from zarrfs.arrays.object_codecs import ObjectCodecs
    from zarrfs.arrays.regions import Coords
    from zarrfs.arrays.scratch import Scratch
    from zarrfs.arrays.shard_indexes import IndexKey
    from zarrfs.codecs.sharding import Pipeline, ShardIndex, ShardingCodec
    from zarrfs.format.metadata import ArrayMetadata
    from zarrfs.stores.base import Store

Loaded = Array | ZarrfsError | None
"""A decoded chunk; ``None`` for one that was never written; or why it cannot be had."""

Encoded = Buffer | ZarrfsError | None
"""The same, not decoded yet."""

# How often an inner chunk is read again because its shard was replaced between index and chunk.
MAX_ATTEMPTS = 5


class ChunkReader:
    """Reads the chunks of one array: inner chunks if it is sharded, else whole objects.

    Parameters
    ----------
    store
        Where the array lies.
    prefix
        Prefix of the array's keys, ending in ``/`` unless empty.
    metadata
        The array.
    counters
        Where to count objects, bytes and decoded chunks.

    Raises
    ------
    UnsupportedError
        If the array uses a codec that zarrfs does not have.
    MetadataError
        If its codecs do not fit together.
    """

    def __init__(
        self, store: Store, prefix: str, metadata: ArrayMetadata, counters: Counters
    ) -> None:
        self._store = store
        self._prefix = prefix
        self._metadata = metadata
        self._encoding = metadata.chunk_key_encoding
        self.counters = counters
        """Sums of what was read and decoded."""
        self._indexes = ShardIndexes()
        self.versions = ObjectVersions(store)
        """Versions of the objects read so far."""

        self._object_grid = metadata.chunk_grid
        try:
            self._codecs = ArrayCodecs(metadata)
        except MetadataError as error:
            name = V3_DOCUMENT if metadata.zarr_format == 3 else V2_ARRAY
            raise error.at(prefix + name) from error
        self.is_sharded = bool(self._codecs.largest.levels)
        """Whether an object holds several chunks that are read one by one."""
        self.spec = self._codecs.largest.chunk.spec
        """What a decoded chunk is; the largest along each axis, where chunks differ."""

        # Inner chunks divide all shards, so they are equal even if shards are not.
        self.grid: ChunkGrid = (
            regular_grid(metadata.shape, self.spec.shape) if self.is_sharded else self._object_grid
        )
        """Grid of the chunks that are decoded one by one: inner chunks of sharded arrays."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle what is read, not what was: the store, the prefix and the metadata."""
        return _reader, (self._store, self._prefix, self._metadata)

    @cached_property
    def portable(self) -> bytes | None:
        """The reader for another process; ``None`` if it could not read the same there."""
        if not self._store.capabilities.multiprocess or self.spec.dtype.hasobject:
            return None
        try:
            return pickle.dumps(self)
        except Exception:  # noqa: BLE001 (a store, or a type of a plug-in, that cannot be)
            return None

    @property
    def has_quick_store(self) -> bool:
        """Whether the store answers at once, without a request to somewhere else."""
        return self._store.capabilities.cheap_stat

    def object_key(self, coords: Coords) -> str:
        """Store key of the object that holds a chunk."""
        return self._prefix + self._encoding.encode(self._object_coords(coords))

    def chunks_of(self, object_coords: Coords) -> Iterator[Coords]:
        """Yield the chunks that an object holds; none if it lies out of the array."""
        if not self.is_sharded:
            yield object_coords
            return
        ranges = []
        for outer, inner, c in zip(
            self._object_grid.axes, self.grid.axes, object_coords, strict=True
        ):
            if c >= outer.n_chunks:
                return
            last = inner.find(outer.start(c + 1) - 1)
            ranges.append(range(inner.find(outer.start(c)), last + 1))
        yield from _product(ranges)

    def index_nbytes(self, object_coords: Coords) -> int:
        """Bytes that the index of a shard takes at least; 0 of an object that is no shard."""
        levels = self._codecs.of(object_coords).levels
        return levels[0].index_nbytes if levels else 0

    def by_object(self, wanted: Iterable[Coords]) -> dict[str, list[Coords]]:
        """Group chunks by the object that holds them, in the order of first need."""
        groups: dict[str, list[Coords]] = {}
        for coords in wanted:
            groups.setdefault(self.object_key(coords), []).append(coords)
        return groups

    def load(
        self,
        key: str,
        wanted: Sequence[Coords],
        scratch: Scratch | None,
        place: Callable[[Coords], memoryview | None] = lambda _: None,
    ) -> Iterator[tuple[Coords, Loaded]]:
        """Read and decode chunks of one object.

        Parameters
        ----------
        key
            The object.
        wanted
            Chunks of it.
        scratch
            Buffers to read and decode into, or ``None``. A chunk may lie in them, and then lasts
            until the next one is asked for.
        place
            Where a chunk is to go in the end, if it goes there as it is: of exactly its size.
            It is decoded to there rather than to `scratch` if its codecs can; see
            `zarrfs.arrays.placing`.

        Yields
        ------
        coords, loaded
            One for each chunk wanted, in that order. Errors are yielded, not raised.
        """
        encoded: Sequence[Encoded]
        codecs = self._codecs.largest
        try:
            codecs = self._codecs.of(self._object_coords(wanted[0]))
            size = self.versions.record(key)
            too_large = None if codecs.levels else _too_large(key, size, codecs)
            if too_large is not None:
                self.versions.drop(key)  # it was not read
                encoded = [too_large]
            elif codecs.levels:
                encoded = self._inner_chunks(key, codecs, wanted)
            else:
                is_plain = not codecs.pipeline.bytes_bytes
                encoded = [self._object(key, scratch, place(wanted[0]) if is_plain else None)]
        except ZarrfsError as error:
            encoded = [error] * len(wanted)
        for coords, data in zip(wanted, encoded, strict=True):
            target = place(coords)
            buffer = scratch.decoded if target is None and scratch is not None else target
            yield coords, self._decode(key, codecs.chunk, data, buffer)

    def forget_object(self, key: str) -> None:
        """Drop what is remembered of one object of the store."""
        self._indexes.drop(key)
        self.versions.drop(key)

    def forget(self) -> None:
        """Drop what is remembered of the store's content."""
        self._indexes.clear()
        self.versions.forget()

    def _object_coords(self, coords: Coords) -> Coords:
        if not self.is_sharded:
            return coords
        return tuple(
            outer.find(inner.start(c))
            for outer, inner, c in zip(self._object_grid.axes, self.grid.axes, coords, strict=True)
        )

    def _object(self, key: str, scratch: Scratch | None, target: memoryview | None) -> Encoded:
        """Fetch a whole object, to `target` if it is given and the store can."""
        buffer = scratch.encoded if target is None and scratch is not None else target
        try:
            data = self._store.get(key) if buffer is None else self._store.get_into(key, buffer)
        except KeyNotFoundError:
            return None
        self.counters.add(objects_read=1, bytes_fetched=len(data))
        return data

    def _inner_chunks(
        self, key: str, codecs: ObjectCodecs, wanted: Sequence[Coords]
    ) -> Sequence[Encoded]:
        """Fetch inner chunks of a shard, all of the version that their index is of.

        An index of another version would give wrong bytes where nothing tells: uncompressed, or
        another inner chunk's.
        """
        for _ in range(MAX_ATTEMPTS):
            version = self.versions.present(key)
            if version == MISSING:
                return [None] * len(wanted)
            encoded = self._by_index(key, version, codecs, wanted)
            if self.versions.present(key) == version:
                return encoded
        reason = f"it was replaced {MAX_ATTEMPTS} times while it was read"
        raise StoreError("get", key, reason, store=self._store.url)

    def _by_index(
        self, key: str, version: str, codecs: ObjectCodecs, wanted: Sequence[Coords]
    ) -> Sequence[Encoded]:
        places: list[ByteRange | ZarrfsError | None] = []
        try:
            self._index((key, version, 0, ByteRange(0)), codecs.levels[0])
        except CodecError as error:  # told once: it is read again for each chunk that needs it
            return [error.at(key)] * len(wanted)
        for coords in wanted:
            try:
                place = self._place(key, version, codecs.levels, coords)
                size = 0 if place is None else place.size or 0
                places.append(_too_large(key, size, codecs) or place)
            except CodecError as error:
                places.append(error.at(key))
        ranges = [place for place in places if isinstance(place, ByteRange)]
        if not ranges:
            return [place for place in places if not isinstance(place, ByteRange)]
        try:
            fetched = self._store.get_ranges(key, ranges)
        except KeyNotFoundError:
            return [None] * len(wanted)
        self.counters.add(objects_read=1, bytes_fetched=sum(map(len, fetched)))
        parts = iter(fetched)
        return [
            _whole(key, place, next(parts)) if isinstance(place, ByteRange) else place
            for place in places
        ]

    def _place(
        self, key: str, version: str, levels: Sequence[ShardingCodec], coords: Coords
    ) -> ByteRange | None:
        """Where in its object an inner chunk lies; ``None`` if it was never written."""
        position = tuple(
            axis.start(c) - outer.start(outer.find(axis.start(c)))
            for axis, outer, c in zip(self.grid.axes, self._object_grid.axes, coords, strict=True)
        )
        shard = ByteRange(0)
        for depth, level in enumerate(levels):
            index = self._index((key, version, depth, shard), level)
            if index is None:
                return None
            at = tuple(p // n for p, n in zip(position, level.inner_shape, strict=True))
            inner = index.inner_range(at)
            if inner is None:
                return None
            shard = ByteRange(shard.offset + inner.offset, inner.size)
            position = tuple(p % n for p, n in zip(position, level.inner_shape, strict=True))
        return shard

    def _index(self, place_of: IndexKey, level: ShardingCodec) -> ShardIndex | None:
        key, _, _, shard = place_of

        def load() -> ShardIndex | None:
            place = level.index_range
            if shard.size is not None:  # nested: counted from the inner shard's own ends
                start, stop = place.resolve(shard.size)
                place = ByteRange(shard.offset + start, stop - start)
            try:
                data = self._store.get(key, place)
            except KeyNotFoundError:
                return None
            self.counters.add(bytes_fetched=len(data), shard_indexes_read=1)
            return level.parse_index(data, shard.size)

        return self._indexes.get(place_of, load)

    def _decode(
        self, key: str, pipeline: Pipeline, data: Encoded, buffer: memoryview | None
    ) -> Loaded:
        if data is None or isinstance(data, ZarrfsError):
            return data
        if pipeline.spec.nbytes > MACHINE_BYTES:
            reason = f"it has {pipeline.spec.nbytes} bytes when decoded, more than the memory of"
            reason += f" this machine, {MACHINE_BYTES}"
            return CodecError("its codecs", "decode", reason, key=key)
        started = time.perf_counter_ns()
        try:
            return pipeline.decode(data, buffer)
        except CodecError as error:
            return error.at(key)
        finally:
            self.counters.add(
                chunks_decoded=1,
                bytes_decoded=pipeline.spec.nbytes,
                decode_ns=time.perf_counter_ns() - started,
            )


def _reader(store: Store, prefix: str, metadata: ArrayMetadata) -> ChunkReader:
    return ChunkReader(store, prefix, metadata, Counters())


def _product(ranges: Sequence[range]) -> Iterator[Coords]:
    """Yield what `itertools.product` does, which keeps all of the ranges in memory."""
    if not ranges:
        yield ()
        return
    for first in ranges[0]:
        for rest in _product(ranges[1:]):
            yield (first, *rest)


def _too_large(key: str, size: int, codecs: ObjectCodecs) -> CodecError | None:
    """Refuse so many stored bytes, before they are fetched, if no chunk can take as many."""
    if size <= codecs.most:
        return None
    reason = f"a stored chunk has {size} bytes, more than the {codecs.most} that one can take"
    return CodecError("its codecs", "decode", reason, key=key)


def _whole(key: str, place: ByteRange, data: Buffer) -> Encoded:
    """Refuse an inner chunk that the object is too short for."""
    if len(data) == place.size:
        return data
    reason = (
        f"the index puts an inner chunk of {place.size} bytes at {place.offset}, out of the shard"
    )
    return CodecError(SHARDING, "decode", reason, key=key)
