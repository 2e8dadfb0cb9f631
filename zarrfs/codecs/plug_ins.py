"""A codec class of another package or program -> a codec of a pipeline.

The class has what an author needs to write; here it gets what a pipeline asks for: its name as in
the document, what it encodes and what comes out. In Zarr v2, where all filters stand behind
``bytes``, a codec of arrays is given the array that the bytes are, in native byte order, and what
it makes of that is stored little-endian.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

from zarrfs.codecs.base import (
    Array,
    ArrayArrayCodec,
    ArrayBytesCodec,
    Buffer,
    BytesBytesCodec,
    BytesSpec,
    ChunkSpec,
    Codec,
    Spec,
    expect_array,
    expect_bytes,
)
from zarrfs.codecs.bytes_codec import parse_bytes
from zarrfs.codecs.compressors import BytesFilter
from zarrfs.errors import MetadataError, RegistrationError, UnsupportedError, ZarrfsError
from zarrfs.format.extensions import Extension

if TYPE_CHECKING:
    from zarrfs.codecs.sharding import BuildPipeline

S = TypeVar("S", ChunkSpec, BytesSpec)

KINDS: dict[type, str] = {
    ArrayArrayCodec: "array -> array",
    ArrayBytesCodec: "array -> bytes",
    BytesBytesCodec: "bytes -> bytes",
}
"""Base class -> what its codecs encode to what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlugInArrayCodec(ArrayArrayCodec):
    """An array→array codec of another package."""

    name: str
    spec: ChunkSpec
    encoded_spec: ChunkSpec
    codec: ArrayArrayCodec

    def encode(self, array: Array) -> Array:
        """Encode a chunk."""
        return self.codec.encode(array)

    def decode(self, array: Array) -> Array:
        """Decode a chunk."""
        return self.codec.decode(array)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlugInArrayBytesCodec(ArrayBytesCodec):
    """An array→bytes codec of another package."""

    name: str
    spec: ChunkSpec
    encoded_spec: BytesSpec
    codec: ArrayBytesCodec

    def encode(self, array: Array) -> Buffer:
        """Encode a chunk."""
        return self.codec.encode(array)

    def decode(self, data: Buffer) -> Array:
        """Decode a chunk."""
        return self.codec.decode(data)


def check_class(codec_class: Any) -> type[Codec]:
    """Return a class if a codec can be made of it.

    Raises
    ------
    RegistrationError
        If it is none, has no name, or lacks ``encode`` or ``decode``.
    """
    name = getattr(codec_class, "name", None)
    shown = name if isinstance(name, str) else getattr(codec_class, "__name__", repr(codec_class))
    if not isinstance(codec_class, type) or not issubclass(codec_class, tuple(KINDS)):
        bases = ", ".join(base.__name__ for base in KINDS)
        raise RegistrationError("codec", shown, f"is no subclass of {bases}")
    if not isinstance(name, str):
        raise RegistrationError("codec", shown, "has no attribute `name`, a string")
    missing: frozenset[str] = getattr(codec_class, "__abstractmethods__", frozenset())
    if missing:
        raise RegistrationError("codec", shown, f"lacks {' and '.join(sorted(missing))}")
    return cast("type[Codec]", codec_class)


def expect_class(codec_class: object, name: str) -> type[Codec]:
    """Check the class that a package offers as codec `name`.

    Raises
    ------
    UnsupportedError
        If no codec can be made of it.
    """
    try:
        return check_class(codec_class)
    except RegistrationError as error:
        reason = f"cannot be used: it {error.reason}"
        raise UnsupportedError(reason, field=f"codecs.{name}") from error


def kind_of(codec_class: type[Codec]) -> str:
    """Return what a codec class encodes to what, such as ``"bytes -> bytes"``."""
    return next(KINDS[base] for base in codec_class.__mro__ if base in KINDS)


def build_plug_in(codec_class: object, extension: Extension, spec: Spec) -> Codec:
    """Build a codec of a class that was registered, or that an installed package offers.

    Raises
    ------
    MetadataError
        If the class refuses the configuration, or the codec cannot stand here.
    UnsupportedError
        If it is no codec class.
    """
    name, known_class = extension.name, expect_class(codec_class, extension.name)
    if issubclass(known_class, BytesBytesCodec):
        return _bytes_codec(_build(known_class, extension, expect_bytes(name, spec)), name, spec)
    return _array_codec(known_class, extension, expect_array(name, spec))


