from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.format.test_conversion import v2_arrays
from zarrfs.errors import MetadataError, UnsupportedError
from zarrfs.format.axes import irregular_axis
from zarrfs.format.chunk_grids import ChunkGrid, regular_grid
from zarrfs.format.documents import dump_json, parse_json
from zarrfs.format.extensions import Extension
from zarrfs.format.key_encodings import SeparatedKeys
from zarrfs.format.metadata import ArrayMetadata, GroupMetadata
from zarrfs.format.node_documents import (
    Documents,
    is_array,
    main_document,
    parse_documents,
    serialise_documents,
    with_attributes,
    with_shape,
    zarr_format_of,
)

V2: dict[str, Any] = {
    "zarr_format": 2,
    "shape": [10],
    "chunks": [3],
    "dtype": "<f4",
    "compressor": {"id": "zlib", "level": 1},
    "fill_value": None,
    "order": "C",
    "filters": None,
}
V3: dict[str, Any] = {
    "zarr_format": 3,
    "node_type": "array",
    "shape": [10],
    "data_type": "float32",
    "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [3]}},
    "chunk_key_encoding": {"name": "default"},
    "fill_value": 0,
    "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}],
}

# --- strategies -----------------------------------------------------------------------------------

words = st.text(max_size=3)
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), words),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(words, inner, max_size=2),
    max_leaves=4,
)
attributes = st.dictionaries(words, json_values, max_size=3)

hexes = st.integers(0, 2**32 - 1).map(lambda bits: f"0x{bits:08x}")
floats = st.one_of(
    st.floats(width=32, allow_nan=False, allow_infinity=False),
    st.sampled_from(["NaN", "Infinity", "-Infinity", -0.0]),
    hexes,
)


def typed(name: str, **configuration: object) -> object:
    return {"name": name, "configuration": configuration}


TIME = typed("numpy.datetime64", unit="ns", scale_factor=10)
STRUCT = typed(
    "struct",
    fields=[{"name": "x", "data_type": "float32"}, {"name": "t", "data_type": TIME}],
)
typed_values = st.one_of(
    st.tuples(st.just("bool"), st.booleans()),
    st.tuples(st.just("int8"), st.integers(-128, 127)),
    st.tuples(st.just("uint64"), st.integers(0, 2**64 - 1)),
    st.tuples(st.just("float32"), floats),
    st.tuples(st.just("complex64"), st.tuples(floats, floats).map(list)),
    st.tuples(st.just("r24"), st.lists(st.integers(0, 255), min_size=3, max_size=3)),
    st.tuples(st.just("string"), words),
    st.tuples(st.just("bytes"), st.sampled_from(["", "AAA=", "/w=="])),
    st.tuples(st.just(TIME), st.one_of(st.just("NaT"), st.integers(-(2**63) + 1, 2**63 - 1))),
    st.tuples(
        st.just(typed("fixed_length_utf32", length_bytes=8)),
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=2),
    ),
    st.tuples(
        st.just(typed("null_terminated_bytes", length_bytes=2)), st.sampled_from(["", "AQI="])
    ),
    st.tuples(st.just(STRUCT), st.fixed_dictionaries({"x": floats, "t": st.just("NaT")})),
)
codecs = st.builds(
    Extension,
    name=st.sampled_from(["bytes", "zstd", "numcodecs.lz4", "https://example.org/codec"]),
    configuration=st.dictionaries(words, json_values, max_size=2),
    must_understand=st.booleans(),
)


@st.composite
def v3_documents(draw: st.DrawFn) -> dict[str, Any]:
    """Documents that need not hold codecs that exist: those are looked at elsewhere."""
    data_type, fill_value = draw(typed_values)
    shape = draw(st.lists(st.integers(0, 9), max_size=3))
    chunks = [draw(st.integers(1, 4)) for _ in shape]
    irregular = [[draw(st.integers(1, 4)), [3, 4]] for _ in shape]
    grids = [
        typed("regular", chunk_shape=chunks),
        typed("rectilinear", kind="inline", chunk_shapes=irregular),
    ]
    separator = draw(st.sampled_from("./"))
    document = {
        "zarr_format": 3,
        "node_type": "array",
        "shape": shape,
        "data_type": data_type,
        "chunk_grid": draw(st.sampled_from(grids)),
        "chunk_key_encoding": typed(draw(st.sampled_from(["default", "v2"])), separator=separator),
        "fill_value": fill_value,
        "codecs": [
            {
                "name": codec.name,
                "configuration": codec.configuration,
                "must_understand": codec.must_understand,
            }
            for codec in draw(st.lists(codecs, min_size=1, max_size=3))
        ],
        "attributes": draw(attributes),
        "dimension_names": draw(
            st.none()
            | st.lists(words | st.none(), min_size=len(shape), max_size=len(shape))
        ),
    }  # fmt: skip
    if draw(st.booleans()):
        document["extra"] = {"must_understand": False, "value": draw(json_values)}
    return document


