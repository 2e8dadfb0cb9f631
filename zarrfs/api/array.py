"""An array: selections of it as NumPy arrays, spans of its flat file, changes of its shape."""

from __future__ import annotations

import functools
import operator
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, SupportsIndex

import numpy as np

from zarrfs.api.array_properties import ArrayProperties
from zarrfs.api.attributes import Attributes
from zarrfs.api.presence import Presence, present_array
from zarrfs.api.process_engine import process_engine
from zarrfs.arrays.assignment import Edit, as_array, new_elements
from zarrfs.arrays.hierarchy import stored_sizes
from zarrfs.arrays.indexing import parse_selection
from zarrfs.arrays.new_arrays import parse_new_shape
from zarrfs.arrays.node_writing import write_shape
from zarrfs.arrays.nodes import ArrayNode, BrokenNode
from zarrfs.arrays.reading import read_selection
from zarrfs.errors import (
    AssignmentError,
    NodeTypeError,
    ReadOnlyError,
    printable,
)
from zarrfs.flat.element_order import flat_dtype
from zarrfs.flat.readahead import ReadAhead
from zarrfs.flat.reader import FlatArray
from zarrfs.flat.slabs import SlabTable
from zarrfs.format.chunk_grids import resized

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import numpy.typing as npt

    from zarrfs.arrays.chunk_io import ChunkReader
    from zarrfs.arrays.chunk_source import ChunkSource
    from zarrfs.arrays.chunk_writer import ChunkWriter
    from zarrfs.arrays.engine import Engine
    from zarrfs.arrays.hierarchy import Hierarchy


@dataclass(frozen=True, slots=True)
class _Opened:
    """An array of one shape."""

    node: ArrayNode
    writer: ChunkWriter
    source: Callable[[], ChunkSource]
    """Returns the source of its chunks, made by the first call; each of several at once may make
    one, and all are told of changes."""


