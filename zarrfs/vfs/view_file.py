"""An open file of a format: header bytes and padding from memory, the rest from the flat file."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from zarrfs.arrays.hierarchy import ArrayNode
from zarrfs.errors import ChunkError, ZarrfsError
from zarrfs.flat.readahead import ReadAhead
from zarrfs.vfs.replies import joined, on_pool
from zarrfs.views.segments import FlatSpan, Header

if TYPE_CHECKING:
    from collections.abc import Hashable

    from zarrfs.arrays.decode_pool import DecodePool
    from zarrfs.arrays.hierarchy import Node
    from zarrfs.vfs.nodes import Nodes
    from zarrfs.vfs.replies import Reply
    from zarrfs.vfs.shown_arrays import ShownArray, ShownArrays
    from zarrfs.views.registry import ViewFile
    from zarrfs.views.segments import Segments

_log = logging.getLogger(__name__)


class ViewedFile:
    """One open of a view.

    Reads go by what the array is now: after a resize the kernel asks for what it was told, and the
    chunks of an array that was deleted would read as its fill value.

    Parameters
    ----------
    nodes, arrays
        Know the array as it is now.
    pool
        Threads that may ask the store whether the array is still the same.
    shown
        The array at the time of opening.
    file
        How the format lays it out.
    version
        Of the array's data.
    """

    direct_io = False

    def __init__(
        self,
        nodes: Nodes,
        arrays: ShownArrays,
        pool: DecodePool,
        shown: ShownArray,
        file: ViewFile,
        *,
        version: Hashable,
    ) -> None:
        self._nodes = nodes
        self._arrays = arrays
        self._pool = pool
        self._file = file
        # Replaced as one, for reads run on several threads.
        self._latest = (shown.node, shown, file.lay_out(shown.description))
        self._readahead = ReadAhead()
        self._failure = ""
        self.version = version

    def read(self, offset: int, size: int) -> Reply:
        """Return the bytes of a span, fewer only at the end of the file; does not wait."""
        path = self._latest[0].path
        node = self._nodes.known(path)
        if node is not None:
            return self._read(node, offset, size)
        return on_pool(self._pool, lambda: self._read(self._nodes.get(path), offset, size))

    def slab_end(self, offset: int) -> int:
        """Return the end of what is decoded together with the byte at an offset."""
        _, shown, segments = self._latest
        for segment in segments.cut(offset, 1):
            if isinstance(segment, FlatSpan):
                return offset + shown.flat.slab_end(segment.offset) - segment.offset
        return offset

    def _read(self, node: Node | None, offset: int, size: int) -> Reply:
        shown, segments = self._current(node)
        replies: list[Reply] = []
        for segment in segments.cut(offset, size):
            match segment:
                case FlatSpan():
                    replies.append(shown.flat.read(segment.offset, segment.size, self._readahead))
                case Header():
                    replies.append(segment.data)
                case _:
                    replies.append(bytes(segment.size))
        return joined(replies)

    def _current(self, node: Node | None) -> tuple[ShownArray, Segments]:
        """Return the array and its layout as they are now."""
        seen, shown, segments = self._latest
        if node is seen:
            return shown, segments
        try:
            if not isinstance(node, ArrayNode):
                reason = "it was deleted while a file of it was open"
                raise ChunkError(seen.path, "", reason)
            latest = self._arrays.get(node)
            if latest is not shown:
                shown, segments = latest, self._file.lay_out(latest.description)
        except ZarrfsError as error:
            if str(error) != self._failure:
                _log.error("%s", error)
            self._failure, error.is_logged = str(error), True
            raise
        self._latest, self._failure = (node, shown, segments), ""
        return shown, segments
