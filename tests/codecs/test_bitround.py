from __future__ import annotations

from typing import Any, ClassVar

import ml_dtypes
import numcodecs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contracts.codec_contract import CodecContract, build, random_array, same
from zarrfs.errors import MetadataError, UnsupportedError

LITTLE = {"name": "bytes", "configuration": {"endian": "little"}}


def bitround(keepbits: Any) -> dict[str, Any]:
    return {"name": "bitround", "configuration": {"keepbits": keepbits}}


def rounded(array: Any, keepbits: int) -> Any:
    pipeline = build([bitround(keepbits), LITTLE], array.shape, array.dtype)
    return pipeline.decode(pipeline.encode(array))


class TestAllBitsKept(CodecContract):
    codecs = (bitround(64), LITTLE)
    dtypes: ClassVar[Any] = (
        *("i1", "u2", "i4", "u8", "f2", "f4", "f8", "c8", "M8[s]"),
        ml_dtypes.bfloat16,
    )


@given(
    st.sampled_from(["f2", "f4", "f8"]), st.integers(0, 60), st.integers(0, 2**32), st.booleans()
)
def test_floats_are_rounded_as_numcodecs_does(
    code: str, keepbits: int, seed: int, is_complex: bool
) -> None:
    array = random_array((40,), np.dtype(code), seed)
    array = array[~np.isnan(array)]  # of some NaNs numcodecs makes -0.0
    n_bits = {"f2": 10, "f4": 23, "f8": 52}[code]
    expected = numcodecs.bitround.BitRound(min(keepbits, n_bits)).encode(array).view(code)
    if is_complex and code != "f2":
        array = np.concatenate([array, array]).view(f"c{2 * array.itemsize}")
        expected = np.concatenate([expected, expected]).view(array.dtype)
    assert same(rounded(array, keepbits), expected)


@pytest.mark.parametrize(
    ("dtype", "before", "after"),
    [
        # Vectors of zarrs, codec/array_to_array/bitround.rs.
        ("f4", [0.0, 1.2345679, -8.358719, 98765.43], [0.0, 1.25, -8.0, 98304.0]),
        (
            "u4",
            [0, 1024, 1280, 1664, 1685, 123145182, 4294967295],
            [0, 1024, 1280, 1536, 1792, 117440512, 3758096384],
        ),
        ("u1", [0, 3, 7, 15, 17, 54, 89, 128, 255], [0, 3, 7, 16, 16, 56, 96, 128, 224]),
        ("i1", [5, 9, 11, -1], [5, 8, 12, -32]),
        ("M8[s]", [9, 11], [8, 12]),
        ("u8", [2**64 - 1, 2**63 + 1], [7 * 2**61, 2**63]),
    ],
)
def test_three_bits_are_kept(dtype: str, before: list[Any], after: list[Any]) -> None:
    assert same(rounded(np.array(before, dtype), 3), np.array(after, dtype))


@given(st.sampled_from(["u1", "u2", "u4", "u8", "i2"]), st.integers(1, 64), st.integers(0, 2**32))
def test_integers_keep_so_many_bits_from_the_first(code: str, keepbits: int, seed: int) -> None:
    array = random_array((40,), np.dtype(code), seed)
    unsigned = np.dtype(code.replace("i", "u"))
    for before, after in zip(
        array.view(unsigned).tolist(), rounded(array, keepbits).view(unsigned).tolist(), strict=True
    ):
        quantum = 2 ** max(before.bit_length() - keepbits, 0)
        assert after % quantum == 0
        assert abs(after - before) <= quantum / 2 or (after < before and after + quantum > before)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, ml_dtypes.bfloat16])
def test_nan_stays_nan(dtype: Any) -> None:
    carrier = np.dtype(f"u{np.dtype(dtype).itemsize}")
    array = np.array([~carrier.type(0), ~carrier.type(0) >> 1], carrier).view(dtype)
    assert same(rounded(array, 1), array)


@pytest.mark.parametrize(
    ("dtype", "value", "keepbits", "expected"),
    [
        (ml_dtypes.bfloat16, 1.2345679, 3, 1.25),
        (ml_dtypes.float8_e4m3fn, 448.0, 1, 384.0),  # 512 would be a NaN
        (ml_dtypes.float6_e3m2fn, 28.0, 1, 24.0),  # 32 would be -0.0
        (ml_dtypes.float6_e3m2fn, -28.0, 1, -24.0),
        (ml_dtypes.uint4, 15, 2, 12),
        (ml_dtypes.uint4, 11, 2, 12),
        (np.float16, 65504.0, 3, np.inf),
    ],
)
def test_small_types_are_rounded_within_their_range(
    dtype: Any, value: float, keepbits: int, expected: float
) -> None:
    assert same(rounded(np.array([value], dtype), keepbits), np.array([expected], dtype))


def test_old_name_is_another_name_in_v3_and_a_filter_of_bytes_in_v2() -> None:
    old = {"name": "numcodecs.bitround", "configuration": {"keepbits": 3}}
    array = np.array([17, 54], "u1")
    stored = build([old, "bytes"], (2,), "u1").encode(array)
    assert bytes(stored) == bytes([16, 56])
    behind = build([LITTLE, old], (1,), "f4").encode(np.array([1.2345679], "f4"))
    assert bytes(behind) == np.float32(1.25).tobytes()


def test_parts_of_complex_numbers_that_numpy_lacks_are_rounded_each() -> None:
    dtype = np.dtype([("real", ml_dtypes.bfloat16), ("imag", ml_dtypes.bfloat16)])
    array = np.array([(1.2345679, -8.358719)], dtype)
    assert rounded(array, 3)[0].item() == (1.25, -8.0)


def test_fill_value_is_rounded() -> None:
    pipeline = build([bitround(3), LITTLE], (2,), "f4", fill=1.2345679)
    assert pipeline.array_bytes.spec.fill_value == np.float32(1.25)


@pytest.mark.parametrize(
    ("dtype", "configuration", "error", "match"),
    [
        ("f4", {"keepbits": -1}, MetadataError, "codecs.bitround.keepbits: must be an integer ≥ 0"),
        ("i4", {"keepbits": 0}, MetadataError, "codecs.bitround.keepbits: must be an integer ≥ 1"),
        ("i4", {"keepbits": 2.0}, MetadataError, "keepbits: must be an integer"),
        ("i4", {}, MetadataError, "codecs.bitround.keepbits: is missing"),
        ("?", {"keepbits": 3}, MetadataError, "codecs.bitround: cannot encode elements of type"),
        ("f4", {"keepbits": 3, "x": 1}, UnsupportedError, "codecs.bitround.x: is unknown"),
    ],
)
def test_wrong_configuration_is_refused(
    dtype: str, configuration: dict[str, Any], error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        build([{"name": "bitround", "configuration": configuration}, LITTLE], (2,), dtype)
