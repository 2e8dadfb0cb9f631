"""Decoded chunks that more slabs need than memory can wait for, in a file of the cache directory.

A row of chunks that is larger than the memory is read slab by slab, each of which needs a part of
every chunk. So a chunk is written to the file once, and only the parts that are asked for are read
back. When each part was, its place in the file is free again: the file is about as large as a row.

Read with `preadv`, not mapped: a disk that fails is then an error, where a mapping would end the
process; and 16 KiB of a chunk of 512 KiB came back in 6 us, mapped in 20 us.
"""

from __future__ import annotations

import errno
import logging
import math
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zarrfs.arrays.scratch import scratch_buffers
from zarrfs.arrays.spill_file import SpillFile
from zarrfs.codecs.base import array_bytes

if TYPE_CHECKING:
    from zarrfs.arrays.regions import Coords
    from zarrfs.codecs.base import Array

_log = logging.getLogger(__name__)

# Extents begin and end where pages do: else to write one would have to read its neighbours.
PAGE = 4096

# Chunks in the file at a time; what is remembered of each takes some 400 bytes.
MAX_CHUNKS = 2**16

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(slots=True, eq=False)
class SpilledChunk:
    """One chunk in the file."""

    file: SpillFile
    offset: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    row: object
    """Tells the chunks that are needed again together."""
    n_unread: int = field(default=0, init=False)
    """Elements that nobody has read yet."""

    @property
    def nbytes(self) -> int:
        """Bytes of the chunk."""
        return math.prod(self.shape) * self.dtype.itemsize


