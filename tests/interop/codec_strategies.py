"""Hypothesis strategies for codecs and their options: chains of v3, filters and compressors of v2.

Each is drawn as the JSON that metadata documents hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from tests.interop.data_types import is_small
from tests.interop.numcodecs_strategies import (
    array_filters,
    bytes_filters,
    codecs_v2,
    numcodecs_compressors,
)
from tests.interop.registered_strategies import packbits, registered_filters, variable_lengths

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from hypothesis.strategies import DrawFn, SearchStrategy

    from tests.interop.data_types import Codec, Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """What a program has, beyond the codecs of the core specification."""

    numcodecs: frozenset[str]
    """Ids of codecs of numcodecs: filters of v2, and with ``numcodecs.`` codecs of v3."""
    compressors_v2: frozenset[str]
    """Their ids."""
    registered: bool
    """Codecs of the registry, such as ``packbits``, and zarrs' own."""
    checksum_of_zstd: frozenset[int]
    """Formats in which `zstd` has it as an option."""
    gzip_levels: tuple[int, ...]
    odd_blosc: bool
    """A `typesize` of ``blosc`` that does not divide the number of bytes."""
    compressed_shards: bool
    """Codecs behind ``sharding_indexed``."""
    complex_null: bool
    """A fill value ``null`` of complex numbers in v2."""
    rectilinear: bool
    """The chunk grid."""
    repeated_names: bool
    """Dimension names that are not unique."""
    suffixes: bool
    """zarrs' chunk key encoding that ends keys with a suffix."""
    sharded_scalars: bool
    """Shards of arrays without dimensions."""
    sharded_void: bool
    """Shards of raw bits and of structured types."""
    transposed_shards: bool
    """A ``transpose`` before ``sharding_indexed``."""
    transposed_scalars: bool
    """A ``transpose`` of arrays without dimensions."""
    transposed_filters: bool
    """A ``transpose`` before other array -> array codecs."""
    transposed_texts: bool
    """A ``transpose`` of elements of any length."""
    filled_texts: bool
    """Fill values of them that are not empty."""


_BLOSC = {
    "cname": st.sampled_from(["lz4", "lz4hc", "blosclz", "zstd", "zlib"]),
    "clevel": st.integers(0, 9),
    "blocksize": st.sampled_from([0, 0, 256]),
}
_LEVELS_OF_ZSTD = st.integers(-5, 9)  # up to 22 is right, and slow


# --- v3 -------------------------------------------------------------------------------------


@st.composite
def codec_chains(
    draw: DrawFn,
    dtype: np.dtype[Any],
    levels: Sequence[tuple[int, ...]],
    support: Support,
) -> tuple[tuple[Codec, ...], bool]:
    """Draw the codecs of a v3 array; and whether they ask for tame elements.

    Parameters
    ----------
    draw
        Hypothesis's.
    dtype
        Type of the elements.
    levels
        Shapes of the chunk, the inner chunk, the inner chunk of that …; one without shards.
    support
        What its writer has.
    """
    chain: list[Codec] = []
    is_tame = False
    is_sharded = len(levels) > 1
    has_filters = not is_sharded and "delta" in support.numcodecs and draw(st.booleans())
    if is_sharded:
        may_transpose = support.transposed_shards
    else:
        may_transpose = support.transposed_filters or not has_filters
    if dtype.hasobject:
        may_transpose &= support.transposed_texts
    if not levels[0]:
        may_transpose &= support.transposed_scalars
    if draw(st.booleans()) and may_transpose:
        axes = draw(st.permutations(range(len(levels[0]))))
        chain.append(_v3("transpose", order=axes))
        levels = [tuple(shape[axis] for axis in axes) for shape in levels]
    if support.registered and not has_filters:
        filters = registered_filters(dtype, levels[0], is_sharded=is_sharded)
        registered, is_tame = draw(filters)
        chain += registered
    if is_sharded:
        inner, is_inner_tame = draw(codec_chains(dtype, levels[1:], support))
        is_tame |= is_inner_tame
        chain.append(
            _v3(
                "sharding_indexed",
                chunk_shape=list(levels[1]),
                codecs=list(inner),
                index_codecs=draw(_index_codecs()),
                index_location=draw(st.sampled_from(["start", "end"])),
            )
        )
        # A shard that is compressed as a whole is read as a whole: right, but rare.
        n_compressors = draw(st.sampled_from([0, 0, 0, 1])) if support.compressed_shards else 0
        itemsize = 1
    elif has_filters and not dtype.hasobject:
        filtered, is_tame = draw(array_filters(dtype, support.numcodecs, zarr_format=3))
        chain += [_numcodecs_v3(codec) for codec in filtered]
        chain.append(_v3("bytes", endian="little"))
        n_compressors = draw(st.integers(0, 2))
        itemsize = 1
    else:
        serializer, loses = draw(_serializers(dtype, support))
        is_tame |= loses
        chain.append(serializer)
        n_compressors = draw(st.integers(0, 2))
        itemsize = dtype.itemsize if serializer["name"] == "bytes" else 1
    for _ in range(n_compressors):
        chain.append(draw(_bytes_codecs(itemsize, support)))
        itemsize = 1
    return tuple(chain), is_tame


