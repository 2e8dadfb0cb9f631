from __future__ import annotations

import sys
from typing import Any

import cramjam
import numpy as np
import pytest

from tests.contracts.codec_contract import CodecContract, build, random_array, same
from zarrfs.errors import CodecError, MetadataError, UnsupportedError

LITTLE = {"name": "bytes", "configuration": {"endian": "little"}}
SNAPPY = "numcodecs.snappy"


class TestSnappy(CodecContract):
    codecs = (LITTLE, SNAPPY)


def test_blocks_have_no_framing() -> None:
    array = np.zeros(100, "u1")
    stored = build(["bytes", SNAPPY], (100,), "u1").encode(array)
    # 100 as a varint, a literal of one byte, and copies of it; snappy, format_description.txt.
    assert bytes(stored[:3]) == b"\x64\x00\x00"
    by_hand = b"\x04\x0cabcd"  # four bytes; a literal of four
    assert build(["bytes", SNAPPY], (4,), "u1").decode(by_hand).tobytes() == b"abcd"


def test_blocks_that_declare_more_than_is_due_are_refused() -> None:
    stored = bytes(cramjam.snappy.compress_raw(bytes(1000)))
    with pytest.raises(CodecError, match="the block declares 1000 bytes where 100 are due"):
        build(["bytes", SNAPPY], (100,), "u1").decode(stored)


def test_behind_another_compressor() -> None:
    array = random_array((50,), np.dtype("i4"), 2)
    pipeline = build([LITTLE, "zstd", SNAPPY], (50,), "i4")
    assert same(pipeline.decode(pipeline.encode(array)), array)


def test_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cramjam", None)
    with pytest.raises(UnsupportedError, match=r"pip install 'zarrfs\[cramjam\]'"):
        build(["bytes", SNAPPY], (4,), "u1")


@pytest.mark.parametrize(
    ("codecs", "error", "match"),
    [
        (["bytes", {"name": SNAPPY, "configuration": {"level": 1}}], UnsupportedError, "level"),
        ([SNAPPY, "bytes"], MetadataError, "encodes bytes, but no codec before it"),
    ],
)
def test_wrong_use_is_refused(codecs: list[Any], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        build(codecs, (4,), "u1")
