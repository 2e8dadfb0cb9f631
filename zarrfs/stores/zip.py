"""Keys <-> members of a zip archive, read-only.

Stored members are read by range straight from the file, deflated ones are inflated whole. The
CRC-32 is checked whenever a member is read whole, so ranges of stored members go unchecked.

- Of two members with one name the last counts. Directory entries are no objects.
- Names that would leave the archive (``../x``, ``/x``) are left out, with one warning.
- An archive that changes on disk is opened again at the next call.
"""

from __future__ import annotations

import logging
import os
import stat
import struct
import threading
import weakref
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from zarrfs.errors import KeyNotFoundError, StoreError, StoreNotFoundError
from zarrfs.stores.base import Buffer, Capabilities, DiskUsage, Listed, ObjectInfo, Store
from zarrfs.stores.disk_usage import disk_usage
from zarrfs.stores.inflated_members import InflatedMembers
from zarrfs.stores.keys import KeyIndex, check_key, check_prefix, is_key
from zarrfs.stores.os_errors import store_error
from zarrfs.stores.positional_reads import read_span

if TYPE_CHECKING:
    from zarrfs.byte_range import ByteRange

_logger = logging.getLogger(__name__)

# APPNOTE.TXT, 4.3.7 "Local file header": signature, 22 bytes that the central directory repeats,
# length of the name, length of the extra field; both follow, then the data.
_LOCAL_HEADER = struct.Struct("<4s22xHH")
# RFC 1951: 258 bytes take two bits at least. Keeps a false size from claiming memory.
_DEFLATE_RATIO = 1032

_UTF8_FLAG, _ENCRYPTED_FLAG = 0x800, 0x1
_FROM_DOS, _FROM_UNIX = 0, 3

# What `zipfile` raises for damaged directories, found by test_damage_is_a_store_error.
_DAMAGE = (
    zipfile.BadZipFile,
    NotImplementedError,
    struct.error,
    ValueError,
    OverflowError,
    IndexError,
)


class ZipStore(Store):
    """The members of a zip archive on disk.

    Parameters
    ----------
    path
        The archive; made absolute.

    Raises
    ------
    StoreNotFoundError
        If it is not there.
    StoreError
        If it is no zip, is cut off, or cannot be read.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path).absolute()
        self._url = f"zip://{self._path}" if self._path.suffix != ".zip" else str(self._path)
        self._lock = threading.Lock()
        self._archive: _Archive | None = None
        self._is_closed = False
        self._current("open", "")

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the path."""
        return ZipStore, (self._path,)

    @property
    def url(self) -> str:
        """The absolute path, with ``zip://`` before it where it does not end in ``.zip``."""
        return self._url

    @property
    def capabilities(self) -> Capabilities:
        """Read only."""
        return Capabilities(writable=False, cheap_stat=True, multiprocess=True)

    def get(self, key: str, byte_range: ByteRange | None = None) -> Buffer:
        """Return a member, or one span of it.

        Raises
        ------
        StoreError
            If it is damaged, encrypted, or compressed in a way other than deflate.
        """
        archive, member = self._find("get", key)
        try:
            return archive.read(key, member, byte_range)
        except _MemberError as error:
            raise StoreError("get", key, str(error), store=self._url) from error
        except OSError as error:
            raise store_error("get", key, error, self._url) from error

    def stat(self, key: str) -> ObjectInfo:
        """Size of a member, time of the archive (members' times have no zone); CRC as version."""
        archive, member = self._find("stat", key)
        return ObjectInfo(
            size=member.file_size,
            mtime_ns=archive.identity[0],
            version=f"{member.CRC:08x}-{member.file_size}",
        )

    def list_dir(self, prefix: str) -> list[Listed]:
        """Names directly below a prefix."""
        check_prefix(prefix, self._url)
        return self._current("list", prefix).index.list_dir(prefix)

    def has_prefix(self, prefix: str) -> bool:
        """Whether members lie below a prefix."""
        check_prefix(prefix, self._url)
        return self._current("list", prefix).index.has_prefix(prefix)

    def disk_usage(self) -> DiskUsage:
        """Size of the file system that the archive lies on."""
        return disk_usage(self._path, self._url)

    def close(self) -> None:
        """Let go of the file; calls that run at this moment still end well."""
        with self._lock:
            self._archive, self._is_closed = None, True

    def _find(self, operation: str, key: str) -> tuple[_Archive, zipfile.ZipInfo]:
        check_key(operation, key, self._url)
        archive = self._current(operation, key)
        member = archive.members.get(key)
        if member is None:
            raise KeyNotFoundError(key)
        return archive, member

    def _current(self, operation: str, key: str) -> _Archive:
        """Return the archive as it is on disk now."""
        try:
            identity = _identity(self._path.stat())
            with self._lock:
                if self._is_closed:
                    raise StoreError(operation, key, "the store is closed", store=self._url)
                if self._archive is None or self._archive.identity != identity:
                    self._archive = _Archive(self._path)
                return self._archive
        except (FileNotFoundError, NotADirectoryError) as error:
            raise StoreNotFoundError(
                "open", "", "there is no such file", store=self._url
            ) from error
        except OSError as error:
            if isinstance(error, StoreError):
                raise
            raise store_error("open", "", error, self._url) from error
        except _DAMAGE as error:
            reason = f"not a zip file, or cut off: {error}"
            raise StoreError("open", "", reason, store=self._url) from error