def _v3(name: str, **configuration: Json) -> Codec:
    return {"name": name, "configuration": configuration} if configuration else {"name": name}


def _codecs_v3(name: str, **members: SearchStrategy[Json]) -> SearchStrategy[Codec]:
    return st.fixed_dictionaries(members).map(lambda drawn: _v3(name, **drawn))


@st.composite
def _serializers(draw: DrawFn, dtype: np.dtype[Any], support: Support) -> tuple[Codec, bool]:
    """Draw an array -> bytes codec; and whether it asks for tame elements."""
    if dtype.hasobject:
        name = "vlen-utf8" if dtype.kind == "T" else "vlen-bytes"
        return draw(variable_lengths(name)) if support.registered else _v3(name), False
    is_number = dtype.kind in "biufc" or is_small(dtype) or dtype.names == ("real", "imag")
    if support.registered and is_number and draw(st.booleans()):
        return draw(packbits(dtype))
    with_endian = _codecs_v3("bytes", endian=st.sampled_from(["little", "big"]))
    return draw(with_endian if dtype.itemsize > 1 else with_endian | st.just(_v3("bytes"))), False


def _bytes_codecs(itemsize: int, support: Support) -> SearchStrategy[Codec]:
    zstd = {"level": _LEVELS_OF_ZSTD}
    if 3 in support.checksum_of_zstd:
        zstd["checksum"] = st.booleans()
    core = (
        _codecs_v3("gzip", level=st.sampled_from(support.gzip_levels))
        | _codecs_v3("zstd", **zstd)
        | _codecs_v3(
            "blosc",
            shuffle=st.sampled_from(["noshuffle", "shuffle", "bitshuffle"]),
            typesize=st.sampled_from([1, min(itemsize, 255), 3 if support.odd_blosc else 1]),
            **_BLOSC,
        )
        | st.just(_v3("crc32c"))
    )
    more = numcodecs_compressors(support.numcodecs) | bytes_filters(support.numcodecs, itemsize)
    return core | more.map(_numcodecs_v3)


def _numcodecs_v3(codec: Codec) -> Codec:
    configuration = {name: value for name, value in codec.items() if name != "id"}
    return {"name": f"numcodecs.{codec['id']}", "configuration": configuration}


def _index_codecs() -> SearchStrategy[list[Codec]]:
    """Draw codecs of a shard index: it must have a fixed size, so nothing may compress it."""
    checksums = st.lists(st.just(_v3("crc32c")), max_size=2)
    serializers = _codecs_v3("bytes", endian=st.sampled_from(["little", "big"]))
    return st.tuples(serializers, checksums).map(lambda parts: [parts[0], *parts[1]])


# --- v2 -------------------------------------------------------------------------------------


def compressors_v2(support: Support) -> SearchStrategy[Codec | None]:
    """Draw a compressor of v2, or none."""
    ids = support.compressors_v2
    zstd = {"level": _LEVELS_OF_ZSTD}
    if 2 in support.checksum_of_zstd:
        zstd["checksum"] = st.booleans()
    return (
        st.none()
        | codecs_v2("blosc", shuffle=st.sampled_from([-1, 0, 1, 2]), **_BLOSC)
        | codecs_v2("zstd", **zstd)
        | codecs_v2("gzip", level=st.integers(1, 9))
        | numcodecs_compressors(ids)
    )


@st.composite
def filters_v2(
    draw: DrawFn, dtype: np.dtype[Any], support: Support, *, zarr_format: int = 2
) -> tuple[tuple[Codec, ...], bool]:
    """Draw filters of v2, those of arrays before those of bytes; and whether they ask for tame
    elements.
    """
    if dtype.hasobject:
        return ({"id": "vlen-utf8" if dtype.kind == "T" else "vlen-bytes"},), False
    if not support.numcodecs:
        return (), False
    ids = support.numcodecs
    some = array_filters(dtype, ids, zarr_format=zarr_format)
    filters, is_tame = draw(st.just(((), False)) | some)
    itemsize = 1 if filters else dtype.itemsize
    further = st.lists(bytes_filters(ids, itemsize), max_size=2 if itemsize == 1 else 1)
    return (*filters, *draw(further)), is_tame
