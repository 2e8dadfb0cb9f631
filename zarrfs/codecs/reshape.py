"""Codecs ``reshape`` and ``zarrs.squeeze``: an array <-> its elements in another shape, in C order.

Spec: registry, codec ``reshape``. ``zarrs.squeeze`` is private to the Rust library zarrs (0.24,
``codec/array_to_array/squeeze``): it drops dimensions of length 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from zarrfs.codecs.base import Array, ArrayArrayCodec, ChunkSpec, Spec, expect_array
from zarrfs.errors import MetadataError
from zarrfs.format.documents import (
    Json,
    expect_integers,
    expect_list,
    is_integer,
    refuse_unknown,
    show,
    take,
)

if TYPE_CHECKING:
    from zarrfs.format.extensions import Extension


@dataclass(frozen=True, slots=True, kw_only=True)
class ReshapeCodec(ArrayArrayCodec):
    """Gives an array another shape of as many elements, without moving one."""

    name: str
    spec: ChunkSpec
    encoded_spec: ChunkSpec

    def encode(self, array: Array) -> Array:
        """Return the array in its encoded shape; a view where memory is in C order."""
        return array.reshape(self.encoded_spec.shape)

    def decode(self, array: Array) -> Array:
        """Return the array in its own shape; a view where memory is in C order."""
        return array.reshape(self.spec.shape)


def parse_reshape(extension: Extension, spec: Spec) -> ReshapeCodec:
    """Build ``reshape`` from ``{"shape": [[0, 1], 10, -1]}``.

    A length is a number, the product of some lengths of the decoded array, or -1 for what is
    left.
    """
    chunk, field = expect_array(extension.name, spec), f"codecs.{extension.name}"
    refuse_unknown(extension.configuration, ("shape",), field)
    field = f"{field}.shape"
    value = take(extension.configuration, "shape", f"codecs.{extension.name}")
    items = expect_list(value, field)
    shape = _resolve(items, chunk.shape, field)
    _check_dimensions(items, chunk.shape, shape, field)
    return _reshape(extension.name, chunk, shape)


def parse_squeeze(extension: Extension, spec: Spec) -> ReshapeCodec:
    """Build ``zarrs.squeeze``, which has no configuration; one dimension at least is left."""
    chunk = expect_array(extension.name, spec)
    refuse_unknown(extension.configuration, (), f"codecs.{extension.name}")
    return _reshape(extension.name, chunk, tuple(n for n in chunk.shape if n != 1) or (1,))


def _reshape(name: str, chunk: ChunkSpec, shape: tuple[int, ...]) -> ReshapeCodec:
    encoded = ChunkSpec(shape=shape, dtype=chunk.dtype, fill_value=chunk.fill_value)
    return ReshapeCodec(name=name, spec=chunk, encoded_spec=encoded)


def _resolve(items: list[Json], decoded: tuple[int, ...], field: str) -> tuple[int, ...]:
    """Return the encoded shape, which has as many elements as the decoded one."""
    lengths = [_length(item, decoded, f"{field}[{i}]") for i, item in enumerate(items)]
    size, rest = math.prod(decoded), math.prod(n for n in lengths if n is not None)
    if lengths.count(None) > 1:
        raise MetadataError(f"holds -1 more than once: {show(items)}", field=field)
    if None in lengths and rest and size % rest == 0:
        lengths[lengths.index(None)] = size // rest
    shape = tuple(n for n in lengths if n is not None)
    if len(shape) < len(items) or math.prod(shape) != size:
        reason = f"cannot give a chunk of shape {show(decoded)} the shape {show(items)}"
        raise MetadataError(reason, field=field)
    return shape


def _length(item: Json, decoded: tuple[int, ...], field: str) -> int | None:
    """Return one length; ``None`` for -1, what is left."""
    if isinstance(item, list):
        dimensions = expect_integers(item, field, minimum=0)
        if any(axis >= len(decoded) for axis in dimensions):
            reason = f"names dimensions of {len(decoded)}, not {show(item)}"
            raise MetadataError(reason, field=field)
        return math.prod(decoded[axis] for axis in dimensions)
    if not is_integer(item) or item < -1 or item == 0:
        reason = f"must be a length ≥ 1, -1 or a list of dimensions, not {show(item)}"
        raise MetadataError(reason, field=field)
    return None if item == -1 else int(item)


def _check_dimensions(
    items: list[Json], decoded: tuple[int, ...], encoded: tuple[int, ...], field: str
) -> None:
    """Refuse lists of dimensions that suggest a transposition, or lie across other lengths."""
    named = [axis for item in items if isinstance(item, list) for axis in item]
    if any(a >= b for a, b in pairwise(named)):
        reason = f"must name dimensions in increasing order, once each, not {show(items)}"
        raise MetadataError(reason, field=field)
    for i, item in enumerate(items):
        if isinstance(item, list) and item:
            before, behind = math.prod(decoded[: item[0]]), math.prod(decoded[item[-1] + 1 :])
            if (math.prod(encoded[:i]), math.prod(encoded[i + 1 :])) != (before, behind):
                reason = f"dimensions {show(item)} do not become this one of {show(encoded)}"
                raise MetadataError(reason, field=f"{field}[{i}]")
