"""Arrays and groups of Zarr v3 that are refused for what their documents say, but for codecs."""

from __future__ import annotations

import json
from typing import Any

from tests.refusals.refusal import ABSENT, BYTES, Refusal, codec, v3
from zarrfs.errors import MetadataError, UnsupportedError, ZarrfsError


def regular(chunk_shape: Any) -> dict[str, Any]:
    """Return a regular grid."""
    return codec("regular", {"chunk_shape": chunk_shape})


def rectilinear(chunk_shapes: Any) -> dict[str, Any]:
    """Return a grid of chunks of given lengths."""
    return codec("rectilinear", {"kind": "inline", "chunk_shapes": chunk_shapes})


def struct(*fields: Any) -> dict[str, Any]:
    """Return a data type of records."""
    return codec("struct", {"fields": list(fields)})


def field(data_type: Any, name: str = "x") -> dict[str, Any]:
    """Return a field of a record."""
    return {"name": name, "data_type": data_type}


def nested(depth: int) -> Any:
    """Return records inside each other."""
    data_type: Any = "int8"
    for _ in range(depth):
        data_type = struct(field(data_type))
    return data_type


def group(
    name: str, *words: str, error: type[ZarrfsError] = MetadataError, **members: Any
) -> Refusal:
    """Refuse a group of v3."""
    document = {"zarr_format": 3, "node_type": "group", **members}
    files = {"zarr.json": json.dumps(document).encode()}
    return Refusal(name=f"v3-group-{name}", files=files, error=error, words=words)


