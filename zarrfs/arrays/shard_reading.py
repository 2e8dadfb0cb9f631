"""Coordinates of inner chunks -> their bytes: which shard, where in it, all of one version.

Blocking; run on the decode threads. Indexes of shards are kept, nothing else.
"""

from __future__ import annotations

from operator import floordiv, mod, mul
from typing import TYPE_CHECKING

from zarrfs.arrays.object_versions import MISSING
from zarrfs.arrays.shard_indexes import ShardIndexes
from zarrfs.byte_range import ByteRange
from zarrfs.codecs.sharding import NAME as SHARDING
from zarrfs.errors import CodecError, KeyNotFoundError, StoreError, ZarrfsError
from zarrfs.stores.base import Buffer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zarrfs.arrays.counters import Counters
    from zarrfs.arrays.object_codecs import ObjectCodecs
    from zarrfs.arrays.object_versions import ObjectVersions
    from zarrfs.arrays.regions import Coords
    from zarrfs.arrays.shard_indexes import IndexKey
    from zarrfs.codecs.sharding import ShardIndex, ShardingCodec
    from zarrfs.format.chunk_grids import ChunkGrid
    from zarrfs.stores.base import Store

Encoded = Buffer | ZarrfsError | None
"""A chunk as stored; ``None`` for one that was never written; or why it cannot be had."""

# How often an inner chunk is read again because its shard was replaced between index and chunk.
MAX_ATTEMPTS = 5


class ShardReader:
    """Reads the inner chunks of one array.

    Parameters
    ----------
    store
        Where the shards lie.
    shards, inner
        Grids of the shards and of the inner chunks, which divide all shards.
    versions, counters
        Where to note what was read.
    """

    def __init__(
        self,
        store: Store,
        shards: ChunkGrid,
        inner: ChunkGrid,
        versions: ObjectVersions,
        counters: Counters,
    ) -> None:
        self._store = store
        self._versions = versions
        self._counters = counters
        self._axes = tuple(zip(shards.axes, inner.axes, strict=True))
        self._inner_shape = inner.largest_shape
        # Inner chunks in a shard, along each axis, if they are as many in each: told for each
        # chunk, so that it has to be quick.
        self._per_shard: Coords | None = None
        if shards.is_uniform:
            sizes = zip(shards.largest_shape, self._inner_shape, strict=True)
            self._per_shard = tuple(max(1, shard // max(1, n)) for shard, n in sizes)
        self._indexes = ShardIndexes()

    def object_coords(self, coords: Coords) -> Coords:
        """Return the shard that holds an inner chunk."""
        if self._per_shard is not None:
            return tuple(map(floordiv, coords, self._per_shard))
        return tuple(
            outer.find(inner.start(c)) for (outer, inner), c in zip(self._axes, coords, strict=True)
        )

    def inner_chunks(
        self, key: str, codecs: ObjectCodecs, wanted: Sequence[Coords]
    ) -> Sequence[Encoded]:
        """Fetch inner chunks of a shard, all of the version that their index is of.

        An index of another version would give wrong bytes where nothing tells: uncompressed, or
        another inner chunk's.

        Parameters
        ----------
        key, codecs
            The shard, and how it is encoded.
        wanted
            Inner chunks of it, by their coordinates in the array.

        Raises
        ------
        StoreError
            If the shard cannot be read, or is replaced again and again.
        """
        for _ in range(MAX_ATTEMPTS):
            version = self._versions.present(key)
            if version == MISSING:
                return [None] * len(wanted)
            encoded = self._by_index(key, version, codecs, wanted)
            if self._versions.present(key) == version:
                return encoded
        reason = f"it was replaced {MAX_ATTEMPTS} times while it was read"
        raise StoreError("get", key, reason, store=self._store.url)

    def forget_object(self, key: str) -> None:
        """Drop the index of one shard."""
        self._indexes.drop(key)

    def forget(self) -> None:
        """Drop all indexes."""
        self._indexes.clear()

    def _by_index(
        self, key: str, version: str, codecs: ObjectCodecs, wanted: Sequence[Coords]
    ) -> Sequence[Encoded]:
        places: list[ByteRange | ZarrfsError | None] = []
        try:
            outermost = self._index((key, version, 0, ByteRange(0)), codecs.levels[0])
        except CodecError as error:  # told once: it is read again for each chunk that needs it
            return [error.at(key)] * len(wanted)
        if outermost is None:
            return [None] * len(wanted)
        for coords in wanted:
            try:
                place = self._place(key, version, codecs.levels, outermost, coords)
                size = 0 if place is None else place.size or 0
                places.append(codecs.too_large(key, size) or place)
            except CodecError as error:
                places.append(error.at(key))
        ranges = [place for place in places if isinstance(place, ByteRange)]
        if not ranges:
            return [place for place in places if not isinstance(place, ByteRange)]
        try:
            fetched = self._store.get_ranges(key, ranges)
        except KeyNotFoundError:
            return [None] * len(wanted)
        self._counters.add(objects_read=1, bytes_fetched=sum(map(len, fetched)))
        parts = iter(fetched)
        return [
            _whole(key, place, next(parts)) if isinstance(place, ByteRange) else place
            for place in places
        ]

    def _place(
        self,
        key: str,
        version: str,
        levels: Sequence[ShardingCodec],
        outermost: ShardIndex,
        coords: Coords,
    ) -> ByteRange | None:
        """Where in its object an inner chunk lies; ``None`` if it was never written."""
        position = self._in_object(coords)
        index: ShardIndex | None = outermost
        shard = ByteRange(0)
        for depth, level in enumerate(levels):
            if depth:
                index = self._index((key, version, depth, shard), level)
            if index is None:
                return None
            inner = index.inner_range(tuple(map(floordiv, position, level.inner_shape)))
            if inner is None:
                return None
            shard = ByteRange(shard.offset + inner.offset, inner.size) if depth else inner
            position = tuple(map(mod, position, level.inner_shape))
        return shard

    def _in_object(self, coords: Coords) -> Coords:
        """Return the first element of an inner chunk, counted from that of its shard."""
        if self._per_shard is not None:
            return tuple(map(mul, map(mod, coords, self._per_shard), self._inner_shape))
        return tuple(
            inner.start(c) - outer.start(outer.find(inner.start(c)))
            for (outer, inner), c in zip(self._axes, coords, strict=True)
        )

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
            self._counters.add(bytes_fetched=len(data), shard_indexes_read=1)
            return level.parse_index(data, shard.size)

        return self._indexes.get(place_of, load)


def _whole(key: str, place: ByteRange, data: Buffer) -> Encoded:
    """Refuse an inner chunk that the object is too short for."""
    if len(data) == place.size:
        return data
    reason = (
        f"the index puts an inner chunk of {place.size} bytes at {place.offset}, out of the shard"
    )
    return CodecError(SHARDING, "decode", reason, key=key)
