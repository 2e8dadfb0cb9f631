"""The type of the elements in a flat file: the array's, in the byte order that was asked for."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Literal

from zarrfs.errors import ViewError
from zarrfs.format.dtypes import carrier
from zarrfs.format.extensions import parse_extensions

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np

    from zarrfs.format.extensions import Extension
    from zarrfs.format.metadata import ArrayMetadata

Endian = Literal["little", "big", "stored"]


def flat_dtype(metadata: ArrayMetadata, endian: Endian) -> np.dtype[Any]:
    """Return the NumPy type of the elements in the flat file, its byte order always explicit.

    Raises
    ------
    ViewError
        If elements have no fixed size, or are bfloat16 (alone or in fields) in another byte
        order than the machine's.
    """
    dtype, name = metadata.dtype, metadata.data_type.name
    if dtype.hasobject:
        raise ViewError(f"its elements ({name}) have no fixed size")
    if endian == "stored":
        endian = _stored_endian(metadata.codecs)
    if endian == "stored" and dtype.names is not None:
        return dtype
    order: Literal["<", ">"] = ">" if endian == "big" else "<"
    ordered = dtype.newbyteorder(order)
    in_bytes = carrier(ordered)
    if in_bytes != in_bytes.newbyteorder(order):
        reason = f"NumPy has its elements ({name}) in {sys.byteorder}-endian byte order only"
        raise ViewError(reason)
    return ordered


def _stored_endian(codecs: Iterable[Extension]) -> Endian:
    """Return the byte order that the codec ``bytes`` is told, in shards too.

    Told none, as for one-byte types, it stores the fields of structured types as they are declared.
    """
    for codec in codecs:
        endian = codec.configuration.get("endian")
        if endian is not None:
            return "big" if endian == "big" else "little"
        inner = codec.configuration.get("codecs")
        if codec.name == "sharding_indexed" and isinstance(inner, list):
            return _stored_endian(parse_extensions(inner, "codecs"))
    return "stored"
