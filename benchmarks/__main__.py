"""Run workloads and print a table of each: ``python -m benchmarks [--rounds N] [NAME …]``."""

from __future__ import annotations

import argparse
import functools
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.in_process import (
    CHUNKS,
    CODECS,
    SHAPE,
    SMALL_CHUNKS,
    SMALL_SHAPE,
    hierarchy,
    reading,
    writing,
)
from benchmarks.rounds import measure
from benchmarks.slicing import constant_slices, random_slices
from benchmarks.table import render
from benchmarks.whole_file import whole_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from benchmarks.rounds import Workload

WORKLOADS: dict[str, Callable[[Path], AbstractContextManager[Workload]]] = {
    "whole-file": whole_file,
    **{
        f"{name}-{codec}": functools.partial(work, shape=SHAPE, chunks=CHUNKS, codec=codec)
        for name, work in (("read", reading), ("write", writing))
        for codec in CODECS
    },
    **{
        f"{name}-small-chunks": functools.partial(
            work, shape=SMALL_SHAPE, chunks=SMALL_CHUNKS, codec="zstd"
        )
        for name, work in (("read", reading), ("write", writing))
    },
    "hierarchy": hierarchy,
    "slices-constant": constant_slices,
    "slices-random": random_slices,
}

RESULTS = Path(__file__).parent / "results"
MEMORY = Path("/dev/shm")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of: {', '.join(WORKLOADS)}")
    parser.add_argument("--rounds", type=int, default=5, help="after one to warm up (default: 5)")
    options = parser.parse_args()
    unknown = set(options.names) - set(WORKLOADS)
    if unknown or options.rounds < 1:
        parser.error(f"no workload {', '.join(unknown)}" if unknown else "--rounds is 1 or more")
    RESULTS.mkdir(exist_ok=True)
    for name in options.names or WORKLOADS:
        # Arrays lie in memory where that is possible: the disk is not what is measured.
        with (
            tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as directory,
            WORKLOADS[name](Path(directory)) as workload,
        ):
            table = render(workload, measure(workload, options.rounds))
        print(table)
        (RESULTS / f"{name}.md").write_text(table)


if __name__ == "__main__":
    main()
