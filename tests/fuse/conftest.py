"""A real file system on a store in memory, which a test can make faulty, and its operations."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyfuse3
import pytest

from tests.plain_arrays import put_array, sample
from zarrfs.fuse.operations import Operations
from zarrfs.stores.faulty import FaultyStore
from zarrfs.stores.memory import MemoryStore
from zarrfs.vfs.filesystem import FileSystem
from zarrfs.vfs.options import ViewOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from zarrfs.stores.base import Store

ROOT = pyfuse3.ROOT_INODE
CALLER = pyfuse3.RequestContext()

DATA = sample(4, 8)
"""The array ``a`` of the store, 256 bytes; ``a/c/N`` of the keys is row N."""

TIMEOUT, NAMES_TIMEOUT, ATTR_TIMEOUT = 60.0, 15.0, 1.0


@dataclass
class Kernel:
    """Asks as the kernel does: names one by one, inodes, handles."""

    operations: Operations
    inodes: dict[str, pyfuse3.InodeT] = field(default_factory=dict)

    async def attributes(self, path: str) -> pyfuse3.EntryAttributes:
        """Look up a path from the root, each name of it."""
        found = await self.operations.getattr(ROOT, CALLER)
        for name in filter(None, path.split("/")):
            shown = pyfuse3.FileNameT(os.fsencode(name))
            found = await self.operations.lookup(found.st_ino, shown, CALLER)
        return found

    async def open(self, path: str, flags: int = os.O_RDONLY) -> pyfuse3.FileInfo:
        """Open a file by its path."""
        inode = (await self.attributes(path)).st_ino
        return await self.operations.open(inode, pyfuse3.FlagT(flags), CALLER)

    async def read(self, path: str, offset: int = 0, size: int = 2**20) -> bytes:
        """Open, read and close a file."""
        opened = await self.open(path)
        data = await self.operations.read(opened.fh, offset, size)
        await self.operations.release(opened.fh)
        return bytes(data)


def make_operations(store: Store) -> Operations:
    """Make the operations of a mount of a store."""
    options = ViewOptions(memory=2**24, attr_timeout=0.0)
    filesystem = FileSystem(
        store, name="name", options=options, version="1", read_log=lambda: b"a line\n"
    )
    return Operations(
        filesystem,
        timeout=TIMEOUT,
        names_timeout=NAMES_TIMEOUT,
        attr_timeout=ATTR_TIMEOUT,
        keep_cache=True,
    )


@pytest.fixture
def store() -> FaultyStore:
    """A group with one array ``a``."""
    inner = MemoryStore()
    inner.set("zarr.json", b'{"zarr_format": 3, "node_type": "group"}')
    put_array(inner, "a", DATA, (1, 8), checksum=True)
    return FaultyStore(inner)


@pytest.fixture
def operations(store: FaultyStore) -> Iterator[Operations]:
    """The operations of a mount of `store`."""
    made = make_operations(store)
    yield made
    made.filesystem.close()


@pytest.fixture
def kernel(operations: Operations) -> Kernel:
    """Who asks `operations`."""
    return Kernel(operations)
