"""Arrays of Zarr v2 that are refused for what their documents say."""

from __future__ import annotations

from typing import Any

from tests.refusals.refusal import ABSENT, v2
from zarrfs.errors import UnsupportedError


def nested(depth: int) -> Any:
    """Return a type string inside lists of fields."""
    dtype: Any = "|i1"
    for _ in range(depth):
        dtype = [["x", dtype]]
    return dtype


def delta(dtype: Any) -> dict[str, Any]:
    """Return the filter for elements of a type."""
    return {"id": "delta", "dtype": dtype}


def dtype(name: str, value: Any, *words: str, **options: Any) -> Any:
    """Refuse an array for its data type."""
    return v2(f"dtype-{name}", "dtype", *words, dtype=value, **options)


CASES = (
    v2("no-zarr-format", "zarr_format: is missing", zarr_format=ABSENT),
    v2("zarr-format-3", "zarr_format: must be 2, not 3", zarr_format=3),
    v2("zarr-format-true", "zarr_format: must be 2, not true", zarr_format=True),
    v2("no-shape", "shape: is missing", shape=ABSENT),
    v2("shape-10-to-the-30", "shape: must be a list of integers ≥ 0", "not [100", shape=[10**30]),
    v2("shape-negative", "shape: must be a list of integers ≥ 0, not [-1]", shape=[-1]),
    v2("no-chunks", "chunks: is missing", chunks=ABSENT),
    v2("chunks-0", "chunks: must be a list of integers ≥ 1, not [0]", chunks=[0]),
    v2("chunks-false", "chunks: must be a list of integers ≥ 1, not false", chunks=False),
    v2("chunks-of-2-dimensions", "chunks: has 2 dimensions", chunks=[2, 2]),
    v2("no-order", "order: is missing", order=ABSENT),
    v2("no-fill-value", "fill_value: is missing", fill_value=ABSENT),
    v2("shape-text", 'shape: must be a list of integers ≥ 0, not ["4"]', shape=["4"]),
    v2("separator-true", "dimension_separator: must be", "not true", dimension_separator=True),
    v2("filter-null", "filters[0]: must be an object, not null", filters=[None]),
    v2("compressor-list", "compressor: must be an object", compressor=[{"id": "zlib"}]),
    v2("fill-bool-text", "fill_value: must be", '"true"', dtype="|b1", fill_value="true"),
    v2("fill-date", "fill_value: must be", '"2020', dtype="<M8[s]", fill_value="2020-01-01"),
    v2("fill-complex", "fill_value: must be a list of real", dtype="<c8", fill_value=[1, 2, 3]),
    v2("order-K", 'order: must be "C" or "F", not "K"', order="K"),
    v2("order-null", 'order: must be "C" or "F", not null', order=None),
    v2(
        "separator",
        "dimension_separator: must be",
        'not "-"',
        dimension_separator="-",
    ),
    v2("filters-object", "filters: must be a list, not {", filters={"id": "delta"}),
    v2("filter-text", 'filters[0]: must be an object, not "delta"', filters=["delta"]),
    v2("filter-nameless", "filters[0].id: is missing", filters=[{"dtype": "<i4"}]),
    v2("compressor-text", 'compressor: must be an object, not "zlib"', compressor="zlib"),
    v2("compressor-id-number", "compressor.id: must be a non-empty", "7", compressor={"id": 7}),
    v2(
        "compressor-unknown",
        "nonsense",
        compressor={"id": "nonsense"},
        error=UnsupportedError,
    ),
    v2("compressor-level", "zlib", "level", "99", compressor={"id": "zlib", "level": 99}),
    v2(
        "compressor-level-text", "zlib", "level", "high", compressor={"id": "zlib", "level": "high"}
    ),
    v2("compressor-member", "zlib", "speed", compressor={"id": "zlib", "speed": 9}),
    v2("bz2-level", "bz2", "level", "0", compressor={"id": "bz2", "level": 0}),
    v2("blosc-cname", "blosc", "cname", "brotli", compressor={"id": "blosc", "cname": "brotli"}),
    v2("blosc-shuffle", "blosc", "shuffle", "7", compressor={"id": "blosc", "shuffle": 7}),
    v2("lzma-format", "lzma", "format", "9", compressor={"id": "lzma", "format": 9}),
    v2(
        "shuffle-elementsize",
        "shuffle.elementsize: must be an integer from 0",
        "not -4",
        filters=[{"id": "shuffle", "elementsize": -4}],
    ),
    v2(
        "delta-dtype",
        "delta",
        'dtype: must be a type string of NumPy, not "<q9"',
        filters=[{"id": "delta", "dtype": "<q9"}],
    ),
    v2(
        "delta-no-dtype-name",
        "delta",
        "astype: must be a non-empty string, not 7",
        filters=[{"id": "delta", "dtype": "<i4", "astype": 7}],
    ),
    v2("delta-list", "dtype: must be a non-empty string, not []", filters=[delta([])]),
    v2("delta-bytes", 'dtype: must be a type of some bytes, not "S"', filters=[delta("S")]),
    v2("delta-syntax", 'dtype: must be a type string of NumPy, not "(2,"', filters=[delta("(2,")]),
    v2(
        "delta-objects",
        "delta",
        "object arrays are not supported",
        filters=[{"id": "delta", "dtype": "|O"}],
    ),
    v2(
        "quantize-digits",
        "quantize",
        "digits",
        "x",
        filters=[{"id": "quantize", "digits": "x", "dtype": "<f4"}],
    ),
    v2(
        "fixedscaleoffset-0",
        "fixedscaleoffset",
        "scale",
        filters=[{"id": "fixedscaleoffset", "scale": "x", "offset": 0, "dtype": "<f4"}],
    ),
    v2("astype-missing", "astype", "encode_dtype", filters=[{"id": "astype"}]),
    v2(
        "pickle",
        "pickle",
        "refused",
        dtype="|O",
        filters=[{"id": "pickle"}],
        error=UnsupportedError,
    ),
    v2("fill-text", "fill_value: must be", '"x"', fill_value="x"),
    v2("fill-range", "fill_value: must be", "4294967296", fill_value=2**32),
    v2("fill-base64", "fill_value", "!!!", dtype="|S3", fill_value="!!!"),
    v2("fill-length", "fill_value", "3", "6", dtype="|V3", fill_value="AAAAAAAA"),
    v2("fill-nan", "fill_value", '"nan"', dtype="<f4", fill_value="nan"),
    dtype("missing", ABSENT, "is missing"),
    dtype("null", None, "must be a non-empty string, not null"),
    dtype("q9", "<q9", 'zarrfs has no data type "<q9"', error=UnsupportedError),
    dtype("f3", "<f3", 'zarrfs has no data type "<f3"', error=UnsupportedError),
    dtype("object", "|O", "needs an object codec as the first filter"),
    dtype("no-text", "<U0", '"<U0"', error=UnsupportedError),
    dtype(
        "S-huge",
        "|S99999999999",
        "99999999999 bytes; zarrfs reads up to 16777216",
        error=UnsupportedError,
    ),
    dtype("U-digits", "<U" + 200 * "9", "zarrfs has no data type", error=UnsupportedError),
    dtype("parsec", "<M8[parsec]", '"<M8[parsec]"', error=UnsupportedError),
    dtype("M8-scale-0", "<M8[0s]", '"<M8[0s]"', error=UnsupportedError),
    dtype("no-order", "i4", '"i4" does not say its byte order, < or >'),
    dtype("record-empty", [], "must have at least one field"),
    dtype("record-twice", [["x", "<i4"], ["x", "<i4"]], "two fields have the same name"),
    dtype(
        "record-nested",
        nested(100),
        "inside each other; zarrfs reads up to 16",
        error=UnsupportedError,
    ),
    dtype(
        "record-of-words", ["x", "<i4"], '[0]: must be [name, type] or [name, type, shape], not "x"'
    ),
    dtype("record-name", [[5, "<i4"]], "[0][0]: must be a string, not 5"),
    dtype("record-objects", [["x", "|O"]], "[0][1]", '"|O"', error=UnsupportedError),
    dtype("record-shape", [["x", "<i4", [-1]]], "[0][2]: must be an integer ≥ 1, not -1"),
    dtype(
        "record-shape-huge",
        [["x", "<i4", [10**9]]],
        "4000000000 bytes; zarrfs reads up to 16777216",
        error=UnsupportedError,
    ),
)