def build_behind_bytes(
    codec_class: type[Codec], extension: Extension, content: BytesSpec, build: BuildPipeline
) -> BytesFilter:
    """Build a codec of arrays that stands behind ``bytes``, as filters of Zarr v2 do.

    Raises
    ------
    MetadataError
        If there are only bytes, which are no array's memory.
    """
    name, array = extension.name, content.array
    if array is None:
        raise MetadataError("encodes arrays, and here are only bytes", field=f"codecs.{name}")
    native = array.dtype.newbyteorder("=")
    chunk = ChunkSpec(shape=array.shape, dtype=native, fill_value=np.zeros((), native)[()])
    stored = parse_bytes(_bytes_extension(array.dtype), chunk)
    steps = [extension]
    if issubclass(codec_class, ArrayArrayCodec):
        steps.append(Extension(name="bytes", configuration={"endian": "little"}))
    pipeline = build(steps, chunk)

    def compress(data: Buffer) -> Buffer:
        return pipeline.encode(stored.decode(data))

    def decompress(data: Buffer, spec: BytesSpec, out: memoryview | None) -> Buffer:
        return stored.encode(pipeline.decode(data))

    return BytesFilter(
        name=name,
        spec=content,
        encoded_spec=pipeline.encoded_spec,
        compress=compress,
        decompress=decompress,
    )


def _bytes_extension(stored: np.dtype[Any]) -> Extension:
    """Return the codec that lays out elements as they are stored."""
    if stored.names is not None:  # its fields tell their byte orders
        return Extension(name="bytes")
    order = "big" if stored.byteorder == ">" else "little"
    return Extension(name="bytes", configuration={"endian": order})


def _build(codec_class: type[Any], extension: Extension, spec: Spec) -> Any:
    """Call the class; whatever it raises is a fault of the configuration."""
    field = f"codecs.{extension.name}"
    try:
        codec = codec_class.from_configuration(dict(extension.configuration), spec)
    except ZarrfsError:
        raise
    except Exception as error:  # another package's code, which may fail as it likes
        raise MetadataError(str(error) or type(error).__name__, field=field) from error
    if not isinstance(codec, tuple(base for base in KINDS if issubclass(codec_class, base))):
        reason = f"its from_configuration gave a {type(codec).__name__}, not such a codec"
        raise UnsupportedError(reason, field=field)
    return codec


def _array_codec(
    codec_class: type[Any], extension: Extension, chunk: ChunkSpec
) -> PlugInArrayCodec | PlugInArrayBytesCodec:
    name, codec = extension.name, _build(codec_class, extension, chunk)
    if issubclass(codec_class, ArrayArrayCodec):
        encoded = _encoded_spec(name, codec, chunk)
        return PlugInArrayCodec(name=name, spec=chunk, encoded_spec=encoded, codec=codec)
    stored = _encoded_spec(name, codec, BytesSpec())
    return PlugInArrayBytesCodec(name=name, spec=chunk, encoded_spec=stored, codec=codec)


def _bytes_codec(codec: Any, name: str, spec: Spec) -> BytesFilter:
    def decompress(data: Buffer, spec: BytesSpec, out: memoryview | None) -> Buffer:
        decoded: Buffer = codec.decode(data, out)
        return decoded

    return BytesFilter(
        name=name,
        spec=expect_bytes(name, spec),
        encoded_spec=_encoded_spec(name, codec, BytesSpec()),
        compress=codec.encode,
        decompress=decompress,
        decodes_into=bool(getattr(codec, "decodes_into", False)),
    )


def _encoded_spec(name: str, codec: object, default: S) -> S:
    """Return what a codec says that it encodes to."""
    encoded = getattr(codec, "encoded_spec", default)
    if isinstance(encoded, type(default)):
        return encoded
    reason = f"its encoded_spec is a {type(encoded).__name__}, not a {type(default).__name__}"
    raise UnsupportedError(reason, field=f"codecs.{name}")
