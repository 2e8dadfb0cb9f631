from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from zarrfs.errors import MetadataError, UnsupportedError
from zarrfs.format.chunk_grids import regular_grid
from zarrfs.format.dtypes import DataType
from zarrfs.format.key_encodings import SeparatedKeys
from zarrfs.format.metadata import ArrayMetadata, Extension, GroupMetadata
from zarrfs.format.metadata_v3 import parse_node


def document(**members: object) -> dict[str, Any]:
    return {
        "zarr_format": 3,
        "node_type": "array",
        "shape": [10, 20],
        "data_type": "float32",
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [3, 20]}},
        "chunk_key_encoding": {"name": "default"},
        "fill_value": 0,
        "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}],
        **members,
    }


def parse_array(**members: object) -> ArrayMetadata:
    node = parse_node(document(**members))
    assert isinstance(node, ArrayMetadata)
    return node


def test_array_is_parsed() -> None:
    metadata = parse_array(attributes={"a": [1]}, dimension_names=["y", None])
    assert metadata == ArrayMetadata(
        zarr_format=3,
        data_type=DataType("float32", np.dtype("f4")),
        chunk_grid=regular_grid((10, 20), (3, 20)),
        chunk_key_encoding=SeparatedKeys("default", "/"),
        fill_value=np.float32(0),
        codecs=(Extension(name="bytes", configuration={"endian": "little"}),),
        attributes={"a": [1]},
        dimension_names=("y", None),
    )
    assert (metadata.shape, metadata.ndim, metadata.size) == ((10, 20), 2, 200)
    assert metadata.dtype == np.dtype("f4")


def test_group_is_parsed() -> None:
    group = {"zarr_format": 3, "node_type": "group", "attributes": {"a": 1}}
    assert parse_node(group) == GroupMetadata(zarr_format=3, attributes={"a": 1})


@pytest.mark.parametrize("name", ["attributes", "dimension_names", "storage_transformers"])
def test_optional_member_may_be_absent_or_null(name: str) -> None:
    assert parse_array(**{name: None}) == parse_array()


@pytest.mark.parametrize(
    "consolidated", [None, {"kind": "inline", "must_understand": False, "metadata": {}}]
)
def test_consolidated_metadata_is_left_alone(consolidated: object) -> None:
    group = {"zarr_format": 3, "node_type": "group", "consolidated_metadata": consolidated}
    assert parse_node(group) == GroupMetadata(zarr_format=3, attributes={})
    assert parse_array(consolidated_metadata=consolidated) == parse_array()


def test_dimensions_may_share_a_name() -> None:
    assert parse_array(dimension_names=["x", "x"]).dimension_names == ("x", "x")


@pytest.mark.parametrize(
    "consolidated", [1, [], {}, {"kind": "file"}, {"kind": "file", "must_understand": True}]
)
def test_consolidated_metadata_of_another_kind_are_unknown(consolidated: object) -> None:
    group = {"zarr_format": 3, "node_type": "group", "consolidated_metadata": consolidated}
    for members in (group, document(consolidated_metadata=consolidated)):
        with pytest.raises(UnsupportedError, match=r"^consolidated_metadata: is unknown"):
            parse_node(members)


def test_consolidated_metadata_of_another_kind_may_be_ignored() -> None:
    other = {"kind": "file", "must_understand": False}
    group = {"zarr_format": 3, "node_type": "group", "consolidated_metadata": other}
    assert parse_node(group).extra == {"consolidated_metadata": other}


@pytest.mark.parametrize(
    "value", [[], [{"name": "cache", "must_understand": False, "configuration": {"size": 1}}]]
)
def test_storage_transformers_that_may_be_left_out_are_none(value: object) -> None:
    assert parse_array(storage_transformers=value) == parse_array()


def test_unknown_member_that_may_be_ignored_is_kept() -> None:
    extra = {"must_understand": False, "a": 1}
    assert parse_array(extra=extra) == replace(parse_array(), extra={"extra": extra})
    group = parse_node({"zarr_format": 3, "node_type": "group", "extra": extra})
    assert group.extra == {"extra": extra}


def test_codecs_may_have_short_names_and_be_unknown() -> None:
    codecs = ["bytes", {"name": "unheard.of", "must_understand": False}]
    assert parse_array(codecs=codecs).codecs == (
        Extension(name="bytes"),
        Extension(name="unheard.of", must_understand=False),
    )


def test_array_without_dimensions_is_parsed() -> None:
    metadata = parse_array(
        shape=[], chunk_grid={"name": "regular", "configuration": {"chunk_shape": []}}
    )
    assert (metadata.shape, metadata.size, metadata.chunk_grid.n_chunks) == ((), 1, 1)


@pytest.mark.parametrize("name", [name for name in document() if name != "zarr_format"])
def test_missing_member_is_named(name: str) -> None:
    members = document()
    del members[name]
    with pytest.raises(MetadataError) as error:
        parse_node(members)
    assert (error.value.field, error.value.reason) == (name, "is missing")


@pytest.mark.parametrize("value", [2, "3", 3.0, True, None])
def test_other_format_is_refused(value: object) -> None:
    with pytest.raises(MetadataError, match=r"^zarr_format: must be 3, not "):
        parse_node(document(zarr_format=value))


@pytest.mark.parametrize("value", ["Array", None, 1, []])
def test_other_node_type_is_refused(value: object) -> None:
    with pytest.raises(MetadataError, match=r'^node_type: must be "array" or "group", not '):
        parse_node(document(node_type=value))


