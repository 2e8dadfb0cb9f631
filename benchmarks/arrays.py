"""The arrays that all workloads measure with, as values: shape, chunks, codecs, and their elements.

Their numbers compress about as what instruments and models give. Elements come in pieces of whole
rows along the first axis and are the same at every call.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy.typing as npt

    Model = Callable[[int, tuple[int, ...], np.random.Generator], npt.NDArray[Any]]
    """From the first row, a shape and a source of noise to numbers of that shape."""

PIECE_ELEMENTS = 2**23
"""Elements that are computed at a time: with all that they take on the way, 300 MB at most."""


def image(first: int, shape: tuple[int, ...], noise: np.random.Generator) -> npt.NDArray[Any]:
    """Microscopy: blobs on a dark ground, with the noise of counting light."""
    z, y, x = np.ogrid[tuple(slice(n) for n in shape)]
    z, y, x = (axis.astype(np.float32) for axis in (z + first, y, x))
    blobs = np.sin(z * 0.021) * np.cos(y * 0.013) + np.sin(x * 0.017 + y * 0.007) * np.cos(
        z * 0.011
    )
    light = np.clip(blobs, 0, None) ** 2 * 900 + 110
    light += np.sqrt(light) * noise.standard_normal(shape, np.float32)
    numbers: npt.NDArray[Any] = np.clip(light, 0, 65535)
    return numbers


def temperature(first: int, shape: tuple[int, ...], noise: np.random.Generator) -> npt.NDArray[Any]:
    """Kelvin on a map, to 1/64."""
    y, x = np.ogrid[tuple(slice(n) for n in shape)]
    y, x = (axis.astype(np.float32) for axis in (y + first, x))
    kelvin = 280 + 15 * np.sin(y * 0.0021) * np.cos(x * 0.0013) + 3 * np.sin(x * 0.017 + y * 0.011)
    kelvin += 0.15 * noise.standard_normal(shape, np.float32)
    numbers: npt.NDArray[Any] = np.round(kelvin * 64) / 64
    return numbers


def series(first: int, shape: tuple[int, ...], noise: np.random.Generator) -> npt.NDArray[Any]:
    """Sensor over time, to two decimals."""
    time = np.arange(first, first + shape[0], dtype=np.float64)
    volts = np.sin(time * 1e-4) * 50 + np.sin(time * 0.013) * 3 + noise.standard_normal(shape) * 0.5
    numbers: npt.NDArray[Any] = np.round(volts * 100) / 100
    return numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardArray:
    """An array, before it is stored anywhere."""

    name: str
    shape: tuple[int, ...]
    chunks: tuple[int, ...]
    """What is decoded at a time: inner chunks where there are shards."""

    shards: tuple[int, ...] | None = None
    dtype: np.dtype[Any]
    compressors: tuple[dict[str, Any], ...]
    """Codecs after ``bytes``, as ``zarr.json`` has them."""

    model: Model

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def n_chunks(self) -> int:
        """Chunks that are decoded for the whole array."""
        return math.prod(-(-n // c) for n, c in zip(self.shape, self.chunks, strict=True))

    @property
    def rows(self) -> int:
        """Rows along the first axis that are stored together."""
        return (self.shards or self.chunks)[0]

    def scaled(self, divisor: int) -> StandardArray:
        """Return the same, shorter along the first axis and then the next, by a chunk at least."""
        shape = []
        for length, chunk in zip(self.shape, self.chunks, strict=True):
            shorter = max(chunk, length // divisor)
            divisor = max(1, divisor * shorter // length)
            shape.append(shorter)
        return dataclasses.replace(self, shape=tuple(shape))

    def elements(self, start: int, stop: int) -> npt.NDArray[Any]:
        """Compute rows of the first axis; `start` is a multiple of `rows`."""
        elements = np.empty((stop - start, *self.shape[1:]), self.dtype)
        step = math.gcd(self.rows, max(1, PIECE_ELEMENTS // math.prod(self.shape[1:])))
        for first in range(start, stop, step):
            part = elements[first - start : first - start + step]
            part[...] = self.model(first, part.shape, np.random.default_rng((7, first)))
        return elements

    def pieces(self) -> Iterator[tuple[int, int]]:
        """First row and the one after the last, of pieces that share no stored object."""
        row_elements = math.prod(self.shape[1:])
        step = self.rows * max(1, PIECE_ELEMENTS // (self.rows * row_elements))
        for start in range(0, self.shape[0], step):
            yield start, min(start + step, self.shape[0])

    def __str__(self) -> str:
        codec = self.compressors[0]["name"] if self.compressors else "no codec"
        chunks = f"chunks {self.chunks}" + (f" in shards {self.shards}" if self.shards else "")
        return (
            f"({self.name}) {self.nbytes >> 20} MiB, {self.dtype.name}, "
            f"shape {self.shape}, {chunks}, {codec}"
        )


def _lz4(typesize: int) -> tuple[dict[str, Any], ...]:
    configuration = {
        "cname": "lz4",
        "clevel": 5,
        "shuffle": "shuffle",
        "typesize": typesize,
        "blocksize": 0,
    }
    return ({"name": "blosc", "configuration": configuration},)


_ZSTD = ({"name": "zstd", "configuration": {"level": 3, "checksum": False}},)

_I = StandardArray(
    name="i",
    shape=(1024, 1024, 512),
    chunks=(64, 64, 64),
    dtype=np.dtype("<u2"),
    compressors=_lz4(2),
    model=image,
)
_IV = StandardArray(
    name="iv",
    shape=(2**27,),
    chunks=(2**17,),
    dtype=np.dtype("<f8"),
    compressors=_lz4(8),
    model=series,
)

STANDARD_ARRAYS = {
    array.name: array
    for array in (
        _I,
        dataclasses.replace(_I, name="ii", compressors=_ZSTD),
        StandardArray(
            name="iii",
            shape=(16384, 16384),
            chunks=(512, 512),
            dtype=np.dtype("<f4"),
            compressors=_ZSTD,
            model=temperature,
        ),
        _IV,
        dataclasses.replace(_I, name="v", compressors=()),
        dataclasses.replace(_IV, name="v1", compressors=()),
        dataclasses.replace(
            _I, name="vi", chunks=(32, 32, 32), shards=(256, 256, 256), compressors=_ZSTD
        ),
        dataclasses.replace(_I, name="small", shape=(512, 512, 512), chunks=(32, 16, 16)),
    )
}
"""Chunks of 512 KiB to 1 MiB, compressed fast, well and not at all; sharded; of 16 KiB."""
