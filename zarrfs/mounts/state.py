"""What is known of the mounts of this machine: a runtime folder with one folder a mount.

A mount's folder holds its record (JSON), its control socket and its log. The kernel's table says
what is mounted; records add the pid and the time. Records whose mount is gone are removed here.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from zarrfs.errors import MountError
from zarrfs.mounts.liveness import State, probe, start_time
from zarrfs.mounts.mountinfo import MountEntry, read_mounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What a daemon writes down about itself."""

    store: str
    """URL without secrets."""

    mountpoint: str
    """Absolute path."""

    pid: int
    """The daemon."""

    started: int
    """Its start time, clock ticks after boot: guards against a pid used again."""

    since: str
    """When it was mounted, ISO 8601, UTC."""

    @property
    def is_running(self) -> bool:
        """Whether this daemon still runs."""
        return start_time(self.pid) == self.started


@dataclass(frozen=True, slots=True, kw_only=True)
class MountInfo:
    """One mount of this machine, as ``zarrfs list`` shows it."""

    store: str
    mountpoint: str
    pid: int | None
    """The daemon, dead or alive; ``None`` without a record, as for other users' mounts."""

    since: str | None
    mode: Literal["ro", "rw"]
    state: State


@dataclass(frozen=True, slots=True, kw_only=True)
class MountFolder:
    """Where the files of one daemon lie."""

    path: Path

    @property
    def record(self) -> Path:
        """`Record` as JSON."""
        return self.path / "record.json"

    @property
    def socket(self) -> Path:
        """Control socket."""
        return self.path / "control.sock"

    @property
    def log(self) -> Path:
        """The daemon's log."""
        return self.path / "log"

    def read_record(self) -> Record | None:
        """Return the record, or ``None`` if there is none that can be read."""
        try:
            return Record(**json.loads(self.record.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def write_record(self, record: Record) -> None:
        """Replace the record, whole."""
        with tempfile.NamedTemporaryFile("w", dir=self.path, delete=False) as file:
            json.dump(asdict(record), file)
        os.replace(file.name, self.record)  # noqa: PTH105 - a name, not a Path

    def remove(self) -> None:
        """Remove record, socket and log."""
        shutil.rmtree(self.path, ignore_errors=True)


def runtime_folder() -> Path:
    """Return the folder of this user's mounts; made if missing.

    Raises
    ------
    MountError
        If it belongs to someone else, or others may write to it: then they could answer for us.
    """
    if os.geteuid() == 0 and os.access("/run", os.W_OK):
        # Whatever XDG_RUNTIME_DIR says: mount(8) and units have none, and all share one list.
        folder = Path("/run/zarrfs")
    elif base := os.environ.get("XDG_RUNTIME_DIR"):
        folder = Path(base) / "zarrfs"
    else:
        folder = Path(tempfile.gettempdir()) / f"zarrfs-{os.geteuid()}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.lstat()
    except OSError as error:
        raise MountError(
            f"cannot make the runtime folder {folder}: {error.strerror}; "
            "set XDG_RUNTIME_DIR to a folder of your own"
        ) from error
    is_ours = stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()
    if not is_ours or status.st_mode & 0o022:
        raise MountError(
            f"{folder} is not a folder that belongs to you and only you can write to; "
            "remove it, or set XDG_RUNTIME_DIR to a folder of your own"
        )
    return folder


def make_mount_folder(mountpoint: str) -> MountFolder:
    """Make the folder of this process, the daemon of a mount point."""
    name = re.sub(r"[^A-Za-z0-9]+", "-", mountpoint).strip("-")[-40:]
    path = runtime_folder() / f"{name}-{os.getpid()}"
    shutil.rmtree(path, ignore_errors=True)  # of a dead process that had this pid
    path.mkdir(mode=0o700)
    return MountFolder(path=path)


def find_daemon(mountpoint: str) -> tuple[MountFolder, Record] | None:
    """Return the running daemon of a mount point, by its absolute path.

    The newest: one that was detached lazily may still serve files that are open.
    """
    daemons = [
        (folder, record)
        for folder, record in _read_records()
        if record.mountpoint == mountpoint and record.is_running
    ]
    return daemons[-1] if daemons else None


def list_mounts() -> list[MountInfo]:
    """All mounts of zarrfs that this process can see, in the order they were made."""
    entries = _topmost(read_mounts())
    records = _tidy_records(mounted={entry.mountpoint for entry in entries})
    states = probe([entry.mountpoint for entry in entries])
    return [
        _info(entry, records.get(entry.mountpoint), state)
        for entry, state in zip(entries, states, strict=True)
    ]


def _topmost(entries: list[MountEntry]) -> list[MountEntry]:
    """Mounts of zarrfs that are not covered by another one on the same path."""
    top = {entry.mountpoint: entry for entry in entries}
    return [entry for entry in entries if entry.is_zarrfs and top[entry.mountpoint] is entry]


def _read_records() -> list[tuple[MountFolder, Record]]:
    """Read all records of this user, the oldest first; a folder left without one is removed."""
    found = []
    for path in runtime_folder().iterdir():
        folder = MountFolder(path=path)
        pid = path.name.rpartition("-")[2]
        if record := folder.read_record():
            found.append((folder, record))
        elif pid.isdigit() and start_time(int(pid)) is None:
            folder.remove()  # its daemon ended before it could mount
    return sorted(found, key=lambda pair: pair[1].started)


def _tidy_records(mounted: set[str]) -> dict[str, Record]:
    """Return the newest record of each mount point; remove those that tell of nothing any more."""
    records: dict[str, Record] = {}
    for folder, record in _read_records():
        if record.is_running or record.mountpoint in mounted:
            records[record.mountpoint] = record
        else:
            folder.remove()
    return records


def _info(entry: MountEntry, record: Record | None, state: State) -> MountInfo:
    if record is not None and not record.is_running:
        state = "dead"
    return MountInfo(
        store=record.store if record else entry.source,
        mountpoint=entry.mountpoint,
        pid=record.pid if record else None,
        since=record.since if record else None,
        mode="ro" if "ro" in entry.options else "rw",
        state=state,
    )