@pytest.mark.parametrize(
    ("member", "value", "message"),
    [
        ("shape", [-1, 2], "shape: must be a list of integers ≥ 0, not [-1, 2]"),
        ("shape", [10], "chunk_grid.configuration.chunk_shape: has 2 dimensions, but the array "),
        ("attributes", [], "attributes: must be an object, not []"),
        ("codecs", [], "codecs: must have a codec that turns arrays into bytes"),
        ("codecs", {}, "codecs: must be a list, not {}"),
        ("codecs", ["bytes", 1], "codecs[1]: must be a name or an object, not 1"),
        ("fill_value", None, "fill_value: must be a number, "),
        ("chunk_grid", 1, "chunk_grid: must be a name or an object, not 1"),
        ("chunk_grid", "regular", "chunk_grid.configuration.chunk_shape: is missing"),
        ("chunk_key_encoding", None, "chunk_key_encoding: must be a name or an object, not null"),
        (
            "chunk_key_encoding",
            {"name": "default", "must_understand": False},
            "chunk_key_encoding.must_understand: cannot be false here",
        ),
        ("storage_transformers", {}, "storage_transformers: must be a list, not {}"),
        ("storage_transformers", [5], "storage_transformers[0]: must be a name or an object"),
        ("dimension_names", ["x"], "dimension_names: must be a list of 2 strings or nulls, not "),
        ("dimension_names", ["x", 1], "dimension_names: must be a list of 2 strings or nulls"),
        ("dimension_names", "xy", 'dimension_names: must be a list, not "xy"'),
    ],
)
def test_malformed_member_is_named(member: str, value: object, message: str) -> None:
    with pytest.raises(MetadataError) as error:
        parse_node(document(**{member: value}))
    assert str(error.value).startswith(message)
    assert not isinstance(error.value, UnsupportedError)


@pytest.mark.parametrize(
    ("member", "value", "message"),
    [
        ("extra", 1, "extra: is unknown to zarrfs"),
        ("data_type", "int3", "data_type: zarrfs has no data type 'int3'"),
        ("chunk_grid", "hexagonal", "chunk_grid: zarrfs has no chunk grid 'hexagonal'"),
        ("chunk_key_encoding", "fanout", "chunk_key_encoding: zarrfs has no chunk key encoding"),
        ("storage_transformers", ["zip"], "storage_transformers: zarrfs has no storage transform"),
    ],
)
def test_extension_that_is_not_there_is_unsupported(
    member: str, value: object, message: str
) -> None:
    with pytest.raises(UnsupportedError) as error:
        parse_node(document(**{member: value}))
    assert str(error.value).startswith(message)


def test_member_of_an_array_is_unknown_in_a_group() -> None:
    with pytest.raises(UnsupportedError, match=r"^shape: is unknown"):
        parse_node({"zarr_format": 3, "node_type": "group", "shape": [1]})


LITTLE = {"name": "bytes", "configuration": {"endian": "little"}}
BIG = {"name": "bytes", "configuration": {"endian": "big"}}


def shard(*codecs: object) -> dict[str, object]:
    return {"name": "sharding_indexed", "configuration": {"codecs": list(codecs)}}


@pytest.mark.parametrize(
    ("codecs", "order"),
    [
        ([LITTLE], "<"),
        (["bytes"], "<"),
        (["vlen"], "<"),
        ([BIG, "zstd"], ">"),
        ([{"name": "endian", "configuration": {"endian": "big"}}], ">"),
        (["transpose", shard(shard(BIG))], ">"),
        ([shard(LITTLE)], "<"),
        (["sharding_indexed"], "<"),
    ],
)
def test_stored_fill_value_has_the_byte_order_of_the_chunks(codecs: object, order: str) -> None:
    stored = np.array((1.5, 7), [("x", f"{order}f4"), ("n", f"{order}i2")])
    metadata = parse_array(
        data_type={
            "name": "structured",
            "configuration": {"fields": [["x", "float32"], ["n", "int16"]]},
        },
        fill_value=base64.b64encode(stored.tobytes()).decode(),
        codecs=codecs,
    )
    assert isinstance(metadata.fill_value, np.void)
    assert metadata.fill_value.item() == (1.5, 7)
    assert metadata.fill_value.dtype == metadata.dtype


COMPLEX = ["complex_bfloat16", "complex_float16"]


@pytest.mark.parametrize("name", COMPLEX)
@pytest.mark.parametrize("codecs", [["bytes"], ["endian", "gzip"], [shard("bytes")]])
def test_complex_numbers_need_a_byte_order(name: str, codecs: object) -> None:
    with pytest.raises(MetadataError, match=r"^codecs\.bytes\.endian: is missing, and numbers of"):
        parse_array(data_type=name, fill_value=[0, 0], codecs=codecs)


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        *((name, codec) for name in COMPLEX for codec in (LITTLE, shard(BIG), "packbits")),
        ("complex_float8_e5m2", "bytes"),
    ],
)
def test_complex_numbers_are_parsed_where_their_byte_order_is_clear(
    name: str, codec: object
) -> None:
    metadata = parse_array(data_type=name, fill_value=[0, 0], codecs=[codec])
    assert metadata.data_type.name == name


def test_malformed_codec_inside_a_shard_is_named() -> None:
    with pytest.raises(MetadataError) as error:
        parse_array(codecs=[shard(shard(1))])
    assert error.value.field == "codecs[0].configuration.codecs[0].configuration.codecs[0]"
