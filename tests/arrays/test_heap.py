"""What large buffers freed is not kept by the C library."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import re, sys
from pathlib import Path
from zarrfs.arrays.heap import LARGE_BYTES, give_large_buffers_back

def resident():
    return int(re.search(r"VmRSS:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) * 1024

if sys.argv[1] == "told":
    assert give_large_buffers_back()
bytes(b"x" * (7 * LARGE_BYTES))  # freed, and by default remembered as the usual size
before = resident()
buffers = [b"x" * (2 * LARGE_BYTES) for _ in range(16)]
last = b"y" * 100_000  # on top of the heap, so that it cannot shrink
del buffers
print((resident() - before) // LARGE_BYTES)
"""


def kept(argument: str) -> int:
    """How much a process still has after it has freed 32 times `LARGE_BYTES`, in units of that."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, argument],
        capture_output=True,
        check=True,
    )
    return int(done.stdout)


def test_freed_memory_is_given_back_once_told() -> None:
    assert kept("told") <= 2


def test_freed_memory_is_kept_by_default() -> None:
    """Else the setting would not be worth its place."""
    assert kept("not told") >= 16
