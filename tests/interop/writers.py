"""zarr-python and tensorstore as writers: what a strategy drew -> an array in a directory.

Each returns what it reads back itself, from the directory, as a NumPy array: the oracle.
"""

from __future__ import annotations

import base64
import math
from typing import TYPE_CHECKING, Any

import numcodecs
import numpy as np
import tensorstore as ts
import zarr
from zarr.core.dtype import VariableLengthBytes, VariableLengthUTF8

from tests.interop.codec_strategies import Support
from tests.interop.elements import content
from tests.interop.strategies import ArrayV2, ArrayV3, DataType

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from tests.interop.codec_strategies import Json

_NUMBERS = {
    "bool": "?",
    **{f"{kind}{bits}": f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)},
    **{f"float{bits}": f"float{bits}" for bits in (16, 32, 64)},
    **{f"complex{bits}": f"complex{bits}" for bits in (64, 128)},
}
_RECORD = np.dtype([("a", "u1"), ("b", "<f8"), ("c", "<i2")])
_NUMBERS_V2 = np.dtype([("a", ">i4"), ("b", "u1"), ("c", "<f2")])
_RECORD_V2 = np.dtype([("a", ">i4"), ("b", "S3"), ("c", "<f2")])


def _types(*names: str) -> list[DataType]:
    return [DataType(name=name, dtype=np.dtype(name)) for name in names]


ZARR_PYTHON = Support(
    numcodecs=True,
    checksum_of_zstd=True,
    compressed_shards=True,
    sharded_scalars=False,  # writing one raises IndexError
    sharded_void=False,  # reading one raises TypeError
    transposed_shards=False,  # compares shapes before and after the transposition
)
TENSORSTORE = Support(
    numcodecs=False,
    checksum_of_zstd=False,
    compressed_shards=False,
    sharded_scalars=True,
    sharded_void=True,
    transposed_shards=True,
)

TEXT = DataType(name="string", dtype=np.dtypes.StringDType())
BYTES = DataType(name="variable_length_bytes", dtype=np.dtype(object))

# zarr-python takes NumPy's types, and names them in documents itself.
ZARR_PYTHON_V3 = [
    *(DataType(name=name, dtype=np.dtype(code)) for name, code in _NUMBERS.items()),
    *_types("S1", "S40", "U1", "U9", "V3", "M8[ns]", "M8[10s]", "m8[D]", "m8[3us]"),
    DataType(name="structured", dtype=_RECORD),
    TEXT,
    BYTES,
]

# Not among those of tensorstore: raw bits and "S", which it reads as elements without bytes
# (0.1.86 with NumPy 2.4).
TENSORSTORE_V3 = [
    *(DataType(name=name, dtype=np.dtype(code)) for name, code in _NUMBERS.items()),
    DataType(
        name={
            "name": "struct",
            "configuration": {
                "fields": [
                    {"name": "a", "data_type": "uint8"},
                    {"name": "b", "data_type": "float64"},
                    {"name": "c", "data_type": "int16"},
                ]
            },
        },
        dtype=_RECORD,
    ),
]

