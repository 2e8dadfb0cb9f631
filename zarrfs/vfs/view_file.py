"""An open file of a format: header bytes and padding from memory, the rest from the flat file."""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING

from zarrfs.errors import ChunkError
from zarrfs.flat.readahead import ReadAhead
from zarrfs.views.segments import FlatSpan, Header

if TYPE_CHECKING:
    from zarrfs.vfs.entries import Reply
    from zarrfs.vfs.shown_arrays import ShownArray, ShownArrays
    from zarrfs.views.registry import ViewFile


class ViewedFile:
    """One open of a view.

    Parameters
    ----------
    arrays
        Knows the array as it is now: after a resize the kernel asks for what it was told, not for
        what the file was when it was opened.
    shown
        The array at the time of opening.
    file
        How the format lays it out.
    keep_cache
        What the kernel holds of the file is still good.
    """

    direct_io = False

    def __init__(
        self, arrays: ShownArrays, shown: ShownArray, file: ViewFile, *, keep_cache: bool
    ) -> None:
        self._arrays = arrays
        self._file = file
        self._opened = (shown, file.lay_out(shown.description))
        self._readahead = ReadAhead()
        self.keep_cache = keep_cache

    def read(self, offset: int, size: int) -> Reply:
        """Return the bytes of a span, fewer only at the end of the file; does not wait."""
        shown, segments = self._opened
        latest = self._arrays.latest(shown)
        if latest.is_removed:
            raise ChunkError(shown.node.path, "", "the array was deleted while its file was open")
        if latest is not shown:
            shown, segments = self._opened = (latest, self._file.lay_out(latest.description))
        replies: list[Reply] = []
        for segment in segments.cut(offset, size):
            match segment:
                case FlatSpan():
                    replies.append(shown.flat.read(segment.offset, segment.size, self._readahead))
                case Header():
                    replies.append(segment.data)
                case _:
                    replies.append(bytes(segment.size))
        return replies[0] if len(replies) == 1 else _joined(replies)


def _joined(replies: list[Reply]) -> Reply:
    """Return the replies as one, as soon as all of them are there."""
    waiting = [reply for reply in replies if isinstance(reply, Future)]
    if not waiting:
        return b"".join(reply for reply in replies if not isinstance(reply, Future))
    # A flat file is one span in every format so far, so that there is one to wait for.
    (future,) = waiting
    joined: Future[memoryview] = Future()

    def join(finished: Future[memoryview]) -> None:
        error = finished.exception()
        if error is not None:
            joined.set_exception(error)
            return
        parts = [reply.result() if isinstance(reply, Future) else reply for reply in replies]
        joined.set_result(memoryview(b"".join(parts)))

    future.add_done_callback(join)
    return joined
