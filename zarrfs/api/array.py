"""An array: what it is, selections of it as NumPy arrays, spans of its flat file."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from zarrfs.arrays.assignment import Edit, new_elements
from zarrfs.arrays.hierarchy import stored_sizes
from zarrfs.arrays.indexing import parse_selection
from zarrfs.flat.element_order import flat_dtype
from zarrfs.flat.readahead import ReadAhead
from zarrfs.flat.reader import FlatArray
from zarrfs.flat.slabs import SlabTable

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from zarrfs.arrays.chunk_source import ChunkSource
    from zarrfs.arrays.engine import Engine
    from zarrfs.arrays.hierarchy import ArrayNode
    from zarrfs.arrays.indexing import SelectedPart
    from zarrfs.arrays.regions import Coords
    from zarrfs.errors import ChunkError
    from zarrfs.format.documents import Json
    from zarrfs.format.extensions import Extension
    from zarrfs.format.metadata import ArrayMetadata, ZarrFormat
    from zarrfs.stores.base import Store


class Array:
    """A Zarr array, read as NumPy arrays. Made by `zarrfs.open_array`.

    ``z[...]`` takes what NumPy's basic indexing takes: integers, slices with steps, one ellipsis,
    negative numbers. Chunks are read and decoded in parallel, each once.
    """

    def __init__(self, store: Store, node: ArrayNode, engine: Engine) -> None:
        self._store = store
        self._node = node
        self._engine = engine
        self._source: ChunkSource = engine.source(store, node)
        self._writer = engine.writer(store, node, write_empty_chunks=False)
        self._flat: tuple[int, FlatArray] | None = None

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
        return self._source.reader.grid.chunks

    @property
    def shards(self) -> tuple[int | tuple[int, ...], ...] | None:
        """Elements of a shard along each dimension, as of `chunks`; ``None`` without shards."""
        if not self._source.reader.is_sharded:
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
    def attributes(self) -> Mapping[str, Json]:
        """User attributes."""
        return self.metadata.attributes

    @property
    def zarr_format(self) -> ZarrFormat:
        """2 or 3."""
        return self.metadata.zarr_format

    @property
    def nbytes(self) -> int:
        """Bytes of all elements in memory."""
        return self.size * self.dtype.itemsize

    @property
    def nbytes_stored(self) -> int:
        """Bytes of all chunks as they are stored; asks the store for each of them."""
        return sum(stored_sizes(self._store, self._node))

    def __getitem__(self, index: object) -> Any:
        """Read a selection.

        Raises
        ------
        SelectionError
            If the selection does not fit the array.
        ChunkError
            If one of its chunks cannot be had.
        """
        selection = parse_selection(index, self.shape)
        result: npt.NDArray[Any] = np.empty(selection.full_shape, self.dtype)
        parts = {part.coords: part for part in selection.parts(self._source.reader.grid)}
        _Reading(self._source, result, parts).wait()
        return result.reshape(selection.shape)[()]

    def __setitem__(self, index: Any, value: object) -> None:
        """Write a selection, as NumPy does: the value is broadcast, its elements are cast.

        Chunks and shards that change in part are read, changed and stored again; each is
        replaced whole or not at all. Several threads may write neighbouring parts of one.

        Raises
        ------
        SelectionError
            If the selection does not fit the array.
        AssignmentError
            If the value does not fit the selection, or the data type.
        ReadOnlyError
            If the store cannot be written.
        CodecError, StoreError
            If an object cannot be read, encoded or stored: the first that happened. Others may
            have been written.
        """
        selection = parse_selection(index, self.shape)
        edit = Edit(selection, new_elements(value, self.dtype, selection), self.shape)
        self._writer.write(edit, self._engine.pool)

    def __len__(self) -> int:
        """Elements along the first dimension."""
        if not self.shape:
            raise TypeError("len() of a 0-d array")
        return self.shape[0]

    def __array__(
        self, dtype: npt.DTypeLike | None = None, copy: bool | None = None
    ) -> npt.NDArray[Any]:
        """Read the whole array, for ``np.asarray(z)``."""
        if copy is False:
            raise ValueError("an array that is stored in chunks cannot be had without a copy")
        return np.asarray(self[...], dtype=dtype)

    def read_bytes(self, offset: int = 0, size: int = -1) -> bytes:
        """Read a span of the flat file: the elements in C order, little-endian.

        Parameters
        ----------
        offset
            First byte.
        size
            Bytes; fewer are returned at the end of the file. Negative is all up to the end.

        Raises
        ------
        OffsetError
            If `offset` is negative.
        ViewError
            If elements have no fixed size.
        ChunkError
            If a chunk that holds any of the bytes cannot be had.
        """
        flat = self._flat_array()
        if size < 0:
            size = max(0, flat.size - offset)
        reply = flat.read(offset, size, ReadAhead())
        return bytes(reply if isinstance(reply, memoryview) else reply.result())

    def _flat_array(self) -> FlatArray:
        """Return the flat file; a new one, without slabs, when data has changed."""
        revision = self._source.revision
        if self._flat is None or self._flat[0] != revision:
            dtype = flat_dtype(self.metadata, "little")
            table = SlabTable(self._engine.budget, self._engine.pool)
            flat = FlatArray(self._source, dtype, table, memory=self._engine.budget.limit)
            self._flat = revision, flat
        return self._flat[1]

    def __repr__(self) -> str:
        """Say what it is in a line."""
        return f"<zarrfs.Array /{self.path} {self.dtype} {self.shape}>"


class _Reading:
    """A selection on its way: each chunk is copied to its place as it is decoded."""

    def __init__(
        self, source: ChunkSource, result: npt.NDArray[Any], parts: dict[Coords, SelectedPart]
    ) -> None:
        self._fill_value = source.reader.spec.fill_value
        self._result = result
        self._parts = parts
        self._n_missing = len(parts)
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._error: ChunkError | None = None
        if parts:
            source.request(list(parts), self._receive, keep=False, urgent=False)
        else:
            self._done.set()

    def wait(self) -> None:
        """Return when all is there; raise the first error, once no thread writes any more."""
        self._done.wait()
        if self._error is not None:
            raise self._error

    def _receive(
        self, coords: Coords, chunk: npt.NDArray[Any] | None, error: ChunkError | None
    ) -> None:
        part = self._parts[coords]
        if error is not None:
            self._error = error
        elif chunk is None:
            self._result[part.in_result] = self._fill_value
        else:
            self._result[part.in_result] = chunk[part.in_chunk]
        with self._lock:
            self._n_missing -= 1
            if self._n_missing:
                return
        self._done.set()
