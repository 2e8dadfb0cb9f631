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
    parse_process,
    tree_ticks,
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
    [({10}, 1 + 10 + 100), ({11}, 10 + 100), ({10, 11}, 111), ({10, 20}, 1111), ({99}, 0)],
)
def test_tree_ticks_take_roots_and_descendants_once(roots: set[int], expected: int) -> None:
    family = [(10, 1, 1), (11, 10, 10), (12, 11, 100), (20, 1, 1000), (1, 0, 10000)]
    processes = [ProcessTicks(pid=pid, parent=parent, ticks=t) for pid, parent, t in family]
    assert tree_ticks(processes, roots) == expected


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
