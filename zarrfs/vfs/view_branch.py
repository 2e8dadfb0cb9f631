"""One format's tree: groups are directories, arrays are files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zarrfs.arrays.hierarchy import ArrayNode, BrokenNode, GroupNode, PrefixNode
from zarrfs.errors import EntryNotFoundError, MetadataError, ViewError
from zarrfs.format.node_keys import join
from zarrfs.vfs.entries import BLOCK_BYTES, Entry, Name, directory
from zarrfs.vfs.names import file_name, may_be_renamed, shown_name
from zarrfs.vfs.view_file import ViewedFile

if TYPE_CHECKING:
    from zarrfs.arrays.hierarchy import Node
    from zarrfs.vfs.nodes import Nodes
    from zarrfs.vfs.shown_arrays import ShownArray, ShownArrays
    from zarrfs.views.registry import ViewFile, ViewFormat
    from zarrfs.views.segments import Segments

Found = tuple[ArrayNode, "ViewFile"]
"""What a file name stands for."""


class ViewBranch:
    """The tree of one format.

    Parameters
    ----------
    view
        The format.
    nodes, arrays
        Shared with the other trees.
    store_name
        Name of the file if the store is one array.
    mtime_ns
        Of directories.
    """

    def __init__(
        self,
        view: ViewFormat,
        nodes: Nodes,
        arrays: ShownArrays,
        *,
        store_name: str,
        mtime_ns: int,
    ) -> None:
        self._view = view
        self._nodes = nodes
        self._arrays = arrays
        self._store_name = store_name
        self._directory = directory(mtime_ns)

    def entry(self, path: str) -> Entry:
        """Find what is at a path; `EntryNotFoundError` if nothing."""
        found = self._find(path)
        if found is None:
            return self._directory
        shown, segments = self._lay_out(path, found)
        return Entry(
            is_directory=False,
            mode=0o444,
            size=segments.size,
            # Not 0: `tar -S` would archive zeros. Not all: `du` would add up terabytes.
            n_blocks=min(1, -(-segments.size // BLOCK_BYTES)),
            mtime_ns=shown.mtime_ns,
            xattrs=_xattrs(shown),
        )

    def names(self, path: str) -> list[Name]:
        """List a directory, sorted; `EntryNotFoundError` if there is none."""
        return sorted(
            Name(name, is_directory=found is None) for name, found in self._listing(path).items()
        )

    def open(self, path: str) -> ViewedFile:
        """Open a file for reading."""
        found = self._find(path)
        if found is None:
            raise EntryNotFoundError(f"{path} is a directory")
        shown, _ = self._lay_out(path, found)
        keep_cache = not self._arrays.refresh_if_changed(shown)
        return ViewedFile(self._arrays, shown, found[1], keep_cache=keep_cache)

    def why_missing(self, node: Node) -> str | None:
        """Say why an array, or a node that cannot be read, is not in this tree."""
        if isinstance(node, BrokenNode):
            return str(node.error)
        if isinstance(node, ArrayNode):
            try:
                self._view.files[0].lay_out(self._arrays.get(node).description)
            except (ViewError, MetadataError) as error:
                return str(error)
        return None

    def _lay_out(self, path: str, found: Found) -> tuple[ShownArray, Segments]:
        node, file = found
        try:
            shown = self._arrays.get(node)
            return shown, file.lay_out(shown.description)
        except (ViewError, MetadataError) as error:
            raise EntryNotFoundError(f"{path}: {error}") from error

    def _find(self, path: str) -> Found | None:
        """Find the array and file that a path names; ``None`` for a directory."""
        if not path:
            return None
        parent, _, name = path.rpartition("/")
        above = self._directory_node(parent)
        if not isinstance(above, ArrayNode) and not may_be_renamed(name):
            if isinstance(self._nodes.get(join(above.path, name)), GroupNode | PrefixNode):
                return None
            for file in self._view.files:
                if name.endswith(file.suffix):
                    node_path = join(above.path, name.removesuffix(file.suffix))
                    node = self._nodes.get(node_path)
                    if isinstance(node, ArrayNode):
                        return node, file
                    self._arrays.remove(node_path)
            raise EntryNotFoundError(path)
        listing = self._listing(parent)
        if name not in listing:
            raise EntryNotFoundError(path)
        return listing[name]

    def _listing(self, path: str) -> dict[str, Found | None]:
        """Return what is in a directory by its shown name; ``None`` for a directory."""
        node = self._directory_node(path)
        if isinstance(node, ArrayNode):  # the store is one array
            return {
                shown_name(self._store_name, file.suffix): (node, file)
                for file in self._files_of(node)
            }
        children = self._nodes.children(node.path)
        listing: dict[str, Found | None] = {
            shown_name(child.name): None
            for child in children
            if isinstance(child, GroupNode | PrefixNode)
        }
        directories = set(listing)
        for child in children:
            if isinstance(child, ArrayNode):
                for file in self._files_of(child):
                    listing.setdefault(
                        file_name(child.name, file.suffix, directories), (child, file)
                    )
        return listing

    def _files_of(self, node: ArrayNode) -> tuple[ViewFile, ...]:
        return () if self.why_missing(node) is not None else self._view.files

    def _directory_node(self, path: str) -> GroupNode | PrefixNode | ArrayNode:
        """Find the node whose directory is at a path; an array only at the root."""
        root = self._nodes.get("")
        if isinstance(root, BrokenNode) or root is None:
            return PrefixNode(path="")
        node: GroupNode | PrefixNode | ArrayNode = root
        for name in path.split("/") if path else ():
            if isinstance(node, ArrayNode):
                raise EntryNotFoundError(path)
            child = self._nodes.get(join(node.path, name))
            if may_be_renamed(name):
                children = self._nodes.children(node.path)
                child = next((c for c in children if shown_name(c.name) == name), None)
            if not isinstance(child, GroupNode | PrefixNode):
                raise EntryNotFoundError(path)
            node = child
        return node


def _xattrs(shown: ShownArray) -> dict[str, bytes]:
    array = shown.description
    return {
        "user.zarr.shape": ",".join(map(str, array.shape)).encode(),
        "user.zarr.dtype": array.dtype.str.encode(),
        "user.zarr.chunks": ",".join(map(str, array.chunk_shape)).encode(),
        "user.zarr.order": b"C",
    }