def same(one: object, other: object) -> bool:
    """Whether two models are equal, NaN and signs of zero in fill values by their bytes."""
    assert isinstance(one, ArrayMetadata)
    assert isinstance(other, ArrayMetadata)
    if one.dtype.hasobject:
        return one == other
    fills = [np.asarray(metadata.fill_value, metadata.dtype) for metadata in (one, other)]
    rest = [replace(metadata, fill_value=None) for metadata in (one, other)]
    return rest[0] == rest[1] and fills[0].tobytes() == fills[1].tobytes()


def stored(documents: Documents) -> Documents:
    """Documents as they come back from a store."""
    return {name: parse_json(dump_json(members)) for name, members in documents.items()}


# --- the law ------------------------------------------------------------------------------------


@given(v3_documents())
def test_written_v3_array_is_the_array_again(document: dict[str, Any]) -> None:
    metadata = parse_documents({"zarr.json": document})
    assert same(parse_documents(stored(serialise_documents(metadata))), metadata)


@given(v2_arrays(), attributes)
def test_written_v2_array_is_the_array_again(
    metadata: ArrayMetadata, attributes: dict[str, Any]
) -> None:
    metadata = replace(metadata, attributes={**attributes, **metadata.attributes}, extra={"n": 1})
    assert same(parse_documents(stored(serialise_documents(metadata))), metadata)


@given(st.sampled_from([2, 3]), attributes)
def test_written_group_is_the_group_again(zarr_format: Any, attributes: dict[str, Any]) -> None:
    extra = {"extra": {"must_understand": False}}
    group = GroupMetadata(zarr_format=zarr_format, attributes=attributes, extra=extra)
    documents = serialise_documents(group)
    assert parse_documents(stored(documents)) == group
    assert zarr_format_of(documents) == zarr_format
    assert not is_array(documents)


# --- spelling -------------------------------------------------------------------------------------


def test_members_of_v3_stand_in_the_order_of_the_specification() -> None:
    document = {**V3, "dimension_names": ["x"], "extra": {"must_understand": False}}
    written = serialise_documents(parse_documents({"zarr.json": document}))["zarr.json"]
    assert list(written) == [
        "zarr_format", "node_type", "shape", "data_type", "chunk_grid", "chunk_key_encoding",
        "fill_value", "codecs", "attributes", "dimension_names", "extra",
    ]  # fmt: skip
    assert written["codecs"] == document["codecs"]
    assert written["chunk_grid"] == document["chunk_grid"]


def test_members_of_v2_stand_in_the_order_of_the_specification() -> None:
    written = serialise_documents(parse_documents({".zarray": V2}))
    assert list(written) == [".zarray"], "no attributes, no document for them"
    assert written[".zarray"] == {**V2, "fill_value": 0.0, "dimension_separator": "."}
    assert list(written[".zarray"]) == [
        "zarr_format", "shape", "chunks", "dtype", "compressor", "fill_value", "order", "filters",
        "dimension_separator",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("filters", "compressor"),
    [
        ([{"id": "delta", "dtype": "<f4"}], None),
        ([{"id": "delta", "dtype": "<f4"}, {"id": "crc32"}], None),
        ([{"id": "shuffle", "elementsize": 4}], {"id": "zlib", "level": 1}),
        (None, {"id": "anything"}),
        (None, None),
    ],
)
def test_filters_and_compressor_are_told_apart(filters: object, compressor: object) -> None:
    documents = {".zarray": {**V2, "filters": filters, "compressor": compressor}}
    written = serialise_documents(parse_documents(documents))[".zarray"]
    assert (written["filters"], written["compressor"]) == (filters, compressor)


@pytest.mark.parametrize("codec_id", ["vlen-utf8", "vlen-bytes", "json2"])
@pytest.mark.parametrize("compressor", [None, {"id": "zlib", "level": 1}])
def test_object_codec_of_v2_is_a_filter(codec_id: str, compressor: object) -> None:
    filters = [{"id": codec_id}]
    members = {"dtype": "|O", "filters": filters, "compressor": compressor, "fill_value": ""}
    documents = {".zarray": {**V2, **members}}
    written = serialise_documents(parse_documents(documents))
    assert written == {".zarray": {**documents[".zarray"], "dimension_separator": "."}}


def test_names_of_dimensions_are_an_attribute_of_v2() -> None:
    metadata = parse_documents({".zarray": V2})
    assert isinstance(metadata, ArrayMetadata)
    written = serialise_documents(replace(metadata, dimension_names=("x",)))
    assert written[".zattrs"] == {"_ARRAY_DIMENSIONS": ["x"]}


