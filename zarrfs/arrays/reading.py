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

from zarrfs.arrays.assembling import Assembler
from zarrfs.arrays.parallel import for_each
from zarrfs.errors import ChunkError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from zarrfs.arrays.chunk_io import ChunkReader
    from zarrfs.arrays.engine import Engine
    from zarrfs.arrays.indexing import Selection
    from zarrfs.arrays.parallel import Threads
    from zarrfs.arrays.regions import Piece

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

# Chunks of a run are one task, unless that leaves fewer than so many to each thread.
TASKS_PER_THREAD = 2

_Task = list["Piece"]


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
    assembler = Assembler(reader, result, has_steps=selection.has_steps)
    n_pieces = selection.n_pieces(reader.grid)
    n_chunks = _n_chunks(n_pieces, assembler.run_length, reader, engine.pool.n_threads)
    tasks = (_tasks_of_shards if reader.is_sharded else _tasks)(reader, selection, n_chunks)
    pool: Threads = engine.pool
    n_tasks = -(-n_pieces // n_chunks)
    if not reader.has_quick_store:
        pool = engine.fetching
        n_tasks = min(n_pieces, engine.fetching.n_requests(reader.spec.nbytes))
    elif reader.spec.nbytes < SMALL_BYTES:
        n_tasks = 1
    for_each(pool, tasks, partial(_read, name, assembler), n_items=n_tasks)
    return result.reshape(selection.shape)


def _empty(shape: tuple[int, ...], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Return an array whose memory begins with a cache line: see `LINE_BYTES`."""
    if dtype.hasobject:
        return np.empty(shape, dtype)
    memory = np.empty(math.prod(shape) * dtype.itemsize + LINE_BYTES, np.uint8)
    offset = -memory.ctypes.data % LINE_BYTES
    return np.ndarray(shape, dtype, buffer=memory.data, offset=offset)


def _n_chunks(n_pieces: int, run_length: int, reader: ChunkReader, n_threads: int) -> int:
    """Return how many chunks a task has: about `TASK_BYTES` of them, or a run."""
    if not (reader.has_quick_store or reader.is_sharded):
        return 1  # the store takes its time for each
    n_run = max(1, min(run_length, n_pieces // (TASKS_PER_THREAD * n_threads)))
    n_chunks = TASK_BYTES // max(1, reader.spec.nbytes)
    return max(n_run, n_chunks // n_run * n_run)


def _tasks(reader: ChunkReader, selection: Selection, n_chunks: int) -> Iterator[_Task]:
    """Yield tasks of so many chunks."""
    pieces = selection.pieces(reader.grid)
    while task := list(itertools.islice(pieces, n_chunks)):
        yield task


def _tasks_of_shards(reader: ChunkReader, selection: Selection, n_chunks: int) -> Iterator[_Task]:
    """Yield tasks of so many inner chunks of one shard."""
    shards: dict[str, list[Piece]] = {}
    for piece in selection.pieces(reader.grid):
        shards.setdefault(reader.object_key(piece.coords), []).append(piece)
    for pieces in shards.values():
        for first in range(0, len(pieces), n_chunks):
            yield pieces[first : first + n_chunks]


def _read(name: str, assembler: Assembler, task: _Task) -> None:
    for failed in assembler.assemble(task):
        raise ChunkError(name, failed.key, str(failed.error)) from failed.error
