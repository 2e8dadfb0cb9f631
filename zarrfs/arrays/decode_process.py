"""Chunks of a box -> their elements in memory that processes share: what a decode process does.

`zarrfs.arrays.decode_processes` starts it and sends one `Part` after another over a socket. It ends
when the other end of that is closed.
"""

from __future__ import annotations

import mmap
import os
import pickle
import signal
import sys
from collections import OrderedDict
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.reduction import recv_handle
from typing import TYPE_CHECKING, Any

import numpy as np

from zarrfs.arrays.assembling import Assembler
from zarrfs.arrays.heap import give_large_buffers_back
from zarrfs.arrays.regions import box_shape, pieces

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from zarrfs.arrays.chunk_io import ChunkReader
    from zarrfs.arrays.regions import Box, Coords
    from zarrfs.codecs.base import Array

# Arrays whose readers a process keeps, with the indexes of their shards.
MAX_READERS = 16

# Buffers that a process keeps mapped: a reader in order has three. When the mount is done with one,
# its memory is free, mapped or not.
MAX_MAPPINGS = 8

READY = "ready"
"""The first message of a process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Some of the chunks that hold a box of an array, and where their elements go."""

    reader: bytes
    """The array's `ChunkReader`, pickled."""

    revision: int
    """Another one means that what the reader remembers is not true any more."""

    dtype: np.dtype[Any]
    """Of the elements in memory."""

    box: Box
    """Elements that the memory holds, in C order."""

    first: int
    """First chunk of the box to decode, counted in C order."""

    stop: int
    """The chunk after the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What came of a part."""

    failed: tuple[Coords, ...]
    """Chunks that could not be had, and whose elements mean nothing."""

    counted: Mapping[str, int]
    """What to add to the counters."""

    versions: Mapping[str, str]
    """Versions of the objects read, by key."""


def decode_part(part: Part, reader: ChunkReader, elements: Array) -> Done:
    """Decode chunks to their places in an array that has the box's shape."""
    wanted = list(pieces(reader.grid, part.box, part.first, part.stop))
    # Nobody else works while this process waits for a disk.
    reader.expect([piece.coords for piece in wanted])
    failed = [failed.coords for failed in Assembler(reader, elements).assemble(wanted)]
    return Done(
        failed=tuple(failed),
        counted=reader.counters.take(),
        versions=reader.versions.take(),
    )


def serve(connection: Connection) -> None:
    """Decode parts until nobody asks any more.

    A request is a `Part`, the size of the memory in bytes, and its descriptor. The answer is a
    `Done`, or the text of an error.
    """
    readers: OrderedDict[tuple[bytes, int], ChunkReader] = OrderedDict()
    mappings: OrderedDict[int, mmap.mmap] = OrderedDict()
    connection.send(READY)
    while True:
        try:
            part, size = connection.recv()
        except (EOFError, ConnectionResetError):
            return
        descriptor = recv_handle(connection)
        answer: Done | str
        try:
            reader = _reader(readers, part)
            memory = _mapped(mappings, descriptor, size)
            elements = memory.view(part.dtype).reshape(box_shape(part.box))
            answer = decode_part(part, reader, elements)
        except Exception as error:  # noqa: BLE001 (the daemon decodes what this process cannot)
            answer = f"{type(error).__name__}: {error}"
        finally:
            os.close(descriptor)
        connection.send(answer)


def _reader(readers: OrderedDict[tuple[bytes, int], ChunkReader], part: Part) -> ChunkReader:
    """Unpickle the reader of a part, or find it as it was left by the part before."""
    key = part.reader, part.revision
    if key not in readers:
        readers[key] = pickle.loads(part.reader)
        if len(readers) > MAX_READERS:
            readers.popitem(last=False)
    return readers[key]


def _mapped(
    mappings: OrderedDict[int, mmap.mmap], descriptor: int, size: int
) -> npt.NDArray[np.uint8]:
    """Map shared memory, or find it mapped: the daemon uses buffers again and again."""
    inode = os.fstat(descriptor).st_ino
    memory = mappings.pop(inode, None)
    if memory is None:
        memory = mmap.mmap(descriptor, size, flags=mmap.MAP_SHARED | mmap.MAP_POPULATE)
    mappings[inode] = memory  # the last used is the last to go
    if len(mappings) > MAX_MAPPINGS:
        mappings.popitem(last=False)
    return np.frombuffer(memory, np.uint8)


def main() -> None:
    """Run a decode process; its argument is the descriptor of a socket."""
    # Ctrl-C at a mount in the foreground is for the daemon, which ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    give_large_buffers_back()  # codecs then do not take fresh memory for each chunk
    serve(Connection(int(sys.argv[1])))