class Array(ArrayProperties):
    """A Zarr array, read and written as NumPy arrays. Made by `zarrfs.open_array`.

    ``z[...]`` takes what NumPy's basic indexing takes: integers, slices with steps, one ellipsis,
    negative numbers. Chunks are read and written in parallel, each once.

    Data are always those in the store: what another `Array` of this process has written is seen
    at once, what other processes have by the next selection. Shape and attributes are those of
    the time when the array was opened, or last changed through this object. That the array was
    deleted meanwhile, or replaced by one of other chunks, is an error where the store can tell
    without a request.

    Reading and writing selections may be done by many threads, `resize` and `append` by one at a
    time, in one process, while no other one writes. An array can be pickled: another process opens
    it anew. One that is forked has threads of its own; fork while nobody reads or writes.
    """

    # Without a dictionary: `z.attrs = …` would be kept here, and lost.
    __slots__ = (
        "__weakref__",
        "_attributes",
        "_engine",
        "_flat",
        "_hierarchy",
        "_is_read_only",
        "_opened",
        "_presence",
        "_resizing",
        "_write_empty_chunks",
    )

    def __init__(
        self,
        hierarchy: Hierarchy,
        node: ArrayNode,
        engine: Engine,
        *,
        read_only: bool = False,
        write_empty_chunks: bool = False,
        is_new: bool = False,
        is_being_created: bool = False,
    ) -> None:
        self._hierarchy = hierarchy
        self._engine = engine
        self._is_read_only = read_only
        self._write_empty_chunks = write_empty_chunks
        self._resizing = threading.Lock()
        self._attributes = Attributes(
            hierarchy, node.path, node.metadata.attributes, self._require_writable
        )
        self._opened = self._open(node, is_checked=is_new)
        self._presence = None if is_being_created else Presence(hierarchy.store, node)
        self._flat: tuple[ChunkSource, int, FlatArray] | None = None

    def _open(self, node: ArrayNode, *, is_checked: bool = False) -> _Opened:
        source = functools.cache(
            functools.partial(self._engine.source, self._hierarchy.store, node)
        )
        if not is_checked:
            source()  # tells of codecs that cannot be had
        return _Opened(node, self._writer_of(node), source)

    def _writer_of(self, node: ArrayNode) -> ChunkWriter:
        return self._engine.writer(
            self._hierarchy.store, node, write_empty_chunks=self._write_empty_chunks
        )

    @property
    def _node(self) -> ArrayNode:
        return self._opened.node

    @property
    def _reader(self) -> ChunkReader:
        return self._opened.source().reader

    @property
    def attributes(self) -> Attributes:
        """User attributes; what is changed in them, or assigned to them, is stored at once."""
        return self._attributes

    @attributes.setter
    def attributes(self, attributes: Mapping[str, Any]) -> None:
        self._attributes.replace(attributes)

    @property
    def nbytes_stored(self) -> int:
        """Bytes of all chunks as they are stored; asks the store for each of them."""
        return sum(stored_sizes(self._hierarchy.store, self._opened.node))

    def __getitem__(self, index: object) -> Any:
        """Read a selection.

        Raises
        ------
        SelectionError
            If the selection does not fit the array.
        ChunkError
            If one of its chunks cannot be had.
        NodeNotFoundError, NodeTypeError
            If the array is no more, or is another one.
        """
        reader = self._current().source().reader  # that of one shape, if another thread resizes
        selection = parse_selection(index, reader.grid.shape)
        return read_selection(self.path, reader, selection, self._engine)[()]

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
            If the store cannot be written, or the array was opened for reading.
        CodecError, StoreError
            If an object cannot be read, encoded or stored: the first that happened. Others may
            have been written.
        NodeNotFoundError, NodeTypeError
            If the array is no more, or is another one.
        """
        self._require_writable()
        opened = self._current()
        self._write(opened.writer, index, value, opened.node.metadata.shape)

    def __len__(self) -> int:
        """Elements along the first dimension."""
        if not self.shape:
            raise TypeError("len() of a 0-d array")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        """Iterate over the first dimension; a row of chunks is read at a time."""
        if not self.shape:
            raise TypeError("iteration over a 0-d array")
        axis = self._reader.grid.axes[0]
        for chunk in range(axis.n_chunks):
            yield from self[axis.start(chunk) : axis.start(chunk + 1)]

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

    def resize(self, shape: int | Sequence[int]) -> None:
        """Give the array another shape; elements stay where they are.

        What a smaller shape cuts off is taken out of the chunks, and growing again shows the fill
        value there. The array's objects are listed for that. It is done before the shape is
        written: whoever is killed in between leaves an array of the old shape, with fill value
        in some of what was to be cut off, and nothing that could show again later.

        Parameters
        ----------
        shape
            Elements along each dimension; as many dimensions as before.

        Raises
        ------
        MetadataError
            If the shape is none for this array.
        ReadOnlyError
            If the store cannot be written, or the array was opened for reading.
        CodecError, StoreError
            If an object cannot be cut, or the store fails.
        """
        self._require_writable()
        lengths = parse_new_shape(shape, ndim=self.ndim)
        with self._resizing:
            node = present_array(self._hierarchy.store, self.path)
            if any(new < old for new, old in zip(lengths, node.metadata.shape, strict=True)):
                self._writer_of(node).clear_outside(lengths, self._engine.pool)
            grid = resized(node.metadata.chunk_grid, lengths)
            self._opened = self._open(write_shape(self._hierarchy, self.path, grid))

    def append(self, values: npt.ArrayLike, axis: int = 0) -> tuple[int, ...]:
        """Put elements behind the last ones along a dimension.

        They are stored before the shape is written: whoever is killed in between leaves the array
        as it was.

        Parameters
        ----------
        values
            As long as the array along all other dimensions.
        axis
            The dimension; negative counts from the last one.

        Returns
        -------
        tuple of int
            The new shape.

        Raises
        ------
        AssignmentError
            If the values have another shape, or elements of another kind.
        ReadOnlyError
            If the store cannot be written, or the array was opened for reading.
        CodecError, StoreError
            If an object cannot be changed, or the store fails.
        """
        self._require_writable()
        values = as_array(values, self.dtype)
        axis = _parse_axis(axis, self.ndim)
        with self._resizing:
            node = present_array(self._hierarchy.store, self.path)
            old = node.metadata.shape
            if values.shape[:axis] + values.shape[axis + 1 :] != old[:axis] + old[axis + 1 :] or (
                values.ndim != self.ndim
            ):
                raise AssignmentError(
                    f"cannot append values of shape {values.shape} to shape {old} along axis {axis}"
                )
            shape = (*old[:axis], old[axis] + values.shape[axis], *old[axis + 1 :])
            grid = resized(node.metadata.chunk_grid, shape)
            longer = replace(node, metadata=replace(node.metadata, chunk_grid=grid))
            behind = (*(slice(None) for _ in old[:axis]), slice(old[axis], None))
            self._write(self._writer_of(longer), behind, values, shape)
            self._opened = self._open(write_shape(self._hierarchy, self.path, grid))
        return shape

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle where the array is; who unpickles it opens it there."""
        place = self._hierarchy, self.path
        return _opened_again, (*place, self._is_read_only, self._write_empty_chunks)

    def _write(
        self, writer: ChunkWriter, index: object, value: object, shape: tuple[int, ...]
    ) -> None:
        selection = parse_selection(index, shape)
        elements = new_elements(value, self.dtype, selection)
        writer.write(Edit(selection, elements, shape), self._engine.pool)

    def _current(self) -> _Opened:
        """Return what is open, if the store still has it."""
        opened = self._opened
        if self._presence is not None:
            self._presence.check(opened.node)
        return opened

    def _require_writable(self) -> None:
        if self._is_read_only:
            reason = "it was opened with mode='r'"
            raise ReadOnlyError("set", self.path, reason, store=self._hierarchy.store.url)
        self._opened.writer.require_writable()

    def _flat_array(self) -> FlatArray:
        """Return the flat file; a new one, without slabs, when data has changed."""
        opened, flat = self._current(), self._flat
        source = opened.source()
        revision = source.revision
        if flat is None or flat[:2] != (source, revision):
            dtype = flat_dtype(opened.node.metadata, "little")
            table = SlabTable(self._engine)
            array = FlatArray(source, dtype, table, memory=self._engine.budget.limit)
            flat = self._flat = source, revision, array
        return flat[2]

    def __repr__(self) -> str:
        """Say what it is in a line."""
        return f"<zarrfs.Array /{printable(self.path)} {self.dtype} {self.shape}>"


def _opened_again(
    hierarchy: Hierarchy, path: str, read_only: bool, write_empty_chunks: bool
) -> Array:
    node = hierarchy.node(path)
    if isinstance(node, BrokenNode):
        raise node.error
    if not isinstance(node, ArrayNode):
        raise NodeTypeError(f"{path or '/'!r} is a group now, not an array any more")
    return Array(
        hierarchy,
        node,
        process_engine(),
        read_only=read_only,
        write_empty_chunks=write_empty_chunks,
    )


def _parse_axis(axis: object, ndim: int) -> int:
    if not isinstance(axis, SupportsIndex) or not -ndim <= operator.index(axis) < ndim:
        raise AssignmentError(f"there is no axis {axis!r} in an array of {ndim} dimensions")
    return operator.index(axis) % ndim
