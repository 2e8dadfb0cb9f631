"""What a strategy drew -> the metadata document of an array, as the specifications write it."""

from __future__ import annotations

import base64
import math
from typing import TYPE_CHECKING, Any

from tests.interop.data_types import is_small

if TYPE_CHECKING:
    import numpy as np

    from tests.interop.data_types import Json
    from tests.interop.strategies import ArrayV2, ArrayV3


def document_v3(array: ArrayV3) -> dict[str, Json]:
    """Make ``zarr.json``."""
    document = {
        "zarr_format": 3,
        "node_type": "array",
        "shape": list(array.shape),
        "data_type": array.data_type.name,
        "chunk_grid": _chunk_grid(array),
        "chunk_key_encoding": array.chunk_key_encoding,
        "codecs": list(array.codecs),
        "fill_value": _fill_value_v3(array.fill_value, array.data_type.dtype),
    }
    if array.dimension_names is not None:
        document["dimension_names"] = list(array.dimension_names)
    return document


def document_v2(array: ArrayV2) -> dict[str, Json]:
    """Make ``.zarray``."""
    return {
        "zarr_format": 2,
        "shape": list(array.shape),
        "chunks": list(array.chunks),
        "dtype": array.data_type.name,
        "compressor": array.compressor,
        "filters": list(array.filters) or None,
        "order": array.order,
        "fill_value": None
        if array.has_null_fill_value
        else _fill_value_v2(array.fill_value, array.data_type.dtype),
        "dimension_separator": array.dimension_separator,
    }


def _chunk_grid(array: ArrayV3) -> dict[str, Json]:
    if array.is_rectilinear:
        lengths = [list(item) if isinstance(item, tuple) else item for item in array.chunk_shape]
        configuration = {"kind": "inline", "chunk_shapes": lengths}
        return {"name": "rectilinear", "configuration": configuration}
    return {"name": "regular", "configuration": {"chunk_shape": list(array.chunk_shape)}}


def _fill_value_v3(value: Any, dtype: np.dtype[Any]) -> Json:
    """A fill value as v3 documents hold it, floats by their bits."""
    if is_small(dtype) and dtype.name.startswith(("int", "uint")):
        return int(value)
    if dtype.kind == "f" or is_small(dtype):
        bits = int.from_bytes(value.tobytes(), "little")
        return f"0x{bits:0{2 * dtype.itemsize}x}"
    if dtype.kind == "c":
        return [_fill_value_v3(part, part.dtype) for part in (value.real, value.imag)]
    if dtype.names == ("real", "imag"):
        return [_fill_value_v3(value[name], dtype[name]) for name in dtype.names]
    if dtype.names:
        return {name: _fill_value_v3(value[name], dtype[name]) for name in dtype.names}
    if dtype.kind in "mM":
        return int(value.view("i8"))
    if dtype.kind == "V":
        return list(value.tobytes())
    if isinstance(value, bytes):
        return list(value)
    return value.item() if hasattr(value, "item") else value


def _fill_value_v2(value: Any, dtype: np.dtype[Any]) -> Json:
    if dtype.kind == "f":
        number = float(value)
        return number if math.isfinite(number) else _NOT_FINITE[str(number)]
    if dtype.kind == "c":
        return [_fill_value_v2(part, part.dtype) for part in (value.real, value.imag)]
    if dtype.names:
        return base64.b64encode(value.tobytes()).decode()
    return value.item()


_NOT_FINITE = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
