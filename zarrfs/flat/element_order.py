"""The type of the elements in a flat file: the array's, in the byte order that was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from zarrfs.errors import ViewError
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
        If elements have no fixed size.
    """
    dtype = metadata.dtype
    if dtype.hasobject:
        raise ViewError(f"its elements ({metadata.data_type.name}) have no fixed size")
    if endian == "stored":
        return dtype.newbyteorder("<" if stored_endian(metadata.codecs) == "little" else ">")
    return dtype.newbyteorder("<" if endian == "little" else ">")


def stored_endian(codecs: Iterable[Extension]) -> Literal["little", "big"]:
    """Return the byte order that the codec ``bytes`` is told, in shards too; else little."""
    for codec in codecs:
        if codec.configuration.get("endian") == "big":
            return "big"
        inner = codec.configuration.get("codecs")
        if codec.name == "sharding_indexed" and isinstance(inner, list):
            return stored_endian(parse_extensions(inner, "codecs"))
    return "little"
