"""Memory from the kernel for one buffer each: it goes back as soon as the buffer is gone.

The C library's heap would keep what lies between others, and has one heap for each thread.
"""

from __future__ import annotations

import contextlib
import mmap
import os


class Pages:
    """Some memory, which other processes may have too.

    Parameters
    ----------
    size
        Bytes.
    shared
        It has a descriptor, by which other processes can map it.

    Raises
    ------
    OSError
        If the system has none.
    """

    __slots__ = ("descriptor", "memory", "size")

    def __init__(self, size: int, *, shared: bool = False) -> None:
        self.size = size
        self.descriptor: int | None = None
        if shared:
            self.descriptor = os.memfd_create("zarrfs", os.MFD_CLOEXEC)
            os.truncate(self.descriptor, size)
            self.memory = mmap.mmap(self.descriptor, size)
            return
        self.memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        # Huge pages halve the time to first touch and fill 64 MiB; Python's default, shared
        # memory, quadruples it. Not every kernel has them.
        with contextlib.suppress(OSError):
            self.memory.madvise(mmap.MADV_HUGEPAGE)

    @property
    def is_shared(self) -> bool:
        """Whether other processes can have it too."""
        return self.descriptor is not None

    def __del__(self) -> None:
        if self.descriptor is not None:
            os.truncate(self.descriptor, 0)  # other processes may have it mapped still
            os.close(self.descriptor)