_ORDERED = [
    f"{order}{code}"
    for code in ("i2", "i4", "i8", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16")
    for order in "<>"
]

ZARR_PYTHON_V2 = [
    *_types("|b1", "|i1", "|u1", *_ORDERED, "|S1", "|S40", "<U1", ">U9", "|V3"),
    *_types("<M8[ns]", ">M8[10s]", "<m8[D]"),
    DataType(name="structured", dtype=_RECORD_V2),
    TEXT,
    BYTES,
]

TENSORSTORE_V2 = [
    *_types("|b1", "|i1", "|u1", *_ORDERED),
    DataType(name=[["a", ">i4"], ["b", "|u1"], ["c", "<f2"]], dtype=_NUMBERS_V2),
]

SMALL_NUMBERS = (
    *("bfloat16", "float8_e3m4", "float8_e4m3b11fnuz", "float8_e4m3fn", "float8_e4m3fnuz"),
    *("float8_e5m2", "float8_e5m2fnuz", "float8_e8m0fnu", "float4_e2m1fn", "int2", "int4"),
)
"""Names of tensorstore's types that zarr-python does not have. v2 itself has none of them."""


# --- zarr-python --------------------------------------------------------------------------------


def write_with_zarr_python(directory: Path, array: ArrayV2 | ArrayV3) -> npt.NDArray[Any]:
    """Create an array and write to it; read it back."""
    members: dict[str, Any] = (
        _v3_arguments(array) if isinstance(array, ArrayV3) else _v2_arguments(array)
    )
    dtype: Any = _ZARR_PYTHON_TYPES.get(str(array.data_type.name), array.data_type.dtype)
    z = zarr.create_array(
        directory,
        shape=array.shape,
        dtype=dtype,
        fill_value=array.fill_value,
        config={"write_empty_chunks": array.stores_empty_chunks},
        **members,
    )
    for region, data in _contents(array):
        z[region] = data
    # An element by itself may have lost its length.
    return np.asarray(zarr.open_array(directory, mode="r")[...], array.data_type.dtype)


_ZARR_PYTHON_TYPES = {TEXT.name: VariableLengthUTF8(), BYTES.name: VariableLengthBytes()}


def _v3_arguments(array: ArrayV3) -> dict[str, Any]:
    at = next(i for i, codec in enumerate(array.codecs) if codec["name"] in _SERIALIZERS)
    return {
        "zarr_format": 3,
        "chunks": array.chunk_shape,
        "filters": array.codecs[:at],
        "serializer": array.codecs[at],
        "compressors": array.codecs[at + 1 :],
        "chunk_key_encoding": array.chunk_key_encoding,
        "dimension_names": array.dimension_names,
    }


_SERIALIZERS = ("bytes", "sharding_indexed", "vlen-utf8", "vlen-bytes")


def _v2_arguments(array: ArrayV2) -> dict[str, Any]:
    compressor = array.compressor
    return {
        "zarr_format": 2,
        "chunks": array.chunks,
        "filters": [numcodecs.get_codec(dict(codec)) for codec in array.filters],
        "compressors": None if compressor is None else numcodecs.get_codec(dict(compressor)),
        "order": array.order,
        "chunk_key_encoding": {"name": "v2", "separator": array.dimension_separator},
    }


# --- tensorstore --------------------------------------------------------------------------------


def write_with_tensorstore(directory: Path, array: ArrayV2 | ArrayV3) -> npt.NDArray[Any]:
    """Create an array and write to it; read it back."""
    dtype = array.data_type.dtype
    spec = {
        "driver": "zarr3" if isinstance(array, ArrayV3) else "zarr",
        "kvstore": {"driver": "file", "path": str(directory)},
        "store_data_equal_to_fill_value": array.stores_empty_chunks,
    }
    metadata = _v3_metadata(array) if isinstance(array, ArrayV3) else _v2_metadata(array)
    read: npt.NDArray[Any] = np.empty(array.shape, dtype)
    is_new = True
    for name in dtype.names or ("",):  # it has the fields of records one by one
        field = {"field": name} if name else {}
        start = {"metadata": metadata, "create": True} if is_new else {"open": True}
        is_new = False
        store = ts.open({**spec, **field, **start}).result()
        for region, data in _contents(array):
            store[region].write(data[name] if name else data).result()
        values = ts.open({**spec, **field}, open=True).result().read().result()
        (read[name] if name else read)[...] = values
    return read


def write_small_numbers(directory: Path, data: npt.NDArray[Any], driver: str) -> None:
    """Write numbers of ml_dtypes with tensorstore's driver ``zarr`` or ``zarr3``."""
    member = "dtype" if driver == "zarr" else "data_type"
    metadata = {"shape": list(data.shape), member: data.dtype.name}
    spec = {"driver": driver, "kvstore": {"driver": "file", "path": str(directory)}}
    ts.open({**spec, "metadata": metadata}, create=True).result().write(data).result()


def _v3_metadata(array: ArrayV3) -> dict[str, Json]:
    names = array.dimension_names
    return {
        "shape": list(array.shape),
        "data_type": array.data_type.name,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": array.chunk_shape}},
        "chunk_key_encoding": array.chunk_key_encoding,
        "codecs": list(array.codecs),
        "fill_value": _fill_value_v3(array.fill_value, array.data_type.dtype),
        **({"dimension_names": _distinct(names)} if names is not None else {}),
    }


def _distinct(names: tuple[str | None, ...]) -> list[str | None]:
    """Names of which it takes each only once, unlike the specification."""
    return [None if name in names[:i] else name for i, name in enumerate(names)]


def _v2_metadata(array: ArrayV2) -> dict[str, Json]:
    return {
        "shape": list(array.shape),
        "chunks": list(array.chunks),
        "dtype": array.data_type.name,
        "compressor": array.compressor,
        "filters": None,
        # The orders are the same along one dimension; it insists on C.
        "order": array.order if len(array.shape) > 1 else "C",
        "fill_value": _fill_value_v2(array.fill_value, array.data_type.dtype),
        "dimension_separator": array.dimension_separator,
    }


def _fill_value_v3(value: Any, dtype: np.dtype[Any]) -> Json:
    """A fill value as v3 documents hold it, floats by their bits."""
    if dtype.kind == "f":
        bits = int.from_bytes(value.tobytes(), "little")
        return f"0x{bits:0{2 * dtype.itemsize}x}"
    if dtype.kind == "c":
        return [_fill_value_v3(part, part.dtype) for part in (value.real, value.imag)]
    if dtype.names:
        return {name: _fill_value_v3(value[name], dtype[name]) for name in dtype.names}
    return value.item()


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


def written(array: ArrayV2 | ArrayV3) -> npt.NDArray[Any]:
    """What an array should hold by what was written to it, if its codecs lose nothing."""
    dtype = array.data_type.dtype
    whole: npt.NDArray[Any] = np.full(array.shape, array.fill_value, dtype)
    for region, data in _contents(array):
        whole[region] = data
    return whole


def _contents(array: ArrayV2 | ArrayV3) -> list[tuple[tuple[slice, ...], npt.NDArray[Any]]]:
    """What to write where."""
    dtype = array.data_type.dtype
    return [
        (
            write.region,
            content(
                tuple(part.stop - part.start for part in write.region),
                dtype,
                write.seed,
                is_tame=array.is_tame,
            ),
        )
        for write in array.writes
    ]
