"""A file of the cache directory of which nothing is left however the process ends."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

from zarrfs.arrays.extents import FreeExtents

# Of what is free on the file system when the file is made, so much is left to others.
_PART_LEFT = 2


class SpillFile:
    """A file without a name, closed when nobody refers to it any more.

    Parameters
    ----------
    directory
        Where the file lies; made for this user alone if it is not there.
    limit
        Bytes of the file, at most.

    Raises
    ------
    OSError
        If it cannot be made.
    """

    def __init__(self, directory: Path, limit: int) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_TMPFILE | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC
        try:
            self._descriptor = os.open(directory, flags, 0o600)
        except OSError:  # not every file system has such files
            self._descriptor, name = tempfile.mkstemp(dir=directory)
            Path(name).unlink()
        room = os.fstatvfs(self._descriptor)
        self.free = FreeExtents(min(limit, room.f_bavail * room.f_frsize // _PART_LEFT))
        """Which parts of it are; not for several threads at a time."""

    def write(self, data: memoryview, offset: int) -> None:
        """Write bytes, all of them, or raise `OSError`."""
        while data:
            n = os.pwrite(self._descriptor, data, offset)
            data, offset = data[n:], offset + n

    def read(self, target: memoryview, offset: int) -> None:
        """Read bytes to where they are wanted, all of them, or raise `OSError`."""
        while target:
            n = os.preadv(self._descriptor, [target], offset)
            if not n:
                raise OSError(errno.EIO, "the file ends too early")
            target, offset = target[n:], offset + n

    def __del__(self) -> None:
        if hasattr(self, "_descriptor"):
            os.close(self._descriptor)
