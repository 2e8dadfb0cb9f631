"""Codec ``scale_offset``: an array <-> ``(array - offset) * scale``, in the array's own type.

Nothing wraps around and nothing is rounded that is not a float: a result that the type cannot
hold is an error, and so is a quotient of integers that is not whole. Decoding floats is not the
exact inverse of encoding them.

Spec: registry, codec ``scale_offset``.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from zarrfs.codecs.base import Array, ArrayArrayCodec, ChunkSpec, Spec, expect_array
from zarrfs.codecs.cast_value import expect_only, parse_scalar
from zarrfs.codecs.number_types import NumberType, expect_real_numbers
from zarrfs.errors import MetadataError
from zarrfs.format.documents import show

if TYPE_CHECKING:
    from zarrfs.format.extensions import Extension

Operation = Callable[[Any, Any], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleOffsetCodec(ArrayArrayCodec):
    """Shifts and scales numbers."""

    name: str
    spec: ChunkSpec
    encoded_spec: ChunkSpec

    number: NumberType
    offset: Any
    """Scalar of the array's type; ``None`` for none."""

    scale: Any
    """Scalar of the array's type, not zero; ``None`` for none."""

    def encode(self, array: Array) -> Array:
        """Shift and scale a chunk."""
        shifted = self._apply(operator.sub, array, self.offset)
        return self._apply(operator.mul, shifted, self.scale)

    def decode(self, array: Array) -> Array:
        """Undo it."""
        quotient = operator.truediv if self.number.kind == "float" else operator.floordiv
        return self._apply(operator.add, self._apply(quotient, array, self.scale), self.offset)

    def _apply(self, operation: Operation, array: Array, scalar: Any) -> Array:
        if scalar is None or not array.size:
            return array
        is_float = self.number.kind == "float"
        apply = self._apply_to_floats if is_float else self._apply_to_integers
        # NumPy makes scalars of arrays without dimensions.
        return np.asarray(apply(operation, array, scalar))

    def _apply_to_integers(self, operation: Operation, array: Array, scalar: Any) -> Array:
        plain, number = array.astype(self.number.plain, copy=False), int(scalar)
        scalar = self.number.plain.type(number)
        if operation is operator.floordiv and (plain % scalar).any():
            raise ValueError(f"not all numbers can be divided by {number}")
        # Each operation is monotonous, so none of the results lies beyond those of the extremes.
        low, high = self.number.limits()
        for extreme in int(plain.min()), int(plain.max()):
            if not low <= operation(extreme, number) <= high:
                reason = f"{_text(operation, extreme, number)} has no place in {array.dtype}"
                raise ValueError(reason)
        result: Array = operation(plain, scalar)
        return result.astype(array.dtype)

    def _apply_to_floats(self, operation: Operation, array: Array, scalar: Any) -> Array:
        with np.errstate(all="ignore"):
            if not self.number.is_user_defined:
                result: Array = operation(array, scalar)
                return result
            wide: Array = operation(array.astype(np.float32), np.float32(scalar))
            narrow = wide.astype(array.dtype)
        # Types without infinity make a NaN, or their greatest number, of what exceeds them.
        finfo = self.number.finfo()
        beyond = (wide < np.float32(finfo.min)) | (wide > np.float32(finfo.max))
        beyond &= ~np.isinf(narrow)
        if beyond.any():
            element = array[beyond][0]
            reason = f"{_text(operation, element, scalar)} has no place in {array.dtype}"
            raise ValueError(reason)
        return narrow


def parse_scale_offset(extension: Extension, spec: Spec) -> ScaleOffsetCodec:
    """Build ``scale_offset`` from ``offset`` and ``scale``, both optional.

    Raises
    ------
    MetadataError
        If the array holds no real numbers, a member is none of its scalars, or the scale is zero.
    """
    chunk, field = expect_array(extension.name, spec), f"codecs.{extension.name}"
    expect_only(extension.configuration, ("offset", "scale"), field)
    number = expect_real_numbers(chunk.dtype, field)
    offset, scale = (
        parse_scalar(extension.configuration[member], number, f"{field}.{member}")
        if member in extension.configuration
        else None
        for member in ("offset", "scale")
    )
    if scale is not None and not (np.isfinite(scale) and scale != 0):
        reason = (
            f"must be a finite number other than 0, not {show(extension.configuration['scale'])}"
        )
        raise MetadataError(reason, field=f"{field}.scale")
    codec = ScaleOffsetCodec(
        name=extension.name,
        spec=chunk,
        encoded_spec=chunk,
        number=number,
        offset=offset,
        scale=scale,
    )
    fill = ChunkSpec(shape=(1,), dtype=chunk.dtype, fill_value=chunk.fill_value).filled()
    try:
        encoded = codec.encode(fill)[0]
    except ValueError as error:
        raise MetadataError(f"cannot encode the fill value: {error}", field=field) from error
    return replace(
        codec,
        encoded_spec=ChunkSpec(shape=chunk.shape, dtype=chunk.dtype, fill_value=encoded),
    )


_SIGNS = {operator.add: "+", operator.sub: "-", operator.mul: "·"}


def _text(operation: Operation, a: Any, b: Any) -> str:
    return f"{a} {_SIGNS.get(operation, '/')} {b}"
