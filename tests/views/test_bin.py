from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.contracts.view_contract import OTHERS, ViewContract, describe, read
from tests.views.v3_arrays import describe_v3
from zarrfs.errors import ViewError
from zarrfs.views.bin import bin_segments, sidecar_segments
from zarrfs.views.registry import FORMATS
from zarrfs.views.values import MAX_NESTING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zarrfs.codecs.base import Array
    from zarrfs.flat.element_order import Endian
    from zarrfs.views.description import ArrayDescription


def tuples(descr: list[Any]) -> list[Any]:
    """Fields as NumPy wants them, from JSON."""
    return [
        (name, tuples(kind) if isinstance(kind, list) else kind, *map(tuple, shape))
        for name, kind, *shape in descr
    ]


def sidecar(array: ArrayDescription) -> Any:
    return json.loads(read(sidecar_segments(array), b""))


class TestBin(ViewContract):
    view = FORMATS["bin"]
    dtypes = (*ViewContract.dtypes, *OTHERS)

    def read_back(self, files: Mapping[str, bytes], array: ArrayDescription) -> Array:
        told = json.loads(files[".json"])
        dtype = told["dtype"]
        dtype = np.dtype(tuples(dtype) if isinstance(dtype, list) else dtype)
        assert dtype.itemsize == told["itemsize"]
        return np.ndarray(told["shape"], dtype, files[".bin"], strides=told["strides"])


def test_sidecar_tells_all_that_a_reader_must_know() -> None:
    array = describe("i2", (5, 3, 2), chunks=(2, 3, 1), fill_value=7, attributes={"units": "K"})
    assert sidecar(array) == {
        "shape": [5, 3, 2],
        "dtype": "<i2",
        "data_type": "int16",
        "byte_order": "little",
        "itemsize": 2,
        "strides": [12, 4, 2],
        "order": "C",
        "chunk_shape": [2, 3, 1],
        "shard_shape": None,
        "fill_value": 7,
        "dimension_names": None,
        "attributes": {"units": "K"},
    }


def test_sidecar_is_json_lines_of_utf_8_in_a_fixed_order() -> None:
    text = read(sidecar_segments(describe("f4", (2,), attributes={"é": "温"})), b"").decode()
    assert text.startswith('{\n  "shape": [2],\n  "dtype": "<f4",\n')
    assert text.endswith('  "attributes": {\n    "é": "温"\n  }\n}\n')


@pytest.mark.parametrize(
    ("dtype", "endian", "order", "code"),
    [
        ("f4", "little", "little", "<f4"),
        ("f4", "big", "big", ">f4"),
        ("u1", "big", None, "|u1"),
        ("S3", "little", None, "|S3"),
        ("U2", "big", "big", ">U2"),
        ([("a", "<f4"), ("b", "u1")], "little", "little", [["a", "<f4"], ["b", "|u1"]]),
        ([("a", "<f4", (2,))], "big", "big", [["a", ">f4", [2]]]),
        ([("a", "u1")], "big", None, [["a", "|u1"]]),
        (
            [("a", [("b", "<f4")]), ("c", "<i2")],
            "big",
            "big",
            [["a", [["b", ">f4"]]], ["c", ">i2"]],
        ),
    ],
)
def test_sidecar_states_the_byte_order(
    dtype: Any, endian: Endian, order: str | None, code: Any
) -> None:
    told = sidecar(describe(dtype, (2,), endian=endian))
    assert (told["byte_order"], told["dtype"]) == (order, code)


def test_lone_surrogates_and_floats_outside_of_json_do_not_break_the_sidecar() -> None:
    attributes = {"a\ud800": ["\udfff", float("nan"), float("-inf")], "t": "\U0001f30d"}
    told = sidecar(describe("f8", (1,), fill_value="NaN", attributes=attributes))
    assert told["fill_value"] == "NaN"
    assert told["attributes"] == {"a\ud800": ["\udfff", "NaN", "-Infinity"], "t": "\U0001f30d"}


def test_attributes_nested_beyond_reading_leave_out_the_sidecar_alone() -> None:
    value: Any = 1
    for _ in range(MAX_NESTING):
        value = [value]
    array = describe("f4", (2,), attributes={"a": value})
    assert bin_segments(array).size == 8
    with pytest.raises(ViewError, match="nested"):
        sidecar_segments(array)


def test_strides_of_an_array_without_dimensions_are_empty() -> None:
    told = sidecar(describe("f8", ()))
    assert (told["shape"], told["strides"], told["chunk_shape"]) == ([], [], [])


def pair(part: str) -> list[list[str]]:
    return [["real", part], ["imag", part]]


@pytest.mark.parametrize(
    ("data_type", "fill_value", "dtype", "byte_order", "itemsize"),
    [
        ("bfloat16", "NaN", "bfloat16", "little", 2),
        ("int4", -1, "int4", None, 1),
        ("float8_e5m2", 0.5, "float8_e5m2", None, 1),
        ("float4_e2m1fn", -6.0, "float4_e2m1fn", None, 1),
        ("complex_float16", [1.0, "NaN"], pair("<f2"), "little", 4),
        ("complex_bfloat16", [1.0, -2.0], pair("bfloat16"), "little", 4),
        ("complex_float8_e4m3", [1.0, 0.0], pair("float8_e4m3"), None, 2),
        ("r24", [1, 2, 3], "|V3", None, 3),
    ],
)
def test_sidecar_names_types_that_numpy_lacks(
    data_type: str, fill_value: Any, dtype: Any, byte_order: str | None, itemsize: int
) -> None:
    array = describe_v3(data_type, fill_value)
    told = sidecar(array)
    assert (told["data_type"], told["dtype"]) == (data_type, dtype)
    assert (told["byte_order"], told["itemsize"]) == (byte_order, itemsize)
    assert told["fill_value"] == ("AQID" if data_type == "r24" else fill_value)
    assert bin_segments(array).size == 6 * itemsize
    assert np.dtype(tuples(dtype) if isinstance(dtype, list) else dtype) == array.dtype
