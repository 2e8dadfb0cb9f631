from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numcodecs
import numpy as np
import pytest

from zarrfs.arrays.new_arrays import NewArray, new_metadata
from zarrfs.errors import MetadataError
from zarrfs.format.extensions import Extension
from zarrfs.format.node_documents import serialise_documents

if TYPE_CHECKING:
    from collections.abc import Mapping


def document(**wanted: Any) -> Mapping[str, Any]:
    """The main metadata document of a new array."""
    members = {"shape": (20, 30), "dtype": "float64", "chunks": (10, 10), **wanted}
    return next(iter(serialise_documents(new_metadata(NewArray(**members))).values()))


LITTLE = {"name": "bytes", "configuration": {"endian": "little"}}
ZSTD = {"name": "zstd", "configuration": {"level": 1, "checksum": False}}


def test_what_is_not_said_is_chosen() -> None:
    assert document(chunks=None) == {
        "zarr_format": 3,
        "node_type": "array",
        "shape": [20, 30],
        "data_type": "float64",
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [20, 30]}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": 0.0,
        "codecs": [LITTLE, ZSTD],
        "attributes": {},
    }
    assert document(chunks=None, zarr_format=2) == {
        "zarr_format": 2,
        "shape": [20, 30],
        "chunks": [20, 30],
        "dtype": "<f8",
        "compressor": {"id": "zstd", "level": 1},
        "fill_value": 0.0,
        "order": "C",
        "filters": None,
        "dimension_separator": ".",
    }


@pytest.mark.parametrize(
    ("wanted", "codecs"),
    [
        ({"codecs": ["bytes"]}, [LITTLE]),
        ({"codecs": ["bytes"], "dtype": ">f8"}, [{**LITTLE, "configuration": {"endian": "big"}}]),
        ({"codecs": ["bytes"], "dtype": "uint8"}, [{"name": "bytes"}]),
        ({"codecs": ["bytes"], "dtype": "bfloat16"}, [LITTLE]),
        (
            {"codecs": [{"name": "bytes", "configuration": {"endian": "big"}}]},
            [{"name": "bytes", "configuration": {"endian": "big"}}],
        ),
        (
            {"codecs": [Extension(name="bytes"), {"name": "zstd", "configuration": {"level": 5}}]},
            [LITTLE, {"name": "zstd", "configuration": {"level": 5, "checksum": False}}],
        ),
        ({"compressor": None}, [LITTLE]),
        (
            {"compressor": numcodecs.Blosc("zstd", 3)},
            [
                LITTLE,
                {
                    "name": "blosc",
                    "configuration": {
                        "cname": "zstd",
                        "clevel": 3,
                        "shuffle": "shuffle",
                        "blocksize": 0,
                        "typesize": 8,
                    },
                },
            ],
        ),
        (
            {"filters": [{"id": "delta", "dtype": "<f8"}], "compressor": "gzip"},
            [
                {"name": "numcodecs.delta", "configuration": {"dtype": "<f8"}},
                LITTLE,
                {"name": "gzip", "configuration": {"level": 1}},
            ],
        ),
        (
            {"order": "F", "compressor": None},
            [{"name": "transpose", "configuration": {"order": [1, 0]}}, LITTLE],
        ),
        (
            {"codecs": ["bytes"], "order": "F"},
            [{"name": "transpose", "configuration": {"order": [1, 0]}}, LITTLE],
        ),
        ({"dtype": str}, [{"name": "vlen-utf8"}, ZSTD]),
        ({"dtype": bytes, "compressor": None}, [{"name": "vlen-bytes"}]),
    ],
)
def test_codecs_of_v3(wanted: dict[str, Any], codecs: list[Any]) -> None:
    assert document(**wanted)["codecs"] == codecs


@pytest.mark.parametrize(
    ("wanted", "members"),
    [
        ({"compressor": None}, {"compressor": None, "filters": None}),
        ({"codecs": ["bytes", ZSTD]}, {"compressor": {"id": "zstd", "level": 1}}),
        ({"codecs": ["bytes"], "order": "F"}, {"compressor": None, "order": "F"}),
        ({"dtype": ">i2"}, {"dtype": ">i2"}),
        ({"dtype": str}, {"dtype": "|O", "filters": [{"id": "vlen-utf8"}]}),
        ({"dtype": str, "filters": ["vlen-utf8"]}, {"filters": [{"id": "vlen-utf8"}]}),
        ({"dimension_separator": "/"}, {"dimension_separator": "/"}),
        (
            {"dtype": [("a", ">i4"), ("b", "u1")], "compressor": None},
            {"dtype": [["a", ">i4"], ["b", "|u1"]]},
        ),
    ],
)
def test_members_of_v2(wanted: dict[str, Any], members: dict[str, Any]) -> None:
    assert members.items() <= document(zarr_format=2, **wanted).items()


def test_shards_hold_chunks() -> None:
    made = document(chunks=(10, 5), shards=(20, 10), order="F")
    assert made["chunk_grid"]["configuration"] == {"chunk_shape": [20, 10]}
    [sharding] = made["codecs"]
    assert sharding["name"] == "sharding_indexed"
    assert sharding["configuration"]["chunk_shape"] == [10, 5]
    names = [codec["name"] for codec in sharding["configuration"]["codecs"]]
    assert names == ["transpose", "bytes", "zstd"]
    crc32c = {"name": "crc32c"}
    assert sharding["configuration"]["index_codecs"] == [LITTLE, crc32c]
    assert sharding["configuration"]["index_location"] == "end"


