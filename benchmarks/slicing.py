"""Slices of a small array in memory: what each request costs beside its codec.

The workload is one that ExZarr publishes (its ``PERFORMANCE_IMPROVEMENTS.md``, 2026-01: 4.22 ms for
400 x 400 on an M1 Max): ``[0:400, 0:400]`` of 1000 x 1000 int32 in chunks of 100 x 100, zstd level
3, Zarr v2, in a memory store. Nothing decoded may be kept from one slice to the next.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import numcodecs
import numpy as np
import zarr
import zarr.storage

import zarrfs
from benchmarks.rounds import Contender, Workload

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy.typing as npt

    from benchmarks.stored_arrays import StoredArrays

SHAPE = (1000, 1000)
CHUNKS = (100, 100)
EDGE = 400
REPEATS = 100
ZSTD = {"id": "zstd", "level": 3}


def constant() -> npt.NDArray[np.int32]:
    """Return what ExZarr measures with."""
    return np.full(SHAPE, 42, np.int32)


def random() -> npt.NDArray[np.int32]:
    """Return numbers that zstd cannot make into nothing."""
    return np.random.default_rng(7).integers(0, 1000, SHAPE, np.int32)


DATA = {"constant": constant, "random": random}


@contextlib.contextmanager
def slicing(arrays: StoredArrays, scratch: Path, name: str) -> Iterator[Workload]:
    """Read one slice of ``constant`` or ``random`` data, again and again."""
    data = DATA[name]()
    repeats = max(1, REPEATS // arrays.scale)
    ours = zarrfs.create_array(
        f"memory://slicing-{name}",
        shape=SHAPE,
        chunks=CHUNKS,
        dtype="int32",
        zarr_format=2,
        compressor=ZSTD,
        overwrite=True,
    )
    ours[...] = data
    theirs = zarr.create_array(
        zarr.storage.MemoryStore(),
        shape=SHAPE,
        chunks=CHUNKS,
        dtype="int32",
        zarr_format=2,
        compressors=numcodecs.get_codec(ZSTD),
    )
    theirs[...] = data

    def read(array: Any) -> None:
        for _ in range(repeats):
            array[:EDGE, :EDGE]

    for array in (ours, theirs):
        if not np.array_equal(array[:EDGE, :EDGE], data[:EDGE, :EDGE]):
            raise RuntimeError("the slice holds other elements than were written")
    yield Workload(
        title=f"{repeats} slices of {EDGE} x {EDGE} int32, 16 chunks, zstd 3, {name} data",
        nbytes=repeats * EDGE * EDGE * 4,
        contenders=[
            Contender(name="zarrfs", run=lambda: read(ours)),
            Contender(name="zarr-python", run=lambda: read(theirs)),
        ],
    )
