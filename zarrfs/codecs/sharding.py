"""Codec ``sharding_indexed``: an array <-> a shard, which holds inner chunks and their index.

Pure: it says which bytes of a shard hold the index or an inner chunk, and never fetches them.
Shards are read with their inner chunks anywhere, in any order, with gaps; those written here have
them in C order, one behind the other. Spec: Zarr v3, codec ``sharding_indexed`` 1.0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from zarrfs.byte_range import ByteRange
from zarrfs.codecs.base import (
    Array,
    ArrayBytesCodec,
    Buffer,
    BytesSpec,
    ChunkSpec,
    Spec,
    expect_array,
)
from zarrfs.errors import CodecError, MetadataError, UnsupportedError
from zarrfs.format.documents import (
    MAX_INTEGER,
    expect_choice,
    expect_integers,
    refuse_unknown,
    show,
    take,
)
from zarrfs.format.extensions import Extension, parse_extensions

if TYPE_CHECKING:
    from types import EllipsisType

MISSING = 2**64 - 1
"""Offset and size of an inner chunk that was never written."""

NAME = "sharding_indexed"

Coords = tuple[int, ...]


class Pipeline(Protocol):
    """What sharding needs of a codec pipeline; `CodecPipeline` is one."""

    @property
    def spec(self) -> ChunkSpec:
        """What a decoded chunk is."""

    @property
    def sharding(self) -> ShardingCodec | None:
        """The sharding codec, if inner chunks can be read on their own."""

    @property
    def decodes_in_place(self) -> bool:
        """Whether memory of a chunk's size that is given holds it when it is decoded."""

    @property
    def encoded_spec(self) -> BytesSpec:
        """What a stored chunk is, with a bound where its size depends on the data."""

    def decode(self, data: Buffer, scratch: memoryview | None = None) -> Array:
        """Decode a stored chunk."""

    def encode(self, array: Array) -> Buffer:
        """Encode a chunk."""


BuildPipeline = Callable[[Sequence[Extension], ChunkSpec], Pipeline]


@dataclass(frozen=True, slots=True, eq=False)
class ShardIndex:
    """Where the inner chunks of one shard lie."""

    entries: Array
    """Offset and size in bytes, uint64, shape ``(*grid_shape, 2)``; both `MISSING` for an inner
    chunk that was never written."""

    shard_nbytes: int | None = None
    """Bytes of the shard, where they are known."""

    @property
    def nbytes(self) -> int:
        """Bytes of the index in memory."""
        return self.entries.nbytes

    def written(self) -> Iterator[Coords]:
        """Coordinates of the inner chunks that were written, in C order."""
        is_written = (self.entries != MISSING).any(axis=-1)
        return (tuple(coords) for coords in np.argwhere(is_written).tolist())

    def inner_range(self, coords: Coords) -> ByteRange | None:
        """Return where an inner chunk lies in the shard; ``None`` if it was never written.

        Raises
        ------
        CodecError
            If the index points out of the shard.
        """
        offset, size = self.entries[coords].tolist()
        return None if offset == size == MISSING else self._range(coords, offset, size)

    def written_range(self, coords: Coords) -> ByteRange:
        """Return where an inner chunk lies that was `written`; raises as `inner_range` does."""
        offset, size = self.entries[coords].tolist()
        return self._range(coords, offset, size)

    def _range(self, coords: Coords, offset: int, size: int) -> ByteRange:
        end = MAX_INTEGER if self.shard_nbytes is None else self.shard_nbytes
        if offset + size > end:
            reason = f"the index puts inner chunk {coords} at bytes {offset} to {offset + size}"
            bound = "" if self.shard_nbytes is None else f" of {self.shard_nbytes}"
            raise CodecError(NAME, "decode", f"{reason}{bound}, out of the shard")
        return ByteRange(offset, size)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardingCodec(ArrayBytesCodec):
    """Cuts an array into inner chunks that can be read on their own."""

    name: str
    spec: ChunkSpec
    encoded_spec: BytesSpec

    inner_shape: tuple[int, ...]
    """Elements of an inner chunk along each dimension."""

    grid_shape: tuple[int, ...]
    """Inner chunks along each dimension."""

    inner: Pipeline
    """Codecs of an inner chunk."""

    index: Pipeline
    """Codecs of the index."""

    index_nbytes: int
    """Bytes of the stored index."""

    is_index_first: bool
    """The index stands at the start of the shard, not at its end."""

    @property
    def index_range(self) -> ByteRange:
        """Where the index lies in a shard."""
        if self.is_index_first:
            return ByteRange(0, self.index_nbytes)
        return ByteRange(-self.index_nbytes, self.index_nbytes)

    def parse_index(self, data: Buffer, shard_nbytes: int | None = None) -> ShardIndex:
        """Decode the bytes of `index_range`.

        Parameters
        ----------
        data
            The stored index.
        shard_nbytes
            Bytes of the shard, where they are known: entries are held against it.

        Raises
        ------
        CodecError
            If it is too short or its checksum is wrong.
        """
        try:
            return ShardIndex(self.index.decode(data), shard_nbytes)
        except CodecError as error:
            reason = f"its index cannot be decoded with {error.codec}: {error.reason}"
            raise CodecError(NAME, "decode", reason) from error

    def find_index(self, shard: Buffer) -> ShardIndex:
        """Decode the index of a whole shard.

        Raises
        ------
        CodecError
            If the shard is too short or the index's checksum is wrong.
        """
        start, stop = self.index_range.resolve(len(shard))
        return self.parse_index(memoryview(shard)[start:stop], len(shard))

    def assemble(self, parts: Iterable[tuple[Buffer, list[Coords]]]) -> Buffer:
        """Lay out a shard: encoded inner chunks in the order given, and their index.

        Parameters
        ----------
        parts
            Encoded bytes, and the inner chunks that they are: several may share them.
        """
        entries = np.full((*self.grid_shape, 2), MISSING, np.uint64)
        pieces: list[Buffer] = []
        offset = self.index_nbytes if self.is_index_first else 0
        for encoded, owners in parts:
            for coords in owners:
                entries[coords] = offset, len(encoded)
            pieces.append(encoded)
            offset += len(encoded)
        pieces.insert(0 if self.is_index_first else len(pieces), self.index.encode(entries))
        return b"".join(pieces)

    def decode(self, data: Buffer) -> Array:
        """Decode a whole shard."""
        index = self.find_index(data)
        array = self.spec.filled()
        view = memoryview(data)
        for coords in index.written():
            start, stop = index.written_range(coords).resolve(len(data))
            array[self._region(coords)] = self.inner.decode(view[start:stop])
        return array

    def encode(self, array: Array) -> Buffer:
        """Encode a whole shard; inner chunks that hold only the fill value are left out."""
        regions = ((coords, array[self._region(coords)]) for coords in np.ndindex(self.grid_shape))
        return self.assemble(
            (self.inner.encode(inner_chunk), [coords])
            for coords, inner_chunk in regions
            if not self.inner.spec.is_fill(inner_chunk)
        )

    def _region(self, coords: Coords) -> tuple[slice | EllipsisType, ...]:
        """Return which elements of the shard an inner chunk holds."""
        slices = [slice(c * n, (c + 1) * n) for c, n in zip(coords, self.inner_shape, strict=True)]
        # The ellipsis: of a shard without dimensions an array too, whose bytes can be swapped.
        return (*slices, ...)


