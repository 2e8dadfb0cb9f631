"""A file as segments: header bytes, spans of the flat file, padding. Pure arithmetic."""

from __future__ import annotations

import bisect
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zarrfs.errors import OffsetError, ViewError

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Header:
    """Bytes that the format makes."""

    data: bytes

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.data)


@dataclass(frozen=True, slots=True)
class FlatSpan:
    """A span of the array's flat file."""

    offset: int
    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True)
class Padding:
    """Zero bytes that the format wants."""

    size: int


Segment = Header | FlatSpan | Padding

MAX_FILE_BYTES = 2**63 - 1
"""Largest file that there can be: offsets are signed 64-bit integers."""


class Segments:
    """All segments of a file, one after the other.

    Raises
    ------
    ViewError
        If the file would be larger than any file can be.
    """

    def __init__(self, *segments: Segment) -> None:
        self._segments = tuple(segment for segment in segments if segment.size)
        self._ends = tuple(itertools.accumulate(segment.size for segment in self._segments))
        if self.size > MAX_FILE_BYTES:
            raise ViewError("it has more bytes than a file can have (2**63 - 1)")

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self._ends[-1] if self._ends else 0

    def cut(self, offset: int, size: int) -> Iterator[Segment]:
        """Yield what a byte span of the file consists of, in order; nothing past the end.

        Raises
        ------
        OffsetError
            If the span starts before the file or has a negative size.
        """
        if offset < 0 or size < 0:
            raise OffsetError(f"there are no {size} bytes at offset {offset}")
        stop = min(offset + size, self.size)
        number = bisect.bisect_right(self._ends, offset)
        while offset < stop:
            segment, end = self._segments[number], self._ends[number]
            skipped = segment.size - (end - offset)
            n = min(end, stop) - offset
            match segment:
                case Header(data):
                    yield Header(data[skipped : skipped + n])
                case FlatSpan(start, _):
                    yield FlatSpan(start + skipped, n)
                case _:
                    yield Padding(n)
            offset += n
            number += 1
