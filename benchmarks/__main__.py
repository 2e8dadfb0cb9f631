"""Run workloads, print a table of each and of all, and draw their ratios."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.catalogue import WORKLOADS
from benchmarks.plot import plot
from benchmarks.rounds import measure
from benchmarks.stored_arrays import StoredArrays
from benchmarks.table import render, render_summary

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.rounds import Result

RESULTS = Path(__file__).parent / "results"
MEMORY = Path("/dev/shm")


def run(names: Sequence[str], *, n_rounds: int, scale: int, results: Path) -> dict[str, Result]:
    """Measure workloads, one after the other, and write down each as soon as it is done."""
    results.mkdir(parents=True, exist_ok=True)
    measured: dict[str, Result] = {}
    try:
        for name, result in _measured(names, n_rounds=n_rounds, scale=scale):
            measured[name] = result
            table = render(result)
            print(table, flush=True)
            (results / f"{name}.md").write_text(table)
    finally:  # a workload that fails takes none of the others along
        summary = render_summary(measured)
        print(summary)
        (results / "summary.md").write_text(summary)
        plot(measured, results / "ratios.png")
    return measured


def _measured(names: Sequence[str], *, n_rounds: int, scale: int) -> Iterator[tuple[str, Result]]:
    # Arrays lie in memory where that is possible: the disk is not what is measured.
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        Path(folder).chmod(0o755)  # another user reads from it, too
        arrays = StoredArrays(Path(folder), scale=scale)
        for number, name in enumerate(names):
            scratch = Path(folder) / name
            scratch.mkdir()
            with WORKLOADS[name].work(arrays, scratch) as workload:
                result = measure(workload, n_rounds)
            shutil.rmtree(scratch)
            arrays.drop_all_but({WORKLOADS[later].array for later in names[number + 1 :]})
            yield name, result


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of: {', '.join(WORKLOADS)}")
    parser.add_argument("--rounds", type=int, default=5, help="after one to warm up (default: 5)")
    parser.add_argument(
        "--scale",
        type=int,
        default=1,
        help="divide the arrays' lengths by this, to try things out (default: 1)",
    )
    options = parser.parse_args()
    unknown = set(options.names) - set(WORKLOADS)
    if unknown:
        parser.error(f"no workload {', '.join(sorted(unknown))}")
    if options.rounds < 1 or options.scale < 1:
        parser.error("--rounds and --scale are 1 or more")
    names = options.names or list(WORKLOADS)
    for_root = [name for name in names if WORKLOADS[name].needs_root]
    if for_root and os.geteuid() != 0:
        names = [name for name in names if name not in for_root]
        print(f"left out, since only root can run them: {', '.join(for_root)}", file=sys.stderr)
    results = RESULTS if options.scale == 1 else RESULTS / f"scale-{options.scale}"
    run(names, n_rounds=options.rounds, scale=options.scale, results=results)


if __name__ == "__main__":
    main()
