"""A flat file opened for a test, with all that it stands on in reach."""

from __future__ import annotations

import contextlib
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zarrfs.arrays.engine import Engine
from zarrfs.arrays.hierarchy import ArrayNode, Hierarchy
from zarrfs.flat.element_order import Endian, flat_dtype
from zarrfs.flat.readahead import ReadAhead
from zarrfs.flat.reader import FlatArray
from zarrfs.flat.slabs import SlabTable

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

    from zarrfs.arrays.chunk_source import ChunkSource
    from zarrfs.flat.reader import Reply
    from zarrfs.stores.base import Store

TIMEOUT = 20


def finished(reply: Reply) -> memoryview:
    return reply.result(TIMEOUT) if isinstance(reply, Future) else reply


@dataclass(frozen=True)
class Opened:
    flat: FlatArray
    source: ChunkSource
    engine: Engine
    table: SlabTable
    dtype: np.dtype[Any]

    def read(self, offset: int, size: int, readahead: ReadAhead | None = None) -> bytes:
        return bytes(finished(self.flat.read(offset, size, readahead or ReadAhead())))

    def read_through(self, size: int, start: int = 0, stop: int | None = None) -> bytes:
        """Read one after another, as a reader with an open file of its own."""
        stop = self.flat.size if stop is None else stop
        readahead = ReadAhead()
        return b"".join(
            self.read(offset, min(size, stop - offset), readahead)
            for offset in range(start, stop, size)
        )

    def count(self, name: str) -> int:
        return self.engine.counters.snapshot()[name]


@contextlib.contextmanager
def opened(
    store: Store,
    *,
    memory: int = 64 * 2**20,
    endian: Endian = "little",
    failure_ttl: float = 60,
    n_processes: int = 0,
    cache_dir: str | None = None,
    cache_size: int = 2**30,
) -> Iterator[Opened]:
    engine = Engine(
        memory=memory,
        failure_ttl=failure_ttl,
        n_processes=n_processes,
        cache_dir=cache_dir,
        cache_size=cache_size,
    )
    node = Hierarchy(store).node("")
    assert isinstance(node, ArrayNode)
    source = engine.source(store, node)
    table = SlabTable(engine)
    dtype = flat_dtype(node.metadata, endian)
    flat = FlatArray(source, dtype, table, memory=memory)
    try:
        yield Opened(flat, source, engine, table, dtype)
    finally:
        engine.close()
