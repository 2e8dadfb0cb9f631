"""Codecs of other programs that fail, or break the rules: an error that names them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pytest

import zarrfs
from tests.codecs.example_codecs import LITTLE, Halves, Xor, codec, registered
from tests.contracts.codec_contract import build
from zarrfs.errors import CodecError, MetadataError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from zarrfs.codecs.base import Array, Buffer


@pytest.mark.parametrize(
    ("name", "configuration", "match"),
    [
        ("example.xor", {"colour": 1}, r"codecs.example.xor: .*unexpected keyword.*'colour'"),
        ("example.halves", {"colour": 1}, r"codecs.example.halves: has no members"),
    ],
)
def test_configuration_that_the_class_refuses_is_an_error_of_the_metadata(
    name: str, configuration: dict[str, Any], match: str
) -> None:
    with registered(Xor, Halves), pytest.raises(MetadataError, match=match):
        zarrfs.validate_codec(name, configuration)


class Panic(BaseException):
    """What libraries written in Rust raise when they are at an end: no `Exception`."""


class Rubbish(zarrfs.BytesBytesCodec):
    """Gives whatever it is told to."""

    name = "example.rubbish"
    result: ClassVar[Any] = None

    def encode(self, data: Buffer) -> Buffer:
        return self.give()

    def decode(self, data: Buffer, out: memoryview | None = None) -> Buffer:
        return self.give()

    def give(self) -> Buffer:
        if isinstance(self.result, BaseException):
            raise self.result
        given: Buffer = self.result
        return given


class RubbishArray(zarrfs.ArrayArrayCodec):
    """Gives whatever it is told to."""

    name = "example.rubbish-array"
    result: ClassVar[Any] = None

    def encode(self, array: Array) -> Array:
        given: Array = self.result
        return given

    decode = encode


@pytest.fixture(scope="module")
def rubbish() -> Iterator[None]:
    with registered(Rubbish, RubbishArray):
        yield


@pytest.mark.usefixtures("rubbish")
@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (None, "it gave a NoneType, not bytes"),
        ("text", "it gave a str, not bytes"),
        (memoryview(bytes(32))[::2], "it gave a memoryview with gaps"),
        (ZeroDivisionError("by zero"), "by zero"),
        (MemoryError(), "MemoryError"),
        (Panic("lost"), "lost"),
        (SystemExit(3), "3"),
    ],
)
def test_bytes_codec_that_fails_or_gives_no_bytes_is_named(
    result: Any, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Rubbish, "result", result)
    pipeline = build([LITTLE, codec("example.rubbish")], (4,), "i4")
    with pytest.raises(CodecError, match=f"cannot decode a chunk with example.rubbish: {reason}"):
        pipeline.decode(b"")
    with pytest.raises(CodecError, match=f"cannot encode a chunk with example.rubbish: {reason}"):
        pipeline.encode(np.zeros(4, "i4"))


@pytest.mark.usefixtures("rubbish")
def test_number_of_decoded_bytes_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = build([LITTLE, codec("example.rubbish")], (4,), "i4")
    monkeypatch.setattr(Rubbish, "result", bytes(15))
    with pytest.raises(CodecError, match=r"example.rubbish: it gave 15 bytes, not 16"):
        pipeline.decode(b"")
    monkeypatch.setattr(Rubbish, "result", np.arange(4, dtype="i4").data)
    assert pipeline.decode(b"").tolist() == [0, 1, 2, 3]
    behind = build([LITTLE, "zstd", codec("example.rubbish")], (4,), "i4")
    monkeypatch.setattr(Rubbish, "result", bytes(10_000_000))
    with pytest.raises(CodecError, match=r"example.rubbish: it gave 10000000 bytes, over \d{4}$"):
        behind.decode(b"")


@pytest.mark.usefixtures("rubbish")
@pytest.mark.parametrize(
    ("result", "reason"),
    [
        ([0, 0, 0, 0], "it gave a list, not an array"),
        (np.zeros(3, "i4"), r"it gave int32 of shape \(3,\), not int32 of \(4,\)"),
        (np.zeros(4, "f8"), r"it gave float64 of shape \(4,\), not int32"),
    ],
)
def test_array_codec_that_gives_another_array_is_named(
    result: Any, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RubbishArray, "result", result)
    for pipeline in (
        build([codec("example.rubbish-array"), LITTLE], (4,), "i4"),
        build([LITTLE, codec("numcodecs.example.rubbish-array")], (4,), "i4"),
    ):
        with pytest.raises(CodecError, match=f"decode.*example.rubbish-array: {reason}"):
            pipeline.decode(bytes(16))
        with pytest.raises(CodecError, match=f"encode.*example.rubbish-array: {reason}"):
            pipeline.encode(np.zeros(4, "i4"))


def test_encoded_size_that_a_codec_promises_is_checked() -> None:
    class Short(Xor):
        name = "example.short"
        encoded_spec = zarrfs.BytesSpec(nbytes=3)

    with registered(Short):
        pipeline = build([LITTLE, codec("example.short")], (4,), "i4")
        with pytest.raises(CodecError, match=r"example.short: it gave 16 bytes, not 3"):
            pipeline.encode(np.zeros(4, "i4"))


def test_encoded_spec_of_the_wrong_kind_is_refused() -> None:
    class Confused(Xor):
        name = "example.confused"
        encoded_spec: Any = 16

    match = "its encoded_spec is a int, not a BytesSpec"
    with registered(Confused), pytest.raises(UnsupportedError, match=match):
        build([LITTLE, codec("example.confused")], (4,), "i4")


@pytest.mark.parametrize("made", [None, 5, "codec"])
def test_class_that_makes_no_codec_is_refused(made: object) -> None:
    class Nothing(zarrfs.BytesBytesCodec):
        name = "test.nothing"

        @classmethod
        def from_configuration(cls, configuration: Any, spec: Any) -> Any:
            return made

        def encode(self, data: Any) -> Any:
            return data

        def decode(self, data: Any, out: Any = None) -> Any:
            return data

    match = r"nothing: its from_configuration gave a \w+, "
    with registered(Nothing), pytest.raises(UnsupportedError, match=match):
        zarrfs.validate_codec("test.nothing")
