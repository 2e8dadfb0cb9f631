"""Which reads go on where another ended, and how far ahead of them to decode. Pure policy.

The kernel sends the reads of one sequential reader slightly out of order, and several readers may
share one open file. So each open file has a few streams, each with a window in which a read may
fall; and what is read ahead is counted in bytes, since bandwidth times latency is what it hides.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

# Streams followed per open file; the one unused for longest is given up for a new one.
MAX_STREAMS = 8

# A read may be this far before or behind the place where a stream is expected to go on, counted in
# reads of its size, and for small reads in bytes. Wider would take random reads for sequential.
TOLERANCE_READS = 8
TOLERANCE_BYTES = 128 * 2**10

# Bytes to have decoded or in decode ahead of a reader: so many times what it has read, at least
# and at most. 64 MiB hide 20 ms of latency at 1 GB/s three times over; more did not help.
WINDOW_GROWTH = 4
FIRST_WINDOW_BYTES = 2**20
LAST_WINDOW_BYTES = 64 * 2**20

# Who reads from the start of a file reads to its end, as a rule; who begins elsewhere often reads a
# part, and what is read ahead of its end is for nothing. So nothing is read ahead of him until it
# is a tenth of what he has read, and eight readers of an eighth each decode no chunk in vain.
# A whole slab is decoded even if only its first byte is read ahead.
SLABS_BEFORE_AHEAD = 10

# Bytes behind a reader in order that it may still ask for. The kernel has twice as much under way
# as it reads ahead, 4 MiB on a mount of root, and sends it out of order: with half of this, slabs
# were dropped now and then whose last reads came later.
BEHIND_BYTES = 8 * 2**20

# A first read at the very start of the file, of so many bytes, begins a stream: programs that look
# at a header only read less.
START_BYTES = 64 * 2**10

# A read near a stream is one of it if it goes on exactly there, or is the third to be near.
_READS_OF_A_STREAM = 3


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do about one read."""

    is_sequential: bool
    """It is one of a stream, so that what lies around it will be read too."""

    ahead: tuple[int, int]
    """First byte to have ready and the one after the last, beyond what was advised before."""


@dataclass(slots=True, eq=False)
class _Stream:
    start: int
    """First byte of its latest read."""
    expected: int
    """Where it is expected to go on: the byte after its last one."""
    position: int
    """The byte that it has come to."""
    advised: int
    """The byte after those that were advised to have ready."""
    n_reads: int
    n_bytes: int
    is_from_start: bool
    """It began at the start of the file."""


class ReadAhead:
    """Tells sequential from scattered reads of one open file; safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._streams: list[_Stream] = []

    def observe(
        self, offset: int, size: int, *, before_ahead: int = 0, most_ahead: int = LAST_WINDOW_BYTES
    ) -> Advice:
        """Take note of a read and say how to serve it.

        Parameters
        ----------
        offset, size
            Of the read, in bytes; at least 1 byte.
        before_ahead
            Bytes that a stream must have read before anything is read ahead of it, unless it
            began at the start of the file.
        most_ahead
            Bytes that may be read ahead, where memory is short.
        """
        stop = offset + size
        with self._lock:
            stream = self._find(offset, stop)
            if stream is None:
                if len(self._streams) == MAX_STREAMS:
                    self._streams.pop(0)
                self._streams.append(_Stream(offset, stop, stop - 1, stop, 1, size, offset == 0))
                is_start = offset == 0 and size >= START_BYTES
                return Advice(is_sequential=is_start, ahead=(stop, stop))
            is_next, is_previous = offset == stream.expected, stop == stream.start
            stream.start = offset
            stream.n_reads += 1
            stream.n_bytes += size
            if is_previous:
                stream.expected, stream.position = stop, offset
                return Advice(is_sequential=True, ahead=(stop, stop))
            stream.expected = max(stop, stream.expected)
            stream.position = stream.expected - 1
            if not is_next and stream.n_reads < _READS_OF_A_STREAM:
                return Advice(is_sequential=False, ahead=(stop, stop))
            is_to_end = stream.is_from_start or stream.n_bytes >= before_ahead
            ahead = _advance(stream, most_ahead) if is_to_end else (stop, stop)
            return Advice(is_sequential=True, ahead=ahead)

    def windows(self) -> list[tuple[int, int]]:
        """For each stream the byte that it has come to, and the end of what it was advised.

        Takes no lock, for it is asked under the memory budget's.
        """
        return [(stream.position, stream.advised) for stream in list(self._streams)]

    def _find(self, offset: int, stop: int) -> _Stream | None:
        """Find the stream that a read belongs to and make it the latest."""
        tolerance = max(TOLERANCE_BYTES, TOLERANCE_READS * (stop - offset))
        near = None
        for stream in reversed(self._streams):
            if offset == stream.expected or stop == stream.start:
                near = stream
                break
            is_within = stream.start <= offset < stream.expected  # its latest read was larger
            if near is None and (is_within or abs(offset - stream.expected) <= tolerance):
                near = stream
        if near is not None and near is not self._streams[-1]:
            self._streams.remove(near)
            self._streams.append(near)
        return near


def _advance(stream: _Stream, most_ahead: int) -> tuple[int, int]:
    window = max(WINDOW_GROWTH * stream.n_bytes, FIRST_WINDOW_BYTES)
    window = min(window, LAST_WINDOW_BYTES, most_ahead)
    first = max(stream.advised, stream.expected)
    stream.advised = max(first, stream.expected + window)
    return first, stream.advised
