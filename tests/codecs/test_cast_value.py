from __future__ import annotations

from typing import Any, ClassVar

import ml_dtypes
import numpy as np
import pytest

from tests.contracts.codec_contract import CodecContract, build, random_array, same
from zarrfs.errors import CodecError, MetadataError, UnsupportedError

LITTLE = {"name": "bytes", "configuration": {"endian": "little"}}


def cast_value(data_type: Any, **configuration: Any) -> dict[str, Any]:
    return {"name": "cast_value", "configuration": {"data_type": data_type, **configuration}}


NUMPY_LIKE = cast_value(
    "uint8",
    rounding="towards-zero",
    out_of_range="wrap",
    scalar_map={"encode": [["NaN", 0], ["+Infinity", 0], ["-Infinity", 0]]},
)
"""An example of the registry."""

NAN_AS_ZERO = cast_value(
    "uint8",
    rounding="nearest-even",
    scalar_map={"encode": [["NaN", 0]], "decode": [[0, "NaN"]]},
)
"""Another one."""


class TestWidened(CodecContract):
    codecs = (cast_value("float64"), LITTLE)
    dtypes: ClassVar[Any] = ("i1", "u2", "i4", ml_dtypes.bfloat16, ml_dtypes.int4)

    def array(self, shape: tuple[int, ...], dtype: np.dtype[Any], seed: int) -> Any:
        if dtype.kind != "V":
            return random_array(shape, dtype, seed)
        return (random_array(shape, np.dtype("u1"), seed) % 8).astype(dtype)


class TestNarrowedInShards(CodecContract):
    codecs = (
        cast_value("uint8"),
        {
            "name": "sharding_indexed",
            "configuration": {
                "chunk_shape": [2],
                "codecs": ["bytes"],
                "index_codecs": [LITTLE, "crc32c"],
            },
        },
    )
    dtypes = ("f4", "i8")

    def array(self, shape: tuple[int, ...], dtype: np.dtype[Any], seed: int) -> Any:
        values = random_array((6,), np.dtype("u1"), seed) // 128 * 5
        return values.astype(dtype)


def encoded(codec: dict[str, Any], values: list[Any], dtype: str) -> list[Any]:
    array = np.array(values, dtype)
    stored = np.frombuffer(build([codec, LITTLE], array.shape, dtype).encode(array), "u1")
    return list(stored.tolist())


def test_floats_become_integers_as_numpy_casts_them() -> None:
    values = [1.9, -1.9, 256.0, 300.5, np.nan, np.inf, -np.inf]
    assert encoded(NUMPY_LIKE, values, "f8") == [1, 255, 0, 44, 0, 0, 0]


def test_nan_is_mapped_both_ways() -> None:
    array = np.array([np.nan, 7.0, 255.0])
    pipeline = build([NAN_AS_ZERO, "bytes"], (3,), "f8", fill=np.nan)
    assert bytes(pipeline.encode(array)) == b"\x00\x07\xff"
    assert same(pipeline.decode(b"\x00\x07\xff"), array)
    assert pipeline.array_bytes.spec.fill_value == 0


@pytest.mark.parametrize(
    ("mode", "expected"), [(None, None), ("clamp", [127, 128]), ("wrap", [128, 127])]
)
def test_values_out_of_range(mode: str | None, expected: list[int] | None) -> None:
    codec = cast_value("int8", **({"out_of_range": mode} if mode else {}))
    if expected is None:
        with pytest.raises(CodecError, match=r"with cast_value: 128.0 has no place in int8"):
            encoded(codec, [128.0, -129.0], "f8")
    else:
        assert encoded(codec, [128.0, -129.0], "f8") == expected


def test_first_pair_of_a_map_counts() -> None:
    codec = cast_value("uint8", scalar_map={"encode": [[3, 1], [3, 2], [1, 9]]})
    assert encoded(codec, [3, 1, 2], "i4") == [1, 9, 2]


def test_value_that_cannot_come_back_is_refused() -> None:
    pipeline = build([cast_value("float32"), LITTLE], (1,), "u1")
    with pytest.raises(CodecError, match=r"cannot decode a chunk with cast_value: 256.0 has no"):
        pipeline.decode(np.array([256], "<f4").tobytes())


def test_missing_inner_chunk_is_the_outer_fill_value() -> None:
    shards = TestNarrowedInShards.codecs[1]
    pipeline = build([NAN_AS_ZERO, shards], (6,), "f8", fill=np.nan)
    array = np.array([np.nan, np.nan, 3, np.nan, np.nan, np.nan])
    stored = pipeline.encode(array)
    assert len(stored) == 2 + 3 * 16 + 4  # one inner chunk and the index
    assert same(pipeline.decode(stored), array)


@pytest.mark.parametrize(
    ("codec", "dtype", "fill", "error", "match"),
    [
        ({"name": "cast_value"}, "f8", 0, MetadataError, "cast_value.data_type: is missing"),
        (cast_value("complex64"), "f8", 0, MetadataError, "cast_value.data_type: must be integ"),
        (cast_value("bool"), "f8", 0, MetadataError, "cast_value.data_type: must be integers"),
        (cast_value("uint8"), "M8[s]", 0, MetadataError, "codecs.cast_value: must be integers"),
        (cast_value("uint8"), "S3", 0, MetadataError, "codecs.cast_value: must be integers"),
        (cast_value("float128"), "f8", 0, UnsupportedError, "cast_value.data_type"),
        (cast_value("uint8", rounding="up"), "f8", 0, MetadataError, "cast_value.rounding"),
        (cast_value("uint8", out_of_range="x"), "f8", 0, MetadataError, "value.out_of_range: mus"),
        (cast_value("uint8", out_of_range=None), "f8", 0, MetadataError, "value.out_of_range"),
        (
            cast_value("float32", out_of_range="wrap"),
            "f8",
            0,
            MetadataError,
            'out_of_range: "wrap" is for integers, and data_type is float32',
        ),
        (cast_value("uint8", scalar_map=[]), "f8", 0, MetadataError, "scalar_map: must be an obj"),
        (
            cast_value("uint8", scalar_map={"x": []}),
            "f8",
            0,
            UnsupportedError,
            "cast_value.scalar_map.x: is unknown",
        ),
        (
            cast_value("uint8", scalar_map={"encode": [["NaN"]]}),
            "f8",
            0,
            MetadataError,
            r"scalar_map.encode\[0\]: must be \[input, output\]",
        ),
        (
            cast_value("uint8", scalar_map={"encode": [["NaN", 256]]}),
            "f8",
            0,
            MetadataError,
            r"scalar_map.encode\[0\]\[1\]: must be an integer from 0 to 255, not 256",
        ),
        (
            cast_value("uint8", scalar_map={"decode": [["NaN", 1]]}),
            "f8",
            0,
            MetadataError,
            r"scalar_map.decode\[0\]\[0\]: must be an integer",
        ),
        (cast_value("uint8", x=1), "f8", 0, UnsupportedError, "codecs.cast_value.x: is unknown"),
        (
            cast_value("uint8", x={"must_understand": False}),
            "f8",
            0,
            MetadataError,
            "codecs.cast_value.x: must not be there",
        ),
        (cast_value("uint8"), "f8", np.nan, MetadataError, "cannot encode the fill value: nan has"),
        (
            cast_value("uint8"),
            "f8",
            1.5,
            MetadataError,
            r"the fill value 1.5 becomes 2 and comes back as 2.0",
        ),
    ],
)
def test_wrong_configuration_is_refused(
    codec: dict[str, Any], dtype: str, fill: Any, error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        build([codec, LITTLE], (2,), dtype, fill=fill)
