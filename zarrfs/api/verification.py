"""Every stored chunk of an array, or of all arrays below a group -> which of them cannot be read.

Each object is fetched and decoded as for any other reader, on the decode threads, and let go again.
"""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from zarrfs.api.opening import find_node
from zarrfs.api.process_engine import process_engine
from zarrfs.arrays.chunk_io import ChunkReader
from zarrfs.arrays.hierarchy import ArrayNode, BrokenNode
from zarrfs.arrays.parallel import for_each
from zarrfs.errors import CodecError, MetadataError, StoreError, ZarrfsError
from zarrfs.format.chunk_keys import chunk_finder
from zarrfs.format.node_keys import DOCUMENTS, key_prefix

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Mapping

    from zarrfs.arrays.regions import Coords
    from zarrfs.stores.base import Store

    Progress = Callable[[int, int], None]
    """Called with how many keys have been looked at, and how many there are in all."""

MAX_LISTED = 10_000
"""Faults, and stray keys, that are told one by one; further ones are counted."""

# Chunks of one shard that are fetched together have about so many bytes when decoded.
_BATCH_BYTES = 4 * 2**20

# Indexes of shards that are larger are held against the shard's size before they are used.
_LARGE_INDEX = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that cannot be read: an object with all or some of its chunks, or a node."""

    array: str
    """Path of the array or node, with a leading ``/``."""

    key: str
    """Store key of the object at fault; empty if it is not one object."""

    reason: str

    chunks: tuple[Coords, ...] = ()
    """Coordinates of the chunks that are lost: of inner chunks, if the object is a shard."""


@dataclass(slots=True, kw_only=True)
class Verification:
    """What was read and what was found."""

    url: str
    """Of the store, without secrets."""

    path: str
    """The node that was asked for, with a leading ``/``."""

    n_arrays: int = 0
    n_objects: int = 0
    """Chunks, or shards, that were read."""

    n_bad: int = 0
    """Faults in all."""

    n_stray: int = 0
    """Keys below arrays that are neither chunks of them nor metadata documents."""

    bad: list[Fault] = field(default_factory=list)
    """The first `MAX_LISTED` faults, sorted by key."""

    stray: list[str] = field(default_factory=list)
    """The first `MAX_LISTED` stray keys, sorted."""


def verify(
    url: str | os.PathLike[str],
    *,
    storage_options: Mapping[str, str] | None = None,
    progress: Progress = lambda n_done, n_keys: None,
) -> Verification:
    """Read and decode every stored chunk of an array, or of all arrays below a group.

    What is wrong with nodes and objects is returned, not raised.

    Parameters
    ----------
    url
        Path or URL of a store, with the path of a node in it.
    storage_options
        Options of the store.
    progress
        Called again and again, never on two threads at a time.

    Raises
    ------
    NodeNotFoundError
        If there is no Zarr node.
    StoreError
        If the store cannot be opened.
    """
    hierarchy, root = find_node(url, storage_options)
    found = Verification(url=hierarchy.store.url, path=f"/{root.path}")
    search = _Search(hierarchy.store, found, progress, key_prefix(root.path))
    for node in hierarchy.walk(root.path):
        if isinstance(node, BrokenNode):
            search.add_node_fault(node.path, node.error)
        elif isinstance(node, ArrayNode):
            search.read_array(node)
    search.finish()
    return found


class _Search:
    """Fills a `Verification`. Its lock guards that, and the calls of `progress`."""

    def __init__(self, store: Store, found: Verification, progress: Progress, prefix: str) -> None:
        self._store = store
        self._found = found
        self._progress = progress
        self._lock = threading.Lock()
        self._n_done = 0
        self._n_keys = self._count(prefix)

    def _count(self, prefix: str) -> int:
        """Count the keys that there are; those that cannot be listed are faults later."""
        n_keys = 0
        try:
            for _ in self._store.list_prefix(prefix):
                n_keys += 1
        except StoreError:
            pass
        return n_keys

    def read_array(self, node: ArrayNode) -> None:
        """Read all objects of an array."""
        engine = process_engine()
        grid = node.metadata.chunk_grid
        self._found.n_arrays += 1
        try:
            reader = ChunkReader(self._store, node.prefix, node.metadata, engine.counters)
            find = chunk_finder(node.metadata.chunk_key_encoding, grid.grid_shape)
        except MetadataError as error:
            self.add_node_fault(node.path, error)
            return

        def objects() -> Iterator[tuple[str, Coords]]:
            for key in self._store.list_prefix(node.prefix):
                name = key.removeprefix(node.prefix)
                coords = find(name)
                if coords is not None:
                    yield key, coords
                    continue
                if name not in DOCUMENTS:
                    self._add_stray(key)
                self._advance()

        def read(item: tuple[str, Coords]) -> None:
            self._read_object(node, reader, *item)

        try:
            for_each(engine.pool, objects(), read, n_items=engine.pool.n_threads)
        except StoreError as error:
            self.add_node_fault(node.path, error)

    def _read_object(self, node: ArrayNode, reader: ChunkReader, key: str, coords: Coords) -> None:
        lost: dict[str, list[Coords]] = {}
        wanted = reader.chunks_of(coords)
        index_nbytes = reader.index_nbytes(coords)
        if index_nbytes > _LARGE_INDEX and index_nbytes > self._store.stat(key).size:
            wanted = itertools.islice(wanted, 1)  # no chunk can be had, and there may be 2**60
        size = max(1, _BATCH_BYTES // max(1, reader.spec.nbytes))
        while batch := list(itertools.islice(wanted, size)):
            for chunk, loaded in reader.load(key, batch, None):
                if isinstance(loaded, ZarrfsError):
                    lost.setdefault(_reason(loaded), []).append(chunk)
        reader.forget_object(key)
        for reason, chunks in lost.items():
            self._add(Fault(array=f"/{node.path}", key=key, reason=reason, chunks=tuple(chunks)))
        with self._lock:
            self._found.n_objects += 1
        self._advance()

    def add_node_fault(self, path: str, error: MetadataError | StoreError) -> None:
        """Note that a node as a whole cannot be read or listed."""
        self._add(Fault(array=f"/{path}", key=error.key or "", reason=_reason(error)))

    def finish(self) -> None:
        """Bring what was found in order, and the progress to its end."""
        self._found.bad.sort(key=lambda fault: (fault.array, fault.key))
        self._found.stray.sort()
        self._progress(self._n_keys, self._n_keys)

    def _add(self, fault: Fault) -> None:
        with self._lock:
            self._found.n_bad += 1
            if len(self._found.bad) < MAX_LISTED:
                self._found.bad.append(fault)

    def _add_stray(self, key: str) -> None:
        with self._lock:
            self._found.n_stray += 1
            if len(self._found.stray) < MAX_LISTED:
                self._found.stray.append(key)

    def _advance(self) -> None:
        with self._lock:
            self._n_done = min(self._n_done + 1, self._n_keys)
            self._progress(self._n_done, self._n_keys)


def _reason(error: ZarrfsError) -> str:
    """Say what is wrong, without the key and the store, which stand beside it."""
    if isinstance(error, CodecError):
        return f"cannot {error.direction} with {error.codec}: {error.reason}"
    if isinstance(error, StoreError):
        return f"cannot {error.operation}: {error.reason}"
    if isinstance(error, MetadataError):
        return f"{error.field}: {error.reason}" if error.field else error.reason
    return str(error)
