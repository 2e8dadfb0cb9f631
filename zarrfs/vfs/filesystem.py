"""A store as a file system: what a mount shows and what it tells about itself."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from zarrfs.arrays.decode_processes import N_PROCESSES
from zarrfs.arrays.engine import Engine
from zarrfs.arrays.hierarchy import ArrayNode, Hierarchy
from zarrfs.errors import EntryNotFoundError, NodeNotFoundError, UsageError
from zarrfs.vfs.nodes import Nodes
from zarrfs.vfs.raw_branch import RawBranch
from zarrfs.vfs.readme import Readme
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

TREE = "tree"
RAW = "zarr"
README = "README.txt"
CONTROL = ".zarrfs"

TREES = (*FORMATS, RAW)
"""Names of all trees that there are."""

_SUMMARIES = {
    **{view.name: view.summary for view in FORMATS.values()},
    RAW: "the store itself, key for key",
}


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
        self._layout = options.layout
        self._started = time.time()
        self.kernel: dict[str, int] = {}
        """Settings of the kernel for this mount, by name, for `stats`."""
        self._on_refresh: list[Callable[[], None]] = []
        mtime_ns, ttl = time.time_ns(), options.attr_timeout
        self._engine = Engine(
            memory=options.memory,
            failure_ttl=ttl,
            n_processes=N_PROCESSES,
            cache_dir=options.cache_dir,
            cache_size=options.cache_size,
        )
        pool = self._engine.pool
        self._hierarchy = hierarchy = Hierarchy(store, ttl=ttl)
        self._nodes = Nodes(hierarchy, ttl=ttl)
        self._arrays = ShownArrays(store, self._engine, options.endian, check_after=ttl)
        self._views = {
            view.name: ViewBranch(
                view, self._nodes, self._arrays, pool, store_name=name, mtime_ns=mtime_ns
            )
            for view in FORMATS.values()
        }
        self._raw = RawBranch(store, pool, mtime_ns=mtime_ns, ttl=ttl)
        self._readme = Readme(
            store.url,
            {tree: _SUMMARIES[tree] for tree in listed},
            [tree for tree in TREES if tree not in listed],
            hierarchy,
            {tree: branch for tree, branch in self._views.items() if tree in listed},
            ttl=ttl,
        )
        trees: dict[str, Branch] = {**self._views, RAW: self._raw}
        control = TextBranch(
            texts={
                "log": read_log,
                "stats.json": self._stats_json,
                "version": f"{version}\n".encode,
            },
            mode=0o400,
            directory_mode=0o500,
            mtime_ns=mtime_ns,
        )
        if options.layout == TREE:
            text = TextBranch(
                texts={"": self._readme.text}, mode=0o444, directory_mode=0o555, mtime_ns=mtime_ns
            )
            self._tree = Tree(
                {**trees, README: text, CONTROL: control},
                listed=(*listed, README),
                mtime_ns=mtime_ns,
            )
        else:
            self._tree = Tree({CONTROL: control}, root=trees[options.layout], mtime_ns=mtime_ns)

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

    def is_empty(self) -> bool:
        """Tell whether the store has no array or group; see `Hierarchy.is_empty`."""
        return self._hierarchy.is_empty()

    def disk_usage(self) -> DiskUsage | None:
        """Size of the storage below the store, where it has one."""
        return self._store.disk_usage()

    def stats(self) -> dict[str, Any]:
        """Tell what was done so far. Sizes in bytes, times in seconds."""
        sums = self._engine.counters.snapshot()
        budget = self._engine.budget
        n_served = sums["bytes_served"] + sums["bytes_pushed"]
        return {
            "uptime": round(time.time() - self._started, 3),
            "requests": {
                name.removeprefix("requests_"): n
                for name, n in sorted(sums.items())
                if name.startswith("requests_")
            },
            "bytes_served": n_served,
            "bytes_pushed": sums["bytes_pushed"],
            "bytes_decoded": sums["bytes_decoded"],
            "bytes_fetched": sums["bytes_fetched"],
            "objects_read": sums["objects_read"],
            "shard_indexes_read": sums["shard_indexes_read"],
            "chunks_decoded": sums["chunks_decoded"],
            "chunk_cache_hits": sums["chunk_cache_hits"],
            "chunks_spilled": sums["chunks_spilled"],
            "bytes_spilled": sums["bytes_spilled"],
            "spill_hits": sums["spill_hits"],
            "decode_time": sums["decode_ns"] / 1e9,
            "amplification": (sums["bytes_decoded"] / n_served if n_served else None),
            "memory": {"limit": budget.limit, "used": budget.used, "peak": budget.peak},
            "kernel": dict(self.kernel),
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
            What is to be forgotten, with all below it; all if ``None``. A node's path (``/t2m``)
            or a path in the mount (``bin/t2m.bin``, ``zarr/t2m/c/0``). Names and metadata are
            always forgotten.

        Raises
        ------
        NodeNotFoundError
            If there is nothing at the path.
        StoreError
            If the store cannot be read.
        """
        self._nodes.forget()
        self._raw.forget()
        self._readme.forget()
        try:
            self._arrays.forget(self._node_path((path or "").strip("/")))
        finally:  # names are forgotten all the same
            for notify in self._on_refresh:
                notify()

    def on_refresh(self, notify: Callable[[], None]) -> None:
        """Have `notify` called at the end of each `refresh`, on its thread."""
        self._on_refresh.append(notify)

    def _node_path(self, path: str) -> str:
        """Return the path of the node that a node's path, or one in the mount, is about."""
        if self._nodes.get(path) is not None:
            return path
        tree, _, rest = path.partition("/") if self._layout == TREE else (self._layout, "", path)
        try:
            if tree == RAW:
                return self._array_of_key(self._raw.key(rest))
            if tree in self._views:
                return self._views[tree].node_path(rest)
        except EntryNotFoundError as error:
            raise NodeNotFoundError(path) from error
        raise NodeNotFoundError(path, "give the path of a node, or one in the mount")

    def _array_of_key(self, key: str) -> str:
        """Return the path of the array that a key belongs to, or the key if that is none's."""
        parts = key.split("/")
        above = ("/".join(parts[:n]) for n in range(len(parts)))
        return next((path for path in above if isinstance(self._nodes.get(path), ArrayNode)), key)

    def give_memory_back(self) -> None:
        """Drop what is only kept in case that somebody reads on."""
        self._arrays.give_memory_back()

    def close(self) -> None:
        """Close the store; nothing can be read afterwards."""
        self._engine.close()
        self._store.close()

    def _stats_json(self) -> bytes:
        return json.dumps(self.stats(), indent=2).encode() + b"\n"


def _listed_trees(options: ViewOptions) -> tuple[str, ...]:
    if options.layout not in (TREE, *TREES):
        raise UsageError(f"no layout {options.layout!r}; there are: {TREE}, {', '.join(TREES)}")
    if options.views is None or options.views == ("all",):
        return TREES
    if options.views == ("none",):
        return ()
    for view in options.views:
        if view not in TREES:
            raise UsageError(f"no view {view!r}; there are: {', '.join(TREES)}; or all, or none")
    return tuple(dict.fromkeys(options.views))
