"""One chunk on its way: who wants it, what for, and what is to become of it then."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from zarrfs.arrays.regions import Coords
    from zarrfs.codecs.base import Array
    from zarrfs.errors import ChunkError

Place = Callable[["Coords"], memoryview | None]
"""Tells where a chunk is to go."""

WantedPart = Callable[["Coords"], tuple[slice, ...]]
"""Tells the part of a chunk that is wanted."""


def nowhere(_: Coords) -> None:
    """Tell that a chunk has no place of its own."""


class Receiver(Protocol):
    """Takes a chunk, on any thread. The array may be overwritten once it has returned."""

    def __call__(self, coords: Coords, chunk: Array | None, error: ChunkError | None) -> None:
        """Take a decoded chunk, ``None`` for one never written, or why it cannot be had."""
        ...


class WantedChunk:
    """A chunk that somebody wants; changed under the lock of its `ChunkSource`."""

    __slots__ = (
        "is_begun",
        "is_stale",
        "is_urgent",
        "keep",
        "n_read",
        "place",
        "receivers",
        "room",
        "spill",
    )

    def __init__(self, *, place: Place, urgent: bool) -> None:
        self.place = place
        self.receivers: list[Receiver] = []
        self.keep = False
        """It is to be kept in memory."""
        self.room: npt.NDArray[np.uint8] | None = None
        """The memory for that, once it is reserved."""
        self.spill = False
        """It is to be kept in a file until all parts of it were read."""
        self.n_read = 0
        """Elements in the parts that are wanted."""
        self.is_urgent = urgent
        self.is_begun = False
        """A thread is at it."""
        self.is_stale = False
        """It was replaced since: what is read may be the old chunk, and is not remembered."""

    def add(self, receive: Receiver, *, keep: bool, part: tuple[slice, ...] | None) -> None:
        """Count in somebody who wants the chunk, or a part of it, of which others will follow."""
        self.receivers.append(receive)
        if part is None:
            self.keep = self.keep or keep
        else:
            self.spill = True
            self.n_read += math.prod(one.stop - one.start for one in part)

    def hasten(self) -> bool:
        """Be urgent; whether that asks for another task, which overtakes the queued one."""
        is_late = not (self.is_urgent or self.is_begun)
        self.is_urgent = True
        return is_late

    def begin(self) -> bool:
        """Take on the chunk, unless another task has."""
        if self.is_begun:
            return False
        self.is_begun = True
        return True
