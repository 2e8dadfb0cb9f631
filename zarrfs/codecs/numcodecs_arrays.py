"""Array→array filters of numcodecs: ``delta``, ``astype``, ``packbits`` and their kind.

The fill value goes through them as one element; ``delta`` and ``packbits``, which have no encoding
of a single element, only change its type.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from zarrfs.codecs.base import Array, ArrayArrayCodec, ChunkSpec
from zarrfs.codecs.numcodecs_values import Numcodec, quietly, shaped
from zarrfs.errors import MetadataError

DECODED_DTYPE = MappingProxyType(
    {
        "astype": "decode_dtype",
        "categorize": "dtype",
        "delta": "dtype",
        "fixedscaleoffset": "dtype",
        "quantize": "dtype",
    }
)
"""Members that zarr-python leaves out where they are the array's own type."""

ENCODED_DTYPE = MappingProxyType(
    {
        "astype": "encode_dtype",
        "categorize": "astype",
        "delta": "astype",
        "fixedscaleoffset": "astype",
        "quantize": "astype",
    }
)
"""Members that say what type elements are encoded to."""

ARRAY_FILTERS = frozenset({*ENCODED_DTYPE, "bitround", "packbits"})
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
    decoded: np.dtype[Any] = getattr(codec, DECODED_DTYPE[codec_id])
    encoded: np.dtype[Any] = getattr(codec, ENCODED_DTYPE[codec_id])
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
    decoded: np.dtype[Any] = getattr(codec, DECODED_DTYPE[codec_id])
    encoded: np.dtype[Any] = getattr(codec, ENCODED_DTYPE[codec_id])
    return n_encoded // max(encoded.itemsize, 1) * decoded.itemsize
