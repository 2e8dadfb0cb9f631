"""Whatever JSON stands in a document, parsing gives a value or a `MetadataError`."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zarrfs.errors import MetadataError
from zarrfs.format import metadata_v2, metadata_v3
from zarrfs.format.dtypes_v2 import parse_v2_dtype
from zarrfs.format.dtypes_v3 import parse_v3_dtype
from zarrfs.format.fill_values import parse_v2_fill_value, parse_v3_fill_value

if TYPE_CHECKING:
    from zarrfs.format.metadata import ArrayMetadata, GroupMetadata

words = st.sampled_from(
    [
        *("", "name", "configuration", "must_understand", "id", "fields", "data_type", "unit"),
        *("bytes", "string", "struct", "int8", "r16", "float32", "regular", "default", "v2"),
        *("sharding_indexed", "codecs", "endian", "big", "chunk_shape", "NaN", "0x7fc00000"),
        *("<f4", "|O", "|S3", ">U2", "<M8[ns]", "|V3", "AAAA", "vlen-utf8", "ns", "/", "\ud800"),
    ]
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, 1, -1, 3, 255, 2**31, 2**63 - 1, 2**63, -(2**63), 10**400]),
    st.floats(),
    words,
    st.text(st.characters(exclude_categories=()), max_size=4),
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)

V3_ARRAY = {
    "zarr_format": 3,
    "node_type": "array",
    "shape": [10, 0],
    "data_type": {
        "name": "struct",
        "configuration": {
            "fields": [
                {"name": "x", "data_type": "float32"},
                [
                    "t",
                    {"name": "numpy.datetime64", "configuration": {"unit": "s", "scale_factor": 1}},
                ],
                {"name": "s", "data_type": {"name": "struct", "configuration": {"fields": [
                    ["c", "complex64"],
                    ["u", {"name": "fixed_length_utf32", "configuration": {"length_bytes": 8}}],
                ]}}},
            ]
        },
    },
    "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [3, 1]}},
    "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
    "fill_value": {"x": 0.5, "t": "NaT", "s": {"c": ["NaN", "0x7fc00000"], "u": "ab"}},
    "codecs": [
        {
            "name": "sharding_indexed",
            "configuration": {
                "chunk_shape": [1, 1],
                "codecs": [{"name": "bytes", "configuration": {"endian": "big"}}],
                "index_codecs": ["bytes", "crc32c"],
            },
        }
    ],
    "attributes": {"a": [1, {"b": None}]},
    "storage_transformers": [],
    "dimension_names": ["y", None],
}  # fmt: skip
V2_ARRAY = {
    "zarr_format": 2,
    "shape": [10, 0],
    "chunks": [3, 1],
    "dtype": [["x", "<f4"], ["n", [["i", ">i2", [2]], ["s", "|S3"]]]],
    "compressor": {"id": "zlib", "level": 1},
    "fill_value": "AAAAAAAAAAAAAAA=",
    "order": "F",
    "filters": [{"id": "delta", "dtype": "<f4"}],
    "dimension_separator": "/",
}
V2_STRINGS = {**V2_ARRAY, "dtype": "|O", "filters": [{"id": "vlen-utf8"}], "fill_value": "a"}
GROUP = {"zarr_format": 3, "node_type": "group", "attributes": {}, "consolidated_metadata": None}

DATA_TYPES = [
    *("bool", "int8", "uint64", "float16", "float64", "complex64", "r16", "string", "bytes"),
    {"name": "null_terminated_bytes", "configuration": {"length_bytes": 3}},
    V3_ARRAY["data_type"],
]
DTYPES = ["|b1", "<i2", ">f4", "<c16", "|S3", "<U2", "|V3", "<M8[s]", "|O", V2_ARRAY["dtype"]]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """List the paths of all values inside a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    found: list[tuple[Any, ...]] = []
    for key, member in items:
        found.append((*path, key))
        if isinstance(member, dict | list):
            found += places(member, (*path, key))
    return found


def mutate(document: Any, data: st.DataObject) -> Any:
    """Replace, remove or add a value at any place of a document."""
    mutant = copy.deepcopy(document)
    *path, last = data.draw(st.sampled_from(places(document)))
    holder = mutant
    for key in path:
        holder = holder[key]
    action = data.draw(st.sampled_from(["replace", "replace", "remove", "add"]))
    if action == "replace":
        holder[last] = data.draw(values)
    elif action == "remove":
        del holder[last]
    elif isinstance(holder, dict):
        holder[data.draw(words)] = data.draw(values)
    else:
        holder.append(data.draw(values))
    return mutant


def parse(document: Any) -> ArrayMetadata | GroupMetadata:
    if "node_type" in document or document.get("zarr_format") == 3:
        return metadata_v3.parse_node(document)
    return metadata_v2.parse_array(document, None)


@pytest.mark.parametrize("document", [V3_ARRAY, V2_ARRAY, V2_STRINGS, GROUP])
@given(data=st.data())
def test_any_value_at_any_place_gives_metadata_or_a_metadata_error(
    document: Any, data: st.DataObject
) -> None:
    mutant = mutate(document, data)
    try:
        outcome = f"{parse(mutant)!r}"
    except MetadataError as error:
        outcome = str(error)
    assert outcome.encode()  # a terminal can show it


@pytest.mark.parametrize("document", [V3_ARRAY, V2_ARRAY, V2_STRINGS, GROUP])
def test_the_documents_that_are_changed_are_valid(document: Any) -> None:
    assert parse(document).attributes is not None


@given(st.sampled_from(DATA_TYPES), st.sampled_from(DTYPES), values)
def test_any_value_is_a_fill_value_or_refused(v3_name: Any, v2_name: Any, value: Any) -> None:
    v3_type = parse_v3_dtype(v3_name)
    v2_type, _ = parse_v2_dtype(v2_name, object_codec="vlen-bytes")
    for data_type, parse_fill in ((v3_type, parse_v3_fill_value), (v2_type, parse_v2_fill_value)):
        try:
            parsed = parse_fill(value, data_type)
        except MetadataError:
            continue
        element = np.empty((), data_type.dtype)
        element[()] = parsed
        assert isinstance(parsed, bytes | str if data_type.dtype.hasobject else np.generic)


@given(values)
def test_any_value_is_a_data_type_or_refused(value: Any) -> None:
    for parse_dtype in (parse_v3_dtype, parse_v2_dtype):
        try:
            assert parse_dtype(value)
        except MetadataError:
            continue
