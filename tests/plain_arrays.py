"""Zarr v3 arrays written by hand, chunk by chunk, so that a test knows every stored byte."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import google_crc32c
import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from zarrfs.stores.base import Store


def objects(
    data: npt.NDArray[Any], chunks: tuple[int, ...], *, checksum: bool = False
) -> dict[str, bytes]:
    """Keys and bytes of an uncompressed array; its chunks must fit its shape.

    With `checksum` each chunk ends in its CRC32C, so that no change of it goes unnoticed.
    """
    codecs: list[object] = [{"name": "bytes", "configuration": {"endian": "little"}}]
    if checksum:
        codecs.append({"name": "crc32c"})
    document = {
        "zarr_format": 3,
        "node_type": "array",
        "shape": data.shape,
        "data_type": data.dtype.name,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": chunks}},
        "chunk_key_encoding": {"name": "default"},
        "codecs": codecs,
        "fill_value": 0,
    }
    stored = {"zarr.json": json.dumps(document).encode()}
    for start in itertools.product(*map(range, [0] * data.ndim, data.shape, chunks)):
        part = data[tuple(slice(s, s + n) for s, n in zip(start, chunks, strict=True))]
        assert part.shape == chunks
        encoded = part.astype(part.dtype.newbyteorder("<")).tobytes()
        if checksum:
            encoded += google_crc32c.value(encoded).to_bytes(4, "little")
        coords = (str(s // n) for s, n in zip(start, chunks, strict=True))
        stored["/".join(("c", *coords))] = encoded
    return stored


def put_array(
    store: Store,
    path: str,
    data: npt.NDArray[Any],
    chunks: tuple[int, ...],
    *,
    checksum: bool = False,
) -> None:
    """Put an array into a store."""
    for key, value in objects(data, chunks, checksum=checksum).items():
        store.set(f"{path}/{key}", value)


def write_array(
    folder: Path, data: npt.NDArray[Any], chunks: tuple[int, ...], *, checksum: bool = False
) -> None:
    """Write an array to a directory."""
    for key, value in objects(data, chunks, checksum=checksum).items():
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(value)


def sample(*shape: int, dtype: str = "float64") -> npt.NDArray[Any]:
    """An array of random bits without NaN; the same for the same shape."""
    rng = np.random.default_rng(shape)
    return rng.integers(0, 2**31, shape).astype(dtype)
