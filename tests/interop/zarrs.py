"""zarrs 0.23 as writer and reader, through its Python binding zarrista."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from zarrista import Array, ArrayBytes, FixedLengthTensor, VariableLengthTensor
from zarrista.store import FilesystemStore

from tests.interop.codec_strategies import Support
from tests.interop.data_types import (
    BYTES,
    NUMBERS,
    NUMBERS_V2,
    TEXT,
    DataType,
    complex_type,
    is_small,
    types,
)
from tests.interop.documents import document_v2, document_v3
from tests.interop.programs import Program
from tests.interop.strategies import ArrayV3

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from tests.interop.programs import Region
    from tests.interop.strategies import AnyArray, ArrayV2

_SUPPORT = Support(
    numcodecs=frozenset({"shuffle"}),
    compressors_v2=frozenset(),
    registered=True,
    checksum_of_zstd=frozenset({3}),
    gzip_levels=(0, *range(2, 10)),  # level 1 in shards writes more than it has room for
    odd_blosc=False,  # reads too little of such parts
    compressed_shards=True,
    complex_null=False,
    repeated_names=True,
    rectilinear=True,
    suffixes=True,
    sharded_scalars=True,
    sharded_void=True,
    transposed_scalars=False,  # refuses an empty order
    transposed_shards=True,
    transposed_filters=True,
    transposed_texts=False,  # fails to read parts of chunks
    filled_texts=False,  # takes chunks for empty whose texts, one behind the other, are that one
)

_SMALL_FLOATS = (
    *("float8_e3m4", "float8_e4m3", "float8_e4m3b11fnuz", "float8_e4m3fnuz", "float8_e5m2"),
    *("float8_e5m2fnuz", "float8_e8m0fnu", "float6_e2m3fn", "float6_e3m2fn", "float4_e2m1fn"),
)
_V3_TYPES = [
    *NUMBERS,
    *types("bfloat16", *_SMALL_FLOATS, "int2", "int4", "uint2", "uint4"),
    *(complex_type(part) for part in ("bfloat16", "float16", *_SMALL_FLOATS)),
    DataType(name="r8", dtype=np.dtype("V1")),
    DataType(name="r24", dtype=np.dtype("V3")),
    DataType(
        name={"name": "fixed_length_utf32", "configuration": {"length_bytes": 12}},
        dtype=np.dtype("U3"),
    ),
    DataType(
        name={"name": "numpy.datetime64", "configuration": {"unit": "us", "scale_factor": 10}},
        dtype=np.dtype("M8[10us]"),
    ),
    DataType(
        name={"name": "numpy.timedelta64", "configuration": {"unit": "D", "scale_factor": 1}},
        dtype=np.dtype("m8[D]"),
    ),
    TEXT,
    DataType(name="bytes", dtype=BYTES.dtype),
]


def _create(directory: Path, array: ArrayV2 | ArrayV3) -> None:
    document: Any = document_v3(array) if isinstance(array, ArrayV3) else document_v2(array)
    Array.from_metadata(document, FilesystemStore(directory)).store_metadata()


def _write(directory: Path, array: AnyArray, region: Region, data: npt.NDArray[Any]) -> None:
    if not data.size:
        return  # it has no regions without elements
    elements: ArrayBytes | bytes
    if data.dtype.kind in "OT":
        values = [value.encode() if isinstance(value, str) else value for value in data.flat]
        ends = np.cumsum([0, *map(len, values)])
        elements = ArrayBytes(b"".join(values), offsets=ends.tolist())
    else:
        elements = data.astype(_in_memory(data.dtype)).tobytes()
    _open(directory).store_array_subset(
        region or ..., elements, store_empty_chunks=array.stores_empty_chunks
    )


def _read(directory: Path, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    array = _open(directory)
    if not math.prod(array.shape):
        return np.empty(array.shape, dtype)  # it has no regions without elements
    read = array[...]
    if isinstance(read, VariableLengthTensor):
        return np.asarray(read.to_numpy(), dtype)
    assert isinstance(read, FixedLengthTensor)
    elements = np.frombuffer(memoryview(read.buffer()), _in_memory(dtype)).astype(dtype)
    return elements.reshape(array.shape)


def _open(directory: Path) -> Array:
    return Array.open(FilesystemStore(directory))


def _in_memory(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Type as which it holds elements: small integers with their sign, all in native order."""
    if is_small(dtype) and dtype.name.startswith("int"):
        return np.dtype("i1")
    return dtype.newbyteorder("=")


ZARRS = Program(
    name="zarrs",
    support=_SUPPORT,
    v3_types=_V3_TYPES,
    v2_types=NUMBERS_V2,
    create=_create,
    write=_write,
    read=_read,
)
