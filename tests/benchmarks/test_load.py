from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from benchmarks.load import (
    ProcessTicks,
    cpu_times,
    parse_machine_ticks,
    parse_peak_rss,
    parse_process,
    peak_rss,
    reset_peak_rss,
    tree,
)

BUSY_LOOP = "import time\nwhile time.process_time() < 0.2: pass"


def test_machine_ticks_leave_out_idle_iowait_and_guest() -> None:
    stat = "cpu  100 20 30 5000 400 6 7 8 90 1\ncpu0 1 1 1 1 1 1 1 1 1 1\n"
    assert parse_machine_ticks(stat) == 100 + 20 + 30 + 6 + 7 + 8


def test_process_ticks_count_its_finished_children() -> None:
    stat = "42 (a) R) 7) S 3 42 42 0 -1 4194304 1 2 3 4 10 20 300 4000 20 0 1 0 99 5 6"
    assert parse_process(stat) == ProcessTicks(pid=42, parent=3, ticks=4330)


@pytest.mark.parametrize(
    ("roots", "expected"),
    [
        ({10}, [10, 11, 12]),
        ({11}, [11, 12]),
        ({10, 11}, [10, 11, 12]),
        ({10, 20}, [10, 11, 12, 20]),
        ({99}, []),
    ],
)
def test_tree_has_roots_and_descendants_once(roots: set[int], expected: list[int]) -> None:
    family = [(10, 1), (11, 10), (12, 11), (20, 1), (1, 0)]
    processes = [ProcessTicks(pid=pid, parent=parent, ticks=0) for pid, parent in family]
    assert [process.pid for process in tree(processes, roots)] == expected


def test_cpu_times_see_a_finished_child_of_ours() -> None:
    before = cpu_times({os.getpid()})
    subprocess.run([sys.executable, "-c", BUSY_LOOP], check=True)
    after = cpu_times({os.getpid()})
    assert after.own - before.own >= 0.15
    assert after.machine - before.machine >= 0.15


def test_cpu_times_see_a_process_named_by_id_only_if_it_is_named() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE
    ) as child:
        assert child.stdin is not None
        outsider = cpu_times({child.pid})
        deadline = time.process_time() + 0.2
        while time.process_time() < deadline:
            pass
        assert cpu_times({child.pid}).own - outsider.own < 0.15
        assert cpu_times({os.getpid()}).own >= cpu_times({child.pid}).own
        child.stdin.close()


def test_peak_memory_is_read_in_bytes() -> None:
    assert parse_peak_rss("Name:\tx\nVmHWM:\t   2048 kB\nVmRSS:\t 12 kB\n") == 2 << 20
    assert parse_peak_rss("Name:\tended\nState:\tZ (zombie)\n") == 0


def test_peak_memory_counts_children_and_can_be_reset() -> None:
    use_and_free = "import mmap; m = mmap.mmap(-1, 64 << 20); m[:] = bytes(64 << 20); m.close()"
    script = f"{use_and_free}; print(flush=True); import sys; sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdin
        assert child.stdout
        child.stdout.readline()
        peak = peak_rss(child.pid)
        assert peak >= 64 << 20
        assert peak_rss(os.getpid()) > peak
        reset_peak_rss(child.pid)
        assert peak_rss(child.pid) < peak - (60 << 20)
        child.stdin.close()
