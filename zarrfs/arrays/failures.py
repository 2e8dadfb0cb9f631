"""Chunks that failed lately and are not tried again for a while; and which were said in the log."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zarrfs.arrays.regions import Coords
    from zarrfs.errors import ChunkError

# Failures remembered per array; one more forgets them all, which only costs decoding again.
MAX_FAILURES = 10_000


class Failures:
    """Failed chunks of one array; changed under the lock of its `ChunkSource`.

    Parameters
    ----------
    ttl
        Seconds for which they are remembered.
    """

    def __init__(self, ttl: float) -> None:
        self._ttl = ttl
        self._errors: dict[Coords, tuple[float, ChunkError]] = {}
        self._logged: dict[str, float] = {}

    def __len__(self) -> int:
        """Failures remembered, perhaps for longer than they count."""
        return len(self._errors)

    def add(self, coords: Coords, error: ChunkError) -> bool:
        """Remember a failure; whether it is to be said in the log.

        A whole shard that cannot be read fails for each of its inner chunks: that is said once.
        """
        now = time.monotonic()
        expiry = now + self._ttl
        if len(self._errors) >= MAX_FAILURES:
            self._errors.clear()
            self._logged.clear()
        self._errors[coords] = expiry, error
        is_new = now >= self._logged.get(str(error), now)
        self._logged[str(error)] = expiry
        return is_new

    def find(self, coords: Coords) -> ChunkError | None:
        """Return why a chunk failed, as an error to raise again; forget what is too long ago."""
        if coords not in self._errors:
            return None
        if self.has(coords):
            return self._errors[coords][1].again()
        del self._errors[coords]
        return None

    def has(self, coords: Coords) -> bool:
        """Whether a chunk failed not too long ago; needs no lock."""
        known = self._errors.get(coords)
        return known is not None and time.monotonic() < known[0]

    def drop(self, coords: Coords) -> None:
        """Forget one chunk."""
        self._errors.pop(coords, None)


def without_frames(error: Exception) -> Exception:
    """Free what the frames hold that an error went through, encoded chunks for one."""
    link: BaseException | None = error
    while link is not None:
        link.__traceback__ = None
        link = link.__cause__ or link.__context__
    return error
