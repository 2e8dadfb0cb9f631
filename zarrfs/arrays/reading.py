"""A selection of an array -> its elements: each chunk is copied to its place as it is decoded.

Nothing decoded is kept. Small selections are read on the calling thread alone, where the store
answers at once: to hand a chunk of some kilobytes to another thread takes longer than to decode it.
"""

from __future__ import annotations

import itertools
import math
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from zarrfs.arrays.parallel import for_each
from zarrfs.arrays.placing import has_places, place_of, put, region_of
from zarrfs.arrays.scratch import scratch_buffers
from zarrfs.errors import ChunkError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from zarrfs.arrays.chunk_io import ChunkReader
    from zarrfs.arrays.engine import Engine
    from zarrfs.arrays.indexing import SelectedPart, Selection
    from zarrfs.arrays.parallel import Threads

# A thread takes chunks of about so many decoded bytes at a time. Of 400 x 400 int32 in 16 chunks,
# all read by the calling thread, the median was 0.44 instead of 0.61 ms (2 cores).
TASK_BYTES = 2**20

# Smaller chunks are read on the calling thread alone, however many: threads then wait for the
# interpreter's lock most of the time. 256 MiB in lz4 chunks of 16 KiB took one thread 0.6 s and two
# 1.7 s, in chunks of 32 KiB 0.25 and 0.4; with zstd and gzip of 16 KiB one was as fast as two.
SMALL_BYTES = 32 * 2**10

# A cache line. Memory from the heap begins 16 bytes behind one, and then rows of chunks, whose
# length is mostly a multiple of it, took 1.2 times as long to copy into their places.
LINE_BYTES = 64

_Task = list[tuple[str, list["SelectedPart"]]]
"""Objects, and the parts of the selection that lie in each."""


def read_selection(
    name: str, reader: ChunkReader, selection: Selection, engine: Engine
) -> npt.NDArray[Any]:
    """Read selected elements; waits for them.

    Parameters
    ----------
    name
        Path of the array, for messages.
    reader, selection, engine
        What to read, and whose threads help.

    Returns
    -------
    ndarray
        Of the selection's `shape`.

    Raises
    ------
    ChunkError
        If a chunk cannot be had: the first that failed.
    """
    result = _empty(selection.full_shape, reader.spec.dtype)
    n_parts = selection.n_parts(reader.grid)
    n_chunks = max(1, TASK_BYTES // max(1, reader.spec.nbytes))
    tasks = (_tasks_of_shards if reader.is_sharded else _tasks)(reader, selection, n_chunks)
    pool: Threads = engine.pool
    n_tasks = -(-n_parts // n_chunks)
    if not reader.has_quick_store:
        pool = engine.fetching
        n_tasks = min(n_parts, engine.fetching.n_requests(reader.spec.nbytes))
    elif reader.spec.nbytes < SMALL_BYTES:
        n_tasks = 1
    in_place = not selection.has_steps and has_places(result.shape, reader.spec)
    read = partial(_read, name, reader, result, in_place=in_place)
    for_each(pool, tasks, read, n_items=n_tasks)
    return result.reshape(selection.shape)


def _empty(shape: tuple[int, ...], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Return an array whose memory begins with a cache line: see `LINE_BYTES`."""
    if dtype.hasobject:
        return np.empty(shape, dtype)
    memory = np.empty(math.prod(shape) * dtype.itemsize + LINE_BYTES, np.uint8)
    offset = -memory.ctypes.data % LINE_BYTES
    return np.ndarray(shape, dtype, buffer=memory.data, offset=offset)


def _tasks(reader: ChunkReader, selection: Selection, n_chunks: int) -> Iterator[_Task]:
    """Yield tasks of so many chunks, or of one where the store takes its time for each."""
    parts = ((reader.object_key(part.coords), [part]) for part in selection.parts(reader.grid))
    while task := list(itertools.islice(parts, n_chunks if reader.has_quick_store else 1)):
        yield task


def _tasks_of_shards(reader: ChunkReader, selection: Selection, n_chunks: int) -> Iterator[_Task]:
    """Yield tasks of so many inner chunks of one shard."""
    shards: dict[str, list[SelectedPart]] = {}
    for part in selection.parts(reader.grid):
        shards.setdefault(reader.object_key(part.coords), []).append(part)
    for key, parts in shards.items():
        for first in range(0, len(parts), n_chunks):
            yield [(key, parts[first : first + n_chunks])]


def _read(
    name: str, reader: ChunkReader, result: npt.NDArray[Any], task: _Task, *, in_place: bool
) -> None:
    """Read the parts of a task; `in_place` if chunks may be decoded to where they belong."""
    # Threads that ask slow stores are many, and would each hold on to theirs.
    scratch = scratch_buffers(reader.spec.nbytes) if reader.has_quick_store else None
    for key, parts in task:
        places = {
            part.coords: place_of(region_of(result, part.in_result), reader.spec)
            for part in parts
            if in_place
        }
        loading = reader.load(key, [part.coords for part in parts], scratch, places.get)
        for part, (coords, chunk) in zip(parts, loading, strict=True):
            if isinstance(chunk, Exception):
                raise ChunkError(name, key, str(chunk)) from chunk
            region = region_of(result, part.in_result)
            put(region, places.get(coords), chunk, part.in_chunk, reader.spec)
