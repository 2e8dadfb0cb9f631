"""One format's tree: groups are directories, arrays are files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zarrfs.arrays.hierarchy import ArrayNode, BrokenNode, GroupNode, PrefixNode
from zarrfs.errors import EntryNotFoundError, MetadataError, ViewError
from zarrfs.format.dtypes import dtype_text
from zarrfs.format.node_keys import join
from zarrfs.vfs.entries import BLOCK_BYTES, Entry, Name, directory
from zarrfs.vfs.names import may_be_cut, may_be_renamed, plain_array_names, shown_names
from zarrfs.vfs.text_file import TextFile
from zarrfs.vfs.view_file import ViewedFile
from zarrfs.views.segments import Header

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from zarrfs.arrays.decode_pool import DecodePool
    from zarrfs.arrays.hierarchy import Node
    from zarrfs.vfs.nodes import Nodes
    from zarrfs.vfs.shown_arrays import ShownArray, ShownArrays
    from zarrfs.views.registry import ViewFile, ViewFormat

Found = tuple[ArrayNode, "ViewFile"]
"""What the name of a file stands for."""


class ViewBranch:
    """The tree of one format.

    Parameters
    ----------
    view
        The format.
    nodes, arrays, pool
        Shared with the other trees.
    store_name
        Name of the array if the store is one array.
    mtime_ns
        Of directories.
    """

    def __init__(
        self,
        view: ViewFormat,
        nodes: Nodes,
        arrays: ShownArrays,
        pool: DecodePool,
        *,
        store_name: str,
        mtime_ns: int,
    ) -> None:
        self._files = {file.suffix: file for file in view.files}
        self._suffixes = tuple(self._files)
        self._nodes = nodes
        self._arrays = arrays
        self._pool = pool
        self._store_name = store_name
        self._directory = directory(mtime_ns)

    def entry(self, path: str) -> Entry:
        """Find what is at a path; `EntryNotFoundError` if nothing."""
        found = self._find(path)
        if found is None:
            return self._directory
        node, file = found
        shown, size = self._show(path, found)
        return Entry(
            is_directory=False,
            mode=0o444,
            size=size,
            # Not 0: `tar -S` would archive zeros. Not all: `du` would add up terabytes.
            n_blocks=min(1, -(-size // BLOCK_BYTES)),
            mtime_ns=max(shown.mtime_ns, node.mtime_ns),
            xattrs={} if file.is_text else _xattrs(shown),
        )

    def names(self, path: str) -> list[Name]:
        """List a directory, sorted; `EntryNotFoundError` if there is none."""
        children = self._children(self._directory_path(path))
        listed = []
        for name, (own, suffix) in self._named(children).items():
            child = children[own]
            if suffix is None:
                listed.append(Name(name, is_directory=True))
            elif isinstance(child, ArrayNode) and self._fault(child, suffix) is None:
                listed.append(Name(name, is_directory=False))
        return sorted(listed)

    def open(self, path: str) -> ViewedFile | TextFile:
        """Open a file for reading."""
        found = self._find(path)
        if found is None:
            raise EntryNotFoundError(f"{path} is a directory")
        shown, _ = self._show(path, found)
        file = found[1]
        segments = file.lay_out(shown.description)
        match list(segments.cut(0, segments.size)):
            case [Header(text)]:
                # As it is now: when the metadata changes the kernel would cut it at its old size.
                return TextFile(text)
        version = self._arrays.version(shown)
        return ViewedFile(self._nodes, self._arrays, self._pool, shown, file, version=version)

    def node_path(self, path: str) -> str:
        """Return the path of the node that a file or directory stands for."""
        found = self._find(path)
        return self._directory_path(path) if found is None else found[0].path

    def why_missing(self, node: Node) -> Iterator[str]:
        """Say why a node that cannot be read, an array, or a file of it is not in this tree."""
        if isinstance(node, BrokenNode):
            yield str(node.error)
        if isinstance(node, ArrayNode):
            first, *others = self._suffixes
            fault = self._fault(node, first)
            if fault is not None:
                yield fault
                return
            faults = ((suffix, self._fault(node, suffix)) for suffix in others)
            yield from (f"{suffix}: {fault}" for suffix, fault in faults if fault is not None)

    # --- files ------------------------------------------------------------------------------------

    def _show(self, path: str, found: Found) -> tuple[ShownArray, int]:
        """Return an array, and the size in bytes of one of its files."""
        try:
            return self._shown(*found)
        except (ViewError, MetadataError) as error:
            raise EntryNotFoundError(f"{path}: {error}") from error

    def _fault(self, node: ArrayNode, suffix: str) -> str | None:
        try:
            self._shown(node, self._files[suffix])
        except (ViewError, MetadataError) as error:
            return str(error)
        return None

    def _shown(self, node: ArrayNode, file: ViewFile) -> tuple[ShownArray, int]:
        shown = self._arrays.get(node)
        # The first file is the array: without it, there is nothing for the others to go with.
        for needed in (self._files[self._suffixes[0]], file):
            if needed not in shown.sizes:
                shown.sizes[needed] = needed.lay_out(shown.description).size
        return shown, shown.sizes[file]

    # --- names ------------------------------------------------------------------------------------

    def _find(self, path: str) -> Found | None:
        """Find the array and file that a path names; ``None`` for a directory."""
        if not path:
            return None
        above, _, name = path.rpartition("/")
        above = self._directory_path(above)
        if may_be_renamed(name) or isinstance(self._nodes.get(""), ArrayNode):
            return self._find_listed(path, above, name)
        if self._nodes.is_directory(join(above, name)):
            return None
        for own, suffix in plain_array_names(name, self._suffixes):
            # Where a directory has the name of any of its files, all of them are renamed.
            if not any(self._nodes.is_directory(join(above, own + s)) for s in self._suffixes):
                node = self._nodes.get(join(above, own))
                if isinstance(node, ArrayNode):
                    return node, self._files[suffix]
        raise EntryNotFoundError(path)

    def _find_listed(self, path: str, above: str, name: str) -> Found | None:
        children = self._children(above)
        own, suffix = self._named(children).get(name, (None, None))
        if own is None:
            raise EntryNotFoundError(path)
        child = children[own]
        return (child, self._files[suffix]) if suffix and isinstance(child, ArrayNode) else None

    def _directory_path(self, path: str) -> str:
        """Return the path of the node whose directory is at a path of this tree."""
        at = ""
        for name in path.split("/") if path else ():
            own: str | None = name
            if may_be_cut(name):
                own = self._named(self._children(at)).get(name, (None, ""))[0]
            if own is None or not self._nodes.is_directory(join(at, own)):
                raise EntryNotFoundError(path)
            at = join(at, own)
        return at

    def _children(self, path: str) -> Mapping[str, Node]:
        """Return the nodes below one by their names; if the store is one array, that."""
        root = self._nodes.get("") if not path else None
        return (
            {self._store_name: root} if isinstance(root, ArrayNode) else self._nodes.children(path)
        )

    def _named(self, children: Mapping[str, Node]) -> dict[str, tuple[str, str | None]]:
        return shown_names(
            [name for name, node in children.items() if isinstance(node, GroupNode | PrefixNode)],
            [name for name, node in children.items() if isinstance(node, ArrayNode)],
            self._suffixes,
        )


def _xattrs(shown: ShownArray) -> dict[str, bytes]:
    array = shown.description
    fields = array.dtype.descr if array.dtype.names else None
    return {
        "user.zarr.shape": ",".join(map(str, array.shape)).encode(),
        "user.zarr.dtype": str(fields or dtype_text(array.dtype)).encode(),
        "user.zarr.chunks": ",".join(map(str, array.chunk_shape)).encode(),
        "user.zarr.order": b"C",
    }
