"""Codec ``transpose``: an array <-> the same with its dimensions in another order.

Spec: Zarr v3, codec ``transpose`` 1.0. Drafts of v3 wrote ``"C"`` and ``"F"`` for no change and
for all dimensions reversed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from zarrfs.codecs.base import Array, ArrayArrayCodec, ChunkSpec, Spec, expect_array
from zarrfs.errors import MetadataError
from zarrfs.format.documents import expect_integers, refuse_unknown, show, take

if TYPE_CHECKING:
    from zarrfs.format.extensions import Extension


@dataclass(frozen=True, slots=True, kw_only=True)
class TransposeCodec(ArrayArrayCodec):
    """Permutes dimensions, without moving an element."""

    name: str
    spec: ChunkSpec
    encoded_spec: ChunkSpec

    order: tuple[int, ...]
    """Dimension ``i`` of the encoded array is dimension ``order[i]`` of the decoded one."""

    inverse: tuple[int, ...]

    def encode(self, array: Array) -> Array:
        """Return a transposed view."""
        return array.transpose(self.order)

    def decode(self, array: Array) -> Array:
        """Return a view transposed back."""
        return array.transpose(self.inverse)


def parse_transpose(extension: Extension, spec: Spec) -> TransposeCodec:
    """Build ``transpose`` from ``{"order": [1, 0, …]}``."""
    chunk, field = expect_array(extension.name, spec), f"codecs.{extension.name}"
    refuse_unknown(extension.configuration, ("order",), field)
    value = take(extension.configuration, "order", field)
    axes = tuple(range(len(chunk.shape)))
    if value in ("C", "F"):
        order = axes if value == "C" else axes[::-1]
    else:
        order = expect_integers(value, f"{field}.order", minimum=0)
    if sorted(order) != list(axes):
        reason = f"must hold each of the {len(axes)} dimensions once, not {show(value)}"
        raise MetadataError(reason, field=f"{field}.order")
    return TransposeCodec(
        name=extension.name,
        spec=chunk,
        encoded_spec=ChunkSpec(
            shape=tuple(chunk.shape[axis] for axis in order),
            dtype=chunk.dtype,
            fill_value=chunk.fill_value,
        ),
        order=order,
        inverse=tuple(int(axis) for axis in np.argsort(order)),
    )