class _MemberError(Exception):
    """A member cannot be read; the message is the reason."""


class _Archive:
    """An archive as it was at one moment: its directory, and a descriptor to read members.

    The descriptor is closed when nobody holds the archive any more, so never under a reader.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        weakref.finalize(self, os.close, self._descriptor)
        status = os.fstat(self._descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise zipfile.BadZipFile("it is not a regular file")
        self.identity = _identity(status)
        with (
            open(self._descriptor, "rb", closefd=False) as file,
            zipfile.ZipFile(file) as directory,
        ):
            named = [(_key(member), member) for member in directory.infolist()]
        self.members = {key: member for key, member in named if is_key(key)}
        self.index = KeyIndex(self.members)
        self._inflated = InflatedMembers()
        bad = [key for key, _ in named if not is_key(key.removesuffix("/"))]
        if bad:
            _logger.warning(
                "%s: %d members left out, their names are no keys (%r)", path, len(bad), bad[0]
            )

    def read(self, key: str, member: zipfile.ZipInfo, byte_range: ByteRange | None) -> Buffer:
        if member.flag_bits & _ENCRYPTED_FLAG:
            raise _MemberError("it is encrypted")
        if member.compress_type == zipfile.ZIP_DEFLATED:
            if byte_range is None:
                return self._inflate(member)
            start, stop = byte_range.resolve(member.file_size)
            return memoryview(self._inflated.get(key, lambda: self._inflate(member)))[start:stop]
        if member.compress_type != zipfile.ZIP_STORED:
            raise _MemberError(
                f"compression method {member.compress_type} is not supported, only 0 (stored) "
                "and 8 (deflated); pack the archive again"
            )
        if member.compress_size != member.file_size:
            _damaged("it is stored, yet its two sizes differ")
        if byte_range is None:
            whole = self._read_raw(member, 0, member.file_size)
            _check(member, whole)
            return whole
        return self._read_raw(member, *byte_range.resolve(member.file_size))

    def _inflate(self, member: zipfile.ZipInfo) -> bytes:
        if member.file_size > _DEFLATE_RATIO * member.compress_size:
            _damaged(f"{member.compress_size} deflated bytes cannot hold {member.file_size}")
        raw = self._read_raw(member, 0, member.compress_size)
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            # One byte more than promised: max_length 0 would mean "no limit".
            data = inflater.decompress(raw, member.file_size + 1)
        except zlib.error as error:
            raise _MemberError(f"it is damaged: {error}") from error
        _check(member, data)
        return data

    def _read_raw(self, member: zipfile.ZipInfo, start: int, stop: int) -> bytes | bytearray:
        """Bytes of a member as they lie in the archive."""
        if not 0 <= member.header_offset < self.identity[1]:
            _damaged("it begins outside of the archive")
        header = os.pread(self._descriptor, _LOCAL_HEADER.size, member.header_offset)
        if len(header) < _LOCAL_HEADER.size:
            _damaged("the archive is cut off inside it")
        signature, name_size, extra_size = _LOCAL_HEADER.unpack(header)
        if signature != b"PK\3\4":
            _damaged("no member begins where the directory says")
        offset = member.header_offset + _LOCAL_HEADER.size + name_size + extra_size
        if offset + stop > self.identity[1]:
            _damaged("the archive is cut off inside it")
        return read_span(self._descriptor, offset + start, offset + stop)


def _check(member: zipfile.ZipInfo, data: Buffer) -> None:
    if len(data) != member.file_size:
        _damaged(f"{member.file_size} bytes were promised")
    if zlib.crc32(data) != member.CRC:
        _damaged("its CRC-32 is wrong")


def _damaged(reason: str) -> NoReturn:
    raise _MemberError(f"it is damaged: {reason}")


def _key(member: zipfile.ZipInfo) -> str:
    """Name of a member as a key; a directory entry keeps its ``/``."""
    name = member.filename
    if member.create_system == _FROM_UNIX and not member.flag_bits & _UTF8_FLAG:
        # Info-ZIP and others store the file name's bytes and do not say that they are UTF-8.
        try:
            name = name.encode("cp437").decode("utf-8")
        except UnicodeError:
            name = member.filename
    if member.create_system == _FROM_DOS and "/" not in name:
        # Some Windows programs separate by backslash; Info-ZIP's unzip reads them by this rule.
        name = name.replace("\\", "/")
    return name.removeprefix("./")


def _identity(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_mtime_ns, status.st_size, status.st_ino
