"""Rounds -> a Markdown table: medians with their ranges, and ratios within rounds."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.rounds import Round, Workload

NOISY_CORES = 0.2
"""A sample taken while others kept more CPUs than this busy is marked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Median and range of some numbers."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.3g} ({self.low:.3g} to {self.high:.3g})"


def spread(numbers: Sequence[float]) -> Spread:
    """Summarise at least one number."""
    return Spread(median=statistics.median(numbers), low=min(numbers), high=max(numbers))


def ratios(rounds: Sequence[Round], first: str, other: str) -> Spread:
    """How many times faster `first` is than `other`, from pairs of one round each."""
    return spread([each[other].seconds / each[first].seconds for each in rounds])


def render(workload: Workload, rounds: Sequence[Round]) -> str:
    """Lay out the result of one workload, the summary first, then every round."""
    first = workload.contenders[0].name
    names = [each.name for each in workload.contenders]
    lines = [
        f"### {workload.title}",
        "",
        f"{len(rounds)} interleaved rounds. Medians, with the range in parentheses.",
        "",
        f"| | seconds | GB/s | CPU seconds | {first} is faster by | noisy rounds |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name in names:
        samples = [each[name] for each in rounds]
        seconds = spread([each.seconds for each in samples])
        speed = workload.nbytes / seconds.median / 1e9
        cpu = spread([each.cpu_seconds for each in samples])
        noisy = sum(each.others > NOISY_CORES for each in samples)
        ratio = "" if name == first else str(ratios(rounds, first, name))
        lines.append(f"| {name} | {seconds} | {speed:.2f} | {cpu} | {ratio} | {noisy} |")
    lines += [
        "",
        f"Each round, in seconds; a `*` marks those in which others kept over {NOISY_CORES} CPUs "
        "busy, with how many.",
        "",
        "| round | " + " | ".join(names) + " |",
        "| --- " * (len(names) + 1) + "|",
    ]
    for number, each in enumerate(rounds, start=1):
        cells = []
        for name in names:
            mark = f" * {each[name].others:.1f}" if each[name].others > NOISY_CORES else ""
            cells.append(f"{each[name].seconds:.3f}{mark}")
        lines.append(f"| {number} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"
