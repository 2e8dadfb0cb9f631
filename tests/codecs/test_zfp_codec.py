from __future__ import annotations

import sys
from typing import Any, ClassVar

import ml_dtypes
import numpy as np
import pytest
import zfpy  # type: ignore[import-not-found]  # a compiled module without types
from hypothesis import given
from hypothesis import strategies as st

from tests.contracts.codec_contract import CodecContract, build, inherited, random_array, same
from zarrfs.codecs import zfp_library
from zarrfs.codecs.number_types import find_number_type
from zarrfs.errors import CodecError, MetadataError, UnsupportedError

SHAPES = st.lists(st.integers(1, 9), max_size=4).map(tuple)


def zfp(mode: Any, **members: Any) -> dict[str, Any]:
    return {"name": "zfp", "configuration": {"mode": mode, **members}}


MODES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (zfp("reversible"), {}),
    (zfp("fixed_accuracy", tolerance=0.1), {"tolerance": 0.1}),
    (zfp("fixed_precision", precision=17), {"precision": 17}),
    (zfp("fixed_rate", rate=9.3), {"rate": 9.3}),
]
"""Codec -> the arguments of zfpy that do the same."""

EXPERT = zfp("expert", minbits=1, maxbits=13, maxprec=19, minexp=-2)
"""The example of the registry."""


class TestReversible(CodecContract):
    codecs = (zfp("reversible"),)
    shapes = SHAPES
    dtypes: ClassVar[Any] = (
        *("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", "M8[s]", "m8[25ns]"),
        ml_dtypes.bfloat16,
        ml_dtypes.int4,
        ml_dtypes.uint2,
    )

    def array(self, shape: tuple[int, ...], dtype: np.dtype[Any], seed: int) -> Any:
        number = find_number_type(dtype)
        assert number is not None
        bits = random_array(shape, number.carrier, seed)
        if number.kind == "uint" and number.n_bits >= 32:
            bits = bits >> number.carrier.type(1)
        array = (bits & (2**number.n_bits - 1)).astype(number.carrier).view(dtype)
        if number.kind == "float":
            with np.errstate(invalid="ignore"):  # bfloat16's isnan complains of signalling NaNs
                is_nan = np.isnan(array)
            array = np.where(is_nan, dtype.type(0), array)  # types change their payload
        return array.reshape(shape)


@pytest.mark.parametrize(("codec", "arguments"), MODES)
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("shape", [(7,), (3, 9), (2, 3, 4), (2, 3, 4, 5)])
def test_streams_are_those_of_zfpy(
    codec: dict[str, Any], arguments: dict[str, Any], dtype: str, shape: tuple[int, ...]
) -> None:
    array = (random_array(shape, np.dtype("u1"), 3) * 1.37).astype(dtype)
    pipeline = build([codec], shape, dtype)
    stream = pipeline.encode(array)
    assert stream == zfpy.compress_numpy(array, write_header=False, **arguments)
    expected = zfpy.decompress_numpy(zfpy.compress_numpy(array, **arguments))
    assert same(pipeline.decode(stream), expected)


