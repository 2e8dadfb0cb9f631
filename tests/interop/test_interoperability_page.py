"""The page "Who reads what" is measured: zarrfs writes one array for each name, others read it."""

from __future__ import annotations

import importlib.metadata
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import zarrfs
from tests.docs.tables import TOPICS, names, table
from tests.interop.tensor_store import TENSORSTORE
from tests.interop.zarr_python import ZARR_PYTHON

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import numpy.typing as npt

pytestmark = [
    pytest.mark.filterwarnings("ignore::zarr.errors.UnstableSpecificationWarning"),
    pytest.mark.filterwarnings(
        "ignore:Numcodecs codecs are not in the Zarr version 3:zarr.errors.ZarrUserWarning"
    ),
]

READERS = {program.name: program.read for program in (ZARR_PYTHON, TENSORSTORE)}
PACKAGES = {"zarr-python": "zarr", "tensorstore": "tensorstore"}
NO = "\N{EN DASH}"

Options = dict[str, Any]
LITTLE = {"name": "bytes", "configuration": {"endian": "little"}}
STRINGS = ("vlen-utf8", "zarrs.vlen", "zarrs.vlen_v2")


def named(name: str, **configuration: Any) -> Options:
    return {"name": name, "configuration": configuration}


# --- arrays of each name --------------------------------------------------------------------

FIELDS = [{"name": "a", "data_type": "int32"}, {"name": "b", "data_type": "float64"}]
TYPES = {
    "struct": named("struct", fields=FIELDS),
    "fixed_length_utf32": "U3",
    "null_terminated_bytes": "S3",
    "numpy.datetime64": "M8[s]",
    "numpy.timedelta64": "m8[s]",
    "raw_bytes": "r24",
}
"""What `create_array` takes for data types with parameters."""

V3_CODECS: dict[str, tuple[Any, list[Any]]] = {
    "bitround": ("f4", [named("bitround", keepbits=5), LITTLE]),
    "blosc": ("i4", [LITTLE, "blosc"]),
    "bytes": (">i4", ["bytes"]),
    "cast_value": ("f8", [named("cast_value", data_type="float32"), LITTLE]),
    "crc32c": ("i4", [LITTLE, "crc32c"]),
    "endian": ("i4", [named("endian", endian="little")]),
    "gzip": ("i4", [LITTLE, "gzip"]),
    "packbits": ("bool", ["packbits"]),
    "reshape": ("i4", [named("reshape", shape=[1, 2]), LITTLE]),
    "scale_offset": ("f8", [named("scale_offset", scale=2.0, offset=1.0), LITTLE]),
    "transpose": ("i4", [named("transpose", order=[0]), LITTLE]),
    "vlen-bytes": ("bytes", ["vlen-bytes"]),
    "vlen-utf8": ("string", ["vlen-utf8"]),
    "zarrs.vlen": (
        "string",
        [
            named(
                "zarrs.vlen",
                data_codecs=["bytes"],
                index_codecs=[LITTLE],
                index_data_type="uint64",
            )
        ],
    ),
    "zarrs.vlen_v2": ("string", ["zarrs.vlen_v2"]),
    "zarrs.zfp": ("f8", [named("zarrs.zfp", mode="reversible")]),
    "zfp": ("f8", [named("zfp", mode="reversible")]),
    "zstd": ("i4", [LITTLE, "zstd"]),
}
"""Data type and codecs of an array that has a codec."""

NUMCODECS: dict[str, Options] = {
    "astype": {"encode_dtype": "<f4", "decode_dtype": "<f8"},
    "bitround": {"keepbits": 5},
    "categorize": {"labels": ["a", "b"], "dtype": "<U1", "astype": "|u1"},
    "delta": {"dtype": "<f8"},
    "fixedscaleoffset": {"scale": 10, "offset": 0, "dtype": "<f8", "astype": "<f8"},
    "quantize": {"digits": 3, "dtype": "<f8"},
    "shuffle": {"elementsize": 8},
    "vlen-array": {"dtype": "<i8"},
}
"""Configuration of those that need one."""

OF_NUMCODECS = {
    "packbits": "bool",
    "categorize": "U1",
    "vlen-utf8": "string",
    "vlen-bytes": "bytes",
    "vlen-array": object,
    "json2": object,
    "msgpack2": object,
}
"""Data types of arrays for those that do not take numbers."""

OTHERS: dict[str, list[Options]] = {
    "grid `regular`": [{}],
    "grid `rectilinear`": [{"chunks": [[1, 3]]}],
    "keys `default`, either separator": [{"dimension_separator": s} for s in "./"],
    "keys `v2`, either separator": [
        *({"chunk_key_encoding": named("v2", separator=s)} for s in "./"),
        *({"zarr_format": 2, "dimension_separator": s} for s in "./"),
    ],
    "keys `suffix`": [
        {"chunk_key_encoding": named("suffix", suffix=".x", base_encoding="default")}
    ],
    "keys `template`": [{"chunk_key_encoding": named("template", format="x{0}")}],
    "keys `zarrs.default_suffix`": [
        {"chunk_key_encoding": named("zarrs.default_suffix", suffix=".x")}
    ],
    "Zarr v2, `order` `F`": [{"zarr_format": 2, "order": "F"}],
    "Zarr v2, big-endian": [{"zarr_format": 2, "dtype": ">i4"}],
}


