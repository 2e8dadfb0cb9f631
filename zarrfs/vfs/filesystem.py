"""A store as a file system: what a mount shows and what it tells about itself."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from zarrfs.arrays.engine import Engine
from zarrfs.arrays.hierarchy import Hierarchy
from zarrfs.errors import UsageError
from zarrfs.vfs.nodes import Nodes
from zarrfs.vfs.raw_branch import RawBranch
from zarrfs.vfs.readme import readme
from zarrfs.vfs.shown_arrays import ShownArrays
from zarrfs.vfs.text_file import TextBranch
from zarrfs.vfs.tree import Tree
from zarrfs.vfs.view_branch import ViewBranch
from zarrfs.views.registry import FORMATS

if TYPE_CHECKING:
    from collections.abc import Callable

    from zarrfs.stores.base import DiskUsage, Store
    from zarrfs.vfs.entries import Branch, Entry, Name, OpenFile
    from zarrfs.vfs.options import ViewOptions

RAW = "zarr"
README = "README.txt"
CONTROL = ".zarrfs"

TREES = (*FORMATS, RAW)
"""Names of all trees that there are."""


class FileSystem:
    """What a mount shows. Knows no kernel; safe to use from many threads.

    Parameters
    ----------
    store
        The store; closed with the file system.
    name
        What the files of a store are called that is one array.
    options
        What the user chose.
    version
        Of the program, for ``.zarrfs/version``.
    read_log
        Returns the log so far, for ``.zarrfs/log``.

    Raises
    ------
    UsageError
        If a layout or view does not exist.
    """

    def __init__(
        self,
        store: Store,
        *,
        name: str,
        options: ViewOptions,
        version: str,
        read_log: Callable[[], bytes],
    ) -> None:
        listed = _listed_trees(options)
        self._store = store
        self._started = time.time()
        mtime_ns = time.time_ns()
        self._engine = Engine(memory=options.memory, failure_ttl=options.attr_timeout)
        self._hierarchy = Hierarchy(store)
        self._nodes = Nodes(self._hierarchy, ttl=options.attr_timeout)
        self._arrays = ShownArrays(
            store, self._engine, options.endian, check_after=options.attr_timeout
        )
        self._views = {
            view.name: ViewBranch(
                view, self._nodes, self._arrays, store_name=name, mtime_ns=mtime_ns
            )
            for view in FORMATS.values()
        }
        raw = RawBranch(
            store, self._engine.pool, mtime_ns=mtime_ns, failure_ttl=options.attr_timeout
        )
        self._listed = listed
        trees: dict[str, Branch] = {**self._views, RAW: raw}
        branches: dict[str, Branch] = {
            **trees,
            README: TextBranch(
                texts={"": self._readme}, mode=0o444, directory_mode=0o555, mtime_ns=mtime_ns
            ),
            CONTROL: TextBranch(
                texts={
                    "log": read_log,
                    "stats.json": self._stats_json,
                    "version": f"{version}\n".encode,
                },
                mode=0o400,
                directory_mode=0o500,
                mtime_ns=mtime_ns,
            ),
        }
        self._tree = Tree(
            branches,
            listed=(*listed, README),
            root=None if options.layout == "tree" else trees[options.layout],
            mtime_ns=mtime_ns,
        )

    def entry(self, path: str) -> Entry:
        """Find what is at a path of the mount (``""`` is its root, no leading ``/``).

        Raises
        ------
        EntryNotFoundError
            If nothing is there.
        StoreError
            If the store cannot be read.
        """
        return self._tree.entry(path)

    def names(self, path: str) -> list[Name]:
        """List a directory, sorted."""
        return self._tree.names(path)

    def open(self, path: str) -> OpenFile:
        """Open a file for reading."""
        return self._tree.open(path)

    def disk_usage(self) -> DiskUsage | None:
        """Size of the storage below the store, where it has one."""
        return self._store.disk_usage()

    def stats(self) -> dict[str, Any]:
        """Tell what was done so far. Sizes in bytes, times in seconds."""
        sums = self._engine.counters.snapshot()
        budget = self._engine.budget
        return {
            "uptime": round(time.time() - self._started, 3),
            "requests": {
                name.removeprefix("requests_"): n
                for name, n in sorted(sums.items())
                if name.startswith("requests_")
            },
            "bytes_served": sums["bytes_served"],
            "bytes_decoded": sums["bytes_decoded"],
            "bytes_fetched": sums["bytes_fetched"],
            "objects_read": sums["objects_read"],
            "shard_indexes_read": sums["shard_indexes_read"],
            "chunks_decoded": sums["chunks_decoded"],
            "chunk_cache_hits": sums["chunk_cache_hits"],
            "decode_time": sums["decode_ns"] / 1e9,
            "amplification": (
                sums["bytes_decoded"] / sums["bytes_served"] if sums["bytes_served"] else None
            ),
            "memory": {"limit": budget.limit, "used": budget.used, "peak": budget.peak},
            "errors": sums["errors"],
        }

    def count(self, **amounts: int) -> None:
        """Add to the sums that `stats` tells: ``requests_read=1``, ``bytes_served=4096`` …."""
        self._engine.counters.add(**amounts)

    def refresh(self, path: str | None = None) -> None:
        """Forget what is known of the store, so that it is asked again.

        Parameters
        ----------
        path
            Node whose data is to be forgotten, with all below it; all if ``None``. Names and
            metadata are always forgotten.
        """
        self._nodes.forget()
        self._arrays.forget((path or "").strip("/"))

    def give_memory_back(self) -> None:
        """Drop what is only kept in case that somebody reads on."""
        self._arrays.give_memory_back()

    def close(self) -> None:
        """Close the store; nothing can be read afterwards."""
        self._engine.close()
        self._store.close()

    def _readme(self) -> bytes:
        summaries = {name: view.summary for name, view in FORMATS.items() if name in self._listed}
        if RAW in self._listed:
            summaries[RAW] = "the store itself, key for key"
        views = {name: branch for name, branch in self._views.items() if name in self._listed}
        return readme(self._store.url, summaries, views, self._hierarchy.walk())

    def _stats_json(self) -> bytes:
        return json.dumps(self.stats(), indent=2).encode() + b"\n"


def _listed_trees(options: ViewOptions) -> tuple[str, ...]:
    if options.layout not in ("tree", *TREES):
        raise UsageError(f"no layout {options.layout!r}; there are: tree, {', '.join(TREES)}")
    if options.views is None or options.views == ("all",):
        return TREES
    if options.views == ("none",):
        return ()
    for view in options.views:
        if view not in TREES:
            raise UsageError(f"no view {view!r}; there are: {', '.join(TREES)}, all, none")
    return options.views
