"""Stores -> mounts, each with a daemon of its own, by this user or by one without privileges.

Everything that is done to a mount is a command that runs as its user, who alone may look into it.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zarrfs.mounts.control import ask
from zarrfs.mounts.state import MountFolder, find_daemon

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).parents[1]

NOBODY = 65534
"""A user who owns nothing."""

FUSE_FOR_ALL = """
mkdir "$0/dev" "$0/run" "$0/mnt"; chown "$1" "$0/run" "$0/mnt"; chmod 755 "$0"
mount -t tmpfs -o dev tmpfs "$0/dev"; mknod -m 666 "$0/dev/fuse" c 10 229
mount --bind "$0/dev/fuse" /dev/fuse
echo; read -r _
"""
"""Lets every user of a namespace open /dev/fuse, and keeps the namespace until told to end."""


CONNECTIONS = Path("/sys/fs/fuse/connections")
"""Where the kernel tells how many requests each FUSE mount has."""

PATIENCE = 60
"""Seconds that requests may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mounted:
    """A mount and how to reach it."""

    mount_point: Path
    pid: int
    """The daemon."""

    socket: Path
    """Where the daemon takes commands."""

    prefix: tuple[str, ...] = ()
    """Makes a command run as the mount's user, where the mount is."""

    def file(self, name: str, ending: str = "bin") -> Path:
        """Return the path of an array's flat file."""
        return self.mount_point / ending / f"{name}.{ending}"

    def run(self, *command: str) -> None:
        """Run a command that reads from the mount."""
        subprocess.run([*self.prefix, *command], check=True)

    def read(self, file: Path) -> None:
        """Read a file to its end, in reads of 1 MiB."""
        self.run("dd", f"if={file}", "of=/dev/null", "bs=1M", "status=none")

    def drop_pages(self, file: Path) -> None:
        """Make the kernel forget what it holds of a file (dd(1), ``nocache``)."""
        self.run("dd", f"if={file}", "of=/dev/null", "iflag=nocache", "count=0", "status=none")

    def settle(self) -> None:
        """Wait until no request of the kernel is under way: it may still be reading ahead.

        Raises
        ------
        TimeoutError
            If there is one for longer than `PATIENCE` seconds.
        """
        if self.prefix:  # it is out of sight
            return
        connection = CONNECTIONS / str(os.minor(self.mount_point.stat().st_dev))
        give_up = time.monotonic() + PATIENCE
        while int((connection / "waiting").read_text()):
            if time.monotonic() > give_up:
                raise TimeoutError(f"{self.mount_point} has requests for more than {PATIENCE} s")
            time.sleep(0.01)  # the kernel tells nobody when requests have ended

    def refresh(self) -> None:
        """Make the daemon forget all that it has decoded."""
        ask(self.socket, "refresh")

    def stats(self) -> dict[str, Any]:
        """Return what ``zarrfs stats --json`` shows."""
        stats: dict[str, Any] = ask(self.socket, "stats")
        return stats


@contextlib.contextmanager
def mounted(store: str | Path, mount_point: Path, *options: str) -> Iterator[Mounted]:
    """Mount a store read-only for as long as the block runs."""
    mount_point.mkdir()
    with _mounted((), store, mount_point, options):
        found = find_daemon(str(mount_point))
        if found is None:
            raise RuntimeError(f"{mount_point} has no daemon")
        folder, record = found
        yield Mounted(mount_point=mount_point, pid=record.pid, socket=folder.socket)


@contextlib.contextmanager
def mounted_as_nobody(store: Path, folder: Path) -> Iterator[Mounted]:
    """Mount a store read-only by a user without privileges, in a mount namespace of its own.

    Parameters
    ----------
    store
        Readable by everybody.
    folder
        To be made; everybody may enter the folders above it.

    Raises
    ------
    PermissionError
        If this user is not root, who alone can become another.
    """
    if os.geteuid() != 0:
        raise PermissionError("only root can mount as another user")
    folder.mkdir()
    namespace = ["unshare", "--mount", "--propagation", "private", "bash", "-euc", FUSE_FOR_ALL]
    with subprocess.Popen(
        [*namespace, str(folder), str(NOBODY)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as keeper:
        assert keeper.stdin
        assert keeper.stdout
        if not keeper.stdout.readline():
            raise RuntimeError(f"no namespace could be made for {folder}")
        prefix = (
            *("nsenter", f"--mount=/proc/{keeper.pid}/ns/mnt"),
            *("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"),
            *("env", f"XDG_RUNTIME_DIR={folder}/run", f"PYTHONPATH={REPOSITORY}"),
        )
        with _mounted(prefix, store, folder / "mnt", ()):
            state = MountFolder(path=next((folder / "run/zarrfs").iterdir()))
            record = state.read_record()
            if record is None:
                raise RuntimeError(f"{state.path} has no record of the mount")
            yield Mounted(
                mount_point=folder / "mnt", pid=record.pid, socket=state.socket, prefix=prefix
            )
        keeper.stdin.close()


@contextlib.contextmanager
def _mounted(
    prefix: tuple[str, ...], store: str | Path, mount_point: Path, options: tuple[str, ...]
) -> Iterator[None]:
    zarrfs = [*prefix, sys.executable, "-m", "zarrfs"]
    mount = [*zarrfs, "mount", str(store), str(mount_point), "-o", ",".join(("ro", *options))]
    subprocess.run(mount, check=True)
    try:
        yield
    finally:
        subprocess.run([*zarrfs, "umount", str(mount_point)], check=True)


def read_ahead(directory: Path) -> Path:
    """Return the file that says how many KiB the kernel reads ahead on a file system."""
    device = directory.stat().st_dev
    return Path(f"/sys/class/bdi/{os.major(device)}:{os.minor(device)}/read_ahead_kb")
