"""Codecs of other packages and programs, in all places where a codec can stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numcodecs
import numcodecs.registry
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import zarrfs
from tests.contracts.codec_contract import CodecContract, build, random_array, same
from zarrfs.errors import CodecError, MetadataError, RegistrationError, UnsupportedError
from zarrfs.format.metadata_v2 import parse_array

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from zarrfs.codecs.base import Array, Buffer, Codec

LITTLE = {"name": "bytes", "configuration": {"endian": "little"}}


@dataclass(frozen=True)
class Xor(zarrfs.BytesBytesCodec):
    """Flips the bits of every byte that are set in `mask`.

    Its own inverse.
    """

    name = "example.xor"
    mask: int = 255

    def encode(self, data: Buffer) -> Buffer:
        return (np.frombuffer(data, np.uint8) ^ np.uint8(self.mask)).tobytes()

    def decode(self, data: Buffer, out: memoryview | None = None) -> Buffer:
        if out is None:
            return self.encode(data)
        out[:] = memoryview(self.encode(data))
        return out


class XorInto(Xor):
    """The same, into a buffer that it is given."""

    name = "example.xor-into"
    decodes_into = True


class Halves(zarrfs.ArrayArrayCodec):
    """Keeps 64-bit floats in 32 bits."""

    name = "example.halves"

    def __init__(self, spec: zarrfs.ChunkSpec) -> None:
        self.encoded_spec = zarrfs.ChunkSpec(
            shape=spec.shape, dtype=np.dtype("f4"), fill_value=np.float32(spec.fill_value)
        )

    @classmethod
    def from_configuration(cls, configuration: Mapping[str, Any], spec: Any) -> Halves:
        if configuration:
            raise MetadataError("has no members", field="codecs.example.halves")
        return cls(spec)

    def encode(self, array: Array) -> Array:
        return array.astype("f4")

    def decode(self, array: Array) -> Array:
        return array.astype("f8")


class Negated(zarrfs.ArrayArrayCodec):
    """Turns signs."""

    name = "example.negated"

    def encode(self, array: Array) -> Array:
        return np.negative(array)

    def decode(self, array: Array) -> Array:
        return np.negative(array)


class Text(zarrfs.ArrayBytesCodec):
    """Numbers in decimal digits."""

    name = "example.text"

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self.shape, self.dtype = shape, dtype

    @classmethod
    def from_configuration(cls, configuration: Mapping[str, Any], spec: Any) -> Text:
        return cls(spec.shape, spec.dtype, **configuration)

    def encode(self, array: Array) -> Buffer:
        return " ".join(map(str, array.reshape(-1).tolist())).encode()

    def decode(self, data: Buffer) -> Array:
        return np.array(bytes(data).split()).astype(self.dtype).reshape(self.shape)


CLASSES: tuple[type[Codec], ...] = (Xor, XorInto, Halves, Negated, Text)


@pytest.fixture(autouse=True)
def _registered() -> Iterator[None]:
    for codec_class in CLASSES:
        zarrfs.register_codec(codec_class)
    yield
    for codec_class in CLASSES:
        zarrfs.unregister_codec(codec_class.name)


def codec(name: str, **configuration: Any) -> dict[str, Any]:
    return {"name": name, "configuration": configuration}


# --- Zarr v3 --------------------------------------------------------------------------------------


class TestBytesCodecBetweenBuiltIns(CodecContract):
    codecs = (LITTLE, "crc32c", codec("example.xor", mask=85), "zstd")


class TestBytesCodecThatDecodesInto(CodecContract):
    codecs = (LITTLE, codec("example.xor-into"), "gzip")


class TestArrayCodecsBehindEachOther(CodecContract):
    codecs = (codec("example.negated"), codec("transpose", order="F"), codec("example.text"))
    dtypes = ("i4", "i8")

    def array(self, shape: tuple[int, ...], dtype: np.dtype[Any], seed: int) -> Array:
        return np.random.default_rng(seed).integers(-1000, 1000, shape).astype(dtype)


class TestInsideAShard(CodecContract):
    codecs = (
        {
            "name": "sharding_indexed",
            "configuration": {
                "chunk_shape": [2],
                "codecs": [codec("example.negated"), LITTLE, codec("example.xor"), "crc32c"],
                "index_codecs": [LITTLE, codec("numcodecs.crc32")],
            },
        },
    )
    shapes = st.integers(0, 4).map(lambda n: (2 * n,))
    dtypes = ("i4", "f8")


def test_fill_value_goes_through_a_codec_that_changes_the_type() -> None:
    pipeline = build([codec("example.halves"), LITTLE], (3,), "f8", 2.5)
    assert pipeline.array_bytes.spec.dtype == "f4"
    assert pipeline.array_bytes.spec.fill_value == 2.5
    assert pipeline.encoded_nbytes == 12
    array = np.array([1.5, 2.5, -3], "f8")
    assert same(pipeline.decode(pipeline.encode(array)), array)


# --- Zarr v2 --------------------------------------------------------------------------------------


def v2_pipeline(dtype: str, filters: list[Any] | None, compressor: Any, order: str = "C") -> Any:
    zarray = {
        "zarr_format": 2,
        "shape": [4, 3],
        "chunks": [4, 3],
        "dtype": dtype,
        "fill_value": 0,
        "order": order,
        "filters": filters,
        "compressor": compressor,
    }
    metadata = parse_array(zarray, None)
    extensions = [
        {"name": step.name, "configuration": dict(step.configuration)} for step in metadata.codecs
    ]
    return build(extensions, (4, 3), metadata.dtype)


V2 = [
    (None, {"id": "example.xor", "mask": 7}),
    ([{"id": "example.xor"}], {"id": "zlib", "level": 1}),
    ([{"id": "example.negated"}], {"id": "blosc"}),
    ([{"id": "delta", "dtype": "<i4"}, {"id": "example.negated"}, {"id": "shuffle"}], None),
    (None, {"id": "example.text"}),
    ([{"id": "example.negated"}, {"id": "example.text"}], {"id": "example.xor"}),
]


@pytest.mark.parametrize(("filters", "compressor"), V2)
@pytest.mark.parametrize("dtype", ["<i4", ">i4"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_codecs_work_as_filters_and_compressors_of_v2(
    filters: Any, compressor: Any, dtype: str, order: str
) -> None:
    if filters and filters[0]["id"] == "delta":
        filters = [{**filters[0], "dtype": dtype}, *filters[1:]]
    pipeline = v2_pipeline(dtype, filters, compressor, order)
    array = random_array((4, 3), np.dtype("i4"), 1)
    assert same(pipeline.decode(pipeline.encode(array)), array)


def test_array_codec_of_v2_gets_numbers_and_its_own_are_stored_little_endian() -> None:
    pipeline = v2_pipeline(">i4", [{"id": "example.negated"}], None)
    stored = bytes(pipeline.encode(np.arange(12, dtype="i4").reshape(4, 3)))
    assert stored == np.negative(np.arange(12, dtype="<i4")).tobytes()


def test_structured_elements_keep_their_byte_orders_in_v2() -> None:
    class Reversed(zarrfs.ArrayArrayCodec):
        """Turns the first dimension around."""

        name = "example.reversed"

        def encode(self, array: Array) -> Array:
            return np.ascontiguousarray(array[::-1])

        decode = encode

    zarrfs.register_codec(Reversed)
    try:
        pipeline = build(["bytes", codec("numcodecs.example.reversed")], (2,), [("a", "<i2")])
        array = np.array([(1,), (2,)], [("a", "<i2")])
        assert same(pipeline.decode(pipeline.encode(array)), array)
    finally:
        zarrfs.unregister_codec("example.reversed")


def test_array_codec_behind_a_compressor_is_refused() -> None:
    with pytest.raises(MetadataError, match="encodes arrays, and here are only bytes"):
        build([LITTLE, "zstd", codec("numcodecs.example.negated")], (4,), "i4")
    with pytest.raises(MetadataError, match="stands behind the codec that made bytes"):
        build([LITTLE, codec("example.negated")], (4,), "i4")
    with pytest.raises(MetadataError, match="no codec before it makes bytes"):
        build([codec("example.xor"), LITTLE], (4,), "i4")


def test_id_of_numcodecs_means_its_codec_unless_the_whole_name_is_replaced() -> None:
    class Zlib(Xor):
        name = "zlib"

    class NumcodecsZlib(Xor):
        name = "numcodecs.zlib"

    array = np.arange(4, dtype="i4")
    expected = build([LITTLE, codec("numcodecs.zlib")], (4,), "i4").encode(array)
    zarrfs.register_codec(Zlib)
    try:
        assert build([LITTLE, codec("numcodecs.zlib")], (4,), "i4").encode(array) == expected
    finally:
        zarrfs.unregister_codec("zlib")
    with pytest.raises(RegistrationError, match="is built in; force=True"):
        zarrfs.register_codec(NumcodecsZlib)
    zarrfs.register_codec(NumcodecsZlib, force=True)
    try:
        inverted = build([LITTLE, codec("numcodecs.zlib")], (4,), "i4").encode(array)
        assert inverted == bytes(255 - byte for byte in array.tobytes())
        assert zarrfs.codec_info("numcodecs.zlib").origin == "registered"
    finally:
        zarrfs.unregister_codec("numcodecs.zlib")
    assert build([LITTLE, codec("numcodecs.zlib")], (4,), "i4").encode(array) == expected


# --- registering ----------------------------------------------------------------------------------


def test_registered_codec_is_listed_and_told_of() -> None:
    assert "example.xor" in zarrfs.list_codecs()
    assert "example.xor" in zarrfs.available_codecs()
    info = zarrfs.codec_info("example.xor")
    assert (info.kind, info.origin, info.extra) == ("bytes -> bytes", "registered", None)
    assert info.provider.endswith(":Xor")
    assert info.description == "Flips the bits of every byte that are set in `mask`."
    assert zarrfs.codec_info("numcodecs.example.text").kind == "array -> bytes"


def test_built_in_names_are_kept_unless_forced() -> None:
    class Gzip(Xor):
        name = "gzip"

    with pytest.raises(RegistrationError, match="'gzip' is built in; force=True replaces it"):
        zarrfs.register_codec(Gzip)
    with pytest.raises(RegistrationError, match=r"'example.xor' is registered"):
        zarrfs.register_codec(Xor)
    with pytest.raises(RegistrationError, match="'gzip' is built in"):
        zarrfs.unregister_codec("gzip")
    array = np.arange(3, dtype="u1")
    zarrfs.register_codec(Gzip, force=True)
    try:
        assert build(["bytes", "gzip"], (3,), "u1").encode(array) == bytes([255, 254, 253])
    finally:
        zarrfs.unregister_codec("gzip")
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


# --- faults of the class --------------------------------------------------------------------------


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
    with pytest.raises(MetadataError, match=match):
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


@pytest.fixture
def rubbish() -> Iterator[None]:
    zarrfs.register_codec(Rubbish)
    zarrfs.register_codec(RubbishArray)
    yield
    zarrfs.unregister_codec("example.rubbish")
    zarrfs.unregister_codec("example.rubbish-array")


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

    zarrfs.register_codec(Short)
    try:
        with pytest.raises(CodecError, match=r"example.short: it gave 16 bytes, not 3"):
            build([LITTLE, codec("example.short")], (4,), "i4").encode(np.zeros(4, "i4"))
    finally:
        zarrfs.unregister_codec("example.short")


def test_encoded_spec_of_the_wrong_kind_is_refused() -> None:
    class Confused(Xor):
        name = "example.confused"
        encoded_spec: Any = 16

    zarrfs.register_codec(Confused)
    try:
        with pytest.raises(UnsupportedError, match="its encoded_spec is a int, not a BytesSpec"):
            build([LITTLE, codec("example.confused")], (4,), "i4")
    finally:
        zarrfs.unregister_codec("example.confused")


@given(st.integers(0, 255), st.integers(0, 2**32))
def test_codec_gets_its_configuration(mask: int, seed: int) -> None:
    array = random_array((5,), np.dtype("u1"), seed)
    encoded = build(["bytes", codec("example.xor", mask=mask)], (5,), "u1").encode(array)
    assert encoded == (array ^ np.uint8(mask)).tobytes()


# --- installed packages ---------------------------------------------------------------------------

PACKAGE = '''
"""Codecs, as a package of its own has them."""
import numpy as np
import numcodecs.abc
import zarrfs

class Inverted(zarrfs.BytesBytesCodec):
    """Flips all bits."""
    name = "installed.inverted"
    def encode(self, data):
        return (~np.frombuffer(data, np.uint8)).tobytes()
    def decode(self, data, out=None):
        return self.encode(data)

class OfNumcodecs(numcodecs.abc.Codec):
    """Flips all bits for numcodecs."""
    codec_id = "installed_inverted"
    def encode(self, buf):
        return ~np.frombuffer(buf, np.uint8)
    def decode(self, buf, out=None):
        return ~np.frombuffer(buf, np.uint8)
'''
ENTRY_POINTS = """
[zarrfs.codecs]
installed.inverted = codecs_of_a_package:Inverted
installed.broken = codecs_of_no_package:Lost
installed.nonsense = codecs_of_a_package:PACKAGE
[numcodecs.codecs]
installed_inverted = codecs_of_a_package:OfNumcodecs
installed_broken = codecs_of_no_package:Lost
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package with entry points, found as pip's are: by its metadata on the search path."""
    (tmp_path / "codecs_of_a_package.py").write_text(PACKAGE + "PACKAGE = 'no class'\n")
    metadata = tmp_path / "codecs_of_a_package-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: codecs-of-a-package\nVersion: 1.0\n"
    )
    (metadata / "entry_points.txt").write_text(ENTRY_POINTS)
    monkeypatch.syspath_prepend(str(tmp_path))
    numcodecs.registry.run_entrypoints()
    yield
    monkeypatch.undo()
    numcodecs.registry.run_entrypoints()
    numcodecs.registry.codec_registry.pop("installed_inverted", None)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    "name",
    [
        "installed.inverted",
        "numcodecs.installed.inverted",
        "installed_inverted",
        "numcodecs.installed_inverted",
    ],
)
def test_codec_of_an_installed_package_works_by_being_installed(name: str) -> None:
    pipeline = build(["bytes", codec(name), "crc32c"], (3,), "u1")
    encoded = bytes(pipeline.encode(np.arange(3, dtype="u1")))
    assert encoded[:3] == bytes([255, 254, 253])
    assert pipeline.decode(encoded).tolist() == [0, 1, 2]
    info = zarrfs.codec_info(name)
    assert (info.origin, info.kind, info.is_available) == ("installed", "bytes -> bytes", True)
    assert info.description.startswith("Flips all bits")
    assert {"installed.inverted", "numcodecs.installed_inverted"} <= set(zarrfs.list_codecs())


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("codec_id", ["installed.inverted", "installed_inverted"])
def test_codec_of_an_installed_package_works_in_v2(codec_id: str) -> None:
    array = random_array((4, 3), np.dtype("i4"), 1)
    for filters, compressor in (([{"id": codec_id}], None), (None, {"id": codec_id})):
        pipeline = v2_pipeline("<i4", filters, compressor)
        encoded = pipeline.encode(array)
        assert bytes(encoded) == bytes(255 - byte for byte in array.tobytes())
        assert same(pipeline.decode(encoded), array)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("name", ["installed.broken", "installed_broken", "installed.nonsense"])
