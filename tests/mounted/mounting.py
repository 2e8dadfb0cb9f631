"""Mounts for tests, whose logs are judged: a warning that no test expected fails."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import zarrfs
from tests.waiting import DEADLINE
from zarrfs.mounts.detaching import detach
from zarrfs.mounts.mountinfo import mounted_at

if TYPE_CHECKING:
    from collections.abc import Iterator

_JUDGED = re.compile(r"^\S+ \S+ ((?:WARNING|ERROR|CRITICAL) .*)$", re.MULTILINE)


@dataclass
class Mounted:
    """A mount and what its log may say."""

    path: Path
    pid: int
    patterns: list[tuple[str, int | None]] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)

    def expect_log(self, pattern: str, *, times: int | None = None) -> None:
        """Expect warnings or errors that match a regular expression, at least one by default."""
        self.patterns.append((pattern, times))

    def allow_log(self, pattern: str) -> None:
        """Allow warnings or errors that match a regular expression, or none."""
        self.allowed.append(pattern)

    def log(self) -> str:
        """The daemon's log."""
        return (self.path / ".zarrfs/log").read_text()

    def stats(self) -> dict[str, Any]:
        """What the mount has done so far."""
        stats: dict[str, Any] = json.loads((self.path / ".zarrfs/stats.json").read_bytes())
        return stats

    def counted(self, name: str) -> int:
        """How many requests of one kind the kernel has sent."""
        count: int = self.stats()["requests"].get(name, 0)
        return count

    def resident_peak(self) -> int:
        """Most bytes of memory that the daemon has had at a time."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        match = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert match
        return int(match[1]) * 1024

    def judge_log(self) -> None:
        """Compare the log with what was expected of it."""
        lines = _JUDGED.findall(self.log())
        faults = [
            f"unexpected: {line}"
            for line in lines
            if not any(
                re.search(pattern, line)
                for pattern in (*self.allowed, *(pattern for pattern, _ in self.patterns))
            )
        ]
        for pattern, times in self.patterns:
            found = sum(bool(re.search(pattern, line)) for line in lines)
            if found == 0 or (times is not None and found != times):
                faults.append(f"expected {times or 'some'} of {pattern!r}, got {found}")
        if faults:
            pytest.fail("the daemon's log differs:\n" + "\n".join(faults))


@contextlib.contextmanager
def mounted(store: str | Path, mountpoint: Path, **options: Any) -> Iterator[Mounted]:
    """Mount a store in a daemon of its own, judge the log at the end, and unmount."""
    mountpoint.mkdir(exist_ok=True)
    try:
        with zarrfs.mount(store, mountpoint, **options) as mount:
            assert mount.info.pid is not None
            made = Mounted(mount.path, mount.info.pid)
            yield made
            if mounted_at(str(mountpoint)):
                made.judge_log()
    finally:
        while mounted_at(str(mountpoint)):
            detach(str(mountpoint))


@dataclass
class ScriptedMount(Mounted):
    """A mount whose store does what the test says, at the instant it says it."""

    process: subprocess.Popen[str] = field(kw_only=True)

    def tell(self, command: str, **arguments: object) -> Any:
        """Send a command to the store's process, and return its answer."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps({"command": command, **arguments}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def inject(self, **faults: str) -> None:
        """Show these faults from now on; see `zarrfs.stores.faults`."""
        self.tell("inject", faults=faults)

    def heal(self) -> None:
        """Show no faults from now on, and let go what hangs."""
        self.tell("heal")

    def wait_until_hanging(self, count: int = 1) -> None:
        """Wait until so many operations of the store hang."""
        assert self.tell("wait_until_hanging", count=count)


@contextlib.contextmanager
def scripted(store: Path, mountpoint: Path, **options: object) -> Iterator[ScriptedMount]:
    """Mount a directory in a process that takes orders; judge its log and unmount.

    Options are those of `tests.mounted.scripted_daemon`.
    """
    mountpoint.mkdir(exist_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.mounted.scripted_daemon", store, mountpoint],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    made = ScriptedMount(mountpoint, process.pid, process=process)
    with process:
        try:
            assert made.tell("start", **options) == "ready"
            yield made
            if mounted_at(str(mountpoint)):
                made.judge_log()
        finally:
            assert process.stdin
            process.stdin.close()  # it ends, whatever hangs
            process.wait(DEADLINE)
            while mounted_at(str(mountpoint)):
                detach(str(mountpoint))


def run(*command: str | os.PathLike[str], **options: Any) -> subprocess.CompletedProcess[bytes]:
    """Run a program, which must succeed without a word on standard error."""
    done = subprocess.run(command, capture_output=True, timeout=DEADLINE, check=False, **options)
    if done.returncode or done.stderr:
        pytest.fail(f"{command} ends with {done.returncode}: {done.stderr.decode()}")
    return done
