"""What a codec encodes -> how many bytes can come out, where the codec does not say exactly.

A compressor behind another, or behind a shard, does not know how many bytes it will decode to.
It is stopped at the most that any encoder makes of a chunk, so that hostile data fill no memory.
The bounds are wide: no encoder at hand comes near them, and one that writes in small pieces, each
with a header of its own, still fits.
"""

from __future__ import annotations

import math

from zarrfs.codecs.base import UNBOUNDED_MOST, UNBOUNDED_RATIO, BytesSpec, ChunkSpec, Spec

ARRAY_FACTOR = 8
"""Bytes that codecs of arrays make of one byte: JSON takes six for ``false,``."""

BYTES_FACTOR = 2
"""Bytes that compressors make of one byte: the worst are bzip2 and lzma, with a few per cent."""

OVERHEAD = 4096
"""Bytes of headers, checksums and dictionaries of a chunk."""

OBJECT = 4096
"""Bytes of an element of variable length; longer ones count on `UNBOUNDED_RATIO`."""


def bounded(decoded: Spec, encoded: Spec) -> Spec:
    """Return `encoded`, with a bound if it has neither size nor bound.

    Parameters
    ----------
    decoded
        What a codec encodes.
    encoded
        What the codec says that it makes of it.
    """
    if isinstance(encoded, ChunkSpec) or encoded.nbytes is not None or encoded.most is not None:
        return encoded
    if isinstance(decoded, ChunkSpec):
        if decoded.dtype.hasobject:
            most = UNBOUNDED_MOST + OBJECT * math.prod(decoded.shape)
            return BytesSpec(array=encoded.array, most=most, ratio=UNBOUNDED_RATIO)
        most = ARRAY_FACTOR * decoded.nbytes + OVERHEAD
        return BytesSpec(array=encoded.array, most=most, ratio=encoded.ratio)
    most = BYTES_FACTOR * decoded.limit(0) + OVERHEAD
    ratio = BYTES_FACTOR * decoded.ratio if decoded.nbytes is None else 0
    return BytesSpec(array=encoded.array, most=most, ratio=ratio)
