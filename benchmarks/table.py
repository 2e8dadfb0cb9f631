"""Results -> Markdown tables: medians with their ranges, and ratios within rounds."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.rounds import Result, Round, Sample

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


def n_noisy(samples: Sequence[Sample]) -> int:
    """Count the samples taken while others kept the machine busy."""
    return sum(each.others > NOISY_CORES for each in samples)


def render(result: Result) -> str:
    """Lay out the result of one workload, the summary first, then what was counted, every round."""
    rounds, names = result.rounds, result.contenders
    first = names[0]
    lines = [
        f"### {result.title}",
        "",
        f"{len(rounds)} interleaved rounds. Medians, with the range in parentheses.",
        "",
        f"| | seconds | GB/s | CPU seconds | {first} is faster by | noisy rounds |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name in names:
        samples = [each[name] for each in rounds]
        seconds = spread([each.seconds for each in samples])
        speed = result.nbytes / seconds.median / 1e9
        cpu = spread([each.cpu_seconds for each in samples])
        ratio = "" if name == first else str(ratios(rounds, first, name))
        lines.append(f"| {name} | {seconds} | {speed:.2f} | {cpu} | {ratio} | {n_noisy(samples)} |")
    lines += _counts({name: [each[name] for each in rounds] for name in names})
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


def _counts(samples: Mapping[str, Sequence[Sample]]) -> list[str]:
    """Lay out what contenders have counted; nothing if none has."""
    rows = {name: each for name, each in samples.items() if each[0].counts}
    if not rows:
        return []
    counted = list(next(iter(rows.values()))[0].counts)
    return [
        "",
        "What the daemon counted in these runs.",
        "",
        "| | " + " | ".join(counted) + " |",
        "| --- " * (len(counted) + 1) + "|",
        *(
            f"| {name} | "
            + " | ".join(str(spread([each.counts[count] for each in runs])) for count in counted)
            + " |"
            for name, runs in rows.items()
        ),
    ]


def render_summary(results: Mapping[str, Result]) -> str:
    """Lay out the ratios of all workloads of a run, a line for each of ours and each peer."""
    lines = [
        "### All workloads of this run",
        "",
        "How many times faster the first is than the other, from pairs of one round each: median, "
        f"with the range in parentheses. In a noisy round others kept over {NOISY_CORES} CPUs busy "
        "during either.",
        "",
        "| workload | | against | faster by | rounds | noisy rounds |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for workload, result in results.items():
        first = result.contenders[0]
        for other in result.contenders[1:]:
            noisy = sum(bool(n_noisy([each[first], each[other]])) for each in result.rounds)
            ratio = ratios(result.rounds, first, other)
            lines.append(
                f"| {workload} | {first} | {other} | {ratio} | {len(result.rounds)} | {noisy} |"
            )
    return "\n".join(lines) + "\n"
