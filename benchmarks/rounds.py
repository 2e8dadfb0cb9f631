"""Contenders -> samples, measured in interleaved rounds: A B C, A B C, ….

A machine that gets slower in the course of a measurement then slows all of them alike, and a
ratio is taken within one round only.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from benchmarks.load import cpu_times

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Counts = dict[str, float]
"""Figures of one run that do not depend on time, by what they count."""


ATTEMPTS = 5
"""Runs until one is not spoiled: the kernel may drop pages, or ask for some late, at any time."""


class SpoiledError(RuntimeError):
    """A run did not do what it is meant to measure."""


def nothing() -> None:
    """Prepare nothing."""


def no_counts() -> Counts:
    """Count nothing."""
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """One way to do the work that a workload measures."""

    name: str

    run: Callable[[], object]
    """The work; timed."""

    prepare: Callable[[], object] = nothing
    """What comes before each run, such as dropping a cache; not timed."""

    count: Callable[[], Counts] = no_counts
    """What the run did, asked after it and not timed; `SpoiledError` if that is not what it
    claims."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """The same work, to be done by each contender."""

    title: str
    """What is done to what, a line for the table."""

    nbytes: int
    """Bytes that one run delivers."""

    contenders: Sequence[Contender]
    """The first is the one that all others are compared with."""

    daemons: Sequence[int] = ()
    """Ids of processes that work for a contender without being our children."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One run of one contender."""

    seconds: float
    """Wall time."""

    cpu_seconds: float
    """CPU time of all processes under measurement."""

    others: float
    """CPUs that everybody else kept busy meanwhile."""

    counts: Mapping[str, float] = field(default_factory=dict)
    """What the contender counted."""


Round = dict[str, Sample]
"""A sample of each contender, by name, taken one right after the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What was measured of a workload. It keeps nothing of the workload itself alive."""

    title: str
    nbytes: int
    contenders: Sequence[str]
    rounds: Sequence[Round]


def sample(contender: Contender, daemons: Sequence[int]) -> Sample:
    """Run a contender, again if the run was spoiled.

    Raises
    ------
    SpoiledError
        If all `ATTEMPTS` runs were.
    """
    for _ in range(ATTEMPTS - 1):
        with contextlib.suppress(SpoiledError):
            return _sample(contender, daemons)
    return _sample(contender, daemons)


def _sample(contender: Contender, daemons: Sequence[int]) -> Sample:
    roots = {os.getpid(), *daemons}
    contender.prepare()
    before, start = cpu_times(roots), time.perf_counter()
    contender.run()
    seconds = time.perf_counter() - start
    after = cpu_times(roots)
    own = after.own - before.own
    others = (after.machine - before.machine - own) / seconds
    return Sample(
        seconds=seconds,
        cpu_seconds=own,
        others=max(0.0, others),
        counts=contender.count(),
    )


def measure(workload: Workload, n_rounds: int) -> Result:
    """Measure `n_rounds` rounds after one that only warms up."""
    rounds: list[Round] = []
    for _ in range(n_rounds + 1):
        rounds.append({})
        for each in workload.contenders:
            touch_memory(workload.nbytes)  # that it is there does not depend on who was before
            rounds[-1][each.name] = sample(each, workload.daemons)
    return Result(
        title=workload.title,
        nbytes=workload.nbytes,
        contenders=[each.name for each in workload.contenders],
        rounds=rounds[1:],
    )


def touch_memory(size: int) -> None:
    """Write to each page of so many bytes, and free them.

    A host takes back memory that a virtual machine has not used for a while; the first to touch it
    again, whichever contender that is, waits ten times as long for it as others do.
    """
    with mmap.mmap(-1, max(1, size), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
        for offset in range(0, size, mmap.PAGESIZE):
            memory[offset] = 1
