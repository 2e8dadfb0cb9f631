"""Which parts of a file are free: the lowest that fits is taken, so that the file stays short.

Pure arithmetic on offsets and sizes in bytes; no file is touched.
"""

from __future__ import annotations

from bisect import bisect_left


class FreeExtents:
    """The free parts of a file of at most `limit` bytes, which is free as a whole at first."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        # Start and stop, ascending; neighbours are merged.
        self._free: list[tuple[int, int]] = [(0, limit)] if limit > 0 else []

    @property
    def n_bytes(self) -> int:
        """Bytes that are free."""
        return sum(stop - start for start, stop in self._free)

    def take(self, size: int) -> int | None:
        """Take the lowest extent of at least 1 byte; its offset, ``None`` if none is that large."""
        for i, (start, stop) in enumerate(self._free):
            if stop - start >= size:
                self._free[i : i + 1] = [(start + size, stop)] if stop - start > size else []
                return start
        return None

    def give(self, offset: int, size: int) -> None:
        """Give back an extent that was taken."""
        start, stop = offset, min(offset + size, self._limit)
        if start >= stop:
            return
        i = bisect_left(self._free, (start, stop))
        first = last = i
        if i and self._free[i - 1][1] == start:
            first, start = i - 1, self._free[i - 1][0]
        if i < len(self._free) and self._free[i][0] == stop:
            last, stop = i + 1, self._free[i][1]
        self._free[first:last] = [(start, stop)]

    def cut(self, limit: int) -> None:
        """Make the file shorter: what lies beyond is not free any more, nor when given back."""
        self._limit = min(limit, self._limit)
        self._free = [
            (start, min(stop, self._limit)) for start, stop in self._free if start < self._limit
        ]
