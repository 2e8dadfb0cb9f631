"""Zarr libraries, ours among them, each behind the same two functions: read a store, write one.

All create the same layout: v3, little-endian, no checksums but that of a shard's index.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import tensorstore
import zarr

import zarrfs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy.typing as npt

    from benchmarks.arrays import StandardArray

    Read = Callable[[Any], npt.NDArray[Any]]
    """From a selection to its elements."""

    Write = Callable[[Any, npt.NDArray[Any]], object]
    """Stores elements at a selection, and returns when they are stored."""


def open_with_zarrfs(path: Path) -> Read:
    array = zarrfs.open_array(path)
    return lambda selection: np.asarray(array[selection])


def open_with_zarr_python(path: Path) -> Read:
    array = zarr.open_array(path, mode="r")
    return lambda selection: np.asarray(array[selection])


def open_with_zarrs(path: Path) -> Read:
    """Open with zarr-python, whose codecs are those of the Rust library zarrs then."""
    with zarr.config.set({"codec_pipeline.path": "zarrs.ZarrsCodecPipeline"}):
        return open_with_zarr_python(path)


def open_with_tensorstore(path: Path) -> Read:
    """Open with a cache of no bytes, tensorstore's default."""
    spec = {"driver": "zarr3", "kvstore": {"driver": "file", "path": f"{path}/"}}
    array = tensorstore.open(spec, read=True).result()
    return lambda selection: np.asarray(array[selection].read().result())


OPENERS: dict[str, Callable[[Path], Read]] = {
    "zarrfs in process": open_with_zarrfs,
    "zarr-python": open_with_zarr_python,
    "zarr-python with zarrs": open_with_zarrs,
    "tensorstore": open_with_tensorstore,
}


def create_with_zarrfs(path: Path, array: StandardArray) -> Write:
    created = zarrfs.create_array(
        path,
        shape=array.shape,
        chunks=array.chunks,
        shards=array.shards,
        dtype=array.dtype,
        codecs=["bytes", *array.compressors],
    )
    return created.__setitem__


def create_with_zarr_python(path: Path, array: StandardArray) -> Write:
    created = zarr.create_array(
        path,
        shape=array.shape,
        chunks=array.chunks,
        shards=array.shards,
        dtype=array.dtype,
        compressors=list(array.compressors) or None,
    )
    return created.__setitem__


def create_with_tensorstore(path: Path, array: StandardArray) -> Write:
    codecs: list[dict[str, Any]] = [
        {"name": "bytes", "configuration": {"endian": "little"}},
        *array.compressors,
    ]
    if array.shards:
        codecs = [
            {
                "name": "sharding_indexed",
                "configuration": {"chunk_shape": array.chunks, "codecs": codecs},
            }
        ]
    spec = {
        "driver": "zarr3",
        "kvstore": {"driver": "file", "path": f"{path}/"},
        "metadata": {
            "shape": array.shape,
            "data_type": array.dtype.name,
            "chunk_grid": {
                "name": "regular",
                "configuration": {"chunk_shape": array.shards or array.chunks},
            },
            "codecs": codecs,
        },
        "create": True,
    }
    created = tensorstore.open(spec).result()
    return lambda selection, elements: created[selection].write(elements).result()


CREATORS: dict[str, Callable[[Path, StandardArray], Write]] = {
    "zarrfs in process": create_with_zarrfs,
    "zarr-python": create_with_zarr_python,
    "tensorstore": create_with_tensorstore,
}
