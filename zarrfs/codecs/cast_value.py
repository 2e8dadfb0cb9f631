"""Codec ``cast_value``: an array <-> the same numbers in another type.

Some scalars can be mapped to others before anything is cast. The fill value is cast like an
element and has to come back unchanged: a missing inner chunk behind this codec is the fill value.

Spec: registry, codec ``cast_value``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from zarrfs.codecs.base import Array, ArrayArrayCodec, ChunkSpec, Spec, expect_array
from zarrfs.codecs.casts import ROUNDINGS, Cast, OutOfRange
from zarrfs.codecs.number_types import NumberType, expect_real_numbers
from zarrfs.errors import MetadataError
from zarrfs.format.documents import (
    Json,
    dotted,
    expect_choice,
    expect_list,
    expect_object,
    refuse_unknown,
    show,
    take,
)
from zarrfs.format.dtypes import DataType
from zarrfs.format.dtypes_v3 import parse_v3_dtype
from zarrfs.format.fill_values import parse_v3_fill_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zarrfs.format.extensions import Extension

ScalarMap = tuple[tuple[Any, Any], ...]
"""Pairs of scalars; the first that fits counts."""

Direction = Literal["encode", "decode"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueCast:
    """What becomes of the scalars of one direction."""

    cast: Cast
    scalar_map: ScalarMap

    def __call__(self, array: Array) -> Array:
        """Cast an array."""
        result = np.empty(array.shape, self.cast.target.component)
        left = np.ones(array.shape, np.bool_)
        for key, value in self.scalar_map:
            is_nan = key != key
            is_key = left & (array != array if is_nan else array == key)
            result[is_key] = value
            left &= ~is_key
        result[left] = self.cast(array[left])
        return result


@dataclass(frozen=True, slots=True, kw_only=True)
class CastValueCodec(ArrayArrayCodec):
    """Casts numbers to another type."""

    name: str
    spec: ChunkSpec
    encoded_spec: ChunkSpec
    to_encoded: ValueCast
    to_decoded: ValueCast

    def encode(self, array: Array) -> Array:
        """Cast a chunk."""
        return self.to_encoded(array)

    def decode(self, array: Array) -> Array:
        """Cast a chunk back."""
        return self.to_decoded(array)


def parse_cast_value(extension: Extension, spec: Spec) -> CastValueCodec:
    """Build ``cast_value`` from ``data_type``, ``rounding``, ``out_of_range``, ``scalar_map``.

    Raises
    ------
    MetadataError
        If the configuration is wrong, one of the types holds no real numbers, or the fill value
        does not survive.
    UnsupportedError
        If zarrfs does not have the data type.
    """
    chunk, field = expect_array(extension.name, spec), f"codecs.{extension.name}"
    configuration = extension.configuration
    expect_only(configuration, ("data_type", "rounding", "out_of_range", "scalar_map"), field)
    source = expect_real_numbers(chunk.dtype, field)
    data_type = parse_v3_dtype(take(configuration, "data_type", field), f"{field}.data_type")
    target = expect_real_numbers(data_type.dtype, f"{field}.data_type")
    rounding = expect_choice(
        configuration.get("rounding", "nearest-even"), tuple(ROUNDINGS), f"{field}.rounding"
    )
    out_of_range = _parse_out_of_range(configuration, target, f"{field}.out_of_range")
    maps = expect_object(configuration.get("scalar_map", {}), f"{field}.scalar_map")
    refuse_unknown(maps, ("encode", "decode"), f"{field}.scalar_map")

    def value_cast(direction: Direction, source: NumberType, target: NumberType) -> ValueCast:
        path = f"{field}.scalar_map.{direction}"
        return ValueCast(
            cast=Cast(source=source, target=target, rounding=rounding, out_of_range=out_of_range),
            scalar_map=_parse_map(maps.get(direction, []), source, target, path),
        )

    to_encoded = value_cast("encode", source, target)
    to_decoded = value_cast("decode", target, source)
    return CastValueCodec(
        name=extension.name,
        spec=chunk,
        encoded_spec=ChunkSpec(
            shape=chunk.shape,
            dtype=target.component,
            fill_value=_cast_fill(chunk, to_encoded, to_decoded, field),
        ),
        to_encoded=to_encoded,
        to_decoded=to_decoded,
    )


def expect_only(configuration: Mapping[str, Json], known: tuple[str, ...], field: str) -> None:
    """Refuse all members but the known ones, those too that say that they may be ignored.

    Spec: registry, ``cast_value`` and ``scale_offset``, "Configuration".
    """
    for name in refuse_unknown(configuration, known, field):
        raise MetadataError("must not be there: the name is reserved", field=dotted(field, name))


def _parse_out_of_range(
    configuration: Mapping[str, Json], target: NumberType, field: str
) -> OutOfRange:
    if "out_of_range" not in configuration:
        return None
    value = expect_choice(configuration["out_of_range"], ("clamp", "wrap"), field)
    if value == "clamp":
        return "clamp"
    if target.kind == "float":
        reason = f'"wrap" is for integers, and data_type is {target.component}'
        raise MetadataError(reason, field=field)
    return "wrap"


def _parse_map(value: Json, source: NumberType, target: NumberType, field: str) -> ScalarMap:
    pairs = []
    for i, pair in enumerate(expect_list(value, field)):
        path = f"{field}[{i}]"
        if not isinstance(pair, list) or len(pair) != 2:
            raise MetadataError(f"must be [input, output], not {show(pair)}", field=path)
        key = parse_scalar(pair[0], source, f"{path}[0]")
        pairs.append((key, parse_scalar(pair[1], target, f"{path}[1]")))
    return tuple(pairs)


def parse_scalar(value: Json, number: NumberType, field: str) -> Any:
    """Parse a scalar of real numbers, in the form of a fill value."""
    if value == "+Infinity":  # so in an example of the registry
        value = "Infinity"
    dtype = number.component
    return parse_v3_fill_value(value, DataType(dtype.name, dtype), field=field)


def _cast_fill(chunk: ChunkSpec, to_encoded: ValueCast, to_decoded: ValueCast, field: str) -> Any:
    """Cast the fill value.

    Raises
    ------
    MetadataError
        If it would not come back.
    """
    fill = ChunkSpec(shape=(1,), dtype=chunk.dtype, fill_value=chunk.fill_value).filled()
    try:
        encoded = to_encoded(fill)
        decoded = to_decoded(encoded)
    except ValueError as error:
        raise MetadataError(f"cannot encode the fill value: {error}", field=field) from error
    if decoded[0] != fill[0] and fill[0] == fill[0]:
        reason = f"the fill value {fill[0]} becomes {encoded[0]} and comes back as {decoded[0]}"
        raise MetadataError(reason, field=field)
    return encoded[0]
