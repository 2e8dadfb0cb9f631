"""Keys <-> files of a directory.

A key is a path below the root, in UTF-8; bytes that are not UTF-8 travel as Python's surrogate
escapes, so every file has a key. Symbolic links are followed. Laws beyond those of `Store`:

- An object is written to a hidden folder and renamed: a reader has the old or the new one. The
  folder stays while the store is open and something was written.
- `delete` also removes the directories that it leaves empty, up to the root.
- Sockets, pipes and devices are no objects: neither listed nor opened for reading.
- What cannot be told from "not there" for sure is an error: a link that leads nowhere, a root
  that went away, another file system mounted over it. Else a lost disk would read as fill values.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from zarrfs.errors import (
    KeyNotFoundError,
    ReadOnlyError,
    StoreError,
    StoreNotFoundError,
)
from zarrfs.stores.base import (
    Buffer,
    Capabilities,
    DiskUsage,
    Fetched,
    Listed,
    ObjectInfo,
    Store,
)
from zarrfs.stores.directories import make_directories, remove_empty_parents, with_parents
from zarrfs.stores.disk_usage import disk_usage
from zarrfs.stores.keys import check_key, check_prefix
from zarrfs.stores.os_errors import store_error
from zarrfs.stores.positional_reads import read_into, read_span, will_need
from zarrfs.stores.temporary_files import FOLDER, TemporaryFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from zarrfs.byte_range import ByteRange

T = TypeVar("T")

# ENXIO: a socket cannot be opened.
_NOT_THERE = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENXIO}

# O_NONBLOCK: opening a pipe without it waits for a writer.
_TO_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK

_NAME_MAX = 255
"""Bytes of a file name on Linux: an object with a longer part in its key cannot exist."""


class LocalStore(Store):
    """A directory.

    Parameters
    ----------
    root
        The directory; made absolute.
    create
        Make it, and those above it, if it is not there.

    Raises
    ------
    StoreNotFoundError
        If it is not there, or is a file.
    StoreError
        If it cannot be made or looked at.
    """

    def __init__(self, root: str | os.PathLike[str], *, create: bool = False) -> None:
        path = Path(root)
        # Only the disk knows where ".." leads from a symbolic link.
        path = path.resolve() if ".." in path.parts else path.absolute()
        self._url = str(path)
        self._root = os.fsencode(path)
        self._folder = os.path.join(self._root, b"")  # with the slash: keys follow
        try:
            if create:
                make_directories(self._root)
            status = os.stat(self._root)
        except (FileNotFoundError, NotADirectoryError) as error:
            reason = "there is no such directory"
            raise StoreNotFoundError("open", "", reason, store=self._url) from error
        except OSError as error:
            raise store_error("open", "", error, self._url) from error
        if not stat.S_ISDIR(status.st_mode):
            reason = "it is a file, not a directory; a zip is named x.zip or zip:///path"
            raise StoreNotFoundError("open", "", reason, store=self._url)
        self._device = status.st_dev
        self._temporary = TemporaryFolder(self._root)
        writable = os.access(self._root, os.W_OK | os.X_OK, effective_ids=True)
        self._capabilities = Capabilities(
            writable=writable,
            rename=writable,
            conditional=writable,
            cheap_stat=True,
            multiprocess=True,
        )

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the path, and which disk it is on."""
        return _reopened, (self._url, self._device)

    @property
    def url(self) -> str:
        """The absolute path of the directory."""
        return self._url

    @property
    def capabilities(self) -> Capabilities:
        """Writable if the directory was, to this process, when the store was opened."""
        return self._capabilities

    # --- reading ----------------------------------------------------------------------------

    def get(self, key: str, byte_range: ByteRange | None = None) -> Buffer:
        """Return a file, or one span of it."""
        return self.get_ranges(key, [byte_range])[0]

    def fetch(
        self,
        key: str,
        buffer: memoryview | None,
        most: int,
        byte_range: ByteRange | None = None,
    ) -> Fetched:
        """Return a file or a span of it, read into `buffer` if it fits, and its size and time."""

        def read(descriptor: int, status: os.stat_result) -> Fetched:
            size, info = status.st_size, _object_info(status)
            if size > most:
                return Fetched(None, info)
            start, stop = byte_range.resolve(size) if byte_range else (0, size)
            if buffer is None or stop - start > len(buffer):
                return Fetched(read_span(descriptor, start, stop), info)
            return Fetched(read_into(descriptor, buffer[: stop - start], start), info)

        return self._read(key, read)

    def expect(self, keys: Iterable[str]) -> None:
        """Have the kernel read files into its page cache."""
        for key in keys:
            with contextlib.suppress(KeyNotFoundError, StoreError):
                self._read(key, lambda descriptor, _: will_need(descriptor))

    def get_ranges(self, key: str, ranges: Sequence[ByteRange | None]) -> list[Buffer]:
        """Return several spans of one file, all of the same version of it."""

        def read(descriptor: int, status: os.stat_result) -> list[Buffer]:
            size = status.st_size
            spans = (span.resolve(size) if span else (0, size) for span in ranges)
            return [read_span(descriptor, start, stop) for start, stop in spans]

        return self._read(key, read)

    def stat(self, key: str) -> ObjectInfo:
        """Size and time of a file; its version is ``mtime-size-inode``."""
        path = self._path("stat", key)
        try:
            status = os.stat(path)
        except OSError as error:
            self._raise_for("stat", key, path, error)
        if not stat.S_ISREG(status.st_mode):
            raise KeyNotFoundError(key)
        return _object_info(status)

    def list_dir(self, prefix: str) -> list[Listed]:
        """Names in a directory, without pipes, sockets and devices.

        A link that leads nowhere is listed (reading it tells what is wrong); one that leads back
        to a directory above it is not, so that walks end.
        """
        check_prefix(prefix, self._url)
        path = self._path("list", prefix[:-1]) if prefix else self._root
        try:
            with os.scandir(path) as entries:
                listing = [self._listed(path, entry) for entry in entries]
        except OSError as error:
            with contextlib.suppress(KeyNotFoundError):
                self._raise_for("list", prefix, path, error)
            return []
        return sorted(listed for listed in listing if listed is not None)

    def has_prefix(self, prefix: str) -> bool:
        """Whether there is such a directory, empty or not; it is not listed."""
        check_prefix(prefix, self._url)
        path = self._path("list", prefix[:-1]) if prefix else self._root
        try:
            return stat.S_ISDIR(os.stat(path).st_mode)
        except OSError as error:
            with contextlib.suppress(KeyNotFoundError):
                self._raise_for("list", prefix, path, error)
            return False

    def disk_usage(self) -> DiskUsage:
        """Size of the file system of the root, and what is free to this user."""
        return disk_usage(self._root, self._url)

    def _read(self, key: str, read: Callable[[int, os.stat_result], T]) -> T:
        """Call a function with the descriptor of a file, and its status."""
        path = self._path("get", key)
        try:
            descriptor = os.open(path, _TO_READ)
            try:
                status = os.fstat(descriptor)
                if not stat.S_ISREG(status.st_mode):
                    raise KeyNotFoundError(key)
                return read(descriptor, status)
            finally:
                os.close(descriptor)
        except OSError as error:
            self._raise_for("get", key, path, error)

    def _listed(self, directory: bytes, entry: os.DirEntry[bytes]) -> Listed | None:
        if entry.name == FOLDER:
            return None
        name = entry.name.decode("utf-8", "surrogateescape")
        try:
            if entry.is_dir():
                is_loop = entry.is_symlink() and self._leads_back(directory, entry.stat())
                return None if is_loop else Listed(name=name, is_prefix=True)
            is_object = entry.is_file() or (entry.is_symlink() and not os.path.exists(entry.path))
        except OSError:
            is_object = True  # get and stat tell what is wrong
        return Listed(name=name, is_prefix=False) if is_object else None

    def _leads_back(self, directory: bytes, target: os.stat_result) -> bool:
        """Whether `target` is `directory` or a directory on the way to it from the root."""
        while len(directory) >= len(self._root):
            if os.path.samestat(os.stat(directory), target):
                return True
            directory = os.path.dirname(directory)
        return False

    # --- writing ----------------------------------------------------------------------------

    def set(self, key: str, data: Buffer) -> None:
        """Replace a file, making its directories. A symbolic link is replaced, not followed."""
        self._place("set", key, data, os.rename)

    def set_new(self, key: str, data: Buffer) -> bool:
        """Make a file if there is none. Needs a file system that has hard links."""
        is_new = True

        def link(source: bytes, target: bytes) -> None:
            nonlocal is_new
            try:
                os.link(source, target)
            except FileExistsError:
                is_new = False

        self._place("set", key, data, link)
        return is_new

    def rename(self, key: str, new_key: str) -> None:
        """Rename a file, making directories and removing those left empty."""
        source, target = self._path("rename", key), self._path("rename", new_key)
        self._require_writable("rename", key)
        self.stat(key)
        try:
            with_parents(target, lambda: os.rename(source, target))
            remove_empty_parents(source, self._root)
        except OSError as error:
            self._raise_for("rename", key, source, error)

    def delete(self, key: str) -> None:
        """Remove a file or symbolic link, and the directories that this leaves empty."""
        path = self._path("delete", key)
        self._require_writable("delete", key)
        try:
            mode = os.lstat(path).st_mode
            if stat.S_ISREG(mode) or stat.S_ISLNK(mode):
                os.unlink(path)
                remove_empty_parents(path, self._root)
        except OSError as error:
            with contextlib.suppress(KeyNotFoundError):
                self._raise_for("delete", key, path, error)

    def close(self) -> None:
        """Remove the folder for temporary files; the next write would make it again."""
        self._temporary.close()

    def _place(
        self, operation: str, key: str, data: Buffer, place: Callable[[bytes, bytes], None]
    ) -> None:
        target = self._path(operation, key)
        self._require_writable(operation, key)
        try:
            try:
                with self._temporary.file(data) as source:
                    with_parents(target, lambda: place(source, target))
            except OSError as error:
                # Part of the store lies on another disk, behind a link or a mount.
                if error.errno != errno.EXDEV:
                    raise
                with (
                    contextlib.closing(TemporaryFolder(os.path.dirname(target))) as nearby,
                    nearby.file(data) as source,
                ):
                    place(source, target)
        except OSError as error:
            self._check_root(operation)
            raise store_error(operation, key, error, self._url) from error

    def _require_writable(self, operation: str, key: str) -> None:
        if not self._capabilities.writable:
            raise ReadOnlyError(operation, key, "the directory is not writable", store=self._url)

    # --- names and errors -------------------------------------------------------------------

    def _path(self, operation: str, key: str) -> bytes:
        check_key(operation, key, self._url)
        try:
            encoded = key.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError as error:
            raise StoreError(operation, key, "not a file name", store=self._url) from error
        if FOLDER in encoded and FOLDER in encoded.split(b"/"):
            raise StoreError(
                operation, key, "the name is kept for temporary files", store=self._url
            )
        return self._folder + encoded

    def _raise_for(self, operation: str, key: str, path: bytes, error: OSError) -> NoReturn:
        """Raise `KeyNotFoundError` if the object is not there for certain, else `StoreError`."""
        is_missing = error.errno in _NOT_THERE or (
            error.errno == errno.ENAMETOOLONG
            and any(len(part) > _NAME_MAX for part in path.split(b"/"))
        )
        if not is_missing:
            raise store_error(operation, key, error, self._url) from error
        self._check_root(operation)
        link = self._dangling_link(path)
        if link is not None:
            reason = f"the symbolic link {os.fsdecode(link)} leads nowhere"
            raise StoreError(operation, key, reason, store=self._url) from error
        raise KeyNotFoundError(key) from error

    def _check_root(self, operation: str) -> None:
        try:
            device = os.stat(self._root).st_dev
        except OSError as error:
            raise store_error(operation, "", error, self._url) from error
        if device != self._device:
            reason = "another file system is mounted there since it was opened; open it again"
            raise StoreError(operation, "", reason, store=self._url)

    def _dangling_link(self, path: bytes) -> bytes | None:
        """Return the link on the way to `path` that leads nowhere, or ``None``."""
        while len(path) > len(self._root) and not os.path.lexists(path):
            path = os.path.dirname(path)
        return None if os.path.exists(path) else path


def _object_info(status: os.stat_result) -> ObjectInfo:
    size, mtime_ns = status.st_size, status.st_mtime_ns
    return ObjectInfo(size, mtime_ns, f"{mtime_ns}-{size}-{status.st_ino}")


def _reopened(url: str, device: int) -> LocalStore:
    store = LocalStore(url)
    store._device = device
    store._check_root("open")
    return store