LITTLE = Extension(name="bytes", configuration={"endian": "little"})


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"codecs": (Extension(name="transpose", configuration={"order": [5]}),)},
            'codecs: Zarr v2 has all dimensions reversed, not {"order": [5]}',
        ),
        ({"codecs": ()}, "codecs: Zarr v2 makes bytes of elements by the codec 'bytes', not none"),
        (
            {"codecs": (Extension(name="sharding_indexed"),)},
            "codecs: Zarr v2 makes bytes of elements by the codec 'bytes', not \"sharding_",
        ),
        ({"codecs": (Extension(name="bytes"),)}, "codecs: the codec 'bytes' must say its byte "),
        ({"codecs": (LITTLE, Extension(name="zstd"))}, 'codecs: Zarr v2 has no codec "zstd"'),
        (
            {"codecs": (LITTLE, Extension(name="numcodecs.x", configuration={"id": []}))},
            "codecs: Zarr v2 names codecs by 'id', so 'numcodecs.x' can have no setting of that ",
        ),
        (
            {"chunk_grid": ChunkGrid((irregular_axis(10, [(3, 1), (7, 1)]),))},
            "chunk_grid: Zarr v2 has chunks of one shape only",
        ),
        (
            {"chunk_key_encoding": SeparatedKeys("default", "/")},
            "chunk_key_encoding: Zarr v2 has chunk keys of encoding 'v2' only, not 'default'",
        ),
        ({"dimension_names": (None,)}, "dimension_names: Zarr v2 holds a name for each dimension"),
    ],
)
def test_what_v2_cannot_hold_is_refused(changed: dict[str, Any], message: str) -> None:
    metadata = parse_documents({".zarray": V2})
    assert isinstance(metadata, ArrayMetadata)
    with pytest.raises(UnsupportedError) as error:
        serialise_documents(replace(metadata, **changed))
    assert str(error.value).startswith(message)


# --- which document, whose fault ------------------------------------------------------------------


def test_document_of_v3_goes_first() -> None:
    documents = {".zgroup": {"zarr_format": 2}, "zarr.json": V3}
    assert main_document(documents) == "zarr.json"
    assert is_array(documents)
    assert zarr_format_of(documents) == 3


@pytest.mark.parametrize("name", ["zarr.json", ".zarray", ".zgroup"])
def test_malformed_document_is_named(name: str) -> None:
    with pytest.raises(MetadataError) as error:
        parse_documents({name: {}})
    assert error.value.key == name


# --- rewriting ------------------------------------------------------------------------------------

FOREIGN_V3: dict[str, Any] = {
    "node_type": "array",
    "attributes": {"old": 1},
    "codecs": ["bytes", {"name": "later", "must_understand": False}],
    **{name: V3[name] for name in ("chunk_key_encoding", "chunk_grid", "shape", "fill_value")},
    "data_type": "uint8",
    "zarr_format": 3,
    "consolidated_metadata": None,
    "note": {"must_understand": False, "by": "somebody"},
}


def test_new_attributes_change_nothing_else() -> None:
    edited = with_attributes({"zarr.json": FOREIGN_V3}, {"new": 2})["zarr.json"]
    assert json.dumps(edited) == json.dumps(FOREIGN_V3).replace('"old": 1', '"new": 2')


def test_new_attributes_of_v2_stand_in_a_document_of_their_own() -> None:
    foreign = {**V2, "note": 1}
    documents = {".zarray": foreign, ".zattrs": {"old": 1}}
    edited = with_attributes(documents, {"new": 2})
    assert edited == {".zarray": foreign, ".zattrs": {"new": 2}}
    assert edited[".zarray"] is foreign
    assert with_attributes({".zarray": foreign}, {"a": 1}) == {
        ".zarray": foreign,
        ".zattrs": {"a": 1},
    }


def test_new_shape_changes_nothing_else() -> None:
    edited = with_shape({"zarr.json": FOREIGN_V3}, regular_grid((12,), (3,)))["zarr.json"]
    assert json.dumps(edited) == json.dumps(FOREIGN_V3).replace("[10]", "[12]")
    zarray = {"note": 1, **V2}
    edited = with_shape({".zarray": zarray}, regular_grid((12,), (3,)))[".zarray"]
    assert json.dumps(edited) == json.dumps(zarray).replace("[10]", "[12]")


@pytest.mark.parametrize("chunk_shapes", [[[5, 5]], [[[5, 2]]]])
def test_grid_is_written_anew_where_it_does_not_fit_the_new_shape(chunk_shapes: object) -> None:
    spelled = typed("rectilinear", kind="inline", chunk_shapes=chunk_shapes)
    documents = {"zarr.json": {**V3, "chunk_grid": spelled}}
    grid = ChunkGrid((irregular_axis(12, [(5, 2), (2, 1)]),))
    edited = with_shape(documents, grid)
    metadata = parse_documents(edited)
    assert isinstance(metadata, ArrayMetadata)
    assert metadata.chunk_grid == grid
    smaller = ChunkGrid((irregular_axis(7, [(5, 2)]),))
    assert with_shape(documents, smaller)["zarr.json"]["chunk_grid"] is spelled
