"""Every workload runs, on arrays of a few MiB: nothing is said about speed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from benchmarks.__main__ import run
from benchmarks.catalogue import WORKLOADS
from benchmarks.counting import DECODED, FETCHED, PEAK, REQUESTS
from benchmarks.table import ratios

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.rounds import Result

SCALE = 64

pytestmark = pytest.mark.mounted


def check(name: str, result: Result) -> None:
    """Assert that a workload was measured, and each mount did what it takes."""
    assert len(result.contenders) >= 2
    for sample in result.rounds[0].values():
        assert sample.seconds > 0
    assert ratios(result.rounds, result.contenders[0], result.contenders[-1]).low > 0
    counts = {n: sample.counts for n, sample in result.rounds[0].items() if sample.counts}
    through_mount = name.startswith(
        ("cold", "random", "evicted", "warm", "mmap", "npy", "latency", "not-root", "readers", "pl")
    )
    assert bool(counts) == through_mount
    for counted in counts.values():
        assert counted[PEAK] > 20
        if name.startswith("warm"):
            assert counted[DECODED] == counted[REQUESTS] == 0
        elif name.startswith(("cold", "evicted", "mmap", "npy", "latency", "not-root")):
            assert counted[DECODED] == 1
            assert counted[FETCHED] == pytest.approx(1, abs=0.01)
            assert 0.5 <= counted[REQUESTS] <= 300
        else:
            assert counted[DECODED] > 0


def test_cold_workload_is_measured_and_written_down(tmp_path: Path) -> None:
    result = run(["cold-small"], n_rounds=1, scale=SCALE, results=tmp_path)["cold-small"]
    check("cold-small", result)
    assert result.contenders == [
        "zarrfs",
        "zarrfs in process",
        "zarr-python",
        "zarr-python with zarrs",
        "tensorstore",
        "convert, then dd",
        "no-op handler",
        "codec alone",
    ]
    assert "| zarrfs | 1 (1 to 1) | 1 (1 to 1) |" in (tmp_path / "cold-small.md").read_text()
    summary = (tmp_path / "summary.md").read_text().splitlines()
    assert sum(line.startswith("| cold-small | zarrfs |") for line in summary) == 7
    assert (tmp_path / "ratios.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_all_workloads_run(tmp_path: Path) -> None:
    names = [name for name, entry in WORKLOADS.items() if os.geteuid() == 0 or not entry.needs_root]
    results = run(names, n_rounds=1, scale=SCALE, results=tmp_path)
    assert list(results) == names
    for name, result in results.items():
        check(name, result)
    assert {path.stem for path in tmp_path.glob("*.md")} == {*names, "summary"}
