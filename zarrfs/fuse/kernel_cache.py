"""What the kernel believes of a mount, and how to make it ask again before its time.

The kernel trusts attributes and names for `attr_timeout`. When the store is to be asked at once it
is told to forget them; a file whose time of change is another one then loses its pages as well.
"""

from __future__ import annotations

import contextlib
from collections import deque
from typing import TYPE_CHECKING

import pyfuse3
import trio

if TYPE_CHECKING:
    from collections.abc import Hashable

    from zarrfs.fuse.inodes import InodeNumber, Inodes

# Names that do not exist are remembered so that they can be taken back. Of more than this the
# oldest hold until their time is over.
MAX_MISSING = 10_000


class KernelCache:
    """What the kernel was told and may believe. Filled on the trio thread."""

    def __init__(self, inodes: Inodes) -> None:
        self._inodes = inodes
        self._missing: deque[tuple[pyfuse3.InodeT, pyfuse3.FileNameT]] = deque(maxlen=MAX_MISSING)
        self._versions: dict[InodeNumber, Hashable] = {}

    def add_missing(self, parent: pyfuse3.InodeT, name: pyfuse3.FileNameT) -> None:
        """Take note that the kernel was told that a name does not exist."""
        self._missing.append((parent, name))

    def open(self, number: InodeNumber, version: Hashable) -> bool:
        """Take note that a file is opened; whether the pages that the kernel has of it are good.

        Nobody else can tell: of several programs that open a file at a time, the first may have its
        answer last, when the others have begun to read.

        Parameters
        ----------
        number
            The file.
        version
            Of its content. Pages are good if they are of an equal one, or if there are none.
        """
        last = self._versions.get(number, version)
        self._versions[number] = version
        return last == version

    def forget(self, number: InodeNumber) -> None:
        """Take note that the kernel has forgotten an inode, and with it all its pages."""
        self._versions.pop(number, None)

    def expire(self, token: trio.lowlevel.TrioToken) -> None:
        """Make the kernel ask again for what it knows.

        To be called on a thread of its own: it waits for requests under way in a directory. What
        the kernel has forgotten meanwhile is no error, nor that the mount has ended.
        """
        with contextlib.suppress(trio.RunFinishedError):
            numbers, missing = trio.from_thread.run_sync(self._take, trio_token=token)
            for number in numbers:
                with contextlib.suppress(OSError):
                    pyfuse3.invalidate_inode(pyfuse3.InodeT(number), attr_only=True)
            for parent, name in missing:
                with contextlib.suppress(OSError):
                    pyfuse3.invalidate_entry(parent, name)

    def _take(self) -> tuple[list[int], list[tuple[pyfuse3.InodeT, pyfuse3.FileNameT]]]:
        missing = list(self._missing)
        self._missing.clear()
        return list(self._inodes.numbers()), missing
