"""A stored shard and changed inner chunks -> the new shard's bytes. Pure: nothing is decoded.

Inner chunks that do not change move as bytes. Shards may be nested: inner chunks are then those
of the innermost level, their coordinates counted in the whole outermost shard.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zarrfs.codecs.sharding import NAME
from zarrfs.errors import CodecError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from zarrfs.byte_range import ByteRange
    from zarrfs.codecs.base import Buffer
    from zarrfs.codecs.sharding import Coords, ShardIndex, ShardingCodec


def find_inner_chunk(
    levels: Sequence[ShardingCodec], shard: Buffer, coords: Coords
) -> Buffer | None:
    """Return the encoded bytes of one inner chunk, a view of `shard`.

    Parameters
    ----------
    levels
        The sharding codecs, outermost first; one for shards that are not nested.
    shard
        The whole stored object.
    coords
        The inner chunk, among all of the innermost level.

    Returns
    -------
    Buffer | None
        ``None`` if it was never written.

    Raises
    ------
    CodecError
        If an index is damaged or points out of its shard.
    """
    level, *inner_levels = levels
    at, inner_coords = _split(inner_levels, coords)
    found = _inner_bytes(shard, level.find_index(shard), at)
    if found is None or not inner_levels:
        return found
    return find_inner_chunk(inner_levels, found, inner_coords)


def rebuild_shard(
    levels: Sequence[ShardingCodec],
    shard: Buffer | None,
    changes: Mapping[Coords, Buffer | None],
) -> Buffer | None:
    """Return a shard in which some inner chunks are other ones.

    Parameters
    ----------
    levels
        The sharding codecs, outermost first; one for shards that are not nested.
    shard
        The old shard; ``None`` if there is none, or nothing of it is to stay.
    changes
        Inner chunks among all of the innermost level: their new encoded bytes, or ``None`` for
        one that now holds only the fill value.

    Returns
    -------
    Buffer | None
        The new shard, inner chunks in C order, no gaps; ``None`` if none is left.

    Raises
    ------
    CodecError
        If an index of the old shard is damaged, or puts inner chunks that are to stay out of
        the shard, or one over another so that they claim more bytes than there are.
    """
    level, *inner_levels = levels
    index = None if shard is None else level.find_index(shard)
    if inner_levels:
        changes = {
            at: rebuild_shard(inner_levels, _inner_bytes(shard, index, at), inner_changes)
            for at, inner_changes in _by_inner_shard(inner_levels, changes).items()
        }
    parts: list[tuple[Buffer, list[Coords]]] = [
        (encoded, [coords]) for coords, encoded in changes.items() if encoded is not None
    ]
    if shard is not None and index is not None:
        parts += _kept(memoryview(shard), index, changes)
    parts.sort(key=lambda part: part[1])
    return level.assemble(parts) if parts else None


def _kept(
    shard: memoryview, index: ShardIndex, changes: Mapping[Coords, Buffer | None]
) -> list[tuple[Buffer, list[Coords]]]:
    """Bytes of the inner chunks that do not change; those that share theirs go on doing so."""
    kept: dict[ByteRange, list[Coords]] = {}
    for coords in index.written():
        if coords not in changes:
            kept.setdefault(index.written_range(coords), []).append(coords)
    # Without this a small shard whose inner chunks all overlap could grow without bound.
    claimed = sum(place.size or 0 for place in kept)
    if claimed > len(shard):
        reason = f"inner chunks overlap: they claim {claimed} bytes of {len(shard)}"
        raise CodecError(NAME, "decode", reason)
    return [(_cut(shard, place), owners) for place, owners in kept.items()]


def _inner_bytes(
    shard: Buffer | None, index: ShardIndex | None, coords: Coords
) -> memoryview | None:
    if shard is None or index is None or (place := index.inner_range(coords)) is None:
        return None
    return _cut(memoryview(shard), place)


def _cut(shard: memoryview, place: ByteRange) -> memoryview:
    start, stop = place.resolve(len(shard))
    return shard[start:stop]


def _by_inner_shard(
    inner_levels: Sequence[ShardingCodec], changes: Mapping[Coords, Buffer | None]
) -> dict[Coords, dict[Coords, Buffer | None]]:
    """Group changes by the inner shard of the outer level, their coordinates counted in it."""
    groups: dict[Coords, dict[Coords, Buffer | None]] = {}
    for coords, encoded in changes.items():
        at, inner_coords = _split(inner_levels, coords)
        groups.setdefault(at, {})[inner_coords] = encoded
    return groups


def _split(inner_levels: Sequence[ShardingCodec], coords: Coords) -> tuple[Coords, Coords]:
    """Coordinates of the inner shard of the outer level, and those counted in it."""
    lengths = [1] * len(coords)
    for level in inner_levels:
        lengths = [n * more for n, more in zip(lengths, level.grid_shape, strict=True)]
    pairs = [divmod(c, n) for c, n in zip(coords, lengths, strict=True)]
    return tuple(at for at, _ in pairs), tuple(rest for _, rest in pairs)
