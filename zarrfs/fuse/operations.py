"""The kernel's requests -> the file system's answers: translate, delegate, reply.

No exception but `FUSEError` leaves a handler: any other one would end the mount. Every request
ends: what takes longer than its deadline is ``EIO``.
"""

from __future__ import annotations

import errno
import functools
import logging
import os
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Concatenate, NoReturn, ParamSpec, TypeVar, cast

import pyfuse3
import trio

from zarrfs.errors import DeadlineError, EntryNotFoundError, ZarrfsError
from zarrfs.fuse.attributes import (
    directory_link,
    disk_attributes,
    entry_attributes,
    no_entry,
)
from zarrfs.fuse.errno_map import EXPECTED, errno_of
from zarrfs.fuse.handles import HandleNumber, Handles
from zarrfs.fuse.inodes import InodeNumber, Inodes
from zarrfs.fuse.kernel_cache import KernelCache
from zarrfs.fuse.page_pushing import LEAST_BYTES, PagePushes, Run
from zarrfs.fuse.waiting import LateReads, run_in_thread, wait_for
from zarrfs.vfs.filesystem import CONTROL

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from zarrfs.vfs.entries import Entry, Name, OpenFile
    from zarrfs.vfs.filesystem import FileSystem

    Buffer = bytes | bytearray | memoryview

P = ParamSpec("P")
R = TypeVar("R")

_log = logging.getLogger(__name__)

# Threads that ask the store about names and attributes: enough for `find` and `ls -l` at a time,
# and apart from the decode threads, so that data never keeps names waiting.
NAME_THREADS = 16
# Threads for what needs no store: the log can be read while all those above hang.
OWN_THREADS = 2
MAX_NAME_BYTES = 255
# Names whose attributes are looked up at a time while a directory is listed: the kernel takes
# about 30 in one reply, and more if the program has room for them.
LISTING_BATCH = 32


def _handler(
    method: Callable[Concatenate[Operations, P], Coroutine[Any, Any, R]],
) -> Callable[Concatenate[Operations, P], Coroutine[Any, Any, R]]:
    """Count a request, and let nothing but `FUSEError` out of it."""
    name = method.__name__

    async def handle(self: Operations, /, *args: P.args, **kwargs: P.kwargs) -> R:
        self.filesystem.count(**{f"requests_{name}": 1})
        try:
            return await method(self, *args, **kwargs)
        except pyfuse3.FUSEError:
            raise
        except Exception as error:
            raise pyfuse3.FUSEError(self.refuse(name, error)) from error

    functools.update_wrapper(handle, method)
    return handle


@dataclass(slots=True)
class _OpenDirectory:
    path: str
    names: Sequence[Name]
    is_begun: bool = False


@dataclass(slots=True)
class _Open:
    path: str
    number: InodeNumber
    file: OpenFile
    late: LateReads
    run: Run | None
    """Its reads in order, if what they read goes through the kernel's page cache."""


