from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contracts.codec_contract import build, random_array
from zarrfs.codecs.shard_bytes import find_inner_chunk, rebuild_shard
from zarrfs.codecs.sharding import MISSING, ShardingCodec
from zarrfs.errors import CodecError

if TYPE_CHECKING:
    from zarrfs.codecs.base import Buffer

LITTLE = {"name": "bytes", "configuration": {"endian": "little"}}


def sharding(chunk_shape: list[int], codecs: list[Any], **more: Any) -> dict[str, Any]:
    index_codecs = more.pop("index_codecs", [LITTLE, "crc32c"])
    members = {"chunk_shape": chunk_shape, "codecs": codecs, "index_codecs": index_codecs, **more}
    return {"name": "sharding_indexed", "configuration": members}


def levels_of(extension: Any, shape: tuple[int, ...] = (8, 6)) -> list[ShardingCodec]:
    """Sharding codecs of an int32 array with fill value 7, outermost first."""
    levels = []
    sharding_codec = build([extension], shape, "i4", 7).sharding
    while sharding_codec is not None:
        levels.append(sharding_codec)
        sharding_codec = sharding_codec.inner.sharding
    return levels


START = {"index_location": "start"}
SHARDINGS = [
    sharding([2, 3], [LITTLE]),
    sharding([2, 3], [LITTLE, "zstd", "crc32c"], **START),
    sharding([4, 6], [sharding([2, 3], [LITTLE], **START)]),
    sharding([8, 3], [sharding([4, 3], [sharding([2, 3], [LITTLE, "gzip"])])], **START),
]
PLACES = [(i, j) for i in range(4) for j in range(2)]


def region(coords: tuple[int, ...]) -> tuple[slice, ...]:
    return tuple(slice(c * n, (c + 1) * n) for c, n in zip(coords, (2, 3), strict=True))


def some_array(seed: int, empty: set[tuple[int, int]]) -> np.ndarray[Any, Any]:
    array = random_array((8, 6), np.dtype("i4"), seed).copy()
    for coords in empty:
        array[region(coords)] = 7
    return array


@given(
    st.sampled_from(SHARDINGS),
    st.sets(st.sampled_from(PLACES)),
    st.sets(st.sampled_from(PLACES)),
    st.sets(st.sampled_from(PLACES)),
)
def test_rebuilt_shard_is_the_one_that_encoding_the_new_array_gives(
    extension: Any,
    empty: set[tuple[int, int]],
    deleted: set[tuple[int, int]],
    replaced: set[tuple[int, int]],
) -> None:
    levels = levels_of(extension)
    old, new = some_array(1, empty), some_array(1, empty | deleted)
    for coords in replaced - deleted:
        new[region(coords)] = 5
    changes: dict[tuple[int, ...], Buffer | None] = {
        coords: levels[-1].inner.encode(np.full((2, 3), 5, "i4")) for coords in replaced
    }
    changes.update(dict.fromkeys(deleted))
    shard = levels[0].encode(old) if len(empty) < len(PLACES) else None

    rebuilt = rebuild_shard(levels, shard, changes)

    if (new == 7).all():
        assert rebuilt is None
    else:
        assert rebuilt == levels[0].encode(new)


@given(st.sampled_from(SHARDINGS), st.sets(st.sampled_from(PLACES)))
def test_inner_chunks_are_found_through_all_levels(
    extension: Any, empty: set[tuple[int, int]]
) -> None:
    levels = levels_of(extension)
    array = some_array(1, empty)
    shard = levels[0].encode(array)
    for coords in PLACES:
        found = find_inner_chunk(levels, shard, coords)
        if coords in empty:
            assert found is None
        else:
            assert found is not None
            assert (levels[-1].inner.decode(found) == array[region(coords)]).all()


def shard_of(entries: dict[tuple[int, int], tuple[int, int]], content: bytes) -> bytes:
    """Return a shard as another writer may have left it, without a checksum."""
    index = np.full((4, 2, 2), MISSING, "<u8")
    for coords, entry in entries.items():
        index[coords] = entry
    return content + index.tobytes()


UNCHECKED = sharding([2, 3], [LITTLE], index_codecs=[LITTLE])
ONE, TWO, PADDING = b"1" * 24, b"2" * 24, b"pad"


def test_gaps_go_and_the_order_is_mended() -> None:
    shard = shard_of({(0, 0): (30, 24), (3, 1): (3, 24)}, PADDING + TWO + PADDING + ONE)
    expected = shard_of({(0, 0): (0, 24), (3, 1): (24, 24)}, ONE + TWO)
    assert rebuild_shard(levels_of(UNCHECKED), shard, {}) == expected


def test_inner_chunks_that_share_their_bytes_go_on_doing_so() -> None:
    shared = dict.fromkeys(PLACES, (0, 24))
    rebuilt = rebuild_shard(levels_of(UNCHECKED), shard_of(shared, ONE), {(0, 1): TWO})
    assert rebuilt == shard_of({**shared, (0, 1): (24, 24)}, ONE + TWO)


def test_overlapping_inner_chunks_are_copied_each_if_the_shard_has_room() -> None:
    shard = shard_of({(0, 0): (0, 24), (0, 1): (12, 24)}, ONE[:12] + TWO[:12] + ONE[:12])
    expected = ONE[:12] + TWO[:12] + TWO[:12] + ONE[:12]
    rebuilt = rebuild_shard(levels_of(UNCHECKED), shard, {})
    assert rebuilt == shard_of({(0, 0): (0, 24), (0, 1): (24, 24)}, expected)


def test_overlapping_inner_chunks_that_claim_more_than_the_shard_are_refused() -> None:
    entries = {coords: (i, 160) for i, coords in enumerate(PLACES)}
    with pytest.raises(CodecError, match="inner chunks overlap: they claim 1280 bytes of 302"):
        rebuild_shard(levels_of(UNCHECKED), shard_of(entries, bytes(174)), {})


@pytest.mark.parametrize("entry", [(1000, 24), (2**63, 24), (MISSING, 3), (0, MISSING)])
def test_index_entry_out_of_the_shard_stops_the_rebuild_unless_it_is_replaced(
    entry: tuple[int, int],
) -> None:
    levels = levels_of(UNCHECKED)
    shard = shard_of({(0, 0): entry, (0, 1): (0, 24)}, ONE)
    with pytest.raises(CodecError, match="out of the shard"):
        rebuild_shard(levels, shard, {(0, 1): None})
    expected = shard_of({(0, 0): (0, 24), (0, 1): (24, 24)}, TWO + ONE)
    assert rebuild_shard(levels, shard, {(0, 0): TWO}) == expected


def test_damaged_index_stops_the_rebuild_unless_nothing_is_to_stay() -> None:
    levels = levels_of(sharding([2, 3], [LITTLE]))
    with pytest.raises(CodecError, match="with crc32c"):
        rebuild_shard(levels, bytes(200), {(0, 0): ONE})
    rebuilt = rebuild_shard(levels, None, {(0, 0): ONE})
    assert rebuilt is not None
    assert find_inner_chunk(levels, rebuilt, (0, 0)) == ONE
