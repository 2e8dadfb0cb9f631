"""Kernel counters -> CPU time used by a tree of processes, and by everybody else."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

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


def tree_ticks(processes: Iterable[ProcessTicks], roots: Collection[int]) -> int:
    """Ticks of the processes `roots` and all their living descendants, each counted once."""
    by_pid = {process.pid: process for process in processes}

    def belongs(process: ProcessTicks | None) -> bool:
        while process is not None:
            if process.pid in roots:
                return True
            process = by_pid.get(process.parent)
        return False

    return sum(process.ticks for process in by_pid.values() if belongs(process))


def cpu_times(roots: Collection[int]) -> CpuTimes:
    """Read the counters now, `roots` being the processes under measurement."""
    processes = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                processes.append(parse_process((entry / "stat").read_text()))
            except (FileNotFoundError, ProcessLookupError):
                continue  # it ended since the listing; its parent has its time now
    return CpuTimes(
        own=tree_ticks(processes, roots) / TICKS_PER_SECOND,
        machine=parse_machine_ticks(Path("/proc/stat").read_text()) / TICKS_PER_SECOND,
    )
