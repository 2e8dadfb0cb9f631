"""Python and NumPy values -> what JSON can hold, in the forms of Zarr v3's fill values."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from zarrfs.format.documents import Json


def json_value(value: object) -> Json:
    """Return a value that strict JSON has for `value`, members and items included.

    Floats outside of JSON are ``"NaN"`` and ``"±Infinity"``, complex numbers a pair, bytes and
    structured elements base64, times their count of units.
    """
    if isinstance(value, np.datetime64 | np.timedelta64):
        return int(value.astype(np.int64))
    if isinstance(value, np.void):
        value = value.tobytes()
    if isinstance(value, np.generic):
        value = value.item()
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return _json_float(value)
        case complex():
            return [_json_float(value.real), _json_float(value.imag)]
        case bytes():
            return base64.b64encode(value).decode("ascii")
        case Mapping():
            return {str(name): json_value(member) for name, member in value.items()}
        case list() | tuple():
            return [json_value(item) for item in value]
        case _:
            return str(value)


def _json_float(value: float) -> Json:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