class SpilledChunks:
    """Chunks of all arrays of a mount, the oldest first to go.

    Parameters
    ----------
    directory
        Where the file is made when it is first needed, with the directory itself. It never has a
        name there, so that nothing is left of it however the process ends.
    limit
        Bytes of the file, at most; 0 for none.
    """

    def __init__(self, directory: str | None, limit: int) -> None:
        self._directory = directory
        self._limit = limit
        self.is_on = directory is not None and limit > 0
        """Whether chunks can be kept here."""
        self._chunks: dict[tuple[object, Coords], SpilledChunk] = {}
        self._file: SpillFile | None = None
        self._told: set[str] = set()
        self._lock = threading.Lock()
        self._opening = threading.Lock()

    @property
    def n_chunks(self) -> int:
        """Chunks in the file, of all arrays."""
        return len(self._chunks)

    def write(self, chunk: Array, row: object) -> SpilledChunk | None:
        """Write a chunk to the file; nobody finds it there before it is given to `keep`.

        Chunks of other rows make room for it. ``None`` if there is none all the same, or the file
        cannot be written, which is said in the log once.
        """
        file = self._open()
        if file is None:
            return None
        with self._lock:
            offset = self._room(file, _pages(chunk.nbytes), row)
        if offset is None:
            return None
        spilled = SpilledChunk(file, offset, chunk.shape, chunk.dtype, row)
        try:
            file.write(memoryview(array_bytes(chunk)), offset)
        except OSError as error:
            if error.errno in _NO_ROOM:
                self._tell("there is no room for more decoded chunks", error)
                with self._lock:
                    file.free.cut(offset)
            else:
                self._tell("no more decoded chunks are kept", error)
                self.is_on = False
                self.clear()
            return None
        return spilled

    def keep(self, owner: object, coords: Coords, spilled: SpilledChunk, n_unread: int) -> None:
        """Let a chunk be found until so many of its elements were read."""
        with self._lock:
            if (owner, coords) in self._chunks:
                self._drop((owner, coords))
            if spilled.file is self._file and n_unread > 0:
                spilled.n_unread = n_unread
                self._chunks[owner, coords] = spilled
            else:
                self._free(spilled)

    def discard(self, spilled: SpilledChunk) -> None:
        """Give up a chunk that was written and not kept."""
        with self._lock:
            self._free(spilled)

    def has(self, owner: object, coords: Coords) -> bool:
        """Whether a chunk is in the file; asks no storage."""
        with self._lock:
            return (owner, coords) in self._chunks

    def read(self, owner: object, coords: Coords, part: tuple[slice, ...]) -> Array | None:
        """Read a part of a chunk; ``None`` if it is not there, or cannot be read.

        Returns
        -------
        Array
            The chunk, in which only the part means anything. It lies in a buffer of this thread,
            which the next chunk is read or decoded into.
        """
        with self._lock:
            spilled = self._chunks.get((owner, coords))
        if spilled is None:
            return None
        try:
            chunk = _read(spilled, part)
        except OSError as error:
            self._tell("a decoded chunk cannot be read back, and is decoded again", error)
            self.drop_chunk(owner, coords)
            return None
        with self._lock:
            # Else its place may have been another chunk's meanwhile.
            if self._chunks.get((owner, coords)) is not spilled:
                return None
            spilled.n_unread -= math.prod(one.stop - one.start for one in part)
            if spilled.n_unread <= 0:
                self._drop((owner, coords))
        return chunk

    def drop(self, owner: object) -> None:
        """Forget all chunks of an array."""
        with self._lock:
            for key in [key for key in self._chunks if key[0] is owner]:
                self._drop(key)
            file, self._file = self._file, self._file if self._chunks else None
        del file  # the system takes its time to free a large one: not under the lock

    def drop_chunk(self, owner: object, coords: Coords) -> None:
        """Forget one chunk, if it is kept."""
        with self._lock:
            if (owner, coords) in self._chunks:
                self._drop((owner, coords))

    def clear(self) -> None:
        """Forget everything, to give disk space back."""
        with self._lock:
            chunks, self._chunks = self._chunks, {}
            file, self._file = self._file, None
        del chunks, file  # closed when those that write to it or read it are done

    def _open(self) -> SpillFile | None:
        with self._opening:
            file = self._file
            if file is not None or not self.is_on or self._directory is None:
                return file
            try:
                file = SpillFile(Path(self._directory), self._limit)
            except OSError as error:
                self._tell("decoded chunks cannot be kept", error)
                self.is_on = False
                return None
            with self._lock:
                self._file = file
            return file

    def _room(self, file: SpillFile, size: int, row: object) -> int | None:
        while True:
            offset = file.free.take(size) if len(self._chunks) < MAX_CHUNKS else None
            if offset is not None:
                return offset
            oldest = next(iter(self._chunks), None)
            # A row that is too large by itself would lose each chunk before it is needed again.
            if oldest is None or self._chunks[oldest].row == row:
                return None
            self._drop(oldest)

    def _drop(self, key: tuple[object, Coords]) -> None:
        self._free(self._chunks.pop(key))

    def _free(self, spilled: SpilledChunk) -> None:
        spilled.file.free.give(spilled.offset, _pages(spilled.nbytes))

    def _tell(self, what: str, error: OSError) -> None:
        with self._lock:
            is_new = what not in self._told
            self._told.add(what)
        if is_new:
            _log.info("%s in %s: %s", what, self._directory, error.strerror or error)


def _read(spilled: SpilledChunk, part: tuple[slice, ...]) -> Array:
    """Read the elements from the first to the last of a part to their places in a whole chunk."""
    first, last, stride = 0, 0, spilled.dtype.itemsize
    for length, one in zip(reversed(spilled.shape), reversed(part), strict=True):
        first += one.start * stride
        last += (one.stop - 1) * stride
        stride *= length
    scratch = scratch_buffers(spilled.nbytes)
    if scratch is None:
        data = np.empty(spilled.nbytes, np.uint8)
    else:
        data = np.frombuffer(scratch.decoded, np.uint8, spilled.nbytes)
    stop = last + spilled.dtype.itemsize
    spilled.file.read(data.data[first:stop], spilled.offset + first)
    chunk = data.view(spilled.dtype).reshape(spilled.shape)
    chunk.flags.writeable = False
    return chunk


def _pages(size: int) -> int:
    return -(-size // PAGE) * PAGE
