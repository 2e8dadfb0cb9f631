"""What the arrays of one mount, or of one process, share: threads, memory, cache, counters."""

from __future__ import annotations

import functools
import logging
from typing import TYPE_CHECKING

from zarrfs.arrays.chunk_cache import ChunkCache
from zarrfs.arrays.chunk_io import ChunkReader
from zarrfs.arrays.chunk_source import ChunkSource
from zarrfs.arrays.counters import Counters
from zarrfs.arrays.decode_pool import DecodePool
from zarrfs.arrays.memory import MemoryBudget

if TYPE_CHECKING:
    from zarrfs.arrays.hierarchy import ArrayNode
    from zarrfs.stores.base import Store


_log = logging.getLogger(__name__)


class Engine:
    """Decode threads, memory budget, chunk cache and counters.

    Parameters
    ----------
    memory
        Bytes that may be cached in all.
    failure_ttl
        Seconds for which a chunk that failed is not tried again.
    """

    def __init__(self, *, memory: int, failure_ttl: float) -> None:
        self.pool = DecodePool()
        self.budget = MemoryBudget(memory, functools.partial(self.pool.submit, urgent=True))
        self.cache = ChunkCache(self.budget)
        self.counters = Counters()
        self._failure_ttl = failure_ttl

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
        return ChunkSource(node.path, reader, self.cache, self.pool, failure_ttl=self._failure_ttl)

    def close(self) -> None:
        """Let the threads end."""
        self.pool.close()
