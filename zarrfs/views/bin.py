"""``bin``: an array as its elements in C order and nothing else, with a JSON file beside it.

For programs that are told shape and type by their user: `dd`, `np.memmap`, Fortran, MATLAB's
``memmapfile``. The sidecar says what to tell them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from zarrfs.format.dtypes import carrier, dtype_text
from zarrfs.views.segments import FlatSpan, Header, Segments
from zarrfs.views.values import json_text, json_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

    from zarrfs.format.documents import Json
    from zarrfs.format.metadata import ArrayMetadata
    from zarrfs.views.description import ArrayDescription


def bin_segments(array: ArrayDescription) -> Segments:
    """Lay out ``NAME.bin``: the flat file."""
    return Segments(FlatSpan(0, array.nbytes))


def sidecar_segments(array: ArrayDescription) -> Segments:
    """Lay out ``NAME.json``: what a reader of ``NAME.bin`` must know, as JSON in UTF-8.

    Shapes are in elements, `itemsize` and `strides` in bytes. Values that JSON does not have are
    written as Zarr v3 does: ``"NaN"``, ``"Infinity"``, ``[real, imaginary]``.

    Raises
    ------
    ViewError
        If attributes are nested deeper than anybody could read.
    """
    itemsize = array.dtype.itemsize
    document: dict[str, Json] = {
        "shape": list(array.shape),
        "dtype": _fields(array.dtype) if array.dtype.names else dtype_text(array.dtype),
        "data_type": array.metadata.data_type.name,
        "byte_order": _byte_order(array.dtype),
        "itemsize": itemsize,
        "strides": [
            itemsize * math.prod(array.shape[axis + 1 :]) for axis in range(len(array.shape))
        ],
        "order": "C",
        "chunk_shape": list(array.chunk_shape),
        "shard_shape": None if array.shard_shape is None else list(array.shard_shape),
        "fill_value": _fill_value(array.metadata),
        "dimension_names": json_value(array.metadata.dimension_names),
        "attributes": json_value(array.metadata.attributes),
    }
    # A lone surrogate, which UTF-8 does not have, becomes the escape that JSON has for it.
    text = json_text(document).encode("utf-8", "backslashreplace")
    return Segments(Header(text + b"\n"))


def _fields(dtype: np.dtype[Any]) -> Json:
    """Return the fields of a structured type as NumPy's ``descr`` has them, in lists."""
    fields: list[Json] = []
    for name in dtype.names or ():
        base, shape = dtype[name].base, dtype[name].shape
        kind = _fields(base) if base.names else dtype_text(base)
        fields.append([name, kind, list(shape)] if shape else [name, kind])
    return fields


def _fill_value(metadata: ArrayMetadata) -> Json:
    value: Any = metadata.fill_value
    if metadata.data_type.name.startswith("complex_"):  # numbers that NumPy has as two fields
        value = (value["real"], value["imag"])
    return json_value(value)


def _byte_order(dtype: np.dtype[Any]) -> str | None:
    """Return ``little`` or ``big``; ``None`` where no bytes can be swapped, or fields differ."""
    orders = set(_byte_orders(carrier(dtype))) - {"|"}
    return {"<": "little", ">": "big"}[orders.pop()] if len(orders) == 1 else None


def _byte_orders(dtype: np.dtype[Any]) -> Iterator[str]:
    if dtype.names is None:
        yield dtype.base.str[0]
    for name in dtype.names or ():
        yield from _byte_orders(dtype[name])
