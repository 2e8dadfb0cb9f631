"""Registering codecs: under which names, which classes, and what is told of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import zarrfs
from tests.codecs.example_codecs import Text, Xor, registered
from tests.contracts.codec_contract import build
from zarrfs.errors import RegistrationError

if TYPE_CHECKING:
    from zarrfs.codecs.base import Buffer


def test_registered_codec_is_listed_and_told_of() -> None:
    with registered(Xor, Text):
        assert "example.xor" in zarrfs.list_codecs()
        assert "example.xor" in zarrfs.available_codecs()
        info = zarrfs.codec_info("example.xor")
        assert zarrfs.codec_info("numcodecs.example.text").kind == "array -> bytes"
    assert (info.kind, info.origin, info.extra) == ("bytes -> bytes", "registered", None)
    assert info.provider.endswith(":Xor")
    assert info.description == "Flips the bits of every byte that are set in `mask`."
    assert "example.xor" not in zarrfs.list_codecs()


def test_built_in_names_are_kept_unless_forced() -> None:
    class Gzip(Xor):
        name = "gzip"

    with pytest.raises(RegistrationError, match="'gzip' is built in; force=True replaces it"):
        zarrfs.register_codec(Gzip)
    with registered(Xor), pytest.raises(RegistrationError, match=r"'example\.xor' is reg"):
        zarrfs.register_codec(Xor)
    with pytest.raises(RegistrationError, match="'gzip' is built in"):
        zarrfs.unregister_codec("gzip")
    array = np.arange(3, dtype="u1")
    with registered(Gzip, force=True):
        assert build(["bytes", "gzip"], (3,), "u1").encode(array) == bytes([255, 254, 253])
    assert bytes(build(["bytes", "gzip"], (3,), "u1").encode(array))[:2] == b"\x1f\x8b"


class Nameless(zarrfs.BytesBytesCodec):
    """Has all but a name."""

    def encode(self, data: Buffer) -> Buffer:
        return data

    def decode(self, data: Buffer, out: memoryview | None = None) -> Buffer:
        return data


class Unfinished(zarrfs.BytesBytesCodec):
    """Has a name, and cannot decode."""

    name = "example.unfinished"

    def encode(self, data: Buffer) -> Buffer:
        return data


@pytest.mark.parametrize(
    ("value", "match"),
    [
        (Nameless, "'Nameless' has no attribute `name`"),
        (Unfinished, "'example.unfinished' lacks decode"),
        (int, "'int' is no subclass of ArrayArrayCodec"),
        ("zstd", "is no subclass of"),
    ],
)
def test_what_is_no_codec_class_is_not_registered(value: Any, match: str) -> None:
    with pytest.raises(RegistrationError, match=match):
        zarrfs.register_codec(value)
