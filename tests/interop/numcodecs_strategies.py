"""Hypothesis strategies for codecs of numcodecs, as its own JSON.

Each takes the ids of the codecs that a program has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import strategies as st

from tests.interop.data_types import is_small

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn, SearchStrategy

    from tests.interop.data_types import Codec, Json


def codecs_v2(name: str, **members: SearchStrategy[Json]) -> SearchStrategy[Codec]:
    """Draw the members of a codec beside its id."""
    return st.fixed_dictionaries({"id": st.just(name), **members})


def numcodecs_compressors(ids: frozenset[str]) -> SearchStrategy[Codec]:
    """Draw a compressor."""
    compressors = {
        "bz2": codecs_v2("bz2", level=st.integers(1, 9)),
        "lz4": codecs_v2("lz4", acceleration=st.integers(1, 9)),
        "lzma": codecs_v2(
            "lzma",
            format=st.just(1),
            check=st.sampled_from([-1, 0, 1, 4]),
            preset=st.none() | st.integers(0, 3),
            filters=st.none(),
        ),
        "zlib": codecs_v2("zlib", level=st.integers(0, 9)),
    }
    return st.one_of(*(compressors[name] for name in compressors if name in ids))


def bytes_filters(ids: frozenset[str], itemsize: int) -> SearchStrategy[Codec]:
    """Draw a filter of bytes; `itemsize` divides their number."""
    checksums = ("adler32", "crc32", "crc32c", "fletcher32", "jenkins_lookup3")
    filters = [st.just({"id": name}) for name in checksums if name in ids]
    if "shuffle" in ids:
        filters.append(codecs_v2("shuffle", elementsize=st.sampled_from([1, itemsize])))
    return st.one_of(*filters)


@st.composite
def array_filters(
    draw: DrawFn, dtype: np.dtype[Any], ids: frozenset[str], *, zarr_format: int
) -> tuple[tuple[Codec, ...], bool]:
    """Draw one or two filters that know the data type; and whether they ask for tame elements."""
    is_v2 = zarr_format == 2
    first = _exact_filters(dtype) + _rounding_filters(dtype)
    # In v3, zarr-python 3.1 leaves `endian` out if elements had one byte before the filters, and
    # reads what it filtered back in the wrong byte order if any is big.
    if dtype.kind in "iuf" and not is_small(dtype) and (is_v2 or dtype.itemsize > 1):
        first += _casting_filters(dtype, is_v2=is_v2)
    first = [kind for kind in first if kind[0] in ids]
    if not first:
        return (), False
    name, is_tame, codec = draw(st.sampled_from(first))
    filters = [draw(codec)]
    # What packbits makes has another shape, and what bitround makes are integers to numcodecs.
    if name not in ("packbits", "bitround"):
        encoded = np.dtype(filters[0].get("encode_dtype") or filters[0].get("astype") or dtype)
        second = _exact_filters(encoded) + (_rounding_filters(encoded) if is_tame else [])
        second = [kind for kind in second if kind[0] in ids]
        if second and draw(st.sampled_from([False, False, True])):
            _, is_second_tame, codec = draw(st.sampled_from(second))
            is_tame |= is_second_tame
            filters.append(draw(codec))
    return tuple(filters), is_tame


_FilterKind = tuple[str, bool, "SearchStrategy[Codec]"]
"""Id, whether it asks for tame elements, and the strategy."""


def _exact_filters(dtype: np.dtype[Any]) -> list[_FilterKind]:
    if dtype.kind == "b":
        return [("packbits", False, codecs_v2("packbits"))]
    if dtype.kind in "iu":
        return [("delta", False, codecs_v2("delta", dtype=st.just(dtype.str)))]
    return []


def _rounding_filters(dtype: np.dtype[Any]) -> list[_FilterKind]:
    if dtype.kind != "f" or is_small(dtype):
        return []
    own = st.just(dtype.str)
    digits = st.integers(0, 1 if dtype.itemsize == 2 else 3)  # more overflow float16
    filters: list[_FilterKind] = [
        ("delta", True, codecs_v2("delta", dtype=own)),
        ("quantize", True, codecs_v2("quantize", digits=digits, dtype=own)),
    ]
    if dtype.isnative:  # it knows no others
        keepbits = st.integers(1, {2: 10, 4: 23, 8: 52}[dtype.itemsize])
        filters.append(("bitround", True, codecs_v2("bitround", keepbits=keepbits)))
    return filters


def _casting_filters(dtype: np.dtype[Any], *, is_v2: bool) -> list[_FilterKind]:
    own = st.just(dtype.str)
    floats = st.sampled_from(["<f8", "<f4", ">f4" if is_v2 else "<f4"])
    scaled = st.sampled_from(["<i2", ">i4" if is_v2 else "<i4", dtype.str])
    offset = st.sampled_from([0, 0 if dtype.kind == "u" else 10])
    scale = st.sampled_from([1, 2])
    numbers = {"offset": offset, "scale": scale, "dtype": own, "astype": scaled}
    filters: list[_FilterKind] = [
        ("astype", True, codecs_v2("astype", encode_dtype=floats, decode_dtype=own)),
        ("fixedscaleoffset", True, codecs_v2("fixedscaleoffset", **numbers)),
    ]
    if dtype.kind != "u":  # differences may be negative
        filters.append(("delta", True, codecs_v2("delta", dtype=own, astype=floats)))
    return filters
