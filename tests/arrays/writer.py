"""A small Zarr writer of the tests' own, so that no fault of zarrfs can cancel itself out.

It knows ``bytes``, ``transpose``, ``gzip``, ``zstd``, ``crc32c`` and ``sharding_indexed`` in
version 3, and version 2 without filters; chunks that hold nothing but the fill value can be left
out.
"""

from __future__ import annotations

import gzip
import itertools
import json
import struct
from typing import TYPE_CHECKING, Any

import google_crc32c
import numpy as np
from numcodecs import zstd

from zarrfs.stores.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy.typing as npt

    from zarrfs.stores.base import Store

Codecs = list[dict[str, Any]]

MISSING = 2**64 - 1


def bytes_codec(endian: str = "little") -> dict[str, Any]:
    return {"name": "bytes", "configuration": {"endian": endian}}


GZIP = {"name": "gzip", "configuration": {"level": 1}}
ZSTD = {"name": "zstd", "configuration": {"level": 1, "checksum": False}}
CRC32C = {"name": "crc32c"}


def sharding(
    inner: tuple[int, ...], codecs: Codecs | None = None, *, location: str = "end"
) -> dict[str, Any]:
    return {
        "name": "sharding_indexed",
        "configuration": {
            "chunk_shape": list(inner),
            "codecs": codecs or [bytes_codec()],
            "index_codecs": [bytes_codec(), CRC32C],
            "index_location": location,
        },
    }


def write_v3(
    data: npt.NDArray[Any],
    chunks: tuple[int, ...],
    codecs: Codecs | None = None,
    *,
    fill: int = 0,
    path: str = "",
    store: Store | None = None,
    omit_fill: bool = True,
) -> Store:
    """Write an array of a type that v3 names as NumPy does; returns the store."""
    chunk_grid = {"name": "regular", "configuration": {"chunk_shape": list(chunks)}}
    parts = cut(data, chunks, data.dtype.type(fill))
    return write_parts(
        data, parts, chunk_grid, codecs, fill=fill, path=path, store=store, omit_fill=omit_fill
    )


def write_parts(
    data: npt.NDArray[Any],
    parts: Iterable[tuple[tuple[int, ...], npt.NDArray[Any]]],
    chunk_grid: dict[str, Any],
    codecs: Codecs | None = None,
    *,
    fill: int = 0,
    path: str = "",
    store: Store | None = None,
    omit_fill: bool = True,
) -> Store:
    """Write an array that is cut into full-size chunks already; returns the store."""
    store = store or MemoryStore()
    prefix = f"{path}/" if path else ""
    codecs = codecs or [bytes_codec()]
    document = {
        "zarr_format": 3,
        "node_type": "array",
        "shape": list(data.shape),
        "data_type": data.dtype.name,
        "chunk_grid": chunk_grid,
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": [fill, 0] if data.dtype.kind == "c" else fill,
        "codecs": codecs,
        "attributes": {},
    }
    store.set(f"{prefix}zarr.json", json.dumps(document).encode())
    for coords, chunk in parts:
        if not omit_fill or (chunk != data.dtype.type(fill)).any():
            key = "/".join(["c", *map(str, coords)])
            store.set(f"{prefix}{key}", encode(chunk, codecs, fill))
    return store


def write_v2(
    data: npt.NDArray[Any], chunks: tuple[int, ...], *, order: str = "C", store: Store | None = None
) -> Store:
    """Write an array of any type without objects, uncompressed, no chunk left out."""
    store = store or MemoryStore()
    document = {
        "zarr_format": 2,
        "shape": list(data.shape),
        "chunks": list(chunks),
        "dtype": data.dtype.descr if data.dtype.names else data.dtype.str,
        "compressor": None,
        "filters": None,
        "fill_value": None,
        "order": order,
    }
    store.set(".zarray", json.dumps(document).encode())
    for coords, chunk in cut(data, chunks, np.zeros((), data.dtype)[()]):
        store.set(".".join(map(str, coords)) or "0", chunk.tobytes(order))  # type: ignore[arg-type]  # "C" or "F"
    return store


def cut(
    data: npt.NDArray[Any], chunks: tuple[int, ...], fill: object
) -> Iterator[tuple[tuple[int, ...], npt.NDArray[Any]]]:
    """Cut an array into full-size chunks, those at the edge filled up."""
    for coords in itertools.product(
        *(range(-(-n // c) if n else 0) for n, c in zip(data.shape, chunks, strict=True))
    ):
        chunk = np.full(chunks, fill, data.dtype)
        part = data[tuple(slice(i * c, (i + 1) * c) for i, c in zip(coords, chunks, strict=True))]
        chunk[tuple(slice(0, n) for n in part.shape)] = part
        yield coords, chunk


def encode(chunk: npt.NDArray[Any], codecs: Codecs, fill: int = 0) -> bytes:
    """Encode a chunk by codecs as they stand in the metadata document."""
    data: Any = chunk
    for codec in codecs:
        configuration = codec.get("configuration", {})
        match codec["name"]:
            case "transpose":
                data = data.transpose(configuration["order"])
            case "bytes":
                order = "<" if configuration["endian"] == "little" else ">"
                data = data.astype(data.dtype.newbyteorder(order)).tobytes()
            case "gzip":
                data = gzip.compress(data, configuration["level"])
            case "zstd":
                data = zstd.compress(data, configuration["level"])
            case "crc32c":
                data += struct.pack("<I", google_crc32c.value(data))
            case "sharding_indexed":
                data = _shard(data, configuration, fill)
    return bytes(data)


def _shard(chunk: npt.NDArray[Any], configuration: dict[str, Any], fill: int) -> bytes:
    inner = tuple(configuration["chunk_shape"])
    grid = tuple(n // c for n, c in zip(chunk.shape, inner, strict=True))
    index = np.full((*grid, 2), MISSING, "<u8")
    is_first = configuration["index_location"] == "start"
    offset, body = (index.nbytes + 4 if is_first else 0), b""
    for coords, part in cut(chunk, inner, fill):
        if (part != chunk.dtype.type(fill)).any():
            encoded = encode(part, configuration["codecs"], fill)
            index[coords] = offset, len(encoded)
            offset += len(encoded)
            body += encoded
    stored = index.tobytes()
    stored += struct.pack("<I", google_crc32c.value(stored))
    return stored + body if is_first else body + stored