class Operations(pyfuse3.Operations):
    """Answers the kernel for one mount, which is read-only.

    Parameters
    ----------
    filesystem
        What the mount shows.
    timeout, names_timeout
        Seconds after which a request for data, or for names and attributes, is given up.
    attr_timeout
        Seconds for which the kernel may believe names and attributes, and for which a read that
        got no answer in time is not tried again.
    keep_cache
        The kernel may keep a file's pages from one open to the next.
    """

    supports_dot_lookup = False
    # With it refused writes would vanish silently.
    enable_writeback_cache = False

    def __init__(
        self,
        filesystem: FileSystem,
        *,
        timeout: float,
        names_timeout: float,
        attr_timeout: float,
        keep_cache: bool,
    ) -> None:
        super().__init__()
        self.filesystem = filesystem
        self._timeout = timeout
        self._names_timeout = names_timeout
        self._attr_timeout = attr_timeout
        self._keep_cache = keep_cache
        self._inodes = Inodes()
        self.kernel_cache = KernelCache(self._inodes)
        self.pages = PagePushes()
        self._files: Handles[_Open] = Handles()
        self._directories: Handles[_OpenDirectory] = Handles()
        self._name_threads = trio.CapacityLimiter(NAME_THREADS)
        self._own_threads = trio.CapacityLimiter(OWN_THREADS)

    def refuse(self, request: str, error: Exception) -> int:
        """Log an error, if nobody has yet, and return its errno."""
        number = errno_of(error)
        if number not in EXPECTED:
            self.filesystem.count(errors=1)
            if not isinstance(error, ZarrfsError):
                _log.error("%s failed", request, exc_info=error)
            elif not error.is_logged:
                _log.error("%s: %s", request, error)
                error.is_logged = True
        return number

    # --- names and attributes --------------------------------------------------------------------

    @_handler
    async def lookup(
        self, parent: pyfuse3.InodeT, name: pyfuse3.FileNameT, ctx: pyfuse3.RequestContext
    ) -> pyfuse3.EntryAttributes:
        """Find a name in a directory; that it does not exist is remembered too."""
        if len(name) > MAX_NAME_BYTES:
            raise pyfuse3.FUSEError(errno.ENAMETOOLONG)
        path = _join(self._path(parent), os.fsdecode(name))
        try:
            entry = await self._entry(path)
        except EntryNotFoundError:
            self.kernel_cache.add_missing(parent, name)
            return no_entry(self._attr_timeout)
        # Counted last: the kernel never forgets what an error kept from it.
        attributes = await self._attributes(entry, self._inodes.number(path))
        self._inodes.look_up(path)
        return attributes

    @_handler
    async def getattr(
        self, inode: pyfuse3.InodeT, ctx: pyfuse3.RequestContext
    ) -> pyfuse3.EntryAttributes:
        """Tell the attributes of an inode."""
        entry = await self._entry(self._path(inode))
        return await self._attributes(entry, InodeNumber(inode))

    async def forget(self, inode_list: Sequence[tuple[pyfuse3.InodeT, int]]) -> None:
        """Take back what the kernel was told; there is no reply, and nothing may be raised."""
        for inode, n_lookups in inode_list:
            if self._inodes.forget(InodeNumber(inode), n_lookups):
                self.pages.forget(InodeNumber(inode))
                self.kernel_cache.forget(InodeNumber(inode))

    @_handler
    async def statfs(self, ctx: pyfuse3.RequestContext) -> pyfuse3.StatvfsData:
        """Tell the size of the storage."""
        return disk_attributes(await self._in_thread("the disk", self.filesystem.disk_usage))

    @_handler
    async def getxattr(
        self, inode: pyfuse3.InodeT, name: pyfuse3.XAttrNameT, ctx: pyfuse3.RequestContext
    ) -> bytes:
        """Return an extended attribute."""
        entry = await self._entry(self._path(inode))
        try:
            return entry.xattrs[os.fsdecode(name)]
        except KeyError:
            raise pyfuse3.FUSEError(pyfuse3.ENOATTR) from None

    @_handler
    async def listxattr(
        self, inode: pyfuse3.InodeT, ctx: pyfuse3.RequestContext
    ) -> Sequence[pyfuse3.XAttrNameT]:
        """List the names of the extended attributes."""
        entry = await self._entry(self._path(inode))
        return [pyfuse3.XAttrNameT(os.fsencode(name)) for name in entry.xattrs]

    # --- directories -----------------------------------------------------------------------------

    @_handler
    async def opendir(
        self, inode: pyfuse3.InodeT, ctx: pyfuse3.RequestContext
    ) -> pyfuse3.FileHandleT:
        """Open a directory. Positions in it count in the names that it has now."""
        path = self._path(inode)
        opened = _OpenDirectory(path, await self._names(path))
        return pyfuse3.FileHandleT(self._directories.add(opened))

    @_handler
    async def readdir(
        self, fh: pyfuse3.FileHandleT, start_id: int, token: pyfuse3.ReaddirToken
    ) -> None:
        """List a directory from a position on, until the kernel has enough."""
        opened = self._directories.get(HandleNumber(fh))
        if start_id == 0 and opened.is_begun:  # rewinddir(3): as the directory is by then
            opened.names = await self._names(opened.path)
        opened.is_begun = True
        links = [(b".", opened.path), (b"..", opened.path.rpartition("/")[0])]
        for position, (link, path) in enumerate(links[start_id:], start_id + 1):
            # The kernel does not count these as looked up.
            attributes = directory_link(self._inodes.number(path))
            if not pyfuse3.readdir_reply(token, pyfuse3.FileNameT(link), attributes, position):
                return
        begin = max(start_id - len(links), 0)
        for first in range(begin, len(opened.names), LISTING_BATCH):
            names = opened.names[first : first + LISTING_BATCH]
            paths = [_join(opened.path, name.name) for name in names]
            try:
                entries = await self._in_thread(paths[0], self._entries, paths)
            except Exception:
                if first == begin:
                    raise
                return  # what was listed so far is right; asked for the rest, it fails again
            for position, (name, path, entry) in enumerate(
                zip(names, paths, entries, strict=True), len(links) + first + 1
            ):
                if entry is None:
                    continue
                attributes = await self._attributes(entry, self._inodes.number(path))
                shown = pyfuse3.FileNameT(os.fsencode(name.name))
                if not pyfuse3.readdir_reply(token, shown, attributes, position):
                    return
                self._inodes.look_up(path)

    @_handler
    async def releasedir(self, fh: pyfuse3.FileHandleT) -> None:
        """Close a directory."""
        self._directories.remove(HandleNumber(fh))

    # --- files -----------------------------------------------------------------------------------

    @_handler
    async def open(
        self, inode: pyfuse3.InodeT, flags: pyfuse3.FlagT, ctx: pyfuse3.RequestContext
    ) -> pyfuse3.FileInfo:
        """Open a file for reading."""
        if flags & os.O_ACCMODE != os.O_RDONLY or flags & os.O_TRUNC:
            raise pyfuse3.FUSEError(errno.EROFS)
        path = self._path(inode)
        file = await self._in_thread(path, self.filesystem.open, path)
        number = InodeNumber(inode)
        await self._before_telling(path, number)
        run = None if file.direct_io or flags & os.O_DIRECT else Run()
        are_good = self.kernel_cache.open(number, file.version)
        handle = self._files.add(_Open(path, number, file, LateReads(self._attr_timeout), run))
        return pyfuse3.FileInfo(
            fh=pyfuse3.FileHandleT(handle),
            keep_cache=self._keep_cache and are_good and not file.direct_io,
            direct_io=file.direct_io,
        )

    @_handler
    async def read(self, fh: pyfuse3.FileHandleT, off: int, size: int) -> bytes:
        """Read a span of a file, at once if its bytes are there."""
        opened = self._files.get(HandleNumber(fh))
        most = opened.run.observe(off, size) if opened.run and self.pages.is_on else 0
        if most:
            reply = await self._read_ahead(opened, off, size, most)
        else:
            reply = await self._read(opened, off, size)
        self.filesystem.count(bytes_served=len(reply))
        # Any buffer is written to the kernel as it is; the annotation in pyfuse3 is narrower.
        return cast("bytes", reply)

    @_handler
    async def flush(self, fh: pyfuse3.FileHandleT) -> None:
        """Nothing to write when a file is closed, so that the kernel need not ask again."""
        raise pyfuse3.FUSEError(errno.ENOSYS)

    @_handler
    async def fsync(self, fh: pyfuse3.FileHandleT, datasync: bool) -> None:
        """Nothing to write."""

    @_handler
    async def fsyncdir(self, fh: pyfuse3.FileHandleT, datasync: bool) -> None:
        """Nothing to write."""

    @_handler
    async def release(self, fh: pyfuse3.FileHandleT) -> None:
        """Close a file."""
        self._files.remove(HandleNumber(fh))

    async def _read(self, opened: _Open, offset: int, size: int) -> Buffer:
        reply = opened.file.read(offset, size)
        return await self._data(opened, reply, offset, size) if isinstance(reply, Future) else reply

    async def _read_ahead(self, opened: _Open, offset: int, size: int, most: int) -> Buffer:
        """Read more than was asked for, and give that to the kernel before the answer."""
        assert opened.run
        ticket = self.pages.ticket(opened.number)
        stop = min(offset + most, opened.file.slab_end(offset))
        # The kernel has asked for as much again by now: it always does while it waits.
        begin = offset + 2 * size
        if ticket is None or stop - begin < LEAST_BYTES:
            return await self._read(opened, offset, size)
        opened.run.reach(stop)
        try:
            data = memoryview(await self._read(opened, offset, stop - offset))
        except ZarrfsError:
            # It may be something behind that cannot be had.
            return await self._read(opened, offset, size)
        n_pushed = await self.pages.push(ticket, begin, data[2 * size :])
        self.filesystem.count(bytes_pushed=n_pushed)
        return data[:size]

    # --- how to wait -----------------------------------------------------------------------------

    async def _entry(self, path: str) -> Entry:
        return await self._in_thread(path, self.filesystem.entry, path)

    async def _names(self, path: str) -> list[Name]:
        return await self._in_thread(path, self.filesystem.names, path)

    async def _in_thread(self, about: str, function: Callable[..., R], *args: object) -> R:
        """Run something that may ask the store, within the deadline for names."""
        is_own = not about or about.partition("/")[0] == CONTROL
        try:
            return await run_in_thread(
                function,
                *args,
                limiter=self._own_threads if is_own else self._name_threads,
                seconds=self._names_timeout,
            )
        except DeadlineError as error:
            raise DeadlineError(f"{about or '/'}: {error}") from None

    async def _data(
        self, opened: _Open, reply: Future[memoryview], offset: int, size: int
    ) -> memoryview:
        """Wait for data, within the deadline for data."""
        known = None if reply.done() else opened.late.find(offset, size)
        if known is not None:
            raise known
        try:
            return await wait_for(reply, self._timeout)
        except DeadlineError as error:
            late = DeadlineError(f"{opened.path}, {size} bytes at offset {offset}: {error}")
            opened.late.add(offset, size, late)
            raise late from None

    # --- paths -----------------------------------------------------------------------------------

    def _path(self, inode: pyfuse3.InodeT) -> str:
        return self._inodes.path(InodeNumber(inode))

    async def _attributes(self, entry: Entry, number: InodeNumber) -> pyfuse3.EntryAttributes:
        if not entry.is_directory:
            await self._before_telling("attributes", number, entry.size)
        return entry_attributes(entry, number, self._attr_timeout)

    async def _before_telling(
        self, about: str, number: InodeNumber, size: int | None = None
    ) -> None:
        """Let pushes end that the kernel is to drop when it has the answer."""
        pushes = self.pages.before_telling(number, size)
        with trio.move_on_after(self._names_timeout) as scope:
            for push in pushes:
                await push.wait()
        if scope.cancelled_caught:
            raise DeadlineError(f"{about}: pages are still on their way to the kernel")

    def _entries(self, paths: Sequence[str]) -> list[Entry | None]:
        return [self._entry_or_none(path) for path in paths]

    def _entry_or_none(self, path: str) -> Entry | None:
        try:
            return self.filesystem.entry(path)
        except EntryNotFoundError:
            return None  # it has gone since the directory was opened


async def _refuse_to_write(self: Operations, *_: object) -> NoReturn:
    self.filesystem.count(requests_write=1)
    raise pyfuse3.FUSEError(errno.EROFS)


# The kernel refuses these by itself, unless somebody made it forget: ``mount -o remount,rw``.
for _request in (
    *("setattr", "mknod", "mkdir", "unlink", "rmdir", "symlink", "rename", "link", "create"),
    *("write", "setxattr", "removexattr"),
):
    setattr(Operations, _request, _refuse_to_write)


def _join(parent: str, name: str) -> str:
    return f"{parent}/{name}" if parent else name
