from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from zarrfs.errors import MetadataError, UnsupportedError
from zarrfs.format.chunk_grids import regular_grid
from zarrfs.format.dtypes import DataType
from zarrfs.format.key_encodings import SeparatedKeys
from zarrfs.format.metadata import ArrayMetadata, Extension, GroupMetadata
from zarrfs.format.metadata_v2 import parse_array, parse_group

BLOSC = {"id": "blosc", "cname": "lz4", "clevel": 5, "shuffle": 1}
BLOSC_CODEC = Extension(
    name="numcodecs.blosc", configuration={"cname": "lz4", "clevel": 5, "shuffle": 1}
)


def document(**members: object) -> dict[str, Any]:
    return {
        "zarr_format": 2,
        "shape": [10, 20],
        "chunks": [3, 20],
        "dtype": "<f4",
        "compressor": None,
        "fill_value": 0,
        "order": "C",
        "filters": None,
        **members,
    }


def endian(order: str) -> Extension:
    return Extension(name="bytes", configuration={"endian": order})


def test_array_is_parsed() -> None:
    assert parse_array(document(compressor=BLOSC), {"a": 1}) == ArrayMetadata(
        zarr_format=2,
        data_type=DataType("float32", np.dtype("f4")),
        chunk_grid=regular_grid((10, 20), (3, 20)),
        chunk_key_encoding=SeparatedKeys("v2", "."),
        fill_value=np.float32(0),
        codecs=(endian("little"), BLOSC_CODEC),
        attributes={"a": 1},
        dimension_names=None,
    )


def test_group_is_parsed() -> None:
    assert parse_group({"zarr_format": 2}, None) == GroupMetadata(zarr_format=2, attributes={})
    assert parse_group({"zarr_format": 2}, {"a": 1}).attributes == {"a": 1}


def test_group_may_have_its_format_in_a_string() -> None:
    assert parse_group({"zarr_format": "2"}, None) == parse_group({"zarr_format": 2}, None)


def shuffle_size(
    size: object, dtype: str, attributes: dict[str, Any] | None = None, **members: object
) -> object:
    shuffle = {"id": "shuffle"} if size is ... else {"id": "shuffle", "elementsize": size}
    array = parse_array(document(dtype=dtype, filters=[shuffle], **members), attributes)
    return array.codecs[-1].configuration["elementsize"]


@pytest.mark.parametrize(
    ("size", "dtype", "settled"),
    [(..., "<i8", 4), (None, "|u1", 4), (1, "<i8", 1), (8, "<i4", 8), (0, "|i1", 0), (0, "|S1", 0)],
)
def test_size_of_shuffled_elements_is_settled(size: object, dtype: str, settled: int) -> None:
    assert shuffle_size(size, dtype) == settled


def test_shuffled_elements_of_netcdf_are_those_of_the_array() -> None:
    mark: dict[str, Any] = {"dimension_references": ["/x"], "storage": "chunked"}
    assert shuffle_size(0, ">f8", {"_nczarr_array": mark}) == 8
    assert shuffle_size(0, "<i2", None, _NCZARR_ARRAY=mark) == 2


@pytest.mark.parametrize("dtype", ["<i4", "<c8", "|S2"])
def test_shuffled_elements_of_no_size_are_refused(dtype: str) -> None:
    attributes: dict[str, Any] | None = None if dtype == "<i4" else {"_nczarr_array": {}}
    with pytest.raises(MetadataError, match="can be 0 for bytes alone: netCDF ") as error:
        shuffle_size(0, dtype, attributes)
    assert error.value.field == "codecs.numcodecs.shuffle.elementsize"


@pytest.mark.parametrize(
    ("dtype", "codec"),
    [
        (">i2", endian("big")),
        ("<U3", endian("little")),
        ("|u1", Extension(name="bytes")),
        ("|S3", Extension(name="bytes")),
        ([["a", ">f4"]], Extension(name="bytes")),
    ],
)
def test_byte_order_becomes_a_codec(dtype: object, codec: Extension) -> None:
    assert parse_array(document(dtype=dtype), None).codecs == (codec,)


def test_filters_and_compressor_follow_in_order_of_encoding() -> None:
    members = document(filters=[{"id": "delta", "dtype": "<f4"}, {"id": "shuffle"}], order="F")
    assert parse_array({**members, "compressor": BLOSC}, None).codecs == (
        Extension(name="transpose", configuration={"order": [1, 0]}),
        endian("little"),
        Extension(name="numcodecs.delta", configuration={"dtype": "<f4"}),
        Extension(name="numcodecs.shuffle", configuration={"elementsize": 4}),
        BLOSC_CODEC,
    )


@pytest.mark.parametrize("shape", [[], [3]])
def test_order_of_less_than_two_dimensions_is_nothing(shape: list[int]) -> None:
    members = document(shape=shape, chunks=shape, order="F")
    assert parse_array(members, None).codecs == (endian("little"),)