CASES = (
    # --- the node ------------------------------------------------------------------------------
    v3("no-zarr-format", "zarr_format: is missing", zarr_format=ABSENT),
    v3("zarr-format-4", "zarr_format: must be 3, not 4", zarr_format=4),
    v3("zarr-format-text", 'zarr_format: must be 3, not "3"', zarr_format="3"),
    v3("zarr-format-true", "zarr_format: must be 3, not true", zarr_format=True),
    v3("zarr-format-float", "zarr_format: must be 3, not 3.0", zarr_format=3.0),
    v3("no-node-type", "node_type: is missing", node_type=ABSENT),
    v3("node-type-thing", 'node_type: must be "array" or "group", not "thing"', node_type="thing"),
    v3("node-type-list", 'node_type: must be "array" or "group", not []', node_type=[]),
    v3("attributes-list", "attributes: must be an object, not [1]", attributes=[1]),
    v3("unknown-member", "extra: is unknown", "must_understand", extra=1, error=UnsupportedError),
    v3(
        "unknown-object",
        "extra: is unknown",
        "must_understand",
        extra={"must_understand": True},
        error=UnsupportedError,
    ),
    v3(
        "storage-transformer",
        'storage_transformers: zarrfs has no storage transformers, such as "x"',
        storage_transformers=[{"name": "x"}],
        error=UnsupportedError,
    ),
    v3(
        "storage-transformers-object",
        "storage_transformers: must be a list, not {",
        storage_transformers={},
    ),
    v3("dimension-names-few", "dimension_names: must be a list of 1", "[]", dimension_names=[]),
    v3("dimension-names-number", "dimension_names: must be", "not [1]", dimension_names=[1]),
    v3("dimension-names-text", 'dimension_names: must be a list, not "x"', dimension_names="x"),
    v3(
        "storage-transformer-number",
        "storage_transformers[0]: must be a name or an object, not 5",
        storage_transformers=[5],
    ),
    v3("dimension-names-list", "dimension_names: must be", '[["x"]]', dimension_names=[["x"]]),
    v3("of-v2", "chunks: is unknown", chunks=[4], error=UnsupportedError),
    v3(
        "unknown-list",
        "extra: is unknown",
        extra=[{"must_understand": False}],
        error=UnsupportedError,
    ),
    v3(
        "unknown-text-flag",
        "extra: is unknown",
        extra={"must_understand": "false"},
        error=UnsupportedError,
    ),
    group("attributes-text", 'attributes: must be an object, not "x"', attributes="x"),
    group("shape", "shape: is unknown", shape=[4], error=UnsupportedError),
    group("format-text", 'zarr_format: must be 3, not "3"', zarr_format="3"),
    group("unknown-null", "extra: is unknown", extra=None, error=UnsupportedError),
    group(
        "consolidated-number",
        "consolidated_metadata: is unknown",
        consolidated_metadata=5,
        error=UnsupportedError,
    ),
    group(
        "consolidated-kind",
        "consolidated_metadata: is unknown",
        consolidated_metadata={"kind": "file", "metadata": {}},
        error=UnsupportedError,
    ),
    # --- shape ---------------------------------------------------------------------------------
    v3("no-shape", "shape: is missing", shape=ABSENT),
    v3("shape-10-to-the-30", "shape: must be", "≥ 0", "not [1000000000", shape=[10**30]),
    v3("shape-negative", "shape: must be a list of integers ≥ 0", "not [-1]", shape=[-1]),
    v3("shape-float", "shape: must be a list of integers ≥ 0", "not [4.0]", shape=[4.0]),
    v3("shape-bool", "shape: must be a list of integers ≥ 0", "not [true]", shape=[True]),
    v3("shape-null", "shape: must be a list of integers ≥ 0", "not null", shape=None),
    v3("shape-number", "shape: must be a list of integers ≥ 0", "not 4", shape=4),
    v3("shape-nested", "shape: must be a list of integers ≥ 0", "not [[4]]", shape=[[4]]),
    v3("shape-text", "shape: must be", 'not "4"', shape="4"),
    v3(
        "65-dimensions",
        "shape: has 65 dimensions; zarrfs reads up to 64",
        shape=[1] * 65,
        chunk_grid=regular([1] * 65),
        error=UnsupportedError,
    ),
    v3(
        "100000-dimensions",
        "shape: has 100000 dimensions; zarrfs reads up to 64",
        shape=[1] * 100_000,
        error=UnsupportedError,
    ),
    # --- chunk grid ----------------------------------------------------------------------------
    v3("no-chunk-grid", "chunk_grid: is missing", chunk_grid=ABSENT),
    v3("chunk-grid-null", "chunk_grid: must be a name or an object, not null", chunk_grid=None),
    v3("chunk-grid-nameless", "chunk_grid.name: is missing", chunk_grid={}),
    v3(
        "chunk-grid-unknown",
        "chunk_grid: zarrfs has no chunk grid 'hexagonal'; it has",
        "'regular'",
        chunk_grid="hexagonal",
        error=UnsupportedError,
    ),
    v3(
        "chunk-grid-optional",
        "chunk_grid.must_understand: cannot be false here",
        chunk_grid={**regular([4]), "must_understand": False},
    ),
    v3(
        "chunk-shape-missing",
        "chunk_grid.configuration.chunk_shape: is missing",
        chunk_grid="regular",
    ),
    v3("chunk-length-0", "chunk_shape: must be", "≥ 1", "not [0]", chunk_grid=regular([0])),
    v3("chunk-length-negative", "chunk_shape: must be", "not [-4]", chunk_grid=regular([-4])),
    v3("chunk-length-float", "chunk_shape: must be", "not [4.5]", chunk_grid=regular([4.5])),
    v3("chunk-length-huge", "chunk_shape: must be", "not [1000000", chunk_grid=regular([10**30])),
    v3("chunks-of-2-dimensions", "chunk_shape: has 2 dimensions", "1", chunk_grid=regular([2, 2])),
    v3("chunks-of-0-dimensions", "chunk_shape: has 0 dimensions", "1", chunk_grid=regular([])),
    v3(
        "chunk-grid-typo",
        "chunk_grid.configuration.chunkshape: is unknown",
        chunk_grid=codec("regular", {"chunkshape": [4]}),
        error=UnsupportedError,
    ),
    v3(
        "rectilinear-negative",
        "chunk_shapes[0][1]: must be an integer ≥ 1",
        "not -2",
        chunk_grid=rectilinear([[6, -2]]),
    ),
    v3(
        "rectilinear-0",
        "chunk_shapes[0]: must be an integer ≥ 1",
        "not 0",
        chunk_grid=rectilinear([0]),
    ),
    v3(
        "rectilinear-short",
        "chunk_shapes[0]: has chunks for 3 elements, but the array has 4",
        chunk_grid=rectilinear([[1, 2]]),
    ),
    v3(
        "rectilinear-huge-run",
        "chunk_shapes[0][0]: must be an integer ≥ 1 or a pair",
        "not [1, 1000000",
        chunk_grid=rectilinear([[[1, 10**30]]]),
    ),
    v3(
        "rectilinear-triple",
        "chunk_shapes[0][0]: must be",
        "not [1, 2, 3]",
        chunk_grid=rectilinear([[[1, 2, 3]]]),
    ),
    v3(
        "rectilinear-of-2-dimensions",
        "chunk_shapes: has 2 dimensions, but the array has 1",
        chunk_grid=rectilinear([4, 4]),
    ),
    v3(
        "rectilinear-by-reference",
        'chunk_grid.configuration.kind: must be "inline", not "file"',
        chunk_grid=codec("rectilinear", {"kind": "file", "chunk_shapes": [4]}),
    ),
    # --- chunk keys ----------------------------------------------------------------------------
    v3("no-chunk-keys", "chunk_key_encoding: is missing", chunk_key_encoding=ABSENT),
    v3("chunk-keys-number", "chunk_key_encoding: must be a name", "not 7", chunk_key_encoding=7),
    v3(
        "chunk-keys-unknown",
        "chunk_key_encoding: zarrfs has no chunk key encoding 'hilbert'",
        chunk_key_encoding="hilbert",
        error=UnsupportedError,
    ),
    v3(
        "separator-dash",
        'chunk_key_encoding.configuration.separator: must be "/" or ".", not "-"',
        chunk_key_encoding=codec("default", {"separator": "-"}),
    ),
    v3(
        "separator-null",
        "chunk_key_encoding.configuration.separator: must be",
        "not null",
        chunk_key_encoding=codec("default", {"separator": None}),
    ),
    v3(
        "suffix-missing",
        "chunk_key_encoding.configuration.suffix: is missing",
        chunk_key_encoding=codec("suffix", {}),
    ),
    # --- data type -----------------------------------------------------------------------------
    v3("no-data-type", "data_type: is missing", data_type=ABSENT),
    v3("data-type-number", "data_type: must be a name or an object, not 4", data_type=4),
    v3("data-type-empty", 'data_type: must be a non-empty string, not ""', data_type=""),
    v3(
        "data-type-int128",
        "data_type: zarrfs has no data type 'int128'",
        data_type="int128",
        error=UnsupportedError,
    ),
    v3(
        "data-type-junk",
        "data_type.name: must be a non-empty string, not 5",
        data_type={"name": 5, "configuration": []},
    ),
    v3(
        "data-type-configuration-list",
        "data_type.configuration: must be an object, not []",
        data_type={"name": "int32", "configuration": []},
    ),
    v3(
        "data-type-r7",
        "data_type: must have a multiple of 8 bits, not 'r7'",
        data_type="r7",
    ),
    v3(
        "data-type-r-huge",
        "data_type: an element of 100000000000",
        "bytes; zarrfs reads up to 16777216",
        data_type="r800000000000",
        error=UnsupportedError,
    ),
    v3(
        "utf32-length",
        "data_type.configuration.length_bytes",
        "7",
        data_type=codec("fixed_length_utf32", {"length_bytes": 7}),
    ),
    v3(
        "bytes-length-huge",
        "data_type",
        "99999999999",
        "16777216",
        data_type=codec("null_terminated_bytes", {"length_bytes": 99999999999}),
        error=UnsupportedError,
    ),
    v3(
        "time-unit",
        "data_type.configuration.unit: must be",
        'not "parsec"',
        data_type=codec("numpy.datetime64", {"unit": "parsec", "scale_factor": 1}),
    ),
    v3(
        "time-scale",
        "data_type.configuration.scale_factor: must be an integer",
        "not 0",
        data_type=codec("numpy.datetime64", {"unit": "s", "scale_factor": 0}),
    ),
    v3("struct-empty", "data_type", "must have at least one field", data_type=struct()),
    v3(
        "struct-twice",
        "two fields have the same name",
        data_type=struct(field("int8"), field("int8")),
    ),
    v3(
        "struct-100-deep",
        "structured types inside each other; zarrfs reads up to 16",
        data_type=nested(100),
        error=UnsupportedError,
    ),
    v3(
        "struct-of-text",
        "data_type",
        "'string' has no fixed size",
        data_type=struct(field("string")),
    ),
    # --- fill value ----------------------------------------------------------------------------
    v3("no-fill-value", "fill_value: is missing", fill_value=ABSENT),
    v3("fill-null", "fill_value: must be an integer", "not null", fill_value=None),
    v3(
        "fill-out-of-range",
        "fill_value: must be an integer from -2147483648 to 2147483647, not 2147483648",
        fill_value=2**31,
    ),
    v3("fill-fraction", "fill_value: must be an integer", "not 1.5", fill_value=1.5),
    v3("fill-digits", "fill_value: must be an integer", "not 1000000", fill_value=10**4000),
    v3("fill-true-of-int", "fill_value: must be an integer", "not true", fill_value=True),
    v3(
        "fill-bool-of-text",
        'fill_value: must be true or false, not "true"',
        data_type="bool",
        fill_value="true",
    ),
    v3(
        "fill-float-name",
        "fill_value: must be a number",
        '"NaN"',
        'not "nan"',
        data_type="float32",
        fill_value="nan",
    ),
    v3(
        "fill-float-hex",
        "fill_value: must be a number",
        "8 hex digits",
        'not "0x7fc0"',
        data_type="float32",
        fill_value="0x7fc0",
    ),
    v3(
        "fill-complex",
        "fill_value: must be a list of real and imaginary part, not 0",
        data_type="complex64",
        fill_value=0,
    ),
    v3(
        "fill-raw-length",
        "fill_value: must have 3 bytes, not 2",
        data_type="r24",
        fill_value=[0, 0],
    ),
    v3(
        "fill-base64",
        "fill_value: must be a string in Base64",
        '"!!!"',
        data_type="variable_length_bytes",
        fill_value="!!!",
        codecs=["vlen-bytes"],
    ),
    v3(
        "fill-text-surrogate",
        "fill_value: must be a string without lone surrogates",
        "udc80",
        data_type="string",
        fill_value="\udc80",
        codecs=["vlen-utf8"],
    ),
    v3(
        "fill-record",
        "fill_value.x: must be an integer",
        "300",
        data_type=struct(field("uint8")),
        fill_value={"x": 300},
    ),
    v3(
        "fill-record-stranger",
        "fill_value.y: is not a field",
        data_type=struct(field("uint8")),
        fill_value={"x": 3, "y": 1},
    ),
    # --- codecs, as a list ---------------------------------------------------------------------
    v3("no-codecs", "codecs: is missing", codecs=ABSENT),
    v3("codecs-empty", "codecs: must have a codec that turns arrays into bytes", codecs=[]),
    v3("codecs-object", "codecs: must be a list, not {", codecs={}),
    v3("codec-null", "codecs[1]: must be a name or an object, not null", codecs=[BYTES, None]),
    v3(
        "codec-must-understand-text",
        'codecs[0].must_understand: must be true or false, not "no"',
        codecs=[{**BYTES, "must_understand": "no"}],
    ),
)
