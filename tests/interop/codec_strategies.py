"""Hypothesis strategies for codecs and their options: chains of v3, filters and compressors of v2.

Each is drawn as the JSON that metadata documents hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from hypothesis.strategies import DrawFn, SearchStrategy

Json = Any
Codec = dict[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """What a writer has, beyond the codecs of the core specification."""

    numcodecs: bool
    """Codecs of the ``numcodecs.`` name space; filters of v2."""
    checksum_of_zstd: bool
    compressed_shards: bool
    """Codecs behind ``sharding_indexed``."""
    sharded_scalars: bool
    """Shards of arrays without dimensions."""
    sharded_void: bool
    """Shards of raw bits and of structured types."""
    transposed_shards: bool
    """A ``transpose`` before ``sharding_indexed``."""


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
    # zarr-python 3.1 reads back something else than it wrote where its filters and strings come
    # after a transposition.
    has_filters = len(levels) == 1 and support.numcodecs and draw(st.booleans())
    may_transpose = support.transposed_shards if len(levels) > 1 else not has_filters
    if may_transpose and not dtype.hasobject and draw(st.booleans()):
        axes = draw(st.permutations(range(len(levels[0]))))
        chain.append(_v3("transpose", order=axes))
        levels = [tuple(shape[axis] for axis in axes) for shape in levels]
    if len(levels) > 1:
        inner, is_tame = draw(codec_chains(dtype, levels[1:], support))
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
        filters, is_tame = draw(_array_filters(dtype, zarr_format=3))
        chain += [_numcodecs_v3(codec) for codec in filters]
        chain.append(_v3("bytes", endian="little"))
        n_compressors = draw(st.integers(0, 2))
        itemsize = 1
    else:
        chain.append(draw(_serializers(dtype)))
        n_compressors = draw(st.integers(0, 2))
        itemsize = 1 if dtype.hasobject else dtype.itemsize
    for _ in range(n_compressors):
        chain.append(draw(_bytes_codecs(itemsize, support)))
        itemsize = 1
    return tuple(chain), is_tame


def _v3(name: str, **configuration: Json) -> Codec:
    return {"name": name, "configuration": configuration} if configuration else {"name": name}


def _codecs_v3(name: str, **members: SearchStrategy[Json]) -> SearchStrategy[Codec]:
    return st.fixed_dictionaries(members).map(lambda drawn: _v3(name, **drawn))


def _serializers(dtype: np.dtype[Any]) -> SearchStrategy[Codec]:
    if dtype.hasobject:
        return st.just(_v3("vlen-utf8" if dtype.kind == "T" else "vlen-bytes"))
    with_endian = _codecs_v3("bytes", endian=st.sampled_from(["little", "big"]))
    return with_endian if dtype.itemsize > 1 else with_endian | st.just(_v3("bytes"))


def _bytes_codecs(itemsize: int, support: Support) -> SearchStrategy[Codec]:
    zstd = {"level": _LEVELS_OF_ZSTD}
    if support.checksum_of_zstd:
        zstd["checksum"] = st.booleans()
    core = (
        _codecs_v3("gzip", level=st.integers(0, 9))
        | _codecs_v3("zstd", **zstd)
        | _codecs_v3(
            "blosc",
            shuffle=st.sampled_from(["noshuffle", "shuffle", "bitshuffle"]),
            typesize=st.sampled_from([1, min(itemsize, 255), 3]),
            **_BLOSC,
        )
        | st.just(_v3("crc32c"))
    )
    if not support.numcodecs:
        return core
    more = _numcodecs_compressors() | _bytes_filters(itemsize)
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
    level = st.integers(1, 9)
    zstd = {"level": _LEVELS_OF_ZSTD}
    if support.checksum_of_zstd:
        zstd["checksum"] = st.booleans()
    common = (
        _codecs_v2("blosc", shuffle=st.sampled_from([-1, 0, 1, 2]), **_BLOSC)
        | _codecs_v2("zstd", **zstd)
        | _codecs_v2("zlib", level=level)
        | _codecs_v2("gzip", level=level)
        | _codecs_v2("bz2", level=level)
    )
    return st.none() | (common | _numcodecs_compressors() if support.numcodecs else common)


@st.composite
def filters_v2(draw: DrawFn, dtype: np.dtype[Any]) -> tuple[tuple[Codec, ...], bool]:
    """Draw filters of v2, those of arrays before those of bytes; and whether they ask for tame
    elements.
    """
    if dtype.hasobject:
        return ({"id": "vlen-utf8" if dtype.kind == "T" else "vlen-bytes"},), False
    filters, is_tame = draw(st.just(((), False)) | _array_filters(dtype, zarr_format=2))
    further = st.lists(_bytes_filters(1 if filters else dtype.itemsize), max_size=1)
    return (*filters, *draw(further)), is_tame


def _codecs_v2(name: str, **members: SearchStrategy[Json]) -> SearchStrategy[Codec]:
    return st.fixed_dictionaries({"id": st.just(name), **members})


# --- numcodecs, by its own ids ------------------------------------------------------------------


def _numcodecs_compressors() -> SearchStrategy[Codec]:
    return (
        _codecs_v2("bz2", level=st.integers(1, 9))
        | _codecs_v2("lz4", acceleration=st.integers(1, 9))
        | _codecs_v2(
            "lzma",
            format=st.just(1),
            check=st.sampled_from([-1, 0, 1, 4]),
            preset=st.none() | st.integers(0, 3),
            filters=st.none(),
        )
        | _codecs_v2("zlib", level=st.integers(0, 9))
    )


def _bytes_filters(itemsize: int) -> SearchStrategy[Codec]:
    """Draw a filter of bytes; `itemsize` divides their number."""
    return st.sampled_from(["adler32", "crc32", "crc32c", "fletcher32", "jenkins_lookup3"]).map(
        lambda name: {"id": name}
    ) | _codecs_v2("shuffle", elementsize=st.sampled_from([1, itemsize]))


@st.composite
def _array_filters(
    draw: DrawFn, dtype: np.dtype[Any], *, zarr_format: int
) -> tuple[tuple[Codec, ...], bool]:
    """Draw at most one filter that knows the data type; and whether it asks for tame elements."""
    own = dtype.str
    tame: list[SearchStrategy[Codec]] = []
    any_bits: list[SearchStrategy[Codec]] = []
    if dtype.kind == "b":
        any_bits.append(_codecs_v2("packbits"))
    elif dtype.kind in "iu":
        any_bits.append(_codecs_v2("delta", dtype=st.just(own)))
    elif dtype.kind == "f":
        keepbits = st.integers(1, {2: 10, 4: 23, 8: 52}[dtype.itemsize])
        if dtype.isnative:  # it knows no others
            tame.append(_codecs_v2("bitround", keepbits=keepbits))
        tame.append(_codecs_v2("delta", dtype=st.just(own)))
        digits = st.integers(0, 1 if dtype.itemsize == 2 else 3)  # more overflow float16
        tame.append(_codecs_v2("quantize", digits=digits, dtype=st.just(own)))
    # In v3, zarr-python 3.1 leaves `endian` out if elements had one byte before the filters, and
    # reads what it filtered back in the wrong byte order if any is big.
    is_v2 = zarr_format == 2
    if dtype.kind in "iuf" and (is_v2 or dtype.itemsize > 1):
        floats = st.sampled_from(["<f8", "<f4", ">f4" if is_v2 else "<f4"])
        if dtype.kind != "u":  # differences may be negative
            tame.append(_codecs_v2("delta", dtype=st.just(own), astype=floats))
        tame.append(_codecs_v2("astype", encode_dtype=floats, decode_dtype=st.just(own)))
        scaled = st.sampled_from(["<i2", ">i4" if is_v2 else "<i4", own])
        offsets = st.sampled_from([0, 0 if dtype.kind == "u" else 10])
        tame.append(
            _codecs_v2(
                "fixedscaleoffset",
                offset=offsets,
                scale=st.sampled_from([1, 2]),
                dtype=st.just(own),
                astype=scaled,
            )
        )
    kinds = [(True, codec) for codec in tame] + [(False, codec) for codec in any_bits]
    if not kinds:
        return (), False
    is_tame, codec = draw(st.sampled_from(kinds))
    return (draw(codec),), is_tame