@pytest.mark.parametrize(
    ("chunks", "grid"),
    [
        (7, {"name": "regular", "configuration": {"chunk_shape": [7, 7]}}),
        (np.array([7, 8]), {"name": "regular", "configuration": {"chunk_shape": [7, 8]}}),
        (
            ((5, 15), 10),
            {
                "name": "rectilinear",
                "configuration": {"kind": "inline", "chunk_shapes": [[5, 15], 10]},
            },
        ),
    ],
)
def test_chunks_are_one_number_or_one_each_or_all(chunks: Any, grid: dict[str, Any]) -> None:
    assert document(chunks=chunks)["chunk_grid"] == grid


@pytest.mark.parametrize(
    ("wanted", "encoding"),
    [
        ({"chunk_key_encoding": "v2"}, ("v2", ".")),
        ({"dimension_separator": "."}, ("default", ".")),
        (
            {"chunk_key_encoding": {"name": "v2", "configuration": {"separator": "/"}}},
            ("v2", "/"),
        ),
    ],
)
def test_chunk_keys(wanted: dict[str, Any], encoding: tuple[str, str]) -> None:
    made = document(**wanted)["chunk_key_encoding"]
    assert (made["name"], made["configuration"]["separator"]) == encoding


@pytest.mark.parametrize(
    ("wanted", "field", "message"),
    [
        ({"zarr_format": 1}, "zarr_format", "must be 2 or 3"),
        ({"codecs": ["bytes"], "compressor": "zstd"}, "codecs", "give either"),
        ({"codecs": ["bytes"], "filters": ["delta"]}, "codecs", "give either"),
        ({"codecs": ["zstd"]}, "codecs", "no codec before it makes bytes"),
        ({"codecs": ["bytes", "nosuch"]}, "codecs", "no codec 'nosuch'"),
        ({"compressor": 5}, "compressor", "must be an id"),
        ({"filters": [{"level": 5}]}, "filters[0]", "must be an id"),
        ({"order": "K"}, "order", 'must be "C" or "F"'),
        ({"shape": "x"}, "shape", "whole numbers"),
        ({"shape": (20, 1.5)}, "shape", "whole numbers"),
        ({"shape": True}, "shape", "whole numbers, not true"),
        ({"shape": (20, True)}, "shape", "whole numbers"),
        ({"shape": {20, 30}}, "shape", "whole numbers"),
        ({"shape": b"xy"}, "shape", "whole numbers"),
        ({"chunks": True}, "chunks", "whole numbers"),
        ({"chunks": "ab"}, "chunks", "whole numbers"),
        ({"chunks": {10}}, "chunks", "whole numbers"),
        ({"chunks": (10,)}, "chunks", "has 1 dimensions"),
        ({"chunks": (10, 0)}, "chunks", "≥ 1"),
        ({"chunks": None, "shards": 20}, "shards", "need chunks"),
        ({"chunks": 10, "shards": 10, "zarr_format": 2}, "shards", "Zarr v3 only"),
        ({"chunks": ((5, 15), 10), "shards": 20}, "chunks", "must all be equal"),
        ({"chunks": 10, "shards": 15}, "chunks", "of shape [10, 10] do not divide the shards, [15"),
        ({"chunks": 2**30}, "chunks", "more than the memory of this machine"),
        (
            {"chunks": 1, "shards": 2**25, "compressor": None},
            "shards",
            "have an index of 18014398509481988 bytes each, more than the memory",
        ),
        ({"dimension_names": ("x",)}, "dimension_names", "must be 2 strings"),
        ({"dimension_names": "xy"}, "dimension_names", "must be 2 strings"),
        ({"dimension_names": 5}, "dimension_names", "must be 2 strings"),
        ({"codecs": 5}, "codecs", "must be a list of codecs, not 5"),
        ({"filters": "delta"}, "filters", 'must be a list of codecs, not "delta"'),
        ({"filters": {"id": "delta"}}, "filters", "must be a list of codecs"),
        (
            {"dtype": "M8[s]", "filters": ["delta"], "zarr_format": 2},
            "filters",
            "numcodecs.delta does not take elements of type datetime64[s]: ",
        ),
        (
            {"dtype": "U3", "filters": ["delta"], "zarr_format": 2},
            "filters",
            "elements of type <U3",
        ),
        ({"attributes": 5}, "attributes", "must be a mapping"),
        ({"attributes": {1: 2}}, "attributes", "must have names that are strings, not 1"),
        ({"attributes": {"a": [{"b": {1: 2, "1": 3}}]}}, "attributes.a.b", "are strings, not 1"),
        ({"attributes": {"a": "\ud800"}}, "attributes.a", "without lone surrogates"),
        ({"attributes": {"\ud800": 1}}, "attributes", "names that are strings"),
        (
            {"dimension_separator": "/", "chunk_key_encoding": "v2"},
            "dimension_separator",
            "goes without",
        ),
        ({"fill_value": "x"}, "fill_value", ""),
        ({"dtype": "nosuch"}, "dtype", "no data type"),
        (
            {"shape": (2**14, 2**14), "chunks": (2**14, 2**14), "compressor": "blosc"},
            "chunks",
            "'blosc' takes no more than 2147483631; choose smaller ones",
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_does_not_go_is_refused_by_name(
    wanted: dict[str, Any], field: str, message: str
) -> None:
    with pytest.raises(MetadataError) as caught:
        document(**wanted)
    assert caught.value.field == field
    assert message in str(caught.value)


def test_an_array_of_numpy_is_a_shape() -> None:
    assert document(shape=np.array([4, 6]), chunks=np.array(2))["shape"] == [4, 6]
    assert document(shape=np.array(4), chunks=None)["shape"] == [4]
