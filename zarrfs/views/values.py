"""Python and NumPy values -> what strict JSON can hold, and that as text that is nice to read."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from zarrfs.errors import ViewError
from zarrfs.format.small_numbers import python_number

if TYPE_CHECKING:
    from zarrfs.format.documents import Json

MAX_NESTING = 100
"""Objects and lists inside each other; Python itself recurses over them."""

_LINE = 88


def json_value(value: object, nesting: int = MAX_NESTING) -> Json:
    """Return a value that strict JSON has for `value`, members and items included.

    In the forms of Zarr v3's fill values: floats outside of JSON are ``"NaN"`` and ``"±Infinity"``,
    complex numbers a pair, bytes base64, times their count of units or ``"NaT"``, structured
    elements an object of their fields.

    Raises
    ------
    ViewError
        If lists and objects are nested deeper than `nesting`.
    """
    if not nesting:
        raise ViewError(f"lists and objects are nested more than {MAX_NESTING} deep")
    if isinstance(value, np.void) and value.dtype.names:
        value = {name: value[name] for name in value.dtype.names}
    elif isinstance(value, np.datetime64 | np.timedelta64):
        value = "NaT" if np.isnat(value) else int(value.astype(np.int64))
    elif isinstance(value, np.complexfloating):
        value = [value.real, value.imag]
    elif isinstance(value, np.floating):
        # The shortest number that is this one in its own precision: 0.1, not 0.10000000149011612.
        value = float(str(value))
    elif isinstance(value, np.generic):
        value = python_number(value)
    elif isinstance(value, np.ndarray):  # a field that is a small array
        value = [value[index] for index in range(len(value))]
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
            return {str(name): json_value(member, nesting - 1) for name, member in value.items()}
        case list() | tuple():
            return [json_value(item, nesting - 1) for item in value]
        case _:
            return str(value)


def json_text(value: Json) -> str:
    """Return a value of `json_value` as JSON: a member a line, short lists on one."""
    return "".join(_text(value, ""))


def _text(value: Json, indent: str) -> Iterator[str]:
    if not isinstance(value, list | dict) or not value:
        yield _dump(value)
        return
    if isinstance(value, list):
        opening, closing, members = "[", "]", [("", item) for item in value]
        if len(value) <= _LINE and not any(isinstance(item, list | dict) for item in value):
            line = _dump(value)
            if len(indent) + len(line) <= _LINE:
                yield line
                return
    else:
        opening, closing = "{", "}"
        members = [(f"{_dump(name)}: ", member) for name, member in value.items()]
    inner = f"{indent}  "
    yield opening
    for number, (name, member) in enumerate(members):
        yield f"{',' if number else ''}\n{inner}{name}"
        yield from _text(member, inner)
    yield f"\n{indent}{closing}"


def _dump(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _json_float(value: float) -> Json:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
