"""Chunks that lie side by side in an array -> their elements in it, copied as those of one chunk.

A chunk with short rows is slow to copy: each row goes to another place, and each line of memory
there is written piece by piece. So a run of chunks is decoded into slots next to each other, and
then whole stretches of the array are written at once. Which chunks make up runs is pure arithmetic.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from zarrfs.arrays.placing import MAX_ROW_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from zarrfs.arrays.regions import Piece
    from zarrfs.codecs.base import Array, ChunkSpec

# Chunks of a run, in bytes; each thread holds on to memory for them. 1 GiB in chunks of 512 KiB
# with rows of 128 bytes was copied in 0.15 s by 8 and in 0.3 one by one (1 thread); in chunks of
# 64 KiB with rows of 64 bytes in 0.26 by 16 and in 1.12.
RUN_BYTES = 4 * 2**20

# Smaller boxes lie in a core's cache, where it is as fast to copy chunks one by one: of the same
# array, runs took 1.1 times as long for 4 MiB, 0.9 for 8 and 0.82 for 32.
LEAST_BOX_BYTES = 8 * 2**20


class Stretch(NamedTuple):
    """Some pieces of many."""

    first: int
    """Where it begins among them."""

    pieces: Sequence[Piece]
    is_run: bool
    """They are to be copied together."""


@dataclass(frozen=True, slots=True)
class Runs:
    """Which chunks of a box make up runs, and how they are copied."""

    spec: ChunkSpec
    """What each chunk is."""

    axis: int
    """The last axis along which the box has several chunks."""

    length: int
    """Chunks of a run, at most; 1 if there is to be no run."""

    def split(self, pieces: Sequence[Piece], most: int) -> Iterator[Stretch]:
        """Split pieces, in their order, into runs and stretches of up to so many others."""
        if self.length == 1:
            for first in range(0, len(pieces), most):
                yield Stretch(first, pieces[first : first + most], is_run=False)
            return
        first = 0
        for i in range(1, len(pieces) + 1):
            if i == len(pieces) or not self._continues(pieces[first:i], pieces[i]):
                yield Stretch(first, pieces[first:i], is_run=i - first > 1)
                first = i

    def _continues(self, run: Sequence[Piece], piece: Piece) -> bool:
        """Whether a chunk lies right behind those of a run, and no row of any is cut."""
        axis, last = self.axis, run[-1].coords
        return (
            len(run) < self.length
            and piece.coords[axis] == last[axis] + 1
            and piece.coords[:axis] == last[:axis]
            and self._is_whole(piece)
            and self._is_whole(run[0])
        )

    def _is_whole(self, piece: Piece) -> bool:
        shape = self.spec.shape
        return all(
            piece.in_chunk[i].stop - piece.in_chunk[i].start == shape[i]
            for i in range(self.axis, len(shape))
        )

    def copy(self, memory: memoryview, run: Sequence[Piece], elements: Array) -> None:
        """Copy the chunks of a run to their places.

        Parameters
        ----------
        memory
            The chunks, one behind the other.
        run
            Their pieces, in the same order.
        elements
            The box, in C order and without gaps.
        """
        axis, (_, in_chunk, first) = self.axis, run[0]
        leading = self.spec.shape[:axis]
        row = np.dtype((np.void, self.spec.nbytes // math.prod(leading)))
        rows: Array = np.ndarray((len(run), *leading), row, memory)
        n_behind = math.prod(elements.shape[axis + 1 :])
        stretch = slice(first[axis].start * n_behind, run[-1].in_region[axis].stop * n_behind)
        region = elements.reshape(*elements.shape[:axis], -1)[(*first[:axis], stretch)]
        region.view(row)[...] = np.moveaxis(rows, 0, -1)[in_chunk[:axis]]


def runs_in(shape: tuple[int, ...], spec: ChunkSpec) -> Runs:
    """Tell which chunks of a box are to be copied together.

    Parameters
    ----------
    shape
        Elements of the box along each axis.
    spec
        What each of its chunks is.

    Returns
    -------
    Runs
        Of length 1 where chunks are as fast to copy one by one: no chunk has another beside it
        along an axis but the first, its rows are long, or the box is small.
    """
    cut = [axis for axis, n in enumerate(spec.shape) if n != shape[axis]]
    nbytes = math.prod(shape) * spec.dtype.itemsize
    if not cut or cut[-1] == 0 or nbytes < LEAST_BOX_BYTES or spec.dtype.hasobject:
        return Runs(spec, 0, 1)
    axis = cut[-1]
    if not 0 < spec.nbytes // math.prod(spec.shape[:axis]) < MAX_ROW_BYTES:
        return Runs(spec, axis, 1)
    length = min(-(-shape[axis] // spec.shape[axis]), RUN_BYTES // spec.nbytes)
    return Runs(spec, axis, max(1, length))
