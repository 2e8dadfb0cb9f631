from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.contracts.codec_contract import OTHERS, SHAPES, CodecContract, build, random_array, same
from zarrfs.errors import MetadataError, UnsupportedError

LITTLE = {"name": "bytes", "configuration": {"endian": "little"}}


def reshape(shape: Any) -> dict[str, Any]:
    return {"name": "reshape", "configuration": {"shape": shape}}


class TestFlattened(CodecContract):
    codecs = (reshape([-1]), LITTLE)
    dtypes = ("i4", *OTHERS)
    shapes = SHAPES


class TestJoinedDimensions(CodecContract):
    codecs = (reshape([[0, 1], 1, [2]]), LITTLE)
    shapes = st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3))


class TestSqueezed(CodecContract):
    codecs = ("zarrs.squeeze", LITTLE)


@pytest.mark.parametrize(
    ("decoded", "shape", "encoded"),
    [
        # The example of the registry.
        ((100, 50, 64, 3), [[0, 1], [2], 3], (5000, 64, 3)),
        ((4, 6), [2, -1], (2, 12)),
        ((4, 6), [-1, [1]], (4, 6)),
        ((), [1, -1], (1, 1)),
        ((6,), [[], [0]], (1, 6)),
        ((2, 1, 3), [[0], [2]], (2, 3)),
    ],
)
def test_lengths_are_resolved(
    decoded: tuple[int, ...], shape: Any, encoded: tuple[int, ...]
) -> None:
    array = random_array(decoded, np.dtype("u1"), 3)
    pipeline = build([reshape(shape), "bytes"], decoded, "u1")
    assert pipeline.array_bytes.spec.shape == encoded
    assert bytes(pipeline.encode(array)) == array.tobytes()


def test_elements_keep_their_order_behind_a_transposition() -> None:
    array = random_array((2, 3), np.dtype("u1"), 3)
    transpose = {"name": "transpose", "configuration": {"order": [1, 0]}}
    pipeline = build([transpose, reshape([6]), "bytes"], (2, 3), "u1")
    assert bytes(pipeline.encode(array)) == array.T.tobytes()
    assert same(pipeline.decode(array.T.tobytes()), array)


@given(SHAPES)
def test_squeezing_drops_dimensions_of_length_1(shape: tuple[int, ...]) -> None:
    assume(shape)
    pipeline = build(["zarrs.squeeze", "bytes"], shape, "u1")
    squeezed = np.empty(shape).squeeze().shape
    assert pipeline.array_bytes.spec.shape == (squeezed or (1,))


def test_fill_value_goes_through() -> None:
    pipeline = build([reshape([6]), "zarrs.squeeze", "bytes"], (2, 3), "u1", fill=7)
    assert pipeline.array_bytes.spec.fill_value == 7


@pytest.mark.parametrize(
    ("shape", "match"),
    [
        ([5], r"codecs.reshape.shape: cannot give a chunk of shape \[2, 3\] the shape \[5\]"),
        ([-1, 5], "cannot give a chunk"),
        ([], "cannot give a chunk"),
        ([-1, -1], "holds -1 more than once"),
        ([[1], [0]], "must name dimensions in increasing order"),
        ([[1, 0]], "must name dimensions in increasing order"),
        ([[0], [0]], "cannot give a chunk"),
        ([3, [0]], r"reshape.shape\[1\]: dimensions \[0\] do not become this one of \[3, 2\]"),
        ([[2]], r"reshape.shape\[0\]: names dimensions of 2, not \[2\]"),
        ([0, 6], r"reshape.shape\[0\]: must be a length ≥ 1, -1 or a list of dimensions, not 0"),
        ([-2], r"shape\[0\]: must be a length"),
        ([True], r"shape\[0\]: must be a length"),
        ([["a"]], r"shape\[0\]: must be a list of integers"),
        (6, "must be a list"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(shape: Any, match: str) -> None:
    with pytest.raises(MetadataError, match=match):
        build([reshape(shape), "bytes"], (2, 3), "u1")


def test_unknown_members_are_refused() -> None:
    with pytest.raises(UnsupportedError, match=r"codecs.zarrs.squeeze.axis: is unknown"):
        build([{"name": "zarrs.squeeze", "configuration": {"axis": 0}}, "bytes"], (1, 3), "u1")
    with pytest.raises(MetadataError, match=r"codecs.reshape.shape: is missing"):
        build(["reshape", "bytes"], (1, 3), "u1")
