"""Codec ``zfp``: an array of numbers <-> a zfp stream without header.

Numbers that zfp does not have are brought to 32 bits: small floats as they are, small integers
shifted up to the 31 bits that zfp's own ``zfp_promote_*`` use. Unsigned numbers of 32 and 64 bits
are taken as signed; those that do not fit cannot be encoded.

Spec: registry, codec ``zfp``.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from zarrfs.codecs import zfp_library
from zarrfs.codecs.base import (
    Array,
    ArrayBytesCodec,
    Buffer,
    BytesSpec,
    ChunkSpec,
    Spec,
    expect_array,
)
from zarrfs.codecs.number_types import NumberType, expect_numbers
from zarrfs.errors import MetadataError, UnsupportedError
from zarrfs.format.documents import (
    Json,
    expect_choice,
    expect_integer,
    refuse_unknown,
    show,
    take,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zarrfs.format.extensions import Extension

_MODES = {
    "reversible": (),
    "expert": ("minbits", "maxbits", "maxprec", "minexp"),
    "fixed_accuracy": ("tolerance",),
    "fixed_rate": ("rate",),
    "fixed_precision": ("precision",),
}
"""Mode -> its other members."""

_LEAST_EXPONENT, _GREATEST_EXPONENT = -16495, 16272
"""What zfp's own header can hold for ``minexp``. zfp 1.0, ``zfp_stream_mode``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZfpCodec(ArrayBytesCodec):
    """Compresses numbers, with or without loss."""

    name: str
    spec: ChunkSpec
    encoded_spec: BytesSpec

    number: NumberType
    stored: np.dtype[Any]
    """Type that zfp sees."""

    set_mode: zfp_library.SetMode

    def encode(self, array: Array) -> Buffer:
        """Compress a chunk."""
        promoted = _promote(array.reshape(array.shape or (1,)), self.number, self.stored)
        if self.stored.kind == "i" and self.set_mode is not zfp_library.reversible:
            n_bits = 8 * self.stored.itemsize - 2  # zfp's transform needs the others
            if promoted.max() >= 2**n_bits or promoted.min() < -(2**n_bits):
                raise ValueError(f"with loss zfp cannot hold numbers beyond {n_bits} bits")
        return zfp_library.compress(promoted, self.set_mode)

    def decode(self, data: Buffer) -> Array:
        """Decompress a chunk."""
        array = np.empty(self.spec.shape or (1,), self.stored)
        zfp_library.decompress(data, array, self.set_mode)
        return _demote(array, self.number, self.spec.dtype).reshape(self.spec.shape)


def parse_zfp(extension: Extension, spec: Spec) -> ZfpCodec:
    """Build ``zfp`` from ``mode`` and the members that it needs.

    Raises
    ------
    MetadataError
        If the configuration is wrong, or chunks have a type or shape that zfp cannot hold.
    UnsupportedError
        If zfpy is not installed.
    """
    chunk, field = expect_array(extension.name, spec), f"codecs.{extension.name}"
    set_mode = _parse_mode(extension.configuration, len(chunk.shape) or 1, field)
    number = expect_numbers(chunk, ("int", "uint", "float"), field)
    if number.n_components > 1:
        raise MetadataError(f"cannot encode elements of type {chunk.dtype}", field=field)
    if len(chunk.shape) > 4 or 0 in chunk.shape:
        reason = f"cannot hold a chunk of shape {show(chunk.shape)}: zfp has 1 to 4 dimensions"
        raise MetadataError(reason, field=field)
    if not zfp_library.is_installed():
        raise UnsupportedError("needs the package zfpy: pip install 'zarrfs[zfpy]'", field=field)
    n_bits = 64 if number.n_bits == 64 else 32
    stored = np.dtype(f"{'float' if number.kind == 'float' else 'int'}{n_bits}")
    most = zfp_library.maximum_size(chunk.shape or (1,), stored, set_mode)
    return ZfpCodec(
        name=extension.name,
        spec=chunk,
        encoded_spec=BytesSpec(most=most),
        number=number,
        stored=stored,
        set_mode=set_mode,
    )


def _parse_mode(configuration: Mapping[str, Json], ndim: int, field: str) -> zfp_library.SetMode:
    mode = expect_choice(take(configuration, "mode", field), tuple(_MODES), f"{field}.mode")
    refuse_unknown(configuration, ("mode", *_MODES[mode]), field)

    def integer(member: str, minimum: int, maximum: int) -> int:
        value = take(configuration, member, field)
        return expect_integer(value, f"{field}.{member}", minimum=minimum, maximum=maximum)

    if mode == "reversible":
        return zfp_library.reversible
    if mode == "expert":
        minbits = integer("minbits", 0, zfp_library.MAX_BLOCK_BITS)
        return zfp_library.expert(
            minbits,
            integer("maxbits", minbits, 2**32 - 1),
            integer("maxprec", 1, 64),
            integer("minexp", _LEAST_EXPONENT, _GREATEST_EXPONENT),
        )
    if mode == "fixed_precision":
        return zfp_library.fixed_precision(integer("precision", 0, 2**32 - 1))
    if mode == "fixed_accuracy":
        return zfp_library.fixed_accuracy(
            _number(configuration, "tolerance", sys.float_info.max, field)
        )
    return zfp_library.fixed_rate(
        _number(configuration, "rate", zfp_library.MAX_BLOCK_BITS / 4**ndim, field)
    )


def _number(configuration: Mapping[str, Json], member: str, most: float, field: str) -> float:
    value = take(configuration, member, field)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= most:
        reason = f"must be a number from 0 to {most}, not {show(value)}"
        raise MetadataError(reason, field=f"{field}.{member}")
    return float(value)


# --- types that zfp does not have -------------------------------------------------------------


def _promote(array: Array, number: NumberType, stored: np.dtype[Any]) -> Array:
    if number.kind == "float":
        with np.errstate(invalid="ignore"):  # of signalling NaNs
            return array.astype(stored, copy=False)
    if number.n_bits >= 32:
        signed = np.ascontiguousarray(array).view(stored)
        if number.kind == "uint" and signed.min(initial=0) < 0:
            raise ValueError(f"zfp cannot hold numbers above {2 ** (number.n_bits - 1) - 1}")
        return signed
    middle = 0 if number.kind == "int" else 2 ** (number.n_bits - 1)
    return (array.astype(stored) - middle) << (31 - number.n_bits)


def _demote(array: Array, number: NumberType, dtype: np.dtype[Any]) -> Array:
    if number.kind == "float":
        # Lossy modes may make numbers larger than the type's greatest.
        with np.errstate(over="ignore", invalid="ignore"):
            return array.astype(dtype, copy=False)
    if number.n_bits >= 32:
        return (array if number.kind == "int" else np.maximum(array, 0)).view(dtype)
    low, high = number.limits()
    middle = 0 if number.kind == "int" else 2 ** (number.n_bits - 1)
    return np.clip((array >> (31 - number.n_bits)) + middle, low, high).astype(dtype)
