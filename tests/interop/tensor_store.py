"""tensorstore 0.1.86 as writer and reader."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import tensorstore as ts

from tests.interop.codec_strategies import Support
from tests.interop.data_types import NUMBERS, NUMBERS_V2, DataType, is_small, types
from tests.interop.documents import document_v2, document_v3
from tests.interop.programs import Program
from tests.interop.strategies import ArrayV3

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from tests.interop.data_types import Json
    from tests.interop.programs import Region
    from tests.interop.strategies import AnyArray, ArrayV2

_SUPPORT = Support(
    numcodecs=frozenset(),
    compressors_v2=frozenset({"bz2", "zlib"}),
    registered=False,
    checksum_of_zstd=frozenset(),
    gzip_levels=tuple(range(10)),
    odd_blosc=True,
    compressed_shards=False,
    complex_null=True,
    repeated_names=False,
    rectilinear=False,
    suffixes=False,
    sharded_scalars=True,
    sharded_void=True,
    transposed_scalars=True,
    transposed_shards=True,
    transposed_filters=True,
    transposed_texts=False,
    filled_texts=False,
)

SMALL_NUMBERS = (
    *("bfloat16", "float8_e3m4", "float8_e4m3b11fnuz", "float8_e4m3fn", "float8_e4m3fnuz"),
    *("float8_e5m2", "float8_e5m2fnuz", "float8_e8m0fnu", "float4_e2m1fn", "int2", "int4"),
)
"""Its names of types that zarr-python does not have. v2 itself has none of them."""

# Not among its types: raw bits and "S", which it reads as elements without bytes (0.1.86 with
# NumPy 2.4).
_V3_TYPES = [
    *NUMBERS,
    # Fill values of this type it converts wrong, both ways: 1.0 has the bits 0x7f.
    *types(*(name for name in SMALL_NUMBERS if name != "float8_e8m0fnu")),
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
        dtype=np.dtype([("a", "u1"), ("b", "<f8"), ("c", "<i2")]),
    ),
]
_V2_TYPES = [
    *NUMBERS_V2,
    DataType(
        name=[["a", ">i4"], ["b", "|u1"], ["c", "<f2"]],
        dtype=np.dtype([("a", ">i4"), ("b", "u1"), ("c", "<f2")]),
    ),
]


def _create(directory: Path, array: ArrayV2 | ArrayV3) -> None:
    metadata = document_v3(array) if isinstance(array, ArrayV3) else _v2_metadata(array)
    driver = "zarr3" if isinstance(array, ArrayV3) else "zarr"
    names = array.data_type.dtype.names
    field = {"field": names[0]} if names else {}
    ts.open({**_spec(directory, driver), **field, "metadata": metadata}, create=True).result()


def _v2_metadata(array: ArrayV2) -> dict[str, Json]:
    # The orders are the same along one dimension; it insists on C.
    order = array.order if len(array.shape) > 1 else "C"
    return {**document_v2(array), "order": order}


def write_small_numbers(directory: Path, data: npt.NDArray[Any], driver: str) -> None:
    """Write numbers of ml_dtypes with its driver ``zarr`` or ``zarr3``."""
    member = "dtype" if driver == "zarr" else "data_type"
    metadata = {"shape": list(data.shape), member: data.dtype.name}
    spec = {**_spec(directory, driver), "metadata": metadata}
    ts.open(spec, create=True).result().write(data).result()


def _write(directory: Path, array: AnyArray, region: Region, data: npt.NDArray[Any]) -> None:
    spec = {**_spec(directory), "store_data_equal_to_fill_value": array.stores_empty_chunks}
    for name in data.dtype.names or ("",):  # it has the fields of records one by one
        field = {"field": name} if name else {}
        store = ts.open({**spec, **field}, open=True).result()
        store[region].write(data[name] if name else data).result()


def _read(directory: Path, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    def read(**field: str) -> npt.NDArray[Any]:
        spec = {**_spec(directory), **field}
        values: npt.NDArray[Any] = ts.open(spec, open=True).result().read().result()
        # Its small integers repeat the sign in the bits above them, those of ml_dtypes do not.
        is_small_integer = is_small(dtype) and dtype.name.startswith("int")
        return values.astype("i1").astype(dtype) if is_small_integer else values

    if dtype.names is None:
        return read()
    fields = {name: read(field=name) for name in dtype.names}
    record = np.empty(next(iter(fields.values())).shape, dtype)
    for name, values in fields.items():
        record[name] = values
    return record


def _spec(directory: Path, driver: str | None = None) -> dict[str, Json]:
    is_v3 = (directory / "zarr.json").exists()
    return {
        "driver": driver or ("zarr3" if is_v3 else "zarr"),
        "kvstore": {"driver": "file", "path": str(directory)},
    }


TENSORSTORE = Program(
    name="tensorstore",
    support=_SUPPORT,
    v3_types=_V3_TYPES,
    v2_types=_V2_TYPES,
    create=_create,
    write=_write,
    read=_read,
)
