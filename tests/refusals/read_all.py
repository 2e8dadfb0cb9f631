"""Opens and reads each node of a directory; tells how it ended, in what time and memory.

A program of its own, so that a hang or a crash is seen from outside: prints a JSON line for each.
"""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path
from typing import Any

import zarrfs
from zarrfs.api.array import Array

SMALL = 2**20
"""Elements that are read all; of more only the first."""


def resident(member: str) -> int:
    """Bytes of memory of this process: ``VmRSS`` now, ``VmHWM`` at most since `reset_peak`."""
    found = re.search(rf"{member}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) * 1024


def reset_peak() -> None:
    """Let ``VmHWM`` begin at what is resident now; proc_pid_clear_refs(5)."""
    Path("/proc/self/clear_refs").write_text("5")


def read(place: Path) -> tuple[str, BaseException | None]:
    """Open a node and read it; tell how far that came and what was raised."""
    stage = "open"
    try:
        array = zarrfs.open(place)
        if isinstance(array, Array):
            stage = "read"
            array[... if array.size <= SMALL else (0,) * len(array.shape)]
        stage = "end"
    except BaseException as error:  # noqa: BLE001 (whatever it is, the test judges it)
        return stage, error
    return stage, None


def measured(place: Path) -> dict[str, Any]:
    """Read a node, and tell how it ended."""
    reset_peak()
    before, started = resident("VmRSS"), time.process_time()
    stage, error = read(place)
    seconds = time.process_time() - started
    return {
        "name": place.name,
        "stage": stage,
        "errors": [kind.__name__ for kind in type(error).__mro__ if error is not None],
        "line": "" if error is None else str(error),
        "seconds": seconds,
        "peak": resident("VmHWM") - before,
    }


if __name__ == "__main__":
    store = Path(sys.argv[1])
    good = zarrfs.open(store / "good")
    assert isinstance(good, Array)
    assert good[...].sum()  # imports, threads and buffers are there now
    for place in sorted(store.iterdir()):
        if place.is_dir():
            print(json.dumps(measured(place)), flush=True)
