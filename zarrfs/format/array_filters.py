"""Filters of Zarr v2 that are array→array codecs in v3: which types of elements they take and make.

Version 2 writes the types, with their byte order, into the filter. Version 3 knows the type from
the codec before, and has a byte order only in the codec ``bytes``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from zarrfs.errors import UnsupportedError
from zarrfs.format.documents import Json, show
from zarrfs.format.extensions import NUMCODECS, Extension

if TYPE_CHECKING:
    from collections.abc import Mapping

Order = Literal["<", ">"]
"""Byte order of stored elements, as NumPy writes it."""

ARRAY_FILTERS = {
    "astype": ("decode_dtype", "encode_dtype"),
    "bitround": (),
    "categorize": ("dtype", "astype"),
    "delta": ("dtype", "astype"),
    "fixedscaleoffset": ("dtype", "astype"),
    "packbits": (),
    "quantize": ("dtype", "astype"),
}
"""Filters that v3 takes for array→array codecs -> members for the types of what they take and
make. Where the second is left out it is the first, and that is the array's own."""


@dataclass(frozen=True, slots=True)
class ArrayFilter:
    """A filter that v3 takes for an array→array codec."""

    id: str
    configuration: Mapping[str, Json]
    field: str

    def encoded(self, stored: np.dtype[Any]) -> np.dtype[Any]:
        """Type of what the filter makes of elements that are stored as `stored`."""
        if self.id == "packbits":
            return np.dtype(np.uint8)
        if self.id == "bitround":
            return stored
        decoded = self._dtypes(stored)[0]
        if decoded.itemsize != stored.itemsize or byte_orders(decoded) != byte_orders(stored):
            reason = f"{self.id} takes elements {decoded.str} for {stored.str}, not so in v3"
            raise UnsupportedError(reason, field=self.field)
        return self._dtypes(stored)[1]

    def spelled_out(self, stored: np.dtype[Any], order: Order) -> Extension:
        """Return the filter with all types given, in one byte order, as v2 readers need it."""
        members = dict(self.configuration)
        if ARRAY_FILTERS[self.id]:
            for name, dtype in zip(ARRAY_FILTERS[self.id], self._dtypes(stored), strict=True):
                members[name] = dtype.newbyteorder(order).str
        return Extension(name=f"{NUMCODECS}{self.id}", configuration=members)

    def _dtypes(self, stored: np.dtype[Any]) -> tuple[np.dtype[Any], np.dtype[Any]]:
        """Types of decoded and encoded elements."""
        decoded_member, encoded_member = ARRAY_FILTERS[self.id]
        decoded = self._dtype(decoded_member, stored)
        return decoded, self._dtype(encoded_member, decoded)

    def _dtype(self, member: str, default: np.dtype[Any]) -> np.dtype[Any]:
        value = self.configuration.get(member)
        if value is None:
            return default
        try:
            dtype = np.dtype(value if isinstance(value, str) else None)
        except (TypeError, ValueError) as error:
            raise self._no_type(member, value) from error
        if not isinstance(value, str) or dtype.hasobject:
            raise self._no_type(member, value)
        return dtype

    def _no_type(self, member: str, value: Json) -> UnsupportedError:
        reason = f"{self.id}: {member}: {show(value)} is no type of numbers"
        return UnsupportedError(reason, field=self.field)


def byte_orders(dtype: np.dtype[Any]) -> set[str]:
    """Byte orders of an element's parts, ``<`` or ``>``; empty where single bytes are all."""
    if dtype.names is not None:
        return set().union(*(byte_orders(dtype[name]) for name in dtype.names))
    order = dtype.base.str[0]
    return set() if order == "|" else {order}
