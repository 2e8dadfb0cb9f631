"""``bin``: an array as its elements in C order and nothing else, with a JSON file beside it.

For programs that are told shape and type by their user: `dd`, `np.memmap`, Fortran, MATLAB's
``memmapfile``. The sidecar says what to tell them.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

from zarrfs.views.segments import FlatSpan, Header, Segments
from zarrfs.views.values import json_value

if TYPE_CHECKING:
    from zarrfs.format.documents import Json
    from zarrfs.views.description import ArrayDescription


def bin_segments(array: ArrayDescription) -> Segments:
    """Lay out ``NAME.bin``: the flat file."""
    return Segments(FlatSpan(0, array.nbytes))


def sidecar_segments(array: ArrayDescription) -> Segments:
    """Lay out ``NAME.json``: what a reader of ``NAME.bin`` must know, as JSON in UTF-8.

    Shapes are in elements, `itemsize` and `strides` in bytes. Values that JSON does not have are
    written as Zarr v3 does: ``"NaN"``, ``"Infinity"``, ``[real, imaginary]``.
    """
    itemsize = array.dtype.itemsize
    document: dict[str, Json] = {
        "shape": list(array.shape),
        "dtype": array.dtype.str if array.dtype.names is None else json_value(array.dtype.descr),
        "data_type": array.metadata.data_type.name,
        "byte_order": {"<": "little", ">": "big", "|": None}[array.dtype.str[0]],
        "itemsize": itemsize,
        "strides": [
            itemsize * math.prod(array.shape[axis + 1 :]) for axis in range(len(array.shape))
        ],
        "order": "C",
        "chunk_shape": list(array.chunk_shape),
        "shard_shape": None if array.shard_shape is None else list(array.shard_shape),
        "fill_value": json_value(array.metadata.fill_value),
        "dimension_names": json_value(array.metadata.dimension_names),
        "attributes": json_value(array.metadata.attributes),
    }
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    return Segments(Header(text.encode("utf-8", "backslashreplace") + b"\n"))
