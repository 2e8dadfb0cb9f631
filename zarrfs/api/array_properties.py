"""What an array is: its shape, type, chunks and whatever else its metadata say."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from zarrfs.arrays.chunk_io import ChunkReader
    from zarrfs.arrays.nodes import ArrayNode
    from zarrfs.format.extensions import Extension
    from zarrfs.format.metadata import ArrayMetadata, ZarrFormat


class ArrayProperties(ABC):
    """Those of `zarrfs.Array` that can only be read. No request is made for them."""

    __slots__ = ()

    @property
    @abstractmethod
    def _node(self) -> ArrayNode:
        """Path and metadata."""

    @property
    @abstractmethod
    def _reader(self) -> ChunkReader:
        """The chunks that are decoded one by one."""

    @property
    def metadata(self) -> ArrayMetadata:
        """All that its metadata documents say."""
        return self._node.metadata

    @property
    def path(self) -> str:
        """Path in its store, without a leading ``/``."""
        return self._node.path

    @property
    def shape(self) -> tuple[int, ...]:
        """Elements along each dimension."""
        return self.metadata.shape

    @property
    def ndim(self) -> int:
        """Dimensions."""
        return self.metadata.ndim

    @property
    def size(self) -> int:
        """Elements."""
        return self.metadata.size

    @property
    def dtype(self) -> np.dtype[Any]:
        """NumPy type of the elements; ``object`` where they have no fixed size."""
        return self.metadata.dtype

    @property
    def chunks(self) -> tuple[int | tuple[int, ...], ...]:
        """Elements of a chunk along each dimension; of an inner chunk if the array is sharded.

        Along a dimension whose chunks differ, a tuple of those of every chunk, which add up to
        the dimension's length.
        """
        return self._reader.grid.chunks

    @property
    def shards(self) -> tuple[int | tuple[int, ...], ...] | None:
        """Elements of a shard along each dimension, as of `chunks`; ``None`` without shards."""
        if not self._reader.is_sharded:
            return None
        return self.metadata.chunk_grid.chunks

    @property
    def codecs(self) -> tuple[Extension, ...]:
        """Codecs in order of encoding; v2 filters and compressor are ``numcodecs.*``."""
        return self.metadata.codecs

    @property
    def fill_value(self) -> object:
        """Element that was never written."""
        return self.metadata.fill_value

    @property
    def dimension_names(self) -> tuple[str | None, ...] | None:
        """Names of the dimensions, if they have any."""
        return self.metadata.dimension_names

    @property
    def zarr_format(self) -> ZarrFormat:
        """2 or 3."""
        return self.metadata.zarr_format

    @property
    def nbytes(self) -> int:
        """Bytes of all elements in memory."""
        return self.size * self.dtype.itemsize
