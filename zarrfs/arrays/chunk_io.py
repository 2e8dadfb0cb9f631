"""Chunk coordinates -> decoded chunks, through the store: which object, which bytes of it, decode.

Blocking; run on the decode threads. Nothing is cached but shard indexes.
"""

from __future__ import annotations

import math
import pickle
import time
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from zarrfs.arrays.counters import Counters
from zarrfs.arrays.memory import MACHINE_BYTES
from zarrfs.arrays.object_codecs import ArrayCodecs
from zarrfs.arrays.object_versions import MISSING, ObjectVersions
from zarrfs.arrays.shard_reading import ShardReader
from zarrfs.arrays.wanted_chunk import nowhere
from zarrfs.byte_range import ByteRange
from zarrfs.codecs.base import Array
from zarrfs.errors import CodecError, KeyNotFoundError, MetadataError, StoreError, ZarrfsError
from zarrfs.format.chunk_grids import regular_grid
from zarrfs.format.node_keys import V2_ARRAY, V3_DOCUMENT

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from zarrfs.arrays.object_codecs import ObjectCodecs
    from zarrfs.arrays.regions import Coords
    from zarrfs.arrays.scratch import Scratch
    from zarrfs.arrays.shard_reading import Encoded
    from zarrfs.arrays.wanted_chunk import Place
    from zarrfs.codecs.sharding import Pipeline
    from zarrfs.format.metadata import ArrayMetadata
    from zarrfs.stores.base import Buffer, Store

# Smaller chunks are read whole, and kept: the next read of one costs nothing.
LEAST_PARTED_BYTES = 64 * 2**10

# Smaller chunks are not announced to the store, which takes it some microseconds for each.
LEAST_EXPECTED_BYTES = 256 * 2**10

Loaded = Array | ZarrfsError | None
"""A decoded chunk; ``None`` for one that was never written; or why it cannot be had."""