def parse_sharding(extension: Extension, spec: Spec, build: BuildPipeline) -> ShardingCodec:
    """Build ``sharding_indexed`` from its four members, its pipelines by means of `build`."""
    chunk, field = expect_array(extension.name, spec), f"codecs.{extension.name}"
    configuration = extension.configuration
    known = ("chunk_shape", "codecs", "index_codecs", "index_location")
    refuse_unknown(configuration, known, field)
    value = take(configuration, "chunk_shape", field)
    inner_shape = expect_integers(value, f"{field}.chunk_shape", minimum=1)
    if len(inner_shape) != len(chunk.shape) or any(
        whole % n for whole, n in zip(chunk.shape, inner_shape, strict=True)
    ):
        reason = f"must divide the shard's shape {show(chunk.shape)}, unlike {show(value)}"
        raise MetadataError(reason, field=f"{field}.chunk_shape")
    grid_shape = tuple(whole // n for whole, n in zip(chunk.shape, inner_shape, strict=True))

    def build_part(member: str, part: ChunkSpec) -> Pipeline:
        extensions = parse_extensions(take(configuration, member, field), f"{field}.{member}")
        try:
            return build(extensions, part)
        except MetadataError as error:
            inside = f"{field}.{member}{error.field.removeprefix('codecs')}"
            raise type(error)(error.reason, field=inside) from error

    inner = build_part(
        "codecs", ChunkSpec(shape=inner_shape, dtype=chunk.dtype, fill_value=chunk.fill_value)
    )
    index = build_part(
        "index_codecs",
        ChunkSpec(shape=(*grid_shape, 2), dtype=np.dtype(np.uint64), fill_value=MISSING),
    )
    index_nbytes = index.encoded_spec.nbytes
    if index_nbytes is None:
        reason = "must give the index a fixed size, so they cannot compress"
        raise UnsupportedError(reason, field=f"{field}.index_codecs")
    n_inner = math.prod(grid_shape)
    if index_nbytes > MAX_INTEGER:
        reason = f"cuts the shard into {n_inner} inner chunks, which no index can hold"
        raise MetadataError(reason, field=f"{field}.chunk_shape")
    location = configuration.get("index_location", "end")
    return ShardingCodec(
        name=extension.name,
        spec=chunk,
        encoded_spec=BytesSpec(
            most=index_nbytes + n_inner * inner.encoded_spec.limit(0),
            ratio=0 if inner.encoded_spec.nbytes is not None else inner.encoded_spec.ratio,
        ),
        inner_shape=inner_shape,
        grid_shape=grid_shape,
        inner=inner,
        index=index,
        index_nbytes=index_nbytes,
        is_index_first=expect_choice(location, ("start", "end"), f"{field}.index_location")
        == "start",
    )
