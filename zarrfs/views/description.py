"""What a file format may know of an array when it makes its header: metadata, never data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from zarrfs.format.documents import Json
    from zarrfs.format.metadata import ArrayMetadata


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayDescription:
    """An array as its flat file has it."""

    metadata: ArrayMetadata
    dtype: np.dtype[Any]
    """Of the elements in the flat file, its byte order explicit."""

    chunk_shape: tuple[int | list[Json], ...]
    """Elements that are decoded at a time, inner chunks of a sharded array; along an axis whose
    chunks differ all lengths, and ``[length, count]`` for several equal ones."""

    shard_shape: tuple[int | list[Json], ...] | None
    """Elements of a stored object, if that holds several chunks; in the same form."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Elements along each dimension."""
        return self.metadata.shape

    @property
    def nbytes(self) -> int:
        """Bytes of the flat file."""
        return math.prod(self.shape) * self.dtype.itemsize
