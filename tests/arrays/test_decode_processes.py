"""Real decode processes: that they decode, end, and are done without when they die."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.arrays import writer
from tests.arrays.test_decode_process import DATA, WHOLE, part_of, reader_of
from tests.waiting import wait_until
from zarrfs.arrays import decode_processes
from zarrfs.arrays.decode_processes import MAX_DEATHS, DecodeProcesses
from zarrfs.arrays.memory import MemoryBudget
from zarrfs.stores.local import LocalStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from tests.log_check import LogCheck
    from zarrfs.arrays.decode_process import Done, Part


@pytest.fixture
def processes() -> Iterator[DecodeProcesses]:
    processes = DecodeProcesses(1)
    yield processes
    processes.rest()


@pytest.fixture
def part(tmp_path: Path) -> Part:
    writer.write_v3(DATA, (2, 3), store=LocalStore(tmp_path))
    return part_of(reader_of(LocalStore(tmp_path)), WHOLE)


def decode(processes: DecodeProcesses, part: Part) -> tuple[npt.NDArray[Any], Done | None]:
    budget = MemoryBudget(10**6, lambda task: task())
    assert budget.take_spare(DATA.nbytes)
    buffer, lease = budget.buffer(DATA.nbytes, shared=True)
    assert lease.descriptor is not None
    done = processes.decode(part, lease.descriptor, DATA.nbytes)
    return buffer.view("<u2").reshape(DATA.shape), done


def pids(processes: DecodeProcesses) -> list[int]:
    return [process._popen.pid for process in (*processes._starting, *processes._free)]


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_process_decodes_into_shared_memory(processes: DecodeProcesses, part: Part) -> None:
    wait_until(processes.start)
    for _ in range(3):
        elements, done = decode(processes, part)
        assert np.array_equal(elements, DATA)
        assert done is not None
        assert done.counted["chunks_decoded"] == 16
    assert len(pids(processes)) == 1


def test_a_process_has_one_thread(processes: DecodeProcesses) -> None:
    wait_until(processes.start)
    [pid] = pids(processes)
    assert len(list(Path(f"/proc/{pid}/task").iterdir())) == 1


def test_who_asks_before_any_process_is_ready_does_not_wait(
    processes: DecodeProcesses, part: Part
) -> None:
    assert decode(processes, part)[1] is None
    assert not DecodeProcesses(0).start()


def test_processes_that_rest_are_gone_and_come_back(processes: DecodeProcesses, part: Part) -> None:
    wait_until(processes.start)
    before = pids(processes)
    processes.rest()
    assert not any(map(is_alive, before))
    assert decode(processes, part)[1] is None
    wait_until(processes.start)
    assert np.array_equal(decode(processes, part)[0], DATA)


def test_a_process_that_was_killed_is_told_and_replaced(
    processes: DecodeProcesses, part: Part, expected_logs: LogCheck
) -> None:
    expected_logs("a decode process has ended .*threads do its work", times=1)
    wait_until(processes.start)
    os.kill(pids(processes)[0], signal.SIGKILL)
    assert decode(processes, part)[1] is None
    wait_until(processes.start)
    assert np.array_equal(decode(processes, part)[0], DATA)


def test_processes_that_cannot_live_are_not_started_for_ever(
    processes: DecodeProcesses, monkeypatch: pytest.MonkeyPatch, expected_logs: LogCheck
) -> None:
    expected_logs("a decode process ended at once", times=MAX_DEATHS)
    monkeypatch.setattr(decode_processes, "_PROGRAM", "raise SystemExit(1)")
    wait_until(lambda: not processes.start() and processes._n_deaths == MAX_DEATHS)
    assert not processes.start()
    assert pids(processes) == []


def test_a_system_without_room_for_processes_is_told(
    processes: DecodeProcesses, monkeypatch: pytest.MonkeyPatch, expected_logs: LogCheck
) -> None:
    expected_logs("a decode process cannot be started: .*Resource", times=MAX_DEATHS)

    def refuse(*_: object, **__: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    for _ in range(MAX_DEATHS + 1):
        assert not processes.start()


def test_what_a_process_cannot_open_is_left_to_threads(
    processes: DecodeProcesses, part: Part, tmp_path: Path
) -> None:
    wait_until(processes.start)
    away = tmp_path.with_name("away")
    tmp_path.rename(away)
    assert decode(processes, part)[1] is None
    away.rename(tmp_path)
    assert np.array_equal(decode(processes, part)[0], DATA)
