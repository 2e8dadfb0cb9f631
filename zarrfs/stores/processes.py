"""A process <-> its name, ``HOST~BOOT_ID~PID``, by which others can tell whether it still lives."""

from __future__ import annotations

import os
import socket
from functools import cache
from pathlib import Path


def process_name() -> str:
    """Return the name of this process."""
    return f"{_host()}~{_boot_id()}~{os.getpid()}"


def is_dead(name: str) -> bool:
    """Whether a process has ended; ``False`` for those of other hosts, which nobody here can tell.

    What follows a further ``~`` in the name does not count.
    """
    host, _, rest = name.partition("~")
    boot_id, _, rest = rest.partition("~")
    pid = rest.partition("~")[0]
    if host != _host() or not pid.isdecimal():
        return False
    if boot_id != _boot_id():
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    return False


@cache
def _host() -> str:
    return socket.gethostname().replace("~", "-").replace("/", "-")[:64]


@cache
def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