class FetchedChunks(NamedTuple):
    """Chunks of one object as they are stored. A tuple, for it is made for each chunk."""

    key: str
    wanted: Sequence[Coords]
    codecs: ObjectCodecs
    """Those of the object."""

    encoded: Sequence[Encoded]
    """One for each chunk wanted."""

    def part(self, first: int, n: int) -> FetchedChunks:
        """Return some of them."""
        stop = first + n
        return FetchedChunks(
            self.key, self.wanted[first:stop], self.codecs, self.encoded[first:stop]
        )


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
        self.versions = ObjectVersions(store)
        """Versions of the objects read so far."""
        self.has_quick_store = store.capabilities.cheap_stat
        """The store answers at once, without a request to somewhere else."""

        self._object_grid = metadata.chunk_grid
        try:
            self._codecs = ArrayCodecs(metadata)
        except MetadataError as error:
            name = V3_DOCUMENT if metadata.zarr_format == 3 else V2_ARRAY
            raise error.at(prefix + name) from error
        self.spec = self._codecs.largest.chunk.spec
        """What a decoded chunk is; the largest along each axis, where chunks differ."""

        is_regular = self._object_grid.chunk_shape is not None
        self.reads_parts = (
            self.has_quick_store
            and is_regular
            and self._codecs.largest.pipeline.is_plain
            and self.spec.nbytes >= LEAST_PARTED_BYTES
        )
        """`read_part` can read less than a chunk, and that is worth it."""
        self.decodes_in_place = is_regular and self._codecs.largest.chunk.decodes_in_place
        """All chunks are alike, and a place that is given holds one when it is decoded."""
        self._shards: ShardReader | None = None
        self.grid = self._object_grid
        """Grid of the chunks that are decoded one by one: inner chunks of sharded arrays."""
        if self._codecs.largest.levels:
            self.grid = regular_grid(metadata.shape, self.spec.shape)
            self._shards = ShardReader(
                store, self._object_grid, self.grid, self.versions, self.counters
            )

    @property
    def is_sharded(self) -> bool:
        """Whether an object holds several chunks that are read one by one."""
        return self._shards is not None

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

    def object_key(self, coords: Coords) -> str:
        """Store key of the object that holds a chunk."""
        return self._key(self._object_coords(coords))

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
        by_coords: dict[Coords, list[Coords]] = {}
        for coords in wanted:
            by_coords.setdefault(self._object_coords(coords), []).append(coords)
        groups: dict[str, list[Coords]] = {}
        for object_coords, group in by_coords.items():
            # Keys of a plug-in may be equal, though they must not be: no chunk may be lost.
            groups.setdefault(self._key(object_coords), []).extend(group)
        return groups

    def expect(self, wanted: Collection[Coords]) -> None:
        """Let the store begin to read what holds chunks that are loaded next."""
        if len(wanted) > 1 and self._shards is None and self.spec.nbytes >= LEAST_EXPECTED_BYTES:
            self._store.expect(map(self.object_key, wanted))

    def load(
        self,
        key: str,
        wanted: Sequence[Coords],
        scratch: Scratch | None,
        place: Place = nowhere,
    ) -> Iterator[tuple[Coords, Loaded]]:
        """Read and decode chunks of one object: `fetch` and `decode` in one."""
        buffer = scratch.encoded if scratch is not None else None
        return self.decode([self.fetch(key, wanted, buffer, place)], scratch, place)

    def fetch(
        self,
        key: str,
        wanted: Sequence[Coords],
        buffer: memoryview | None = None,
        place: Place = nowhere,
    ) -> FetchedChunks:
        """Read chunks of one object as they are stored; errors are kept, not raised.

        Parameters
        ----------
        key
            The object.
        wanted
            Chunks of it.
        buffer
            Memory to read a whole object into, if it has room for it.
        place
            Where a chunk is to go in the end: see `decode`. One that is stored as it is, is read
            to there.
        """
        encoded: Sequence[Encoded]
        codecs = self._codecs.largest
        try:
            codecs = self._codecs.of(self._object_coords(wanted[0]))
            if self._shards is not None:
                self.versions.record(key)
                encoded = self._shards.inner_chunks(key, codecs, wanted)
            else:
                target = place(wanted[0]) if not codecs.pipeline.bytes_bytes else None
                encoded = [self._object(key, codecs, buffer if target is None else target)]
        except ZarrfsError as error:
            encoded = [error] * len(wanted)
        return FetchedChunks(key, wanted, codecs, encoded)

    def decode(
        self,
        fetched: Iterable[FetchedChunks],
        scratch: Scratch | None,
        place: Place = nowhere,
    ) -> Iterator[tuple[Coords, Loaded]]:
        """Decode what was fetched.

        Parameters
        ----------
        fetched
            The chunks of each object, taken when the ones before are done with.
        scratch
            Buffers to decode into, or ``None``. A chunk may lie in them, and then lasts until the
            next one is asked for.
        place
            Where a chunk is to go in the end, if it goes there as it is: of exactly its size.
            It is decoded to there rather than to `scratch` if its codecs can; see
            `zarrfs.arrays.placing`.

        Yields
        ------
        coords, loaded
            One for each chunk wanted, in that order. Errors are yielded, not raised.
        """
        spare = scratch.decoded if scratch is not None else None
        for key, wanted, codecs, encoded in fetched:
            for coords, data in zip(wanted, encoded, strict=True):
                if data is None or isinstance(data, ZarrfsError):
                    yield coords, data
                    continue
                target = place(coords)
                buffer = spare if target is None else target
                yield coords, self._decode(key, codecs.chunk, data, buffer)

    def read_part(self, coords: Coords, in_chunk: tuple[slice, ...]) -> Array:
        """Read elements of a chunk that is stored as they are, and little besides.

        Parameters
        ----------
        coords
            The chunk; `reads_parts` holds.
        in_chunk
            Which elements of it, without steps.

        Raises
        ------
        ZarrfsError
            If the object is missing, or not of the size of a chunk. Who then loads the whole chunk
            gets what is to be there, or is told what is wrong.
        """
        shape, dtype = self.spec.shape, self.spec.dtype
        strides = [dtype.itemsize * math.prod(shape[i + 1 :]) for i in range(len(shape))]
        first = sum(part.start * n for part, n in zip(in_chunk, strides, strict=True))
        last = sum((part.stop - 1) * n for part, n in zip(in_chunk, strides, strict=True))
        span = ByteRange(first, last + dtype.itemsize - first)
        key = self._key(coords)
        data, info = self._store.fetch(key, None, self._codecs.largest.most, span)
        is_whole = info is not None and info.size == self.spec.nbytes
        if info is None or data is None or not is_whole or len(data) != span.size:
            reason = f"its {self.spec.nbytes} bytes are not all there"
            raise StoreError("get", key, reason, store=self._store.url)
        self.versions.note(key, info.version)
        self.counters.add(objects_read=1, bytes_fetched=len(data))
        part_shape = tuple(part.stop - part.start for part in in_chunk)
        part: Array = np.ndarray(part_shape, dtype, buffer=data, strides=strides)
        return part

    def forget_object(self, key: str) -> None:
        """Drop what is remembered of one object of the store."""
        if self._shards is not None:
            self._shards.forget_object(key)
        self.versions.drop(key)

    def forget(self) -> None:
        """Drop what is remembered of the store's content."""
        if self._shards is not None:
            self._shards.forget()
        self.versions.forget()

    def _key(self, object_coords: Coords) -> str:
        return self._prefix + self._encoding.encode(object_coords)

    def _object_coords(self, coords: Coords) -> Coords:
        return coords if self._shards is None else self._shards.object_coords(coords)

    def _object(self, key: str, codecs: ObjectCodecs, buffer: memoryview | None) -> Encoded:
        """Fetch a whole object, to `buffer` if it is given and the store can."""
        try:
            data, info = self._store.fetch(key, buffer, codecs.most)
        except KeyNotFoundError:
            self.versions.note(key, MISSING)
            return None
        if info is not None:
            if data is None:
                return codecs.too_large(key, info.size)
            self.versions.note(key, info.version)
        self.counters.add(objects_read=1, bytes_fetched=len(data or b""))
        return data

    def _decode(
        self, key: str, pipeline: Pipeline, data: Buffer, buffer: memoryview | None
    ) -> Loaded:
        """Decode one chunk, to `buffer` if its codecs can."""
        nbytes = pipeline.spec.nbytes
        if nbytes > MACHINE_BYTES:
            reason = f"it has {nbytes} bytes when decoded, more than the memory of"
            reason += f" this machine, {MACHINE_BYTES}"
            return CodecError("its codecs", "decode", reason, key=key)
        started = time.perf_counter_ns()
        try:
            return pipeline.decode(data, buffer)
        except CodecError as error:
            return error.at(key)
        finally:
            took = time.perf_counter_ns() - started
            self.counters.add(chunks_decoded=1, bytes_decoded=nbytes, decode_ns=took)


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
