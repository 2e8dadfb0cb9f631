"""An array created with its elements from a file: a box of whole chunks or shards at a time.

The array's metadata come last, so that nobody ever sees it half filled: not after an error or an
interrupt, when all is deleted again, nor when the process is killed, which leaves chunks of no
array; who next creates something there deletes them.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from zarrfs.api.group import new_array
from zarrfs.api.opening import open_hierarchy
from zarrfs.api.process_engine import process_engine
from zarrfs.arrays.new_arrays import new_metadata
from zarrfs.errors import SourceError, ViewError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from zarrfs.api.array import Array
    from zarrfs.api.source_files import ElementSource
    from zarrfs.arrays.new_arrays import NewArray
    from zarrfs.arrays.regions import Box
    from zarrfs.format.axes import Axis
    from zarrfs.format.metadata import ArrayMetadata

    Progress = Callable[[int, int], None]
    """Called with how many bytes of elements are stored, and how many there are in all."""

BOX_BYTES = 32 * 2**20
"""Elements that are read at a time, unless one chunk or shard has more: enough to occupy all
threads, if chunks are of the usual size."""

MAX_ROW_BYTES = 2**30
"""Largest row of chunks along the first axis of an array that is filled from a stream, which gives
its elements in no other order."""


def create_from(
    url: str | os.PathLike[str],
    wanted: NewArray,
    source: ElementSource,
    *,
    overwrite: bool = False,
    storage_options: Mapping[str, str] | None = None,
    progress: Progress = lambda n_done, n_bytes: None,
) -> Array:
    """Create an array with its elements from a file; missing groups above it are created too.

    Parameters
    ----------
    url
        As of `zarrfs.create_array`.
    wanted
        What to create.
    source
        Its elements.
    overwrite
        Deletes what is there first, but not before the file has been found to fit.
    storage_options
        Options of the store.
    progress
        Called after each box.

    Raises
    ------
    SourceError
        If the file does not fit, lies in the array itself or cannot be read.
    ZarrfsError
        As `zarrfs.create_array`, and as writing to an array raises.
    """
    metadata = new_metadata(wanted)
    try:
        source.fit(metadata)
    except ViewError as error:
        raise SourceError(source.name, f"cannot fill the array: {error}") from error
    max_bytes = max(BOX_BYTES, _row_bytes(metadata)) if source.is_sequential else BOX_BYTES
    if max_bytes > MAX_ROW_BYTES:
        reason = f"is read a row of chunks at a time, and one has {max_bytes} bytes here, more than"
        advice = "put it into a file first, or choose shorter chunks along the first dimension"
        raise SourceError(source.name, f"{reason} {MAX_ROW_BYTES}; {advice}")
    hierarchy, path = open_hierarchy(url, storage_options, create=True)
    store = hierarchy.store
    if store.url.startswith("/") and source.is_below(str(Path(store.url) / path)):
        raise SourceError(source.name, "lies where the array is to be created")

    return new_array(
        hierarchy,
        path,
        metadata,
        process_engine(),
        overwrite=overwrite,
        write_empty_chunks=False,
        fill=lambda array: _fill(array, source, max_bytes, progress),
    )


def _row_bytes(metadata: ArrayMetadata) -> int:
    """Bytes of the largest row of chunks along the first axis."""
    if not (metadata.shape and metadata.size):
        return 0
    axis = metadata.chunk_grid.axes[0]
    n_rows = min(axis.stored_lengths[-1], axis.length)
    return metadata.size // axis.length * n_rows * metadata.dtype.itemsize


def _fill(array: Array, source: ElementSource, max_bytes: int, progress: Progress) -> None:
    itemsize, grid = array.dtype.itemsize, array.metadata.chunk_grid
    n_done, n_bytes = 0, array.nbytes
    for box in boxes(grid.axes, itemsize, max_bytes) if n_bytes else ():
        elements = source.read(box)
        try:
            array[tuple(slice(start, stop) for start, stop in box)] = elements
        except MemoryError as error:
            reason = f"chunks of shape {grid.largest_shape} take more memory than there is"
            raise SourceError(source.name, f"cannot be stored: {reason}") from error
        n_done += elements.size * itemsize
        progress(n_done, n_bytes)
    source.finish()


def boxes(axes: Sequence[Axis], itemsize: int, max_bytes: int) -> Iterator[Box]:
    """Split an array into boxes of whole chunks, in C order.

    Parameters
    ----------
    axes
        Of the chunk grid; none of them empty.
    itemsize
        Bytes of one element.
    max_bytes
        Bytes of a box; one that is a single chunk may have more.

    Yields
    ------
    Box
        Without overlap; together they are the array. As long as a row of chunks along the first
        axis is not larger than `max_bytes`, each is one or several such rows.
    """
    yield from _split(axes, (), itemsize, max_bytes)


def _split(axes: Sequence[Axis], head: Box, nbytes: int, max_bytes: int) -> Iterator[Box]:
    """Split along the first of the axes that are left; `nbytes` are those of one element there."""
    if not axes:
        yield head
        return
    axis, *others = axes
    nbytes_of_one = nbytes * math.prod(other.length for other in others)
    start = 0
    while start < axis.length:
        stop = min(axis.start(axis.find(start) + 1), axis.length)
        if (stop - start) * nbytes_of_one > max_bytes:
            rows = (start, stop)
            yield from _split(others, (*head, rows), nbytes * (stop - start), max_bytes)
        else:
            most = start + max_bytes // nbytes_of_one
            stop = axis.length if most >= axis.length else axis.start(axis.find(most))
            yield (*head, (start, stop), *((0, other.length) for other in others))
        start = stop
