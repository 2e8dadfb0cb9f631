"""A chunk <-> its stored bytes, through all codecs of an array.

Laws: the decoded chunk has exactly the shape and dtype of the spec, and at each step exactly the
bytes that are due, or there is a `CodecError` that names the codec; no other error leaves here.
Order: array→array codecs, one array→bytes codec, bytes→bytes codecs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ParamSpec, TypeVar

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
    expect_bytes,
)
from zarrfs.codecs.bounds import bounded
from zarrfs.codecs.registry import build_codec
from zarrfs.codecs.sharding import ShardingCodec
from zarrfs.errors import CodecError, MetadataError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from zarrfs.format.extensions import Extension

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class CodecPipeline:
    """The codecs of an array, built for one chunk shape. May be used by many threads at once."""

    spec: ChunkSpec
    """What a decoded chunk is."""

    array_array: tuple[ArrayArrayCodec, ...]
    array_bytes: ArrayBytesCodec
    bytes_bytes: tuple[BytesBytesCodec, ...]

    _into: BytesBytesCodec | None = field(init=False, repr=False, compare=False)
    """The codec that may decode into a buffer which is given. Only one can, since what that holds
    is the next one's input: the last to decode, which has the most bytes to write."""

    def __post_init__(self) -> None:
        """Choose the codec that decodes into given buffers."""
        into = next((codec for codec in self.bytes_bytes if codec.decodes_into), None)
        object.__setattr__(self, "_into", into)

    @property
    def sharding(self) -> ShardingCodec | None:
        """The sharding codec, if inner chunks can be read on their own: no codec beside it."""
        if isinstance(self.array_bytes, ShardingCodec) and not (
            self.array_array or self.bytes_bytes
        ):
            return self.array_bytes
        return None

    @property
    def encoded_nbytes(self) -> int | None:
        """Bytes of a stored chunk; ``None`` where that depends on the data."""
        return self.encoded_spec.nbytes

    @property
    def is_plain(self) -> bool:
        """Whether a stored chunk is the memory of the array in C order."""
        return not (self.array_array or self.bytes_bytes) and self.array_bytes.is_plain

    @property
    def decodes_in_place(self) -> bool:
        """Whether `scratch` of a chunk's size holds it when it is decoded, in C order."""
        is_array = not self.array_array and self.array_bytes.is_plain
        return is_array and (not self.bytes_bytes or self.bytes_bytes[0] is self._into)

    @property
    def encoded_spec(self) -> BytesSpec:
        """What a stored chunk is, with a bound where its size depends on the data."""
        step: Spec = self.spec
        codecs: tuple[Codec, ...] = (*self.array_array, self.array_bytes, *self.bytes_bytes)
        for codec in codecs:
            step = bounded(step, codec.encoded_spec)
        return expect_bytes(self.array_bytes.name, step)

    def decode(self, data: Buffer, scratch: memoryview | None = None) -> Array:
        """Decode a stored chunk.

        Parameters
        ----------
        data
            The whole stored object, or an inner chunk's bytes.
        scratch
            Writable bytes that decompressing may use instead of memory of its own; of use if
            large enough for the chunk. Not to be shared between threads.

        Returns
        -------
        Array
            Of the spec's shape and dtype; may be a view of `data` or `scratch`, and read-only.

        Raises
        ------
        CodecError
            If the bytes are not what some codec encoded, or decode to another size.
        """
        at: Codec = self.array_bytes
        try:
            for codec in reversed(self.bytes_bytes):
                at = codec
                data = _decoded(codec, data, scratch if codec is self._into else None)
            at = last = self.array_bytes
            _check_given(last, data)
            array = _array(last, "decode", last.spec, last.decode(data))
            for array_codec in reversed(self.array_array):
                at = array_codec
                array = _array(at, "decode", array_codec.spec, array_codec.decode(array))
        except (CodecError, KeyboardInterrupt):
            raise
        except BaseException as error:
            raise _failed(at, "decode", error) from error
        return array

    def encode(self, array: Array) -> Buffer:
        """Encode a chunk of the spec's shape and dtype; may return a view of it.

        Raises
        ------
        CodecError
            If the array is another one, or a codec cannot hold these elements.
        """
        if (array.shape, array.dtype) != (self.spec.shape, self.spec.dtype):
            first: Codec = self.array_array[0] if self.array_array else self.array_bytes
            reason = f"it was given {array.dtype} of shape {array.shape}, not {self.spec.dtype}"
            raise CodecError(first.name, "encode", f"{reason} of {self.spec.shape}")
        for array_codec in self.array_array:
            encoded = _run(array_codec, "encode", array_codec.encode, array)
            array = _array(array_codec, "encode", array_codec.encoded_spec, encoded)
        first_bytes = self.array_bytes
        data = _encoded(first_bytes, _run(first_bytes, "encode", first_bytes.encode, array))
        for codec in self.bytes_bytes:
            data = _encoded(codec, _run(codec, "encode", codec.encode, data))
        return data


