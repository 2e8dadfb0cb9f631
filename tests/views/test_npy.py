from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.contracts.view_contract import OTHERS, ViewContract, describe, read
from tests.views.v3_arrays import describe_v3
from zarrfs.errors import ViewError
from zarrfs.views.description import ArrayDescription
from zarrfs.views.npy import npy_segments
from zarrfs.views.registry import FORMATS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zarrfs.codecs.base import Array


def saved(array: Array) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # newer format versions are announced
        np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def shown(array: Array) -> bytes:
    plain = describe("u1", array.shape)
    described = ArrayDescription(
        metadata=plain.metadata, dtype=array.dtype, chunk_shape=(), shard_shape=None
    )
    return read(npy_segments(described), array.tobytes())


class TestNpy(ViewContract):
    view = FORMATS["npy"]
    dtypes = (*ViewContract.dtypes, *OTHERS)

    def read_back(self, files: Mapping[str, bytes], array: ArrayDescription) -> Array:
        loaded: Array = np.load(io.BytesIO(files[".npy"]), allow_pickle=False)
        return loaded


@given(
    hnp.array_dtypes(
        hnp.scalar_dtypes() | hnp.byte_string_dtypes() | hnp.unicode_string_dtypes(), min_size=1
    )
    | hnp.nested_dtypes()
    | hnp.scalar_dtypes()
    | hnp.unicode_string_dtypes(),
    hnp.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=4),
)
def test_file_is_the_one_that_numpy_saves(dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
    array: Array = np.zeros(shape, dtype)  # of a subarray type: of more dimensions
    assert shown(array) == saved(array)


@given(st.integers(0, 5), st.text(min_size=1, max_size=3))
def test_header_of_any_size_and_alphabet_is_the_one_that_numpy_saves(n: int, name: str) -> None:
    array = np.zeros(3, [(name * 10**n, "<f4")])
    assert shown(array) == saved(array)


def test_header_is_aligned_as_numpy_has_it_whatever_its_length() -> None:
    for length in range(1, 70):
        array = np.zeros(2, [("x" * length, "u1")])
        assert shown(array) == saved(array)


def test_header_of_version_2_is_used_where_the_first_is_too_short() -> None:
    array = np.zeros(2, [(f"field{i}", "u1") for i in range(4000)])
    assert shown(array)[6:8] == b"\2\0"
    assert shown(array) == saved(array)


def test_header_of_version_3_is_used_for_names_beyond_latin_1() -> None:
    array = np.zeros(2, [("温度", "<f4")])
    assert shown(array)[6:8] == b"\3\0"
    assert shown(array) == saved(array)


def test_lone_surrogate_in_a_field_name_is_escaped_as_numpy_does() -> None:
    array = np.zeros(1, [("\ud800", "<f4")])
    assert shown(array) == saved(array)


@pytest.mark.parametrize(
    "data_type",
    ["bfloat16", "int4", "uint2", "float8_e4m3", "float4_e2m1fn", "complex_float16", "r24"],
)
def test_types_that_numpy_lacks_are_saved_as_numpy_saves_them(data_type: str) -> None:
    fill = {"complex_float16": [0, 0], "r24": [0, 0, 0]}.get(data_type, 0)
    described = describe_v3(data_type, fill)
    array: Array = np.ones(6 * described.dtype.itemsize, "u1").view(described.dtype).reshape(2, 3)
    file = read(npy_segments(described), array.tobytes())
    assert file == saved(array)
    assert np.load(io.BytesIO(file)).tobytes() == array.tobytes()


@pytest.mark.parametrize(
    ("data_type", "fill"), [("float8_e5m2", 0), ("complex_float8_e5m2", [0, 0])]
)
def test_types_that_numpy_saves_but_cannot_load_are_refused(data_type: str, fill: Any) -> None:
    described = describe_v3(data_type, fill)
    with pytest.raises(ValueError, match="descr is not a valid dtype"):
        np.load(io.BytesIO(saved(np.zeros(2, described.dtype))))
    with pytest.raises(ViewError, match=r"^NumPy cannot load .*float8_e5m2"):
        npy_segments(described)