def test_object_codec_makes_the_bytes() -> None:
    members = document(
        dtype="|O", filters=[{"id": "vlen-utf8"}], compressor=BLOSC, order="F", fill_value=""
    )
    metadata = parse_array(members, None)
    assert metadata.codecs == (
        Extension(name="transpose", configuration={"order": [1, 0]}),
        Extension(name="numcodecs.vlen-utf8"),
        BLOSC_CODEC,
    )
    assert (metadata.data_type.name, metadata.dtype) == ("string", np.dtype(object))
    assert metadata.fill_value == ""


def test_object_codec_may_stand_as_compressor() -> None:
    metadata = parse_array(document(dtype="|O", compressor={"id": "msgpack2"}), None)
    assert (metadata.data_type.name, metadata.fill_value) == ("object", 0)
    assert metadata.codecs == (Extension(name="numcodecs.msgpack2"),)


def test_filters_and_compressor_that_are_left_out_are_none() -> None:
    members = document()
    for name in ("filters", "compressor"):
        del members[name]
    assert parse_array(members, None) == parse_array(document(), None)


def test_unknown_members_are_kept() -> None:
    assert parse_array(document(extra=1), None) == replace(
        parse_array(document(), None), extra={"extra": 1}
    )
    assert parse_group({"zarr_format": 2, "extra": 1}, None).extra == {"extra": 1}


def test_empty_list_of_filters_is_none() -> None:
    assert parse_array(document(filters=[]), None) == parse_array(document(), None)


@pytest.mark.parametrize(("value", "separator"), [(None, "."), (".", "."), ("/", "/")])
def test_dimension_separator_is_that_of_the_keys(value: object, separator: str) -> None:
    metadata = parse_array(document(dimension_separator=value), None)
    assert metadata.chunk_key_encoding.encode((1, 2)) == f"1{separator}2"


def test_dimension_names_are_those_of_xarray() -> None:
    attributes = {"_ARRAY_DIMENSIONS": ["y", "x"], "units": "K"}
    metadata = parse_array(document(), attributes)
    assert metadata.dimension_names == ("y", "x")
    assert metadata.attributes == attributes


@pytest.mark.parametrize("value", [["x"], ["y", None], "yx", None, {}])
def test_attribute_that_does_not_name_the_dimensions_is_only_an_attribute(value: object) -> None:
    assert parse_array(document(), {"_ARRAY_DIMENSIONS": value}).dimension_names is None


@pytest.mark.parametrize("name", ["zarr_format", "shape", "chunks", "dtype", "order", "fill_value"])
def test_missing_member_is_named(name: str) -> None:
    members = document()
    del members[name]
    with pytest.raises(MetadataError) as error:
        parse_array(members, None)
    assert (error.value.field, error.value.reason) == (name, "is missing")


@pytest.mark.parametrize("value", [1, 3, "3", [2], True, None])
def test_other_format_is_refused(value: object) -> None:
    with pytest.raises(MetadataError, match=r"^zarr_format: must be 2, not "):
        parse_array(document(zarr_format=value), None)
    with pytest.raises(MetadataError, match=r"^zarr_format: must be 2, not "):
        parse_group({"zarr_format": value}, None)


def test_format_of_an_array_in_a_string_is_refused() -> None:
    with pytest.raises(MetadataError, match=r'^zarr_format: must be 2, not "2"$'):
        parse_array(document(zarr_format="2"), None)


@pytest.mark.parametrize(
    ("member", "value", "message"),
    [
        ("shape", [1.5, 2], "shape: must be a list of integers ≥ 0, not [1.5, 2]"),
        ("chunks", [3], "chunks: has 1 dimensions, but the array has 2"),
        ("chunks", [0, 1], "chunks: must be a list of integers ≥ 1, not [0, 1]"),
        ("dtype", "f4", 'dtype: "f4" does not say its byte order'),
        ("dtype", "|O", 'dtype: "|O" needs an object codec as the first filter'),
        ("compressor", "blosc", 'compressor: must be an object, not "blosc"'),
        ("compressor", {"level": 1}, "compressor.id: is missing"),
        ("filters", {}, "filters: must be a list, not {}"),
        ("filters", [{"id": 1}], "filters[0].id: must be a non-empty string, not 1"),
        ("order", "A", 'order: must be "C" or "F", not "A"'),
        ("order", None, 'order: must be "C" or "F", not null'),
        ("dimension_separator", "-", 'dimension_separator: must be "/" or ".", not "-"'),
        ("fill_value", "x", "fill_value: must be a number, "),
    ],
)
def test_malformed_member_is_named(member: str, value: object, message: str) -> None:
    with pytest.raises(MetadataError) as error:
        parse_array(document(**{member: value}), None)
    assert str(error.value).startswith(message)
    assert not isinstance(error.value, UnsupportedError)


def test_data_type_that_is_not_there_is_unsupported() -> None:
    with pytest.raises(UnsupportedError, match=r'^dtype: zarrfs has no data type "bfloat16"'):
        parse_array(document(dtype="bfloat16"), None)
