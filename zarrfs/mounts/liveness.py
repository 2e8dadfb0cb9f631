"""Does a mount, or a process, still live? Bounded: a mount that hangs cannot hang the question.

A request to a hanging FUSE mount keeps its caller even after SIGKILL, so it is made by a child
that can be left behind, never in this process.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

State = Literal["healthy", "busy", "dead"]

PROBE_SECONDS = 2.0
"""A mount that does not answer within this time is called busy."""

# stat would be answered from the kernel's cache, statfs is always asked of the daemon.
_PROBE = "import os, sys\ntry: os.statvfs(sys.argv[1])\nexcept OSError as e: sys.exit(e.errno)"

# What the kernel says when nobody serves the connection any more.
_DEAD = frozenset({errno.ENOTCONN, errno.ECONNABORTED, errno.ENODEV})


def probe(mountpoints: Sequence[str], seconds: float = PROBE_SECONDS) -> list[State]:
    """Ask mounts for their state, all at once, within one time limit.

    Returns
    -------
    list of str
        ``"healthy"``: it answered (also that this user may not look into it);
        ``"dead"``: its daemon is gone; ``"busy"``: no answer in time.
    """
    command = [sys.executable, "-I", "-S", "-c", _PROBE]
    # A child left behind must not hold the caller's pipes open: `zarrfs list | cat` has to end.
    silent = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2)]
    children = [
        os.posix_spawn(command[0], [*command, mountpoint], os.environ, file_actions=silent)
        for mountpoint in mountpoints
    ]
    deadline = time.monotonic() + seconds
    return [_state(child, deadline) for child in children]


def _state(child: int, deadline: float) -> State:
    if not _wait(os.pidfd_open(child), deadline - time.monotonic()):
        # It ends now if the daemon has not taken the request yet, else when the mount answers or
        # is aborted: it is not waited for.
        os.kill(child, signal.SIGKILL)
        return "busy"
    _, status = os.waitpid(child, 0)
    return "dead" if os.waitstatus_to_exitcode(status) in _DEAD else "healthy"


def start_time(pid: int) -> int | None:
    """Clock ticks after boot at which a process began; ``None`` if it is gone or a zombie.

    With the pid it names a process for good: pids are used again, pairs are not.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    # proc(5): the name in parentheses may hold anything; state is field 3, starttime field 22.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in {"Z", "X"} else int(fields[19])


def wait_for_end(pid: int, started: int, seconds: float) -> bool:
    """Wait until a process has ended; False if it still runs after `seconds`."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    if start_time(pid) != started:
        os.close(descriptor)
        return True
    return _wait(descriptor, seconds)


def send_signal(pid: int, started: int, number: int) -> None:
    """Send a signal to a process, never to another one that got its pid."""
    with contextlib.suppress(ProcessLookupError):
        descriptor = os.pidfd_open(pid)
        try:
            if start_time(pid) == started:
                signal.pidfd_send_signal(descriptor, number)
        finally:
            os.close(descriptor)


def _wait(descriptor: int, seconds: float) -> bool:
    """Wait for the process of a pidfd, and close the descriptor."""
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(max(0.0, seconds) * 1000))
    finally:
        os.close(descriptor)
