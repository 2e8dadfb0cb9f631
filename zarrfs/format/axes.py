"""One axis of an array cut into chunks: which chunk holds an index, where it starts.

Pure arithmetic on integers, lengths in elements. There are two kinds: chunks of equal length, and
chunks of any lengths, kept as runs of equal ones, so that any number of them takes a few bytes.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from zarrfs.errors import MetadataError

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class RegularAxis:
    """One axis cut into chunks of equal length, the last one perhaps running over the end."""

    length: int
    """Elements along the axis."""

    chunk_length: int
    """Elements of a chunk along the axis; at least 1 unless `length` is 0."""

    @property
    def n_chunks(self) -> int:
        """Chunks along the axis, the last one counted even if partial."""
        return -(-self.length // self.chunk_length) if self.length else 0

    @property
    def runs(self) -> tuple[tuple[int, int], ...]:
        """Length of the chunks and their number."""
        return ((self.chunk_length, self.n_chunks),)

    @property
    def stored_lengths(self) -> tuple[int, ...]:
        """Distinct lengths in which chunks are stored, ascending; one even without chunks."""
        return (self.chunk_length,)

    def find(self, index: int) -> int:
        """Chunk that holds element `index`."""
        return index // self.chunk_length

    def start(self, chunk: int) -> int:
        """First element of a chunk; `length` for ``chunk == n_chunks``."""
        return min(chunk * self.chunk_length, self.length)

    def stored_length(self, chunk: int) -> int:
        """Elements that `chunk` stores along the axis, those over the end included."""
        return self.chunk_length

    def resized(self, length: int) -> RegularAxis:
        """Return the axis with another number of elements, in the same chunks."""
        return RegularAxis(length, self.chunk_length or length)


@dataclass(frozen=True, slots=True)
class IrregularAxis:
    """One axis cut into chunks of any lengths; made by `irregular_axis`.

    The last chunk may run over the end, and more of them may follow that hold nothing yet.
    """

    length: int
    """Elements along the axis."""

    lengths: tuple[int, ...]
    """Elements of each chunk of a run; neighbours differ."""

    first_chunks: tuple[int, ...]
    """First chunk of each run, and the number of all chunks, those past the end included."""

    starts: tuple[int, ...]
    """First element of each run, and the one after the last of them."""

    @property
    def n_chunks(self) -> int:
        """Chunks that hold elements of the array."""
        return self.find(self.length - 1) + 1 if self.length else 0

    @property
    def runs(self) -> tuple[tuple[int, int], ...]:
        """Length of the chunks of each run and their number, those past the end included."""
        counts = (stop - start for start, stop in pairwise(self.first_chunks))
        return tuple(zip(self.lengths, counts, strict=True))

    @property
    def stored_lengths(self) -> tuple[int, ...]:
        """Distinct lengths in which chunks are stored, ascending; one even without chunks."""
        n_runs = bisect_right(self.starts, max(0, self.length - 1))
        return tuple(sorted(set(self.lengths[:n_runs]))) or (0,)

    def find(self, index: int) -> int:
        """Chunk that holds element `index`."""
        run = bisect_right(self.starts, index) - 1
        return self.first_chunks[run] + (index - self.starts[run]) // self.lengths[run]

    def start(self, chunk: int) -> int:
        """First element of a chunk; `length` for ``chunk == n_chunks``."""
        run = bisect_right(self.first_chunks, chunk) - 1
        if run == len(self.lengths):
            return self.length
        start = self.starts[run] + (chunk - self.first_chunks[run]) * self.lengths[run]
        return min(start, self.length)

    def stored_length(self, chunk: int) -> int:
        """Elements that `chunk` stores along the axis, those over the end included."""
        return self.lengths[bisect_right(self.first_chunks, chunk) - 1]

    def resized(self, length: int) -> IrregularAxis:
        """Return the axis with another number of elements, in the same chunks and new ones.

        Chunks past a new end stay, and are used again when the axis grows. Past the last of them
        new ones follow: each as long as the longest there is, the last one as long as is left,
        rounded up to the greatest common divisor of all lengths. So what is appended at a time is
        one chunk, no chunk is larger than before, and inner chunks still divide each.

        The specification leaves it open; zarr-python 3.4 puts all that is new into one chunk.
        """
        missing = length - self.starts[-1]
        if missing <= 0:
            return IrregularAxis(length, self.lengths, self.first_chunks, self.starts)
        longest = max(self.lengths, default=missing)
        n_longest, rest = divmod(missing, longest)
        unit = math.gcd(*self.lengths) or 1
        more = ((longest, n_longest), (-(-rest // unit) * unit, 1 if rest else 0))
        return irregular_axis(length, (*self.runs, *more))


Axis = RegularAxis | IrregularAxis
"""Either kind; all that reads or writes arrays needs only what both have."""


def irregular_axis(
    length: int, runs: Iterable[tuple[int, int]], field: str = "chunk_grid"
) -> IrregularAxis:
    """Cut an axis into runs of equal chunks.

    Parameters
    ----------
    length
        Elements along the axis.
    runs
        For each run the elements of a chunk, at least 1, and how many chunks there are. Those
        of none are left out, and neighbours of equal length become one.
    field
        The member that tells the runs, for messages.

    Raises
    ------
    MetadataError
        If the chunks do not cover the axis.
    """
    lengths: list[int] = []
    first_chunks, starts = [0], [0]
    for chunk_length, count in runs:
        if not count:
            continue
        if lengths and lengths[-1] == chunk_length:
            first_chunks[-1] += count
            starts[-1] += count * chunk_length
        else:
            lengths.append(chunk_length)
            first_chunks.append(first_chunks[-1] + count)
            starts.append(starts[-1] + count * chunk_length)
    if starts[-1] < length:
        reason = f"has chunks for {starts[-1]} elements, but the array has {length} there"
        raise MetadataError(reason, field=field)
    return IrregularAxis(length, tuple(lengths), tuple(first_chunks), tuple(starts))
