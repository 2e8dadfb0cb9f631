"""Strategies for data types of both formats, and for elements of them down to the last bit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import strategies as st

from zarrfs.format.dtypes import SCALAR_TYPES, DataType
from zarrfs.format.dtypes_v2 import parse_v2_dtype
from zarrfs.format.dtypes_v3 import parse_v3_dtype
from zarrfs.format.small_numbers import SMALL_NUMBERS, small_number

if TYPE_CHECKING:
    from zarrfs.format.dtypes import ByteOrder

SMALL_FLOATS = [name for name, number in SMALL_NUMBERS.items() if number.kind == "float"]
COMPLEX = [f"complex_{part}" for part in ("float16", *SMALL_FLOATS)]
UNITS = st.sampled_from(["Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs", "as"])
SCALES = st.integers(1, 2**31 - 1)


def _v3(name: str, **configuration: Any) -> dict[str, Any]:
    return {"name": name, "configuration": configuration}


def _v3_time(name: str) -> st.SearchStrategy[Any]:
    unit = st.builds(lambda u, n: _v3(name, unit=u, scale_factor=n), UNITS, SCALES)
    return unit | st.just(_v3(name, unit="generic", scale_factor=1))


V3_FIXED = st.one_of(
    st.sampled_from([*SCALAR_TYPES, *SMALL_NUMBERS, *COMPLEX]),
    st.integers(1, 5).map(lambda n: f"r{8 * n}"),
    st.integers(1, 5).map(lambda n: _v3("null_terminated_bytes", length_bytes=n)),
    st.integers(1, 4).map(lambda n: _v3("fixed_length_utf32", length_bytes=4 * n)),
    _v3_time("numpy.datetime64"),
    _v3_time("numpy.timedelta64"),
)
_NAMES = st.text("abcxyzé", min_size=1, max_size=3)


def _v3_struct(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    member = st.fixed_dictionaries({"name": _NAMES, "data_type": inner})
    members = st.lists(member, min_size=1, max_size=4, unique_by=lambda m: m["name"])
    return members.map(lambda fields: _v3("struct", fields=fields))


v3_json = st.recursive(V3_FIXED, _v3_struct, max_leaves=6) | st.sampled_from(["string", "bytes"])
"""The JSON of data types of Zarr v3."""

v3_data_types = v3_json.map(parse_v3_dtype)


def _v2_orders(code: str) -> st.SearchStrategy[str]:
    return st.sampled_from(["<", ">"] if np.dtype(code).itemsize > 1 else ["|"]).map(
        lambda mark: mark + code
    )


def _v2_time(mark: str, code: str, scale: int, unit: str) -> str:
    return np.dtype(f"{mark}{code}[{scale}{unit}]").str


_V2_LEAVES = st.one_of(
    st.sampled_from(list(SCALAR_TYPES.values())).flatmap(_v2_orders),
    st.integers(1, 5).map(lambda n: f"|S{n}"),
    st.integers(1, 5).map(lambda n: f"|V{n}"),
    st.builds(lambda mark, n: f"{mark}U{n}", st.sampled_from("<>"), st.integers(1, 4)),
    st.builds(_v2_time, st.sampled_from("<>"), st.sampled_from(["M8", "m8"]), SCALES, UNITS),
    st.sampled_from(["<M8", ">m8"]),
)


def _v2_struct(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    shape = st.lists(st.integers(1, 3), min_size=1, max_size=2)
    member = st.tuples(_NAMES, inner).map(list) | st.tuples(_NAMES, inner, shape).map(list)
    return st.lists(member, min_size=1, max_size=4, unique_by=lambda m: m[0])


v2_json = st.recursive(_V2_LEAVES, lambda inner: _v2_struct(inner), max_leaves=5)
"""The JSON of data types of Zarr v2 with a fixed size."""

v2_data_types: st.SearchStrategy[tuple[DataType, ByteOrder | None]] = v2_json.map(parse_v2_dtype)


def elements(data_type: DataType) -> st.SearchStrategy[Any]:
    """Any element of a type: of any bytes that it can have."""
    if data_type.name == "string":
        return st.text()
    if data_type.name == "bytes":
        return st.binary()
    return _packed(data_type.dtype).map(lambda data: np.frombuffer(data, data_type.dtype)[0])


def _packed(dtype: np.dtype[Any]) -> st.SearchStrategy[bytes]:
    if dtype.subdtype is not None:
        n = int(np.prod(dtype.shape))
        return st.lists(_packed(dtype.base), min_size=n, max_size=n).map(b"".join)
    if dtype.names is not None:
        return st.tuples(*(_packed(dtype[name]) for name in dtype.names)).map(b"".join)
    small = small_number(dtype)
    if dtype == np.bool_ or (small and small.bits < 8):
        most = 1 if small is None else 2**small.bits - 1
        return st.integers(0, most).map(lambda byte: bytes([byte]))
    if dtype.kind == "U":
        return st.text(max_size=dtype.itemsize // 4).map(
            lambda text: np.array(text, dtype).tobytes()
        )
    return st.binary(min_size=dtype.itemsize, max_size=dtype.itemsize)


def bits(value: Any, data_type: DataType) -> bytes:
    """Bytes of an element in memory; those of its text where it has no fixed size."""
    if data_type.dtype.hasobject:
        return value.encode() if isinstance(value, str) else bytes(value)
    array = np.empty((), data_type.dtype)
    array[()] = value
    return array.tobytes()
