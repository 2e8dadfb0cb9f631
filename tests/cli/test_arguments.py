"""Text of the command line -> lengths, names, fill values, codecs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zarrfs.cli.array_arguments import (
    parse_attributes,
    parse_data_type,
    parse_dimension_names,
    parse_fill_value,
    parse_lengths,
    parse_new_array,
)
from zarrfs.cli.codec_arguments import codec_arguments, parse_codec
from zarrfs.errors import UsageError
from zarrfs.format.dtype_arguments import data_type_of
from zarrfs.format.extensions import Extension


@given(st.lists(st.integers(0, 2**63 - 1), min_size=1).map(tuple))
def test_lengths_are_the_numbers(lengths: tuple[int, ...]) -> None:
    assert parse_lengths("--shape", ",".join(map(str, lengths)), minimum=0) == lengths


def test_lengths_may_have_spaces_and_be_none() -> None:
    assert parse_lengths("--shape", " 1, 2", minimum=0) == (1, 2)
    assert parse_lengths("--shape", "scalar", minimum=0) == ()


@pytest.mark.parametrize(
    "text",
    ["", " ", ",", "1,", "1x2", "-1", "1e3", "1_0", "\u0661", "2.0", "9" * 19, "9" * 9999, "0"],
)
def test_other_lengths_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--shape") as caught:
        parse_lengths("--shape", text, minimum=1)
    assert len(str(caught.value)) < 300


def test_data_types_may_be_json() -> None:
    fields, given = parse_data_type('[["a", "<i4"], ["b", "<f8"]]')
    assert fields.dtype.names == ("a", "b")
    assert given == [["a", "<i4"], ["b", "<f8"]]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("flaot64", "did you mean float64"),
        ("unit8", "did you mean uint8"),
        ("nothing like it", "zarrfs has no data type"),
        ("U", "does not say its length"),
        ("[[", "is no JSON"),
        ("{" * 100_000, "is no JSON"),
    ],
)
def test_other_data_types_are_refused(text: str, part: str) -> None:
    with pytest.raises(UsageError, match=part) as caught:
        parse_data_type(text)
    assert len(str(caught.value)) < 300


def test_dimension_names_may_be_left_out() -> None:
    assert parse_dimension_names("y, x") == ("y", "x")
    assert parse_dimension_names("y,") == ("y", None)
    assert parse_dimension_names("") == ()


@pytest.mark.parametrize("text", ["", "[1]", "NaN", '{"a": 1', '{"a": 1, "a": 2}', "\udcff"])
def test_attributes_are_an_object(text: str) -> None:
    with pytest.raises(UsageError, match="--attributes"):
        parse_attributes(text)


@pytest.mark.parametrize(
    ("text", "dtype", "value"),
    [
        ("3", "int8", 3),
        ("-0.5", "float32", -0.5),
        ("Infinity", "float32", np.inf),
        ("0x7fc00001", "float32", "0x7fc00001"),
        ("true", "bool", True),
        ("[1, 2]", "complex64", [1, 2]),
        ("1+2j", "complex64", 1 + 2j),
        ("one", "complex64", "one"),
        ("5", "string", "5"),
        ("5", "U3", "5"),
        ("5", "S3", b"5"),
        ("5", "bytes", b"5"),
        ("2020-01-01", "M8[D]", "2020-01-01"),
        ("5", "M8[D]", 5),
        ("NaT", "M8[D]", "NaT"),
        ('{"a": 1}', [("a", "i4")], {"a": 1}),
        ("[1]", [("a", "i4")], (1,)),
    ],
)
def test_fill_values_are_what_the_type_needs(text: str, dtype: Any, value: object) -> None:
    assert parse_fill_value(text, data_type_of(dtype)[0]) == value


# --- codecs -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "name", "configuration"),
    [
        ("zstd", "zstd", {}),
        (" zstd ", "zstd", {}),
        ("zstd:level=5,checksum=true", "zstd", {"level": 5, "checksum": True}),
        ("transpose:order=[1,0]", "transpose", {"order": [1, 0]}),
        ('x:a={"b": [1, 2]},c="d,e",f=<i4', "x", {"a": {"b": [1, 2]}, "c": "d,e", "f": "<i4"}),
        ('{"name": "gzip", "configuration": {"level": 1}}', "gzip", {"level": 1}),
        ('{"id": "gzip", "level": 1}', "gzip", {"level": 1}),
    ],
)
def test_codec_as_text_or_json(text: str, name: str, configuration: dict[str, Any]) -> None:
    assert parse_codec("--codec", text) == Extension(name=name, configuration=configuration)


@pytest.mark.parametrize("text", ["", ":a=1", "x:a", "x:=1", "{", "{}", '{"id": 1}', '{"name": 1}'])
def test_other_codecs_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--codec"):
        parse_codec("--codec", text)


def names(codecs: list[str], filters: list[str], dtype: str = "int32") -> list[str]:
    arguments = codec_arguments(codecs, filters, zarr_format=3, data_type=data_type_of(dtype)[0])
    return [codec.name for codec in arguments["codecs"]]


def test_what_makes_bytes_is_put_in_its_place() -> None:
    assert names(["zstd"], []) == ["bytes", "zstd"]
    assert names(["transpose:order=[0]", "zstd"], []) == ["transpose", "bytes", "zstd"]
    assert names(["zstd"], ["transpose:order=[0]"]) == ["transpose", "bytes", "zstd"]
    assert names(["transpose:order=[0]"], []) == ["transpose", "bytes"]
    assert names(["bytes", "crc32c"], []) == ["bytes", "crc32c"]
    assert names(["zfp"], [], "float32") == ["zfp"]
    assert names(["nosuch"], []) == ["bytes", "nosuch"]
    assert names(["zstd"], [], "string") == ["vlen-utf8", "zstd"]


def test_filters_alone_are_compressed_as_usual() -> None:
    assert names([], ["delta"]) == ["numcodecs.delta", "bytes", "zstd"]


def test_none_is_no_compression() -> None:
    assert names(["none"], []) == ["bytes"]
    with pytest.raises(UsageError, match="stands alone"):
        names(["none", "zstd"], [])


def test_codecs_of_v2_are_filters_and_a_compressor() -> None:
    data_type = data_type_of("int32")[0]

    def arguments(*codecs: str, filters: tuple[str, ...] = ()) -> dict[str, Any]:
        return codec_arguments(codecs, filters, zarr_format=2, data_type=data_type)

    assert arguments() == {"filters": []}
    assert arguments("none") == {"filters": [], "compressor": None}
    assert arguments("numcodecs.zlib:level=1", filters=("delta:dtype=<i4",)) == {
        "filters": [{"id": "delta", "dtype": "<i4"}],
        "compressor": {"id": "zlib", "level": 1},
    }
    with pytest.raises(UsageError, match="one compressor"):
        arguments("zlib", "gzip")


def test_an_error_of_no_option_is_told_as_it_is() -> None:
    with pytest.raises(UsageError, match=r"^data_type: .*small arrays"):
        parse_new_array(
            shape="1", dtype='[["a", "<i4", [2]]]', chunks=None, shards=None, codecs=(),
            filters=(), zarr_format="3", fill_value=None, dimension_names=None, attributes=None,
            order="C",
        )  # fmt: skip
