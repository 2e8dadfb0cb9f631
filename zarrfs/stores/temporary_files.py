"""Files on their way to their final name: one hidden folder, names that tell whose they are.

A file is named ``HOST~BOOT_ID~PID~NUMBER`` below `FOLDER`. The folder is there only while
something is written: each writer removes it when it was the last, and removes the files that a
dead process of this host left behind. Other hosts' files stay: nobody here can tell who lives.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import socket
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from zarrfs.stores.base import Buffer

FOLDER = b".zarrfs-tmp"
"""Name of the folder. No store lists it, and no key may have it as a part."""

RETRIES = 100
"""How often a directory that another process removes under our hands is made again."""

_numbers = itertools.count()


@contextlib.contextmanager
def temporary_file(directory: bytes, data: Buffer) -> Iterator[bytes]:
    """Write `data` to a new file in the hidden folder of `directory` and give its path.

    The caller renames or links it; what is left of it at the end is removed.
    """
    folder = os.path.join(directory, FOLDER)
    path = os.path.join(folder, f"{_owner()}~{os.getpid()}~{next(_numbers)}".encode())
    descriptor = _create(folder, path)
    try:
        try:
            rest = memoryview(data).cast("B")
            while rest:
                rest = rest[os.write(descriptor, rest) :]
        finally:
            os.close(descriptor)
        yield path
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        with contextlib.suppress(OSError):
            os.rmdir(folder)


def _create(folder: bytes, path: bytes) -> int:
    for _ in range(RETRIES):
        try:
            os.mkdir(folder)
        except FileExistsError:
            _remove_dead(folder)
        try:
            return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        except FileNotFoundError:
            continue  # another writer was the last to leave, and took the folder along
    raise OSError(errno.EBUSY, f"{os.fsdecode(folder)} was removed {RETRIES} times while in use")


def _remove_dead(folder: bytes) -> None:
    """Remove the files of processes of this host that have ended."""
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):
            if _is_dead(os.fsdecode(name)):
                with contextlib.suppress(OSError):
                    os.unlink(os.path.join(folder, name))


def _is_dead(name: str) -> bool:
    parts = name.split("~")
    if len(parts) != 4 or parts[0] != _host() or not parts[2].isdecimal():
        return False
    if parts[1] != _boot_id():
        return True
    try:
        os.kill(int(parts[2]), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    return False


def _owner() -> str:
    return f"{_host()}~{_boot_id()}"


@cache
def _host() -> str:
    return socket.gethostname().replace("~", "-").replace("/", "-")[:64]


@cache
def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
