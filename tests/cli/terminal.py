"""A program that finds a terminal on one of its streams."""

from __future__ import annotations

import os
import pty
import subprocess
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence


def run_on_terminal(
    command: Sequence[str], stream: Literal["stdout", "stderr"]
) -> tuple[int, bytes]:
    """Return the exit code, and what was shown; the other stream is dropped."""
    ours, theirs = pty.openpty()
    streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, stream: theirs}
    with subprocess.Popen(command, stdout=streams["stdout"], stderr=streams["stderr"]) as process:
        os.close(theirs)
        output = b""
        try:
            while data := os.read(ours, 4096):
                output += data
        except OSError:  # how a terminal says that its other end was closed
            pass
    os.close(ours)
    return process.returncode, output
