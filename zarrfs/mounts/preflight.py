"""Can this be mounted here? Every fault that can be seen beforehand, with what to do about it."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from typing import TYPE_CHECKING
from urllib.parse import unquote

from zarrfs.errors import MountError
from zarrfs.mounts.detaching import detach
from zarrfs.mounts.doctor import FUSE_CONF, check_device, check_fusermount, check_user_allow_other
from zarrfs.mounts.liveness import probe
from zarrfs.mounts.mountinfo import mounted_at
from zarrfs.mounts.state import find_daemon

if TYPE_CHECKING:
    from collections.abc import Iterator

    from zarrfs.mounts.config import MountConfig

MOST_STACKED = 16
"""Dead mounts on one path that are cleared before we give up."""


@contextlib.contextmanager
def claim(config: MountConfig) -> Iterator[None]:
    """Check that a mount can be made, and keep others from mounting there meanwhile.

    A dead mount that zarrfs left on the mount point is cleared.

    Raises
    ------
    MountError
        If FUSE is not usable, or the mount point is missing, not an empty directory, already
        mounted, or being mounted by someone else.
    """
    check_fuse(config)
    _clear_dead(config.mountpoint)
    if _is_automount(config.mountpoint):
        yield  # looking into it would start the very mount that we are
        return
    descriptor = _open_empty(config.mountpoint)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise MountError(f"{config.mountpoint} is being mounted by another process") from None
        # Whoever held the lock before us may have mounted.
        _refuse_mounted(config.mountpoint)
        yield
    finally:
        os.close(descriptor)


def check_fuse(config: MountConfig) -> None:
    """Raise `MountError` if this user cannot make FUSE mounts with these options."""
    for check in (check_device(), check_fusermount()):
        if check.ok is False:
            raise MountError(f"cannot mount: {check.found}; run: {check.remedy}")
    wanted = sorted(config.options.kernel & {"allow_other", "allow_root"})
    if wanted and os.geteuid() != 0 and not check_user_allow_other().ok:
        raise MountError(
            f"-o {wanted[0]} is for root only, as user_allow_other is not set in {FUSE_CONF}; "
            f"run: {check_user_allow_other().remedy}"
        )


def check_overlap(store: str, mountpoint: str) -> None:
    """Raise `MountError` if a local store and its mount point lie one in the other.

    The daemon would then read through its own mount and wait for itself for ever.

    Parameters
    ----------
    store
        URL of the opened store.
    mountpoint
        Absolute path.
    """
    scheme, separator, place = store.removeprefix("fault+").partition("://")
    if not separator:
        store = scheme
    elif scheme in {"file", "zip"}:
        store = unquote(place.partition("?")[0], errors="surrogateescape")
    else:
        return
    store = os.path.realpath(store)
    if os.path.commonpath([store, mountpoint]) in {store, mountpoint}:
        raise MountError(
            f"the mount point {mountpoint} and the store {store} lie one in the other; "
            "mount on a directory outside the store"
        )


def check_cache_dir(config: MountConfig) -> None:
    """Raise `MountError` if the cache directory lies in the mount.

    The daemon would then wait for itself.
    """
    if config.options.cache_dir is None or not config.options.cache_size:
        return
    directory = os.path.realpath(config.options.cache_dir)
    if os.path.commonpath([directory, config.mountpoint]) == config.mountpoint:
        raise MountError(
            f"the cache directory {directory} lies in the mount point {config.mountpoint}; "
            "choose another with -o cache_dir=PATH, or none with -o cache_size=0"
        )


def _clear_dead(mountpoint: str) -> None:
    for _ in range(MOST_STACKED):
        entry = mounted_at(mountpoint)
        if entry is None or not entry.is_zarrfs:
            return
        # A daemon that serves but does not answer in time is busy, not dead.
        if find_daemon(mountpoint) or probe([mountpoint]) != ["dead"]:
            _refuse_mounted(mountpoint)
        detach(mountpoint)
    raise MountError(f"{mountpoint} has more than {MOST_STACKED} dead mounts; unmount them")


def _refuse_mounted(mountpoint: str) -> None:
    entry = mounted_at(mountpoint)
    if entry is not None and entry.is_zarrfs:
        raise MountError(
            f"{mountpoint} is already mounted, from {entry.source}; "
            f"run `zarrfs umount {mountpoint}` first"
        )


def _is_automount(mountpoint: str) -> bool:
    entry = mounted_at(mountpoint)
    return entry is not None and entry.fstype == "autofs"


def _open_empty(mountpoint: str) -> int:
    """Open the mount point, which must be an empty directory."""
    try:
        descriptor = os.open(mountpoint, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise MountError(_cannot_open(mountpoint, error)) from error
    try:
        if os.listdir(descriptor):  # noqa: PTH208 - by descriptor: what is listed is what is locked
            raise MountError(
                f"the mount point {mountpoint} is not empty; mount on an empty directory"
            )
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _cannot_open(mountpoint: str, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return f"the mount point {mountpoint} does not exist; run: mkdir -p {mountpoint}"
    if isinstance(error, NotADirectoryError):
        return f"the mount point {mountpoint} is not a directory"
    if error.errno == errno.ENOTCONN:
        return (
            f"a dead mount of another program is on {mountpoint}; run: fusermount3 -uz {mountpoint}"
        )
    return f"cannot use the mount point {mountpoint}: {error.strerror}"
