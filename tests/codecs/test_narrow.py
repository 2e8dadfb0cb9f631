from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contracts.codec_contract import CodecContract, build
from zarrfs.codecs.narrow import narrow_parts

NARROW = {"int2": 2, "int4": 4, "uint2": 2, "uint4": 4, "float4_e2m1fn": 4}
NARROW |= {"float6_e2m3fn": 6, "float6_e3m2fn": 6}
RECORD: Any = np.dtype(
    [("a", ml_dtypes.int4, (2,)), ("b", [("c", "?"), ("d", ml_dtypes.bfloat16)]), ("e", "<i2")]
)


@pytest.mark.parametrize("name", NARROW)
def test_bits_that_mean_nothing_do_not_change_the_element(name: str) -> None:
    stored = np.arange(256, dtype="u1")
    decoded = build(["bytes"], (256,), name).decode(stored.tobytes())
    assert decoded.dtype == np.dtype(name)
    assert (decoded.view("u1") == stored & (2 ** NARROW[name] - 1)).all()


@pytest.mark.parametrize("name", NARROW)
def test_equal_elements_are_equal_bytes(name: str) -> None:
    every = np.arange(2 ** NARROW[name], dtype="u1").view(name)
    pipeline = build(["bytes"], every.shape, name)
    assert pipeline.decode(pipeline.encode(every)).tobytes() == every.tobytes()
    made = every.astype("f4").astype(name)  # by ml_dtypes itself
    assert made.tobytes() == every.tobytes()


@pytest.mark.parametrize(("name", "least"), [("int2", -2), ("int4", -8)])
def test_signs_are_stored_in_all_bits(name: str, least: int) -> None:
    numbers = np.arange(least, -least, dtype="i1")
    encoded = build(["bytes"], numbers.shape, name).encode(numbers.astype(name))
    assert bytes(encoded) == numbers.tobytes()


def test_a_negative_number_without_dimensions_is_encoded_without_a_warning() -> None:
    number = np.full((), -1, ml_dtypes.int2)
    assert bytes(build(["bytes"], (), "int2").encode(number)) == b"\xff"


def test_a_record_without_dimensions_is_encoded_without_a_warning() -> None:
    record = np.full((), 0, RECORD)
    record["a"] = [-1, 1]
    codec = [{"name": "bytes", "configuration": {"endian": "big"}}]
    assert bytes(build(codec, (), RECORD).encode(record))[:2] == b"\xff\x01"


def test_parts_of_records_are_found() -> None:
    parts = narrow_parts(RECORD)
    assert [(part.path, part.kind, part.bits) for part in parts] == [
        (("a",), "int", 4),
        (("b", "c"), "bool", 1),
    ]


@given(st.binary(min_size=21, max_size=21))
def test_parts_of_records_are_cleared_and_extended(stored: bytes) -> None:
    codec = [{"name": "bytes", "configuration": {"endian": "big"}}]
    pipeline = build(codec, (3,), RECORD)
    decoded = pipeline.decode(stored)
    raw = np.frombuffer(stored, "u1").reshape(3, 7)
    assert (decoded["a"].view("u1") == raw[:, :2] & 15).all()
    assert (decoded["b"]["c"].view("u1") == (raw[:, 2] != 0)).all()
    assert decoded["b"]["d"].tobytes() == raw[:, 4:2:-1].tobytes()
    assert decoded["e"].tobytes() == raw[:, 6:4:-1].tobytes()
    again = np.frombuffer(bytes(pipeline.encode(decoded)), "u1").reshape(3, 7)
    assert (again[:, :2].view("i1") == decoded["a"].astype("i1")).all()
    assert (again[:, 3:] == raw[:, 3:]).all()


def test_elements_as_they_shall_be_are_not_copied() -> None:
    data = bytes(range(4))
    decoded = build(["bytes"], (4,), "uint2").decode(data)
    assert np.shares_memory(decoded, np.frombuffer(data, "u1"))


class TestOneByteNumbers(CodecContract):
    codecs = ("bytes",)
    dtypes = (
        *(ml_dtypes.float8_e3m4, ml_dtypes.float8_e4m3, ml_dtypes.float8_e5m2),
        *(ml_dtypes.float8_e8m0fnu, ml_dtypes.float8_e4m3fnuz),
        [("real", ml_dtypes.float8_e5m2), ("imag", ml_dtypes.float8_e5m2)],
    )


class TestComplexNumbersOfTwoFields(CodecContract):
    codecs = ({"name": "bytes", "configuration": {"endian": "big"}},)
    dtypes = (
        [("real", "<f2"), ("imag", "<f2")],
        [("real", ml_dtypes.bfloat16), ("imag", ml_dtypes.bfloat16)],
    )


def test_fields_that_numpy_cannot_swap_are_swapped() -> None:
    pair: Any = np.dtype([("real", ml_dtypes.bfloat16), ("imag", ml_dtypes.bfloat16)])
    array = np.zeros(1, pair)
    array["real"], array["imag"] = 1, 2
    big = build([{"name": "bytes", "configuration": {"endian": "big"}}], (1,), pair)
    assert bytes(big.encode(array)) == b"\x3f\x80\x40\x00"
    assert big.decode(b"\x3f\x80\x40\x00").tobytes() == array.tobytes()
