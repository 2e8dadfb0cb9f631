"""Other implementations of Zarr as writers and readers of arrays in directories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from tests.interop.codec_strategies import Support
    from tests.interop.data_types import DataType
    from tests.interop.strategies import AnyArray, ArrayV2, ArrayV3

Region = tuple[slice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """Another implementation, and what it has."""

    name: str
    support: Support
    v3_types: Sequence[DataType]
    v2_types: Sequence[DataType]
    create: Callable[[Path, ArrayV2 | ArrayV3], None]
    """Writes metadata."""
    write: Callable[[Path, AnyArray, Region, npt.NDArray[Any]], None]
    """Writes elements to a box of an array that is there."""
    read: Callable[[Path, np.dtype[Any]], npt.NDArray[Any]]
    """Reads a whole array."""

    def make(self, directory: Path, array: ArrayV2 | ArrayV3) -> npt.NDArray[Any]:
        """Create an array and write to it; read it back."""
        self.create(directory, array)
        for write in array.writes:
            self.write(directory, array, write.region, array.content(write))
        return self.read(directory, array.data_type.dtype)


def written(array: AnyArray) -> npt.NDArray[Any]:
    """What an array should hold by what was written to it, if its codecs lose nothing."""
    whole: npt.NDArray[Any] = np.full(array.shape, array.fill_value, array.data_type.dtype)
    for write in array.writes:
        whole[write.region] = array.content(write)
    return whole