def build_pipeline(extensions: Sequence[Extension], spec: ChunkSpec) -> CodecPipeline:
    """Build the codecs of an array, in order of encoding, for chunks of one spec.

    Unknown codecs that need not be understood are left out.

    Raises
    ------
    MetadataError
        If a codec's configuration is wrong, it stands in the wrong place, or no codec turns the
        array into bytes.
    UnsupportedError
        If a codec is not known or its package is not installed.
    """
    array_array: list[ArrayArrayCodec] = []
    array_bytes: ArrayBytesCodec | None = None
    bytes_bytes: list[BytesBytesCodec] = []
    step: Spec = spec
    for extension in extensions:
        codec = build_codec(extension, step, build_pipeline)
        if codec is None:
            continue
        if isinstance(codec, ArrayArrayCodec):
            array_array.append(codec)
        elif isinstance(codec, ArrayBytesCodec):
            array_bytes = codec
        else:
            bytes_bytes.append(codec)
        step = bounded(step, codec.encoded_spec)
    if array_bytes is None:
        names = ", ".join(repr(extension.name) for extension in extensions) or "none"
        raise MetadataError(f"no codec makes bytes of the array ({names})", field="codecs")
    return CodecPipeline(
        spec=spec,
        array_array=tuple(array_array),
        array_bytes=array_bytes,
        bytes_bytes=tuple(bytes_bytes),
    )


def _run(
    codec: Codec, direction: str, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs
) -> R:
    """Call one direction of a codec; whatever it raises becomes a `CodecError`."""
    try:
        return function(*args, **kwargs)
    except (CodecError, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise _failed(codec, direction, error) from error


def _failed(codec: Codec, direction: str, error: BaseException) -> CodecError:
    """Name the codec; libraries raise what they like, and those in Rust even panics."""
    return CodecError(codec.name, direction, str(error) or type(error).__name__)


def _decoded(codec: BytesBytesCodec, data: Buffer, scratch: memoryview | None) -> Buffer:
    """Decode bytes to bytes, into `scratch` if it is given and they fit."""
    _check_given(codec, data)
    due = codec.spec.nbytes
    out = None
    if scratch is not None and due is not None and due <= len(scratch):
        out = scratch[:due]
    decoded = _bytes(codec, "decode", codec.decode(data, out))
    if due is not None and len(decoded) != due:
        raise CodecError(codec.name, "decode", f"it gave {len(decoded)} bytes, not {due}")
    if due is None and len(decoded) > (limit := codec.spec.limit(len(data))):
        raise CodecError(codec.name, "decode", f"it gave {len(decoded)} bytes, over {limit}")
    return decoded


def _encoded(codec: ArrayBytesCodec | BytesBytesCodec, value: object) -> Buffer:
    """Return what a codec encoded to, if it is as many bytes as it said."""
    data = _bytes(codec, "encode", value)
    nbytes = codec.encoded_spec.nbytes
    if nbytes is not None and len(data) != nbytes:
        raise CodecError(codec.name, "encode", f"it gave {len(data)} bytes, not {nbytes}")
    return data


def _bytes(codec: Codec, direction: str, value: object) -> Buffer:
    if isinstance(value, memoryview) and value.c_contiguous:
        return value if value.format == "B" and value.ndim == 1 else value.cast("B")
    if isinstance(value, bytes | bytearray):
        return value
    raise CodecError(codec.name, direction, f"it gave a {_kind(value)}, not bytes")


def _array(codec: Codec, direction: str, due: ChunkSpec, value: object) -> Array:
    if isinstance(value, np.generic):
        value = np.asarray(value)  # what NumPy's functions make of arrays without dimensions
    if not isinstance(value, np.ndarray):
        reason = f"it gave a {_kind(value)}, not an array"
    elif value.shape != due.shape or value.dtype != due.dtype:
        reason = f"it gave {value.dtype} of shape {value.shape}, not {due.dtype} of {due.shape}"
    else:
        return value
    raise CodecError(codec.name, direction, reason)


def _kind(value: object) -> str:
    is_strided = isinstance(value, memoryview)
    return "memoryview with gaps" if is_strided else type(value).__name__


def _check_given(codec: ArrayBytesCodec | BytesBytesCodec, data: Buffer) -> None:
    nbytes = codec.encoded_spec.nbytes
    if nbytes is not None and len(data) != nbytes:
        reason = f"it was given {len(data)} bytes, not {nbytes}"
        raise CodecError(codec.name, "decode", reason)
