"""What the arrays of one mount, or of one process, share: threads, memory, cache, counters."""

from __future__ import annotations

import functools
import logging
from typing import TYPE_CHECKING

from zarrfs.arrays.chunk_cache import ChunkCache
from zarrfs.arrays.chunk_io import ChunkReader
from zarrfs.arrays.chunk_source import ChunkSource
from zarrfs.arrays.chunk_writer import ChunkWriter
from zarrfs.arrays.counters import Counters
from zarrfs.arrays.decode_pool import DecodePool
from zarrfs.arrays.decode_processes import DecodeProcesses
from zarrfs.arrays.fetch_pool import FetchPool
from zarrfs.arrays.memory import MemoryBudget
from zarrfs.arrays.open_sources import OpenSources
from zarrfs.arrays.spilled_chunks import SpilledChunks

if TYPE_CHECKING:
    from zarrfs.arrays.hierarchy import ArrayNode
    from zarrfs.stores.base import Store


_log = logging.getLogger(__name__)

# Part of the memory that chunks may take, besides, which are being fetched from slow stores.
_FETCHED_PART = 8


class Engine:
    """Threads that decode and that fetch, memory budget, chunk cache, spilled chunks and counters.

    Parameters
    ----------
    memory
        Bytes that may be cached in all.
    failure_ttl
        Seconds for which a chunk that failed is not tried again.
    n_processes
        Processes that decode small chunks of flat files.
    cache_dir
        Where chunks of rows are spilled that are larger than the memory; ``None``: nowhere.
    cache_size
        Bytes that may be spilled.
    """

    def __init__(
        self,
        *,
        memory: int,
        failure_ttl: float,
        n_processes: int = 0,
        cache_dir: str | None = None,
        cache_size: int = 0,
    ) -> None:
        self.pool = DecodePool()
        self.fetching = FetchPool(self.pool, memory // _FETCHED_PART)
        self.processes = DecodeProcesses(n_processes)
        self.budget = MemoryBudget(memory, functools.partial(self.pool.submit, urgent=True))
        self.cache = ChunkCache(self.budget)
        self.spilled = SpilledChunks(cache_dir, cache_size)
        self.counters = Counters()
        self._failure_ttl = failure_ttl
        self.open_sources = OpenSources()
        """The sources made so far that are still in use."""

    def source(self, store: Store, node: ArrayNode) -> ChunkSource:
        """Chunks of an array.

        Raises
        ------
        UnsupportedError, MetadataError
            If its codecs are unknown or do not fit together.
        """
        reader = ChunkReader(store, node.prefix, node.metadata, self.counters)
        if reader.spec.nbytes > self.budget.limit:
            _log.info(
                "array %r: a chunk is %d bytes when decoded, more than all memory for caches, %d; "
                "it is let in all the same",
                f"/{node.path}",
                reader.spec.nbytes,
                self.budget.limit,
            )
        source = ChunkSource(
            node.path,
            reader,
            self.cache,
            self.spilled,
            self.pool,
            self.fetching,
            failure_ttl=self._failure_ttl,
        )
        self.open_sources.add(store, node.prefix, source)
        return source

    def writer(self, store: Store, node: ArrayNode, *, write_empty_chunks: bool) -> ChunkWriter:
        """Write the chunks of an array; all sources of it in this engine are told.

        Parameters
        ----------
        store
            Where the array lies.
        node
            The array.
        write_empty_chunks
            Whether chunks that hold only the fill value are stored.
        """
        return ChunkWriter(
            store,
            node.prefix,
            node.metadata,
            self.counters,
            functools.partial(self.open_sources.object_changed, store, node.prefix),
            write_empty_chunks=write_empty_chunks,
        )

    def close(self) -> None:
        """Let threads and processes end."""
        self.fetching.close()
        self.pool.close()
        self.processes.rest()
        self.spilled.clear()
