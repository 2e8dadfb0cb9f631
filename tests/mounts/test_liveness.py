"""Processes by pid and start time; mounts that answer."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from zarrfs.mounts.liveness import probe, send_signal, start_time, wait_for_end

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "100"]) as process:
        yield process
        process.kill()


def test_plain_folder_is_healthy(tmp_path: Path) -> None:
    assert probe([str(tmp_path), "/"]) == ["healthy", "healthy"]


def test_nothing_to_probe() -> None:
    assert probe([]) == []


def test_no_time_is_busy(tmp_path: Path) -> None:
    assert probe([str(tmp_path)], seconds=0) == ["busy"]


def test_start_time_of_a_process(sleeper: subprocess.Popen[bytes]) -> None:
    assert (start_time(os.getpid()) or 0) < (start_time(sleeper.pid) or 0)


def test_ended_process_has_none_even_as_a_zombie(sleeper: subprocess.Popen[bytes]) -> None:
    started = start_time(sleeper.pid)
    assert started is not None
    sleeper.kill()
    assert wait_for_end(sleeper.pid, started, 10)
    assert start_time(sleeper.pid) is None
    assert wait_for_end(sleeper.pid, started, 0)
    sleeper.wait()
    assert start_time(sleeper.pid) is None
    assert wait_for_end(sleeper.pid, started, 0)


def test_wait_is_bounded(sleeper: subprocess.Popen[bytes]) -> None:
    assert not wait_for_end(sleeper.pid, start_time(sleeper.pid) or 0, 0.01)


def test_other_process_with_the_same_pid_does_not_count(sleeper: subprocess.Popen[bytes]) -> None:
    assert wait_for_end(sleeper.pid, 1, 10)
    send_signal(sleeper.pid, 1, signal.SIGKILL)
    assert sleeper.poll() is None


def test_signal_reaches_its_process(sleeper: subprocess.Popen[bytes]) -> None:
    started = start_time(sleeper.pid) or 0
    send_signal(sleeper.pid, started, signal.SIGTERM)
    assert sleeper.wait(10) == -signal.SIGTERM
    send_signal(sleeper.pid, started, signal.SIGTERM)  # it is gone: nothing happens