def test_package_that_cannot_be_imported_or_has_no_class_is_an_unsupported_codec(
    name: str,
) -> None:
    reason = "is no subclass" if name == "installed.nonsense" else "cannot be imported: No module"
    for used in (name, f"numcodecs.{name}"):
        with pytest.raises(UnsupportedError, match=reason):
            build([LITTLE, codec(used)], (4,), "i4")
        optional = {**codec(used), "must_understand": False}
        assert build([LITTLE, optional], (4,), "i4").bytes_bytes == ()
        info = zarrfs.codec_info(used)
        assert not info.is_available
        assert reason in info.description
    assert name not in zarrfs.available_codecs()


def test_codec_registered_with_numcodecs_works_in_both_formats() -> None:
    class Added(numcodecs.abc.Codec):  # type: ignore[misc]  # numcodecs has no types
        """Adds one to each byte."""

        codec_id = "example_added"

        def encode(self, buf: Any) -> Any:
            return np.frombuffer(buf, np.uint8) + np.uint8(1)

        def decode(self, buf: Any, out: Any = None) -> Any:
            return np.frombuffer(buf, np.uint8) - np.uint8(1)

    numcodecs.register_codec(Added)
    try:
        for name in ("example_added", "numcodecs.example_added"):
            encoded = build(["bytes", codec(name), "zstd"], (3,), "u1").encode(
                np.arange(3, dtype="u1")
            )
            assert build(["bytes", codec(name), "zstd"], (3,), "u1").decode(encoded)[2] == 2
            assert zarrfs.codec_info(name).origin == "registered"
        pipeline = v2_pipeline("<i4", None, {"id": "example_added"})
        array = random_array((4, 3), np.dtype("i4"), 1)
        assert same(pipeline.decode(pipeline.encode(array)), array)
    finally:
        del numcodecs.registry.codec_registry["example_added"]


def test_codec_of_another_package_that_took_an_id_of_numcodecs_is_honoured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Other(numcodecs.abc.Codec):  # type: ignore[misc]  # numcodecs has no types
        """Not what numcodecs has under this id."""

        codec_id = "zlib"

        def encode(self, buf: Any) -> Any:
            return b"other" + bytes(buf)

        def decode(self, buf: Any, out: Any = None) -> Any:
            return bytes(buf)[5:]

    monkeypatch.setitem(numcodecs.registry.codec_registry, "zlib", Other)
    pipeline = build(["bytes", codec("numcodecs.zlib")], (3,), "u1")
    assert pipeline.encode(np.arange(3, dtype="u1")) == b"other\0\1\2"
    assert pipeline.decode(b"other\0\1\2").tolist() == [0, 1, 2]


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

    zarrfs.register_codec(Nothing)
    try:
        with pytest.raises(UnsupportedError, match=r"nothing: its from_configuration gave a \w+, "):
            zarrfs.validate_codec("test.nothing")
    finally:
        zarrfs.unregister_codec("test.nothing")
