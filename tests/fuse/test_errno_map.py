"""One errno for each error, decided in one table."""

from __future__ import annotations

import errno

import pytest

from zarrfs import errors
from zarrfs.fuse.errno_map import ERRNO_OF, EXPECTED, errno_of

CLASSES = [
    thing
    for thing in vars(errors).values()
    if isinstance(thing, type)
    and issubclass(thing, errors.ZarrfsError)
    and thing is not errors.ZarrfsError
]

NOT_EIO = {
    errors.EntryNotFoundError: errno.ENOENT,
    errors.NodeNotFoundError: errno.ENOENT,
    errors.KeyNotFoundError: errno.ENOENT,
    errors.NotPermittedError: errno.EPERM,
    errors.StorePermissionError: errno.EACCES,
    errors.ReadOnlyError: errno.EROFS,
    errors.NoSpaceError: errno.ENOSPC,
    errors.OffsetError: errno.EINVAL,
}


def test_there_are_classes_to_look_at() -> None:
    assert len(CLASSES) > 20


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_has_a_row(kind: type[errors.ZarrfsError]) -> None:
    """A new class of errors must not become EIO by accident: somebody decides."""
    assert any(issubclass(kind, row) for row, _ in ERRNO_OF)


@pytest.mark.parametrize("kind", CLASSES)
def test_errno_is_the_one_of_the_contract(kind: type[errors.ZarrfsError]) -> None:
    assert errno_of(kind.__new__(kind)) == NOT_EIO.get(kind, errno.EIO)


def test_no_row_hides_behind_an_earlier_one() -> None:
    rows = [row for row, _ in ERRNO_OF]
    hidden = [
        (row, earlier)
        for number, row in enumerate(rows)
        for earlier in rows[:number]
        if issubclass(row, earlier)
    ]
    assert hidden == []


@pytest.mark.parametrize("error", [ZeroDivisionError(), OSError(errno.EBADF, "x"), KeyError(1)])
def test_unforeseen_error_is_eio(error: Exception) -> None:
    assert errno_of(error) == errno.EIO


def test_no_failure_of_storage_goes_unlogged() -> None:
    assert not EXPECTED & {errno.EIO, errno.EACCES, errno.ENOSPC}
