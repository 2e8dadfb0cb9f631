"""zarr-python 3.1 as writer and reader."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numcodecs
import numpy as np
import zarr
from zarr.core.dtype import VariableLengthBytes, VariableLengthUTF8

from tests.interop.codec_strategies import Support
from tests.interop.data_types import BYTES, NUMBERS, NUMBERS_V2, TEXT, DataType, types
from tests.interop.programs import Program
from tests.interop.strategies import ArrayV3

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from tests.interop.programs import Region
    from tests.interop.strategies import AnyArray, ArrayV2

_SUPPORT = Support(
    numcodecs=frozenset(
        {
            *("adler32", "astype", "bitround", "bz2", "crc32", "crc32c", "delta"),
            *("fixedscaleoffset", "fletcher32", "jenkins_lookup3", "lz4", "lzma"),
            *("packbits", "quantize", "shuffle", "zlib"),
        }
    ),
    compressors_v2=frozenset({"bz2", "lz4", "lzma", "zlib"}),
    registered=False,
    checksum_of_zstd=frozenset({2, 3}),
    gzip_levels=tuple(range(10)),
    odd_blosc=True,
    compressed_shards=True,
    complex_null=True,
    repeated_names=True,
    rectilinear=False,
    suffixes=False,
    sharded_scalars=False,  # writing one raises IndexError
    sharded_void=False,  # reading one raises TypeError
    transposed_scalars=True,
    transposed_shards=False,  # compares shapes before and after the transposition
    transposed_filters=False,  # reads back something else than it wrote
    transposed_texts=False,  # the same
    filled_texts=True,
)

_RECORD = np.dtype([("a", "u1"), ("b", "<f8"), ("c", "<i2")])
_TIMED = np.dtype([("a", "<M8[s]"), ("b", [("x", "<i8"), ("y", "?")]), ("c", "U2"), ("d", "S3")])
_RECORD_V2 = np.dtype([("a", ">i4"), ("b", "S3"), ("c", "<f2")])
# Without times: some of its compressors take no buffer of them.
_MIXED_V2 = np.dtype([("a", "<f4"), ("b", ">u8"), ("c", "?"), ("d", "<U2")])

# It takes NumPy's types, and names them in documents itself.
_V3_TYPES = [
    *NUMBERS,
    *types("S1", "S40", "U1", "U9", "V3", "M8[ns]", "M8[10s]", "m8[D]", "m8[3us]"),
    DataType(name="structured", dtype=_RECORD),
    DataType(name="structured", dtype=_TIMED),
    TEXT,
    BYTES,
]
_V2_TYPES = [
    *NUMBERS_V2,
    *types("|S1", "|S40", "<U1", ">U9", "|V3", "<M8[ns]", ">M8[10s]", "<m8[D]"),
    DataType(name="structured", dtype=_RECORD_V2),
    DataType(name="mixed", dtype=_MIXED_V2),
    TEXT,
    BYTES,
]
_TYPES_OF_OBJECTS = {TEXT.name: VariableLengthUTF8(), BYTES.name: VariableLengthBytes()}


def _create(directory: Path, array: ArrayV2 | ArrayV3) -> None:
    members: dict[str, Any] = (
        _v3_arguments(array) if isinstance(array, ArrayV3) else _v2_arguments(array)
    )
    dtype: Any = _TYPES_OF_OBJECTS.get(str(array.data_type.name), array.data_type.dtype)
    fill_value = None if array.has_null_fill_value else array.fill_value
    zarr.create_array(directory, shape=array.shape, dtype=dtype, fill_value=fill_value, **members)


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


def _write(directory: Path, array: AnyArray, region: Region, data: npt.NDArray[Any]) -> None:
    config = {"write_empty_chunks": array.stores_empty_chunks}
    zarr.open_array(directory, mode="r+", config=config)[region] = data


def _read(directory: Path, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    # An element by itself may have lost its length.
    return np.asarray(zarr.open_array(directory, mode="r")[...], dtype)


ZARR_PYTHON = Program(
    name="zarr-python",
    support=_SUPPORT,
    v3_types=_V3_TYPES,
    v2_types=_V2_TYPES,
    create=_create,
    write=_write,
    read=_read,
)
