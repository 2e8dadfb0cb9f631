from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import zfpy  # type: ignore[import-not-found]  # a compiled module without types

from zarrfs.codecs.base import ChunkSpec
from zarrfs.codecs.zfp import check_encodable, padded


def spec_of(array: np.ndarray[Any, Any]) -> ChunkSpec:
    return ChunkSpec(shape=array.shape, dtype=array.dtype, fill_value=0)


def ramp(shape: tuple[int, ...], dtype: str) -> np.ndarray[Any, Any]:
    return np.arange(np.prod(shape)).reshape(shape).astype(dtype)


MODES: list[dict[str, Any]] = [
    {"tolerance": -1},
    {"precision": 20},
    {"rate": 8},
    {"rate": 40},
]


@pytest.mark.parametrize(
    ("dtype", "mode"),
    [
        *itertools.product(("i4", "i8", "f4", "f8"), MODES),
        *itertools.product(("f4", "f8"), [{"tolerance": 1e-3}]),  # zfp has none for integers
    ],
)
def test_padded_stream_decodes_to_the_same(dtype: str, mode: dict[str, Any]) -> None:
    for shape in ((7,), (3, 9), (2, 3, 4), (2, 3, 4, 5), (300,)):
        array = ramp(shape, dtype)
        stream = zfpy.compress_numpy(array, **mode)
        data = padded(stream, spec_of(array))
        assert data.startswith(stream)
        expected = zfpy.decompress_numpy(stream)
        assert zfpy.decompress_numpy(data).tobytes() == expected.tobytes()
        # At least as long as what the library would write for elements that do not compress.
        assert len(data) >= len(stream) + array.nbytes


def test_stream_of_a_flattened_array_is_taken() -> None:
    stream = zfpy.compress_numpy(ramp((12,), "f4"))
    assert padded(stream, spec_of(ramp((3, 4), "f4"))).startswith(stream)


@pytest.mark.parametrize(
    ("dtype", "shape"), [("f4", (13,)), ("f8", (12,)), ("i4", (12,)), ("f4", (3, 5))]
)
def test_stream_of_other_elements_is_refused(dtype: str, shape: tuple[int, ...]) -> None:
    stream = zfpy.compress_numpy(ramp((12,), "f4"))
    with pytest.raises(ValueError, match=r"the stream holds float32 of shape \(12,\)"):
        padded(stream, spec_of(ramp(shape, dtype)))


@pytest.mark.parametrize("data", [b"", b"zfp", b"zfp\x06" + bytes(20), b"garbage" * 5])
def test_what_is_no_stream_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="no zfp stream"):
        padded(data, spec_of(ramp((12,), "f4")))


def test_stream_too_short_for_its_rate_is_refused() -> None:
    array = ramp((100,), "f4")
    stream = zfpy.compress_numpy(array, rate=16)
    with pytest.raises(ValueError, match="the data end too soon"):
        padded(stream[: len(stream) // 2], spec_of(array))


def test_least_bits_of_a_block_are_read_from_a_long_header() -> None:
    array = ramp((4,), "f4")
    header = bytearray(zfpy.compress_numpy(array)[:12])
    # Mode 0xfff: the 64 bits behind say 2^15 bits at least, far more than there are.
    header[10] |= 0xF0
    header[11] = 0xFF
    with pytest.raises(ValueError, match="the data end too soon"):
        padded(bytes(header) + b"\xff" * 8, spec_of(array))


@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (1, 1, 1, 1, 1)])
def test_shapes_that_zfp_cannot_hold_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="zfp cannot hold an array of shape"):
        check_encodable(ChunkSpec(shape=shape, dtype=np.dtype("f4"), fill_value=0))
