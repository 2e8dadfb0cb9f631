"""Hypothesis strategies for v3 codecs of the registry beyond the core, and for zarrs' own.

zarrs is the only other program to have them; what it does wrong is left out.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from tests.interop.data_types import is_small

if TYPE_CHECKING:
    import numpy as np
    from hypothesis.strategies import DrawFn

    from tests.interop.data_types import Codec, Json


@st.composite
def registered_filters(
    draw: DrawFn, dtype: np.dtype[Any], shape: tuple[int, ...], *, is_sharded: bool
) -> tuple[list[Codec], bool]:
    """Draw array -> array codecs of the registry; and whether they ask for tame elements."""
    chain: list[Codec] = []
    is_number = dtype.name == "bfloat16" or (dtype.kind in "iufc" and not is_small(dtype))
    rounds: bool = is_number and draw(st.sampled_from([False, False, False, True]))
    if rounds:
        chain.append(_codec("bitround", keepbits=draw(st.integers(1, 12))))
    # zarrs 0.23 decodes no text that was reshaped; shards would need inner chunks of other shapes.
    may_reshape = not is_sharded and not dtype.hasobject
    if may_reshape and draw(st.sampled_from([False, False, True])):
        chain.append(_codec("reshape", shape=draw(_encoded_shapes(len(shape)))))
    # zarrs 0.23 does not read parts of chunks that have no other length than 1.
    elif set(shape) - {1} and may_reshape and draw(st.sampled_from([False, False, True])):
        chain.append(_codec("zarrs.squeeze"))
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


@st.composite
def variable_lengths(draw: DrawFn, name: str) -> Codec:
    """Draw a codec of texts, or of bytes, by the name of the core's codec."""
    chosen = draw(st.sampled_from([name, "zarrs.vlen_v2", "zarrs.vlen"]))
    if chosen != "zarrs.vlen":
        return _codec(chosen)
    further = st.lists(st.sampled_from([_codec("crc32c"), _codec("gzip", level=2)]), max_size=2)
    endian = draw(st.sampled_from(["little", "big"]))
    return _codec(
        chosen,
        data_codecs=[_codec("bytes"), *draw(further)],
        index_codecs=[_codec("bytes", endian=endian), *draw(further)],
        index_data_type=draw(st.sampled_from(["uint32", "uint64"])),
        index_location=draw(st.sampled_from(["start", "end"])),
    )


@st.composite
def packbits(draw: DrawFn, dtype: np.dtype[Any]) -> tuple[Codec, bool]:
    """Draw ``packbits`` of numbers; and whether it loses some bits."""
    options: dict[str, Json] = {}
    # Of signed numbers zarrs 0.23 does not extend the sign, and parts of chunks it decodes as if
    # the first bit were 0.
    loses: bool = dtype.kind == "u" and draw(st.booleans())
    if loses:
        options["last_bit"] = draw(st.integers(0, 8 * dtype.itemsize - 2))
    # It leaves the number of padding bits out where elements are whole bytes.
    if draw(st.booleans()) and (loses or dtype.kind == "b" or _is_below_a_byte(dtype)):
        encodings = st.sampled_from(["none", "first_byte", "last_byte"])
        options["padding_encoding"] = draw(encodings)
    return _codec("packbits", **options), loses


def _is_below_a_byte(dtype: np.dtype[Any]) -> bool:
    part = dtype[0] if dtype.names else dtype
    return part.name.startswith(("int2", "int4", "uint2", "uint4", "float4_", "float6_"))


def _codec(name: str, **configuration: Json) -> Codec:
    return {"name": name, "configuration": configuration} if configuration else {"name": name}
