from __future__ import annotations

import pytest

from tests.contracts.codec_contract import CodecContract, build
from zarrfs.errors import CodecError, UnsupportedError

LITTLE = {"name": "bytes", "configuration": {"endian": "little"}}


class TestCrc32c(CodecContract):
    codecs = (LITTLE, {"name": "crc32c"})
    detects_damage = True


class TestCrc32cBehindACompressor(CodecContract):
    codecs = (LITTLE, {"name": "gzip", "configuration": {"level": 1}}, "crc32c")
    detects_damage = True


def test_checksum_is_that_of_the_specification() -> None:
    # RFC 3720, B.4: 32 bytes of zeros have the CRC aa 36 91 8a.
    assert bytes(
        build(["bytes", "crc32c"], (32,), "u1").encode(
            build(["bytes"], (32,), "u1").decode(bytes(32))
        )
    ) == bytes(32) + bytes.fromhex("aa36918a")


def test_mismatch_tells_both_checksums() -> None:
    pipeline = build(["bytes", "crc32c"], (32,), "u1")
    with pytest.raises(
        CodecError, match=r"with crc32c: the checksum is 0x8a9136aa, the stored one 0x01020304"
    ):
        pipeline.decode(bytes(32) + bytes.fromhex("04030201"))


def test_bytes_too_few_for_a_checksum_are_refused() -> None:
    pipeline = build(["bytes", {"name": "gzip"}, "crc32c"], (32,), "u1")
    with pytest.raises(CodecError, match="with crc32c: 3 bytes hold no checksum"):
        pipeline.decode(b"abc")


def test_configuration_must_be_empty() -> None:
    with pytest.raises(UnsupportedError, match=r"codecs.crc32c.seed"):
        build(["bytes", {"name": "crc32c", "configuration": {"seed": 1}}], (32,), "u1")
