"""Standard arrays in a directory: made when first asked for, removed when no longer needed."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.arrays import STANDARD_ARRAYS, StandardArray
from benchmarks.peers import create_with_tensorstore, open_with_zarr_python

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class StoredArray:
    """A standard array with the store that holds it, and nothing else."""

    array: StandardArray
    path: Path

    @property
    def name(self) -> str:
        """What its flat files are called, without the ending."""
        return self.path.name.removesuffix(".zarr")

    @cached_property
    def objects(self) -> list[Path]:
        """Files of all chunks or shards, sorted."""
        return sorted(file for file in (self.path / "c").rglob("*") if file.is_file())

    @cached_property
    def stored_bytes(self) -> int:
        """Bytes of all chunks or shards as stored."""
        return sum(file.stat().st_size for file in self.objects)


class StoredArrays:
    """The arrays of one run.

    Parameters
    ----------
    folder
        Where they are made.
    scale
        What the length of each is divided by.
    """

    def __init__(self, folder: Path, *, scale: int) -> None:
        self._folder = folder
        self.scale = scale
        """What the length of each is divided by."""
        self._made: dict[str, StoredArray] = {}

    def plan(self, name: str) -> StandardArray:
        """Return an array as this run has it, without storing it."""
        return STANDARD_ARRAYS[name].scaled(self.scale)

    def get(self, name: str) -> StoredArray:
        """Return an array that is stored."""
        if name not in self._made:
            self._made[name] = store(self.plan(name), self._folder / f"{name}.zarr")
        return self._made[name]

    def drop_all_but(self, names: Collection[str | None]) -> None:
        """Remove arrays that no later workload needs: each takes up to 1 GiB."""
        for name in self._made.keys() - set(names):
            shutil.rmtree(self._made.pop(name).path)


def store(array: StandardArray, path: Path) -> StoredArray:
    """Write an array piece by piece; the first piece is read back with another library.

    Raises
    ------
    RuntimeError
        If that one reads other elements.
    """
    write = create_with_tensorstore(path, array)
    for start, stop in array.pieces():
        elements = array.elements(start, stop)
        write(np.s_[start:stop], elements)
        if start == 0 and not np.array_equal(open_with_zarr_python(path)(np.s_[:stop]), elements):
            raise RuntimeError(f"{path} holds other elements than were written")
    return StoredArray(array=array, path=path)
