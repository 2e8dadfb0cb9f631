from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contracts.codec_contract import CodecContract, build, random_array
from zarrfs.errors import MetadataError, UnsupportedError

LITTLE = {"name": "bytes", "configuration": {"endian": "little"}}


def transpose(order: Any) -> dict[str, Any]:
    return {"name": "transpose", "configuration": {"order": order}}


class TestReversed(CodecContract):
    codecs = (transpose("F"), LITTLE)


class TestUnchanged(CodecContract):
    codecs = (transpose("C"), LITTLE)


class TestPermuted(CodecContract):
    codecs = (transpose([2, 0, 1]), LITTLE)
    shapes = st.tuples(st.integers(0, 3), st.integers(1, 3), st.integers(1, 3))


@given(st.permutations(range(3)))
def test_encoded_dimension_is_the_one_that_order_names(order: list[int]) -> None:
    array = random_array((2, 3, 4), np.dtype("i4"), 1)
    pipeline = build([transpose(order), LITTLE], array.shape, "i4")
    assert bytes(pipeline.encode(array)) == array.transpose(order).tobytes()
    assert pipeline.array_bytes.spec.shape == array.transpose(order).shape


@pytest.mark.parametrize(
    ("configuration", "error", "match"),
    [
        ({"order": [0, 0]}, MetadataError, r"codecs.transpose.order: must hold each of the 2 dim"),
        ({"order": [0]}, MetadataError, r"order: must hold each"),
        ({"order": [0, 2]}, MetadataError, r"order: must hold each"),
        ({"order": [True, 0]}, MetadataError, r"order: must be a list of integers"),
        ({"order": "A"}, MetadataError, r"order: must be a list of integers"),
        ({}, MetadataError, r"codecs.transpose.order: is missing"),
        ({"order": [1, 0], "axes": 1}, UnsupportedError, r"codecs.transpose.axes"),
    ],
)
def test_wrong_configuration_is_refused(
    configuration: dict[str, Any], error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        build([{"name": "transpose", "configuration": configuration}, LITTLE], (2, 3), "i4")
