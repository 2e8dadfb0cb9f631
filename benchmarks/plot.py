"""Results -> a picture of all ratios with their ranges."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from benchmarks.table import ratios

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from benchmarks.rounds import Result

LINE_INCHES = 0.22


def plot(results: Mapping[str, Result], file: Path) -> None:
    """Draw a line for each pair: median and range, to the right of 1 where the first is faster."""
    rows = [
        (f"{workload}: {result.contenders[0]} against {other}", number, spread)
        for number, (workload, result) in enumerate(results.items())
        for other in result.contenders[1:]
        for spread in [ratios(result.rounds, result.contenders[0], other)]
    ]
    figure = Figure(figsize=(9, 1.2 + LINE_INCHES * len(rows)), layout="constrained")
    axes = figure.add_subplot()
    for height, (_, number, spread) in enumerate(rows):
        axes.errorbar(
            spread.median,
            height,
            xerr=[[spread.median - spread.low], [spread.high - spread.median]],
            fmt="o",
            markersize=4,
            capsize=2,
            color=f"C{number % 10}",
        )
    axes.axvline(1, color="grey", linewidth=1)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda ratio, _: f"{ratio:g}"))
    axes.xaxis.set_minor_formatter(FuncFormatter(lambda ratio, _: ""))
    axes.set_yticks(range(len(rows)), [label for label, _, _ in rows], fontsize=7)
    axes.set_ylim(len(rows) - 0.5, -0.5)  # the first on top
    axes.set_xlabel("times faster: median and range of the rounds")
    axes.grid(axis="x", alpha=0.3)
    figure.savefig(file, dpi=120)
