"""Array→array filters of numcodecs: ``delta``, ``astype``, ``packbits`` and their kind.

The fill value goes through them as one element; ``delta`` and ``packbits``, which have no encoding
of a single element, only change its type.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from zarrfs.codecs.base import Array, ArrayArrayCodec, ChunkSpec
from zarrfs.codecs.numcodecs_values import Numcodec, quietly, shaped
from zarrfs.errors import MetadataError
from zarrfs.format.array_filters import ARRAY_FILTERS

_NOT_ELEMENTWISE = frozenset({"delta", "packbits"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayFilter(ArrayArrayCodec):
    """A filter of arrays."""

    name: str
    spec: ChunkSpec
    encoded_spec: ChunkSpec
    codec: Numcodec

    def encode(self, array: Array) -> Array:
        """Filter a chunk."""
        return shaped(quietly(self.codec.encode, np.ascontiguousarray(array)), self.encoded_spec)

    def decode(self, array: Array) -> Array:
        """Undo the filter."""
        return shaped(quietly(self.codec.decode, np.ascontiguousarray(array)), self.spec)


def encoded_layout(
    codec_id: str, codec: Numcodec, spec: ChunkSpec
) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Return shape and type of what a filter makes of an array."""
    if codec_id == "packbits":
        return (1 + -(-spec.nbytes // 8),), np.dtype(np.uint8)
    if codec_id == "bitround":
        return spec.shape, spec.dtype
    decoded, encoded = _dtypes(codec_id, codec)
    if decoded.itemsize == spec.dtype.itemsize:
        return spec.shape, encoded
    return (spec.nbytes // decoded.itemsize,), encoded  # the filter views elements as others


def encoded_array(name: str, codec_id: str, codec: Numcodec, spec: ChunkSpec) -> ChunkSpec:
    """Return what an array→array filter makes of an array."""
    shape, dtype = encoded_layout(codec_id, codec, spec)
    fill = ChunkSpec(shape=(1,), dtype=spec.dtype, fill_value=spec.fill_value).filled()
    try:
        if codec_id in _NOT_ELEMENTWISE:
            fill = fill.astype(dtype)
        else:
            fill = np.asarray(quietly(codec.encode, fill)).reshape(-1).view(dtype)
    except (TypeError, ValueError, KeyError) as error:
        reason = f"cannot encode {spec.dtype}: {error}"
        raise MetadataError(reason, field=f"codecs.{name}") from error
    return ChunkSpec(shape=shape, dtype=dtype, fill_value=fill[0])


def decoded_nbytes(codec_id: str, codec: Numcodec, n_encoded: int) -> int:
    """Bytes that a filter decodes so many to, at least: ``packbits`` leaves up to 7 bits out."""
    if codec_id == "packbits":
        return max(8 * n_encoded - 15, 0)
    if codec_id == "bitround":
        return n_encoded
    decoded, encoded = _dtypes(codec_id, codec)
    return n_encoded // max(encoded.itemsize, 1) * decoded.itemsize


def _dtypes(codec_id: str, codec: Numcodec) -> tuple[np.dtype[Any], np.dtype[Any]]:
    """Types of what a filter takes and makes."""
    decoded, encoded = ARRAY_FILTERS[codec_id]
    return getattr(codec, decoded), getattr(codec, encoded)
