"""Hypothesis strategies for codecs and their options: chains of v3, filters and compressors of v2.

Each is drawn as the JSON that metadata documents hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import strategies as st

from tests.interop.data_types import is_small

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hypothesis.strategies import DrawFn, SearchStrategy

Json = Any
Codec = dict[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """What a program has, beyond the codecs of the core specification."""

    numcodecs: frozenset[str]
    """Ids of codecs of numcodecs: filters of v2, and with ``numcodecs.`` codecs of v3."""
    compressors_v2: frozenset[str]
    """Their ids."""
    registered: frozenset[str]
    """Codecs of the registry: ``packbits``, ``bitround``, ``reshape``."""
    checksum_of_zstd: frozenset[int]
    """Formats in which `zstd` has it as an option."""
    odd_blosc: bool
    """A `typesize` of ``blosc`` that does not divide the number of bytes."""
    compressed_shards: bool
    """Codecs behind ``sharding_indexed``."""
    complex_null: bool
    """A fill value ``null`` of complex numbers in v2."""
    rectilinear: bool
    """The chunk grid."""
    sharded_scalars: bool
    """Shards of arrays without dimensions."""
    sharded_void: bool
    """Shards of raw bits and of structured types."""
    transposed_shards: bool
    """A ``transpose`` before ``sharding_indexed``."""
    transposed_scalars: bool
    """A ``transpose`` of arrays without dimensions."""
    transposed_filters: bool
    """A ``transpose`` before other array -> array codecs, and before text."""


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
    has_filters = not is_sharded and bool(support.numcodecs) and draw(st.booleans())
    may_transpose = support.transposed_shards if is_sharded else not has_filters
    if not support.transposed_filters:
        may_transpose &= not dtype.hasobject
    else:
        may_transpose |= not is_sharded
    may_transpose &= support.transposed_scalars or bool(levels[0])
    if may_transpose and draw(st.booleans()):
        axes = draw(st.permutations(range(len(levels[0]))))
        chain.append(_v3("transpose", order=axes))
        levels = [tuple(shape[axis] for axis in axes) for shape in levels]
    if support.registered and not has_filters:
        registered, is_tame = draw(_registered_filters(dtype, levels))
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
        filters, is_tame = draw(_array_filters(dtype, support, zarr_format=3))
        chain += [_numcodecs_v3(codec) for codec in filters]
        chain.append(_v3("bytes", endian="little"))
        n_compressors = draw(st.integers(0, 2))
        itemsize = 1
    else:
        serializer, loses = draw(_serializers(dtype, support))
        is_tame |= loses
        chain.append(serializer)
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


@st.composite
def _registered_filters(
    draw: DrawFn, dtype: np.dtype[Any], levels: Sequence[tuple[int, ...]]
) -> tuple[list[Codec], bool]:
    """Draw array -> array codecs of the registry; and whether they ask for tame elements."""
    chain: list[Codec] = []
    is_number = dtype.kind in "iufc" or dtype.name == "bfloat16"
    rounds: bool = is_number and draw(st.sampled_from([False, False, False, True]))
    if rounds:
        chain.append(_v3("bitround", keepbits=draw(st.integers(1, 12))))
    if len(levels) == 1 and not dtype.hasobject and draw(st.sampled_from([False, False, True])):
        chain.append(_v3("reshape", shape=draw(_encoded_shapes(len(levels[0])))))
    return chain, rounds


@st.composite
def _encoded_shapes(draw: DrawFn, ndim: int) -> list[Json]:
    """Draw a shape as ``reshape`` has it: runs of dimensions become one, others have length 1."""
    cuts = [axis for axis in range(1, ndim) if draw(st.booleans())]
    runs = [list(range(*ends)) for ends in pairwise([0, *cuts, ndim])] if ndim else []
    encoded: list[Json] = list(runs)
    if draw(st.booleans()) and encoded:
        encoded[draw(st.integers(0, len(encoded) - 1))] = -1
    # At the end: zarrs 0.23 takes lists only of dimensions that come no earlier than their place.
    return encoded + [1] * draw(st.integers(0, 2))


def _is_below_a_byte(dtype: np.dtype[Any]) -> bool:
    part = dtype[0] if dtype.names else dtype
    return part.name.startswith(("int2", "int4", "uint2", "uint4", "float4_", "float6_"))


@st.composite
def _serializers(draw: DrawFn, dtype: np.dtype[Any], support: Support) -> tuple[Codec, bool]:
    """Draw an array -> bytes codec; and whether it asks for tame elements."""
    if dtype.hasobject:
        return _v3("vlen-utf8" if dtype.kind == "T" else "vlen-bytes"), False
    is_number = dtype.kind in "biufc" or is_small(dtype) or dtype.names == ("real", "imag")
    if "packbits" in support.registered and is_number and draw(st.booleans()):
        options: dict[str, Json] = {}
        # Of signed numbers zarrs 0.23 does not extend the sign, and parts of chunks it decodes
        # as if the first bit were 0.
        loses = dtype.kind == "u" and draw(st.booleans())
        if loses:
            options["last_bit"] = draw(st.integers(0, 8 * dtype.itemsize - 2))
        # It leaves the number of padding bits out where elements are whole bytes.
        if draw(st.booleans()) and (loses or dtype.kind == "b" or _is_below_a_byte(dtype)):
            encodings = st.sampled_from(["none", "first_byte", "last_byte"])
            options["padding_encoding"] = draw(encodings)
        return _v3("packbits", **options), loses
    with_endian = _codecs_v3("bytes", endian=st.sampled_from(["little", "big"]))
    return draw(with_endian if dtype.itemsize > 1 else with_endian | st.just(_v3("bytes"))), False


def _bytes_codecs(itemsize: int, support: Support) -> SearchStrategy[Codec]:
    zstd = {"level": _LEVELS_OF_ZSTD}
    if 3 in support.checksum_of_zstd:
        zstd["checksum"] = st.booleans()
    core = (
        _codecs_v3("gzip", level=st.integers(0, 9))
        | _codecs_v3("zstd", **zstd)
        | _codecs_v3(
            "blosc",
            shuffle=st.sampled_from(["noshuffle", "shuffle", "bitshuffle"]),
            typesize=st.sampled_from([1, min(itemsize, 255), 3 if support.odd_blosc else 1]),
            **_BLOSC,
        )
        | st.just(_v3("crc32c"))
    )
    more = _numcodecs_compressors(support.numcodecs) | _bytes_filters(support, itemsize)
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
        | _codecs_v2("blosc", shuffle=st.sampled_from([-1, 0, 1, 2]), **_BLOSC)
        | _codecs_v2("zstd", **zstd)
        | _codecs_v2("gzip", level=st.integers(1, 9))
        | _numcodecs_compressors(ids)
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
    array_filters = _array_filters(dtype, support, zarr_format=zarr_format)
    filters, is_tame = draw(st.just(((), False)) | array_filters)
    itemsize = 1 if filters else dtype.itemsize
    further = st.lists(_bytes_filters(support, itemsize), max_size=2 if itemsize == 1 else 1)
    return (*filters, *draw(further)), is_tame


def _codecs_v2(name: str, **members: SearchStrategy[Json]) -> SearchStrategy[Codec]:
    return st.fixed_dictionaries({"id": st.just(name), **members})


# --- numcodecs, by its own ids ------------------------------------------------------------------


def _numcodecs_compressors(ids: frozenset[str]) -> SearchStrategy[Codec]:
    compressors = {
        "bz2": _codecs_v2("bz2", level=st.integers(1, 9)),
        "lz4": _codecs_v2("lz4", acceleration=st.integers(1, 9)),
        "lzma": _codecs_v2(
            "lzma",
            format=st.just(1),
            check=st.sampled_from([-1, 0, 1, 4]),
            preset=st.none() | st.integers(0, 3),
            filters=st.none(),
        ),
        "zlib": _codecs_v2("zlib", level=st.integers(1, 9)),
    }
    return st.one_of(*(compressors[name] for name in compressors if name in ids))


def _bytes_filters(support: Support, itemsize: int) -> SearchStrategy[Codec]:
    """Draw a filter of bytes; `itemsize` divides their number."""
    checksums = ("adler32", "crc32", "crc32c", "fletcher32", "jenkins_lookup3")
    filters = [st.just({"id": name}) for name in checksums if name in support.numcodecs]
    if "shuffle" in support.numcodecs:
        filters.append(_codecs_v2("shuffle", elementsize=st.sampled_from([1, itemsize])))
    return st.one_of(*filters)


@st.composite
def _array_filters(
    draw: DrawFn, dtype: np.dtype[Any], support: Support, *, zarr_format: int
) -> tuple[tuple[Codec, ...], bool]:
    """Draw one or two filters that know the data type; and whether they ask for tame elements."""
    is_v2 = zarr_format == 2
    first = _exact_filters(dtype) + _rounding_filters(dtype)
    # In v3, zarr-python 3.1 leaves `endian` out if elements had one byte before the filters, and
    # reads what it filtered back in the wrong byte order if any is big.
    if dtype.kind in "iuf" and not is_small(dtype) and (is_v2 or dtype.itemsize > 1):
        first += _casting_filters(dtype, is_v2=is_v2)
    first = [kind for kind in first if kind[0] in support.numcodecs]
    if not first:
        return (), False
    name, is_tame, codec = draw(st.sampled_from(first))
    filters = [draw(codec)]
    if name != "packbits":  # shape and type of what it makes are other ones
        encoded = np.dtype(filters[0].get("encode_dtype") or filters[0].get("astype") or dtype)
        second = _exact_filters(encoded) + (_rounding_filters(encoded) if is_tame else [])
        second = [kind for kind in second if kind[0] in support.numcodecs]
        if second and draw(st.sampled_from([False, False, True])):
            _, is_second_tame, codec = draw(st.sampled_from(second))
            is_tame |= is_second_tame
            filters.append(draw(codec))
    return tuple(filters), is_tame


_FilterKind = tuple[str, bool, "SearchStrategy[Codec]"]
"""Id, whether it asks for tame elements, and the strategy."""


def _exact_filters(dtype: np.dtype[Any]) -> list[_FilterKind]:
    if dtype.kind == "b":
        return [("packbits", False, _codecs_v2("packbits"))]
    if dtype.kind in "iu":
        return [("delta", False, _codecs_v2("delta", dtype=st.just(dtype.str)))]
    return []


def _rounding_filters(dtype: np.dtype[Any]) -> list[_FilterKind]:
    if dtype.kind != "f" or is_small(dtype):
        return []
    own = st.just(dtype.str)
    digits = st.integers(0, 1 if dtype.itemsize == 2 else 3)  # more overflow float16
    filters: list[_FilterKind] = [
        ("delta", True, _codecs_v2("delta", dtype=own)),
        ("quantize", True, _codecs_v2("quantize", digits=digits, dtype=own)),
    ]
    if dtype.isnative:  # it knows no others
        keepbits = st.integers(1, {2: 10, 4: 23, 8: 52}[dtype.itemsize])
        filters.append(("bitround", True, _codecs_v2("bitround", keepbits=keepbits)))
    return filters


def _casting_filters(dtype: np.dtype[Any], *, is_v2: bool) -> list[_FilterKind]:
    own = st.just(dtype.str)
    floats = st.sampled_from(["<f8", "<f4", ">f4" if is_v2 else "<f4"])
    scaled = st.sampled_from(["<i2", ">i4" if is_v2 else "<i4", dtype.str])
    offset = st.sampled_from([0, 0 if dtype.kind == "u" else 10])
    scale = st.sampled_from([1, 2])
    numbers = {"offset": offset, "scale": scale, "dtype": own, "astype": scaled}
    filters: list[_FilterKind] = [
        ("astype", True, _codecs_v2("astype", encode_dtype=floats, decode_dtype=own)),
        ("fixedscaleoffset", True, _codecs_v2("fixedscaleoffset", **numbers)),
    ]
    if dtype.kind != "u":  # differences may be negative
        filters.append(("delta", True, _codecs_v2("delta", dtype=own, astype=floats)))
    return filters