def test_expert_mode_is_that_of_the_library() -> None:
    array = np.linspace(0, 50, 60).reshape(3, 4, 5)
    stream = build([EXPERT], array.shape, "f8").encode(array)
    # A header of 20 bytes, whose mode is bits 84 to 148, makes it a stream for zfpy: fixed rate
    # writes such a one, and its parameters are put in.
    parameters = (1 - 1) | (13 - 1) << 15 | (19 - 1) << 30 | (-2 + 16495) << 37
    bits = int.from_bytes(zfpy.compress_numpy(array, rate=8.25)[:12], "little")
    bits = bits & (1 << 84) - 1 | 0xFFF << 84 | parameters << 96
    expected = zfpy.decompress_numpy(bits.to_bytes(20, "little") + stream + bytes(64))
    assert same(build([EXPERT], array.shape, "f8").decode(stream), expected)
    assert len(stream) == 8 * -(-4 * 13 // 64)


@inherited
@given(st.sampled_from(["f4", "f8"]), SHAPES, st.integers(0, 2**32), st.floats(1e-3, 10))
def test_errors_stay_within_the_tolerance(
    dtype: str, shape: tuple[int, ...], seed: int, tolerance: float
) -> None:
    array = np.random.default_rng(seed).normal(0, 100, shape).astype(dtype)
    pipeline = build([zfp("fixed_accuracy", tolerance=tolerance)], shape, dtype)
    assert np.abs(pipeline.decode(pipeline.encode(array)) - array).max() <= tolerance


@inherited
@given(st.sampled_from([*(codec for codec, _ in MODES), EXPERT]), SHAPES, st.data())
def test_any_bytes_are_refused_or_fill_the_chunk(
    codec: dict[str, Any], shape: tuple[int, ...], data: st.DataObject
) -> None:
    dtype = np.dtype(data.draw(st.sampled_from(["i1", "u4", "f4", "f8"])))
    pipeline = build([codec], shape, dtype)
    try:
        array = pipeline.decode(data.draw(st.binary(max_size=200)))
    except CodecError:
        return
    assert (array.shape, array.dtype) == (shape, dtype)


def test_long_blocks_are_read_behind_a_compressor() -> None:
    array = random_array((400,), np.dtype("u1"), 1)
    codec = zfp("expert", minbits=16000, maxbits=16658, maxprec=64, minexp=-1074)
    pipeline = build([codec, "zstd"], (400,), "u1")
    assert (
        len(zfp_library.compress(array.astype("i4"), zfp_library.expert(16000, 16658, 64, 0))) > 1e5
    )
    assert same(pipeline.decode(pipeline.encode(array)), array)


def test_stream_that_ends_too_soon_is_refused() -> None:
    array = np.arange(1000.0)
    pipeline = build([zfp("reversible")], array.shape, "f8")
    with pytest.raises(CodecError, match="the data end too soon"):
        pipeline.decode(pipeline.encode(array)[:-8])


@pytest.mark.parametrize("dtype", ["u4", "u8"])
def test_unsigned_numbers_that_do_not_fit_are_refused(dtype: str) -> None:
    array = np.array([2 ** (8 * np.dtype(dtype).itemsize - 1)], dtype)
    with pytest.raises(
        CodecError, match=r"zfp cannot hold numbers above (2147483647|9223372036854775807)"
    ):
        build([zfp("reversible")], (1,), dtype).encode(array)


def test_lossy_unsigned_numbers_stay_in_their_range() -> None:
    rng = np.random.default_rng(1)
    for dtype, most in (("u1", 255), ("i1", 127), ("u2", 65535), ("u4", 2**30 - 1)):
        array = np.where(rng.random(64) < 0.5, 0, most).astype(dtype)
        pipeline = build([zfp("fixed_precision", precision=4)], (64,), dtype)
        error = np.abs(pipeline.decode(pipeline.encode(array)).astype("f8") - array)
        assert error.max() < most / 2


@pytest.mark.parametrize(
    ("codec", "match"),
    [
        ({"name": "zfp"}, "codecs.zfp.mode: is missing"),
        (zfp("lossless"), 'zfp.mode: must be "reversible" or'),
        (zfp("fixed_rate"), "codecs.zfp.rate: is missing"),
        (zfp("fixed_rate", rate=5000), "zfp.rate: must be a number from 0 to 4164.5, not 5000"),
        (zfp("fixed_rate", rate=-1), "zfp.rate: must be a number"),
        (zfp("fixed_rate", rate="8"), "zfp.rate: must be a number"),
        (zfp("fixed_accuracy", tolerance=True), "zfp.tolerance: must be a number"),
        (zfp("fixed_accuracy", tolerance=float("nan")), "zfp.tolerance: must be a number"),
        (zfp("fixed_precision", precision=1.5), "zfp.precision: must be an integer"),
        (zfp("expert", minbits=9, maxbits=8, maxprec=1, minexp=0), "zfp.maxbits: must be"),
        (zfp("expert", minbits=1, maxbits=8, maxprec=65, minexp=0), "zfp.maxprec: must be"),
        (zfp("expert", minbits=1, maxbits=8, maxprec=1, minexp=-20000), "zfp.minexp: must be"),
        (zfp("expert", minbits=99999, maxbits=8, maxprec=1, minexp=0), "zfp.minbits: must be"),
    ],
)
def test_wrong_configuration_is_refused(codec: dict[str, Any], match: str) -> None:
    with pytest.raises(MetadataError, match=match):
        build([codec], (4,), "f4")


@pytest.mark.parametrize(
    ("shape", "dtype", "match"),
    [
        ((1, 1, 1, 1, 1), "f4", r"cannot hold a chunk of shape \[1, 1, 1, 1, 1\]"),
        ((3, 0), "f4", "cannot hold a chunk of shape"),
        ((3,), "c8", "cannot encode elements of type complex64"),
        ((3,), "?", "cannot encode elements of type bool"),
    ],
)
def test_chunks_that_zfp_cannot_hold_are_refused(
    shape: tuple[int, ...], dtype: str, match: str
) -> None:
    with pytest.raises(MetadataError, match=match):
        build([zfp("reversible")], shape, dtype)


def test_unknown_members_are_refused() -> None:
    with pytest.raises(UnsupportedError, match=r"codecs.zfp.write_header: is unknown"):
        build([zfp("reversible", write_header=False)], (4,), "f4")


def test_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zfpy", None)
    zfp_library._library.cache_clear()
    try:
        with pytest.raises(UnsupportedError, match=r"pip install 'zarrfs\[zfpy\]'"):
            build([zfp("reversible")], (4,), "f4")
    finally:
        zfp_library._library.cache_clear()


@pytest.mark.parametrize("number", [2**30, -(2**30) - 1])
def test_integers_that_would_overflow_with_loss_are_refused(number: int) -> None:
    array = np.array([number, 0, 0, 0], "i4")
    pipeline = build([zfp("reversible")], (4,), "i4")
    assert same(pipeline.decode(pipeline.encode(array)), array)
    with pytest.raises(CodecError, match="with loss zfp cannot hold numbers beyond 30 bits"):
        build([zfp("fixed_precision", precision=20)], (4,), "i4").encode(array)
