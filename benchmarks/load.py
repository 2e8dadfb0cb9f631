"""Kernel counters -> CPU time and memory of a tree of processes, and CPU time of everybody else."""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessTicks:
    """One process in /proc, with the CPU time of itself and of the children it has waited for."""

    pid: int
    parent: int
    ticks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuTimes:
    """CPU time since boot, in seconds."""

    own: float
    """Of the processes under measurement, their descendants included."""

    machine: float
    """Of the whole machine; time that the hypervisor gave to others (steal) counts as used."""


def parse_machine_ticks(stat: str) -> int:
    """Busy ticks of all CPUs from the text of ``/proc/stat``."""
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, stat.split()[1:9])
    return user + nice + system + irq + softirq + steal


def parse_process(stat: str) -> ProcessTicks:
    """Read the text of ``/proc/PID/stat``; the command in it may hold blanks and parentheses."""
    pid = int(stat[: stat.index(" ")])
    fields = stat[stat.rindex(")") + 1 :].split()
    return ProcessTicks(pid=pid, parent=int(fields[1]), ticks=sum(map(int, fields[11:15])))


def tree(processes: Iterable[ProcessTicks], roots: Collection[int]) -> Iterator[ProcessTicks]:
    """Find the processes `roots` and all their living descendants, each once."""
    by_pid = {process.pid: process for process in processes}

    def belongs(process: ProcessTicks | None) -> bool:
        while process is not None:
            if process.pid in roots:
                return True
            process = by_pid.get(process.parent)
        return False

    return (process for process in by_pid.values() if belongs(process))


def read_processes() -> Iterator[ProcessTicks]:
    """Read what processes there are now."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                yield parse_process((entry / "stat").read_text())
            except (FileNotFoundError, ProcessLookupError):
                continue  # it ended since the listing; its parent has its time now


def cpu_times(roots: Collection[int]) -> CpuTimes:
    """Read the counters now, `roots` being the processes under measurement."""
    ticks = sum(process.ticks for process in tree(read_processes(), roots))
    return CpuTimes(
        own=ticks / TICKS_PER_SECOND,
        machine=parse_machine_ticks(Path("/proc/stat").read_text()) / TICKS_PER_SECOND,
    )


def parse_peak_rss(status: str) -> int:
    """Most bytes of memory that a process has had, from the text of ``/proc/PID/status``."""
    match = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    return int(match[1]) * 1024 if match else 0  # it has ended, and nobody has waited for it


def peak_rss(root: int) -> int:
    """Sum the peaks of a process and its descendants; memory that they share counts in each."""
    peak = 0
    for process in tree(read_processes(), {root}):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended
            peak += parse_peak_rss(Path(f"/proc/{process.pid}/status").read_text())
    return peak


def reset_peak_rss(root: int) -> None:
    """Let the peaks of a process and its descendants be what they have now (proc(5))."""
    for process in tree(read_processes(), {root}):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            Path(f"/proc/{process.pid}/clear_refs").write_text("5")
