"""What a node is, as frozen values shaped like Zarr v3; v2 documents are translated at the door."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from zarrfs.format.documents import Json
from zarrfs.format.extensions import Extension

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from zarrfs.format.chunk_grids import ChunkGrid
    from zarrfs.format.dtypes import DataType
    from zarrfs.format.key_encodings import ChunkKeyEncoding

__all__ = ["ArrayMetadata", "Extension", "GroupMetadata", "Json", "ZarrFormat"]

ZarrFormat = Literal[2, 3]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayMetadata:
    """An array: how its elements are typed, cut into chunks, encoded and keyed."""

    zarr_format: ZarrFormat
    data_type: DataType
    chunk_grid: ChunkGrid
    """Shape in elements and how chunks tile it."""

    chunk_key_encoding: ChunkKeyEncoding
    fill_value: object
    """Element that was never written: a NumPy scalar of `dtype` (``np.void`` if structured), or
    the Python value where that is ``object``. v2's ``null`` is the type's zero."""

    codecs: tuple[Extension, ...]
    """In order of encoding. v2 filters and compressor are ``numcodecs.*``, its order and byte
    order are ``transpose`` and ``bytes``."""

    attributes: Mapping[str, Json]
    dimension_names: tuple[str | None, ...] | None = None

    extra: Mapping[str, Json] = field(default_factory=dict)
    """Members that zarrfs does not know and may ignore: kept where a document is written anew."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Elements along each dimension."""
        return self.chunk_grid.shape

    @property
    def ndim(self) -> int:
        """Dimensions."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Elements."""
        return math.prod(self.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """NumPy type of an element in memory; ``object`` where it has no fixed size."""
        return self.data_type.dtype


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupMetadata:
    """A group: attributes, nothing else."""

    zarr_format: ZarrFormat
    attributes: Mapping[str, Json]

    extra: Mapping[str, Json] = field(default_factory=dict)
    """As in `ArrayMetadata`."""
