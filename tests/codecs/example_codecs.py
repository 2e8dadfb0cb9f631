"""Codecs as other programs have them, and pipelines with them."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

import zarrfs
from tests.contracts.codec_contract import build
from zarrfs.errors import MetadataError
from zarrfs.format.metadata_v2 import parse_array

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from zarrfs.codecs.base import Array, Buffer, Codec
    from zarrfs.codecs.pipeline import CodecPipeline

LITTLE = {"name": "bytes", "configuration": {"endian": "little"}}


@contextlib.contextmanager
def registered(*classes: type[Codec], force: bool = False) -> Iterator[None]:
    """Serve codecs in the block, and no longer."""
    with contextlib.ExitStack() as stack:
        for codec_class in classes:
            zarrfs.register_codec(codec_class, force=force)
            stack.callback(zarrfs.unregister_codec, codec_class.name)
        yield


def codec(name: str, **configuration: Any) -> dict[str, Any]:
    return {"name": name, "configuration": configuration}


def v2_pipeline(
    dtype: str, filters: list[Any] | None, compressor: Any, order: str = "C"
) -> CodecPipeline:
    """Build the pipeline of an array of v2 of 4 x 3 elements, all in one chunk."""
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
