from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contracts.codec_contract import CodecContract, build, random_array, same
from zarrfs.errors import CodecError, MetadataError, UnsupportedError

LITTLE = {"name": "bytes", "configuration": {"endian": "little"}}


def scale_offset(**configuration: Any) -> dict[str, Any]:
    return {"name": "scale_offset", "configuration": configuration}


class TestShifted(CodecContract):
    codecs = (scale_offset(offset=-3, scale=5), LITTLE)
    dtypes = ("i2", "i4", "i8", "f4", "f8")

    def array(self, shape: tuple[int, ...], dtype: np.dtype[Any], seed: int) -> Any:
        return (random_array(shape, np.dtype("i1"), seed)).astype(dtype)


class TestNothingToDo(CodecContract):
    codecs = ("scale_offset", LITTLE)
    dtypes = ("i1", "u8", "f2", "f8")


def test_offset_is_subtracted_before_scaling() -> None:
    # An example of the registry.
    array = np.array([5, 15, 25], "f4")
    pipeline = build([scale_offset(offset=5, scale=0.1), LITTLE], (3,), "f4")
    stored = np.frombuffer(pipeline.encode(array), "<f4")
    assert same(stored, (array - np.float32(5)) * np.float32(0.1))
    assert same(pipeline.decode(stored.tobytes()), stored / np.float32(0.1) + np.float32(5))


def test_range_is_reduced_for_a_cast() -> None:
    # Another one.
    array = np.array([1000, 1001, 1255], "u2")
    codecs = [
        scale_offset(offset=1000),
        {"name": "cast_value", "configuration": {"data_type": "uint8"}},
        "bytes",
    ]
    pipeline = build(codecs, (3,), "u2", fill=1000)
    assert bytes(pipeline.encode(array)) == b"\x00\x01\xff"
    assert same(pipeline.decode(b"\x00\x01\xff"), array)
    assert pipeline.array_bytes.spec.fill_value == 0


def test_fill_value_is_scaled() -> None:
    codec = scale_offset(offset=-10, scale=0.1)
    pipeline = build([codec, LITTLE], (3,), "f8", fill=40)
    assert pipeline.array_bytes.spec.fill_value == 5.0
    assert np.isnan(build([codec, LITTLE], (3,), "f8", fill=np.nan).array_bytes.spec.fill_value)


@given(
    st.sampled_from(["i1", "u1", "i8", "u8"]),
    st.integers(0, 2**32),
    st.integers(-3, 3),
    st.integers(-4, 4),
)
def test_integers_are_exact_or_refused(code: str, seed: int, offset: int, scale: int) -> None:
    dtype = np.dtype(code)
    limits = np.iinfo(dtype)
    if dtype.kind == "u":
        offset, scale = abs(offset), abs(scale)
    scale = scale or 1
    values = random_array((1,), dtype, seed) // (1, 2, 7, 100)[seed % 4]
    value = int(values[0])
    shifted, result = value - offset, (value - offset) * scale
    pipeline = build([scale_offset(offset=offset, scale=scale), LITTLE], (1,), dtype, fill=offset)
    if limits.min <= shifted <= limits.max and limits.min <= result <= limits.max:
        stored = pipeline.encode(values)
        assert np.frombuffer(stored, values.dtype.newbyteorder("<")).tolist() == [result]
        assert same(pipeline.decode(stored), values)
    else:
        with pytest.raises(CodecError, match="has no place in"):
            pipeline.encode(values)


def test_quotient_that_is_not_whole_is_refused() -> None:
    pipeline = build([scale_offset(scale=3), LITTLE], (2,), "i2")
    with pytest.raises(CodecError, match="not all numbers can be divided by 3"):
        pipeline.decode(np.array([3, 4], "<i2").tobytes())


@pytest.mark.parametrize(
    ("dtype", "configuration", "value", "match"),
    [
        (ml_dtypes.float8_e4m3fn, {"scale": 2}, 448, "448.0 · 2.0 has no place in float8_e4m3fn"),
        (ml_dtypes.float8_e8m0fnu, {"offset": 4}, 2, "2.0 - 4.0 has no place in float8_e8m0fnu"),
        (ml_dtypes.int4, {"offset": -4}, 5, "5 - -4 has no place in int4"),
        ("u1", {"offset": 4}, 3, "3 - 4 has no place in uint8"),
        ("i1", {"scale": -1}, -128, "-128 · -1 has no place in int8"),
    ],
)
def test_results_that_the_type_cannot_hold_are_refused(
    dtype: Any, configuration: dict[str, Any], value: int, match: str
) -> None:
    fill = 8 if dtype is ml_dtypes.float8_e8m0fnu else configuration.get("offset", 0)
    pipeline = build([scale_offset(**configuration), LITTLE], (1,), dtype, fill=fill)
    with pytest.raises(CodecError, match=match):
        pipeline.encode(np.array([value]).astype(dtype))


def test_overflow_of_floats_is_infinity() -> None:
    pipeline = build([scale_offset(scale=2), LITTLE], (2,), ml_dtypes.bfloat16)
    array = np.array([3e38, np.nan]).astype(ml_dtypes.bfloat16)
    stored = np.frombuffer(pipeline.encode(array), ml_dtypes.bfloat16)
    assert np.isinf(stored[0])
    assert np.isnan(stored[1])


@pytest.mark.parametrize(
    ("dtype", "configuration", "error", "match"),
    [
        ("i4", {"scale": 0}, MetadataError, "scale_offset.scale: must be a finite number other"),
        ("f4", {"scale": "NaN"}, MetadataError, "scale_offset.scale: must be a finite number"),
        ("f4", {"scale": "Infinity"}, MetadataError, "scale: must be a finite number"),
        ("u1", {"offset": -1}, MetadataError, "scale_offset.offset: must be an integer from 0"),
        ("u1", {"scale": 0.1}, MetadataError, "scale_offset.scale: must be an integer"),
        ("c8", {"scale": 2}, MetadataError, "codecs.scale_offset: must be integers or real"),
        ("?", {}, MetadataError, "codecs.scale_offset: must be integers or real numbers"),
        ("u1", {"offset": 1}, MetadataError, "cannot encode the fill value: 0 - 1 has no place"),
        ("u1", {"x": 1}, UnsupportedError, "codecs.scale_offset.x: is unknown"),
        ("u1", {"x": {"must_understand": False}}, MetadataError, "scale_offset.x: must not be"),
    ],
)
def test_wrong_configuration_is_refused(
    dtype: str, configuration: dict[str, Any], error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        build([scale_offset(**configuration), LITTLE], (2,), dtype)
