"""Processes that decode chunks, where threads would wait for one another.

The smaller the chunks, the more of the work is Python's own, and one interpreter does that on one
core at a time. Each process decodes whole runs of chunks into memory shared with the daemon.
"""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
import threading
from multiprocessing.connection import Pipe
from multiprocessing.reduction import send_handle

from zarrfs.arrays.decode_process import Done, Part

_log = logging.getLogger(__name__)

# As many as cores; each takes about 45 MB, and 8 more where chunks are copied together.
N_PROCESSES = min(8, os.cpu_count() or 1)

# Processes that may end by themselves until no more are started: some library must be at fault.
MAX_DEATHS = 3

# Seconds that a process gets to end when it is told so.
GRACE = 5.0

# Nothing here uses NumPy's library of linear algebra, which else starts a thread for each core; and
# each but one spins for 0.07 seconds at first.
_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1"}

# Not "-m", with which what is pickled there would belong to another module.
_PROGRAM = "from zarrfs.arrays.decode_process import main; main()"


class _Process:
    """A process, and the connection to it."""

    def __init__(self) -> None:
        self.connection, theirs = Pipe()
        with contextlib.closing(theirs):
            descriptor = theirs.fileno()
            self._popen = subprocess.Popen(
                [sys.executable, "-P", "-c", _PROGRAM, str(descriptor)],
                pass_fds=[descriptor],
                stdin=subprocess.DEVNULL,
                cwd="/",
                env={**os.environ, **_ENVIRONMENT},
            )

    def decode(self, part: Part, descriptor: int, size: int) -> Done | str:
        """Have a part decoded; `EOFError` or `OSError` if the process has ended."""
        self.connection.send((part, size))
        send_handle(self.connection, descriptor, self._popen.pid)
        answer: Done | str = self.connection.recv()
        return answer

    def end(self) -> None:
        """Let the process end, and wait for it."""
        self.connection.close()
        try:
            self._popen.wait(GRACE)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()


class DecodeProcesses:
    """Decode processes, started when first needed.

    Parameters
    ----------
    n_processes
        How many; with 0 everything is left to threads.
    """

    def __init__(self, n_processes: int = N_PROCESSES) -> None:
        self._n_processes = n_processes
        # Guards what follows; notified when a process is free, or one is gone.
        self._changed = threading.Condition()
        self._starting: list[_Process] = []
        self._free: list[_Process] = []
        self._n_busy = 0
        self._n_deaths = 0
        self._is_resting = False

    def start(self) -> bool:
        """Start the processes that are missing; whether one can decode already."""
        with self._changed:
            self._is_resting = False
            n = len(self._starting) + len(self._free) + self._n_busy
            if n < self._n_processes and self._n_deaths < MAX_DEATHS:
                try:
                    self._starting += [_Process() for _ in range(self._n_processes - n)]
                except OSError as error:
                    self._died(f"cannot be started: {error}")
            for process in [one for one in self._starting if one.connection.poll()]:
                self._starting.remove(process)
                try:
                    process.connection.recv()
                    self._free.append(process)
                except (EOFError, OSError):
                    process.end()
                    self._died("ended at once")
            return bool(self._free or self._n_busy)

    def decode(self, part: Part, descriptor: int, size: int) -> Done | None:
        """Have a part decoded by whichever process is free first; waits for it.

        Parameters
        ----------
        part
            The chunks.
        descriptor
            Of the memory that their elements go to.
        size
            Bytes of that memory.

        Returns
        -------
        Done or None
            ``None`` if no process could do it. What the memory holds of the part then means
            nothing.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._free or not self._n_busy)
            if not self._free:
                return None
            process = self._free.pop()
            self._n_busy += 1
        answer: Done | str | None = None
        try:
            answer = process.decode(part, descriptor, size)
        except Exception as error:  # noqa: BLE001 (whatever is wrong: threads can do it)
            fault = f"has ended ({type(error).__name__}: {error}); threads do its work"
        with self._changed:
            self._n_busy -= 1
            if answer is None:
                self._died(fault)
            is_kept = answer is not None and not self._is_resting
            if is_kept:
                self._free.append(process)
            self._changed.notify_all()
        if not is_kept:
            process.end()
        if isinstance(answer, str):
            _log.info("a decode process could not begin: %s", answer)
        return answer if isinstance(answer, Done) else None

    def rest(self) -> None:
        """End all processes, to give memory back; they are started again when needed."""
        with self._changed:
            self._is_resting = True
            ended, self._free, self._starting = [*self._free, *self._starting], [], []
            self._changed.notify_all()
        for process in ended:
            process.end()

    def _died(self, how: str) -> None:
        self._n_deaths += 1
        _log.warning("a decode process %s", how)
