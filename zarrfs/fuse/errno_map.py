"""Which errno the kernel is told for which error: one table, the first row that fits counts."""

from __future__ import annotations

import errno

from zarrfs import errors

# A caller sees the errno only; the log has the words. Every class of `errors` has a row that fits.
ERRNO_OF: tuple[tuple[type[errors.ZarrfsError], int], ...] = (
    (errors.EntryNotFoundError, errno.ENOENT),
    # The node was there when its name was looked up.
    (errors.NodeNotFoundError, errno.ENOENT),
    (errors.KeyNotFoundError, errno.ENOENT),
    (errors.NotPermittedError, errno.EPERM),
    (errors.StorePermissionError, errno.EACCES),
    # EROFS, not EPERM: the mount is read-only, not the file.
    (errors.ReadOnlyError, errno.EROFS),
    (errors.NoSpaceError, errno.ENOSPC),
    (errors.OffsetError, errno.EINVAL),
    (errors.StoreError, errno.EIO),
    (errors.ChunkError, errno.EIO),
    # EIO, not ETIMEDOUT: programs know what to do about a bad disk, few about a slow one.
    (errors.DeadlineError, errno.EIO),
    # Metadata that went bad, or a format that cannot show it any more, while a file was open:
    # before that there is no such file.
    (errors.MetadataError, errno.EIO),
    (errors.NodeTypeError, errno.EIO),
    (errors.CodecError, errno.EIO),
    (errors.ViewError, errno.EIO),
    # What a person asked for, not the kernel: in a handler it is a fault in zarrfs.
    (errors.UrlError, errno.EIO),
    (errors.UsageError, errno.EIO),
    (errors.SelectionError, errno.EIO),
    (errors.AssignmentError, errno.EIO),
    (errors.NodeExistsError, errno.EIO),
    (errors.NodeNameError, errno.EIO),
    (errors.SourceError, errno.EIO),
    (errors.RegistrationError, errno.EIO),
    (errors.MountError, errno.EIO),
)

EXPECTED = frozenset({errno.ENOENT, errno.EPERM, errno.EROFS, errno.EINVAL})
"""Answers that are a program's daily bread, and not worth a line in the log."""


def errno_of(error: BaseException) -> int:
    """Return the errno for an error; ``EIO`` for one that nobody foresaw."""
    return next((number for kind, number in ERRNO_OF if isinstance(error, kind)), errno.EIO)
