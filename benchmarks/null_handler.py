"""A file of zeros whose reads cost its daemon nothing: the ceiling for any FUSE file system.

``python -m benchmarks.null_handler MOUNTPOINT SIZE`` mounts it, says "ready" and serves until it is
unmounted. Every read is answered out of one buffer.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pyfuse3
import trio

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE = pyfuse3.InodeT(pyfuse3.ROOT_INODE + 1)
NAME = "zeros"
LARGEST_READ = 2**20


class Zeros(pyfuse3.Operations):
    """A directory with one file."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size
        self._zeros = memoryview(bytes(LARGEST_READ))

    async def getattr(
        self, inode: pyfuse3.InodeT, ctx: pyfuse3.RequestContext | None = None
    ) -> pyfuse3.EntryAttributes:
        """Describe the directory or the file."""
        attributes = pyfuse3.EntryAttributes()
        attributes.st_ino = inode
        attributes.st_mode = pyfuse3.ModeT(
            stat.S_IFREG | 0o444 if inode == FILE else stat.S_IFDIR | 0o555
        )
        attributes.st_nlink = 1
        attributes.st_size = self._size if inode == FILE else 0
        attributes.st_uid, attributes.st_gid = os.geteuid(), os.getegid()
        return attributes

    async def lookup(
        self,
        parent_inode: pyfuse3.InodeT,
        name: pyfuse3.FileNameT,
        ctx: pyfuse3.RequestContext,
    ) -> pyfuse3.EntryAttributes:
        """Find the file."""
        if os.fsdecode(name) != NAME:
            raise pyfuse3.FUSEError(errno.ENOENT)
        return await self.getattr(FILE, ctx)

    async def open(
        self, inode: pyfuse3.InodeT, flags: pyfuse3.FlagT, ctx: pyfuse3.RequestContext
    ) -> pyfuse3.FileInfo:
        """Open the file; its pages stay cached, as those of zarrfs do."""
        return pyfuse3.FileInfo(fh=pyfuse3.FileHandleT(inode), keep_cache=True)

    async def read(self, fh: pyfuse3.FileHandleT, off: int, size: int) -> bytes:
        """Return zeros; the kernel has cut the span at the end of the file."""
        return cast("bytes", self._zeros[:size])  # any buffer will do


def serve(mount_point: str, size: int) -> None:
    """Mount and serve until unmounted."""
    pyfuse3.init(Zeros(size), mount_point, {"fsname=zeros", "subtype=zeros", "ro"})
    try:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        trio.run(pyfuse3.main)
    finally:
        pyfuse3.close(unmount=True)


@contextlib.contextmanager
def zeros_mounted(mount_point: Path, size: int) -> Iterator[Path]:
    """Serve a file of zeros for as long as the block runs; it is given as a path."""
    mount_point.mkdir()
    command = [sys.executable, "-m", "benchmarks.null_handler", str(mount_point), str(size)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[1]
    ) as process:
        assert process.stdout
        if not process.stdout.readline():
            raise RuntimeError("the no-op handler could not be mounted")
        try:
            yield mount_point / NAME
        finally:
            subprocess.run(["fusermount3", "-u", str(mount_point)], check=True)


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
