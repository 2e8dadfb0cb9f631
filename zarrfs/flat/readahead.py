"""Which reads go on where another ended, and how far ahead of them to decode. Pure policy.

The kernel sends the reads of one sequential reader slightly out of order, and several readers may
share one open file. So each open file has a few streams, each with a window in which a read may
fall; and what is read ahead is counted in bytes, since bandwidth times latency is what it hides.
"""

from __future__ import annotations

from dataclasses import dataclass

# Streams followed per open file; the one unused for longest is given up for a new one.
MAX_STREAMS = 8

# A read may be this far, and its own size, before or behind the place where a stream is expected
# to go on. Wider would take random reads of a file of a few hundred MiB for sequential ones.
TOLERANCE_BYTES = 2**20

# Bytes to have decoded or in decode ahead of a reader: at first, and at most. 64 MiB hide 20 ms of
# latency at 1 GB/s three times over; more did not help.
FIRST_WINDOW_BYTES = 2**20
LAST_WINDOW_BYTES = 64 * 2**20

# A single read of this size pays for a slab by itself, whatever comes next.
LARGE_READ_BYTES = 512 * 2**10


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do about one read."""

    is_sequential: bool
    """Serve it from slabs; else from single chunks."""

    ahead: int
    """Bytes after the read to have ready."""


@dataclass(slots=True)
class _Stream:
    expected: int
    window: int


class ReadAhead:
    """Tells sequential from scattered reads of one open file."""

    def __init__(self) -> None:
        self._streams: list[_Stream] = []

    def observe(self, offset: int, size: int) -> Advice:
        """Take note of a read and say how to serve it."""
        stop = offset + size
        for stream in self._streams:
            if abs(offset - stream.expected) <= TOLERANCE_BYTES + size:
                break
        else:
            if len(self._streams) == MAX_STREAMS:
                self._streams.pop(0)
            self._streams.append(_Stream(stop, FIRST_WINDOW_BYTES))
            return Advice(size >= LARGE_READ_BYTES, 0)
        self._streams.remove(stream)
        self._streams.append(stream)
        if stop > stream.expected:
            stream.expected = stop
            stream.window = min(2 * stream.window, LAST_WINDOW_BYTES)
        return Advice(is_sequential=True, ahead=stream.window)