def of_v3_codec(name: str) -> Options:
    if name == "sharding_indexed":
        return {"dtype": "i4", "chunks": 1, "shards": 2}
    if name == "zarrs.squeeze":
        return {"dtype": "i4", "shape": (4, 1), "chunks": (2, 1), "codecs": [name, LITTLE]}
    dtype, codecs = V3_CODECS[name]
    return {"dtype": dtype, "codecs": codecs}


def of_numcodecs(name: str, zarr_format: int) -> Options:
    configuration, kind = NUMCODECS.get(name, {}), zarrfs.codec_info(f"numcodecs.{name}").kind
    if zarr_format == 2:
        step = {"id": name, **configuration}
        is_filter = kind == "array -> array" or name in OF_NUMCODECS
        codecs: Options = {"filters": [step] if is_filter else None}
        codecs["compressor"] = None if is_filter else step
    else:
        step = named(f"numcodecs.{name}", **configuration)
        comes_first = kind == "array -> array" or name == "bitround"
        chain = [step, "bytes"] if comes_first else ["bytes", step]
        codecs = {"codecs": [step] if kind == "array -> bytes" else chain}
    return {"dtype": OF_NUMCODECS.get(name, "f8"), "zarr_format": zarr_format, **codecs}


# --- what others make of them ---------------------------------------------------------------


def elements(z: zarrfs.Array) -> npt.NDArray[Any]:
    dtype, shape = z.dtype, (3, *z.shape[1:])
    if dtype.hasobject:
        is_text = z.metadata.data_type.name == "string"
        return np.array(["a", "bc", ""] if is_text else [b"a", b"bc", b""], object)
    if dtype.names is not None:
        records = np.zeros(shape, dtype)
        for name in dtype.names:
            records[name] = np.ones(shape).astype(dtype[name])
        return records
    if dtype.kind == "V" and dtype.isbuiltin != 2:
        return np.frombuffer(bytes(range(3 * dtype.itemsize)), dtype)
    if dtype.kind == "U":
        return np.array(["a", "b", "a"], dtype)
    return np.ones(shape, np.int64).astype(dtype)


def readers_of(directory: Path, options: Mapping[str, Any]) -> set[str]:
    """Write an array with `options`, and return who reads the same from it."""
    z = zarrfs.create_array(directory, **{"shape": 4, "dtype": "i4", "chunks": 2, **options})
    kind = "" if z.zarr_format == 3 else str(z.codecs[0].name)
    if kind.endswith("vlen-array"):
        z[...] = np.array([np.arange(n) for n in range(4)], object)  # of lengths that differ
    elif kind.endswith(("json2", "msgpack2")):
        z[:2] = np.array([{"a": 1}, "x"], object)
    else:
        z[:3] = elements(z)
    mine = z[...]
    return {name for name, read in READERS.items() if reads(read, directory, mine)}


def reads(
    read: Callable[[Path, np.dtype[Any]], npt.NDArray[Any]],
    directory: Path,
    mine: npt.NDArray[Any],
) -> bool:
    try:
        theirs = np.asarray(read(directory, mine.dtype))
    except (ValueError, KeyError, TypeError, NotImplementedError):  # it refuses the array
        return False
    if mine.dtype.hasobject:
        assert list(map(str, theirs)) == list(map(str, mine))
    else:
        assert theirs.shape == mine.shape
        assert theirs.astype(mine.dtype).tobytes() == mine.tobytes()
    return True


def expected(row: list[str], word: str = "yes") -> set[str]:
    """Who reads it by a row of the page."""
    cells = dict(zip(READERS, row[1:3], strict=True))
    assert all(set(cell.split()) <= {"yes", "v2", "v3", NO} for cell in cells.values())
    return {name for name, cell in cells.items() if word in cell.split()}


def cases(title: str) -> list[Any]:
    rows = table("interoperability.md", title)
    return [pytest.param(name, row, id=name) for row in rows for name in names(row[0])]


def test_page_tells_the_versions_that_are_measured() -> None:
    text = (TOPICS / "interoperability.md").read_text()
    for name, package in PACKAGES.items():
        assert f"{name} {importlib.metadata.version(package)}" in text


@pytest.mark.parametrize(("name", "row"), cases("data types"))
def test_data_type_is_read_by_those_of_the_page(name: str, row: list[str], tmp_path: Path) -> None:
    dtype = TYPES.get(name, name)
    assert readers_of(tmp_path / "x.zarr", {"dtype": dtype}) == expected(row)


@pytest.mark.parametrize(
    ("name", "row"), [case for case in cases("codecs") if case.values[0] != "vlen-array"]
)
def test_codec_is_read_by_those_of_the_page(name: str, row: list[str], tmp_path: Path) -> None:
    assert readers_of(tmp_path / "x.zarr", of_v3_codec(name)) == expected(row)


@pytest.mark.parametrize(("name", "row"), cases("numcodecs"))
def test_numcodec_is_read_by_those_of_the_page(name: str, row: list[str], tmp_path: Path) -> None:
    read = readers_of(tmp_path / "v2.zarr", of_numcodecs(name, 2))
    assert read == expected(row, "v2")
    if OF_NUMCODECS.get(name) is not object and not name.startswith("vlen"):
        read = readers_of(tmp_path / "v3.zarr", of_numcodecs(name, 3))
    else:
        read = set()
    assert read == expected(row, "v3")


@pytest.mark.parametrize("row", table("interoperability.md", "grids"), ids=lambda row: row[0])
def test_grid_or_key_is_read_by_those_of_the_page(row: list[str], tmp_path: Path) -> None:
    for i, options in enumerate(OTHERS[row[0]]):
        assert readers_of(tmp_path / f"{i}.zarr", options) == expected(row)
