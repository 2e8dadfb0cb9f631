"""What of a session can be seen without a mount; the rest is in tests/mounted."""

from __future__ import annotations

import errno
import logging
import os
from typing import TYPE_CHECKING

import pytest
import trio
import trio.testing

from tests.waiting import wait_until
from zarrfs.errors import MountError
from zarrfs.fuse import session
from zarrfs.fuse.session import (
    IDLE,
    SessionOptions,
    _descriptor_of_libfuse,
    _first_error,
    _raise_limits,
    _words_of_libfuse,
    abort_is_an_end,
    give_memory_back_when_idle,
    run,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fuse.conftest import Kernel
    from tests.log_check import LogCheck


def never() -> None:
    pytest.fail("it was mounted")


@pytest.mark.parametrize("fuse_options", [{"colour=red"}, {"max_read=x"}])
def test_failure_to_mount_is_told_in_the_words_of_libfuse(
    kernel: Kernel, tmp_path: Path, fuse_options: set[str]
) -> None:
    options = SessionOptions(mountpoint=str(tmp_path), fuse_options=frozenset(fuse_options))
    (word,) = fuse_options
    with pytest.raises(MountError, match=f"cannot mount at .*{word}"):
        run(kernel.operations.filesystem, options, never)


def test_missing_mount_point_is_told(kernel: Kernel, tmp_path: Path) -> None:
    options = SessionOptions(mountpoint=str(tmp_path / "none"), fuse_options=frozenset())
    with pytest.raises(MountError, match=r"cannot mount at .*none"):
        run(kernel.operations.filesystem, options, never)


def test_words_of_c_code_are_kept_and_the_descriptor_given_back() -> None:
    before = os.fstat(2)
    with _words_of_libfuse() as words:
        os.write(2, b"fuse: it failed\n")
        assert words() == "fuse: it failed"
    after = os.fstat(2)
    assert (before.st_dev, before.st_ino) == (after.st_dev, after.st_ino)


def test_process_without_a_mount_has_no_connection() -> None:
    with pytest.raises(MountError, match="/dev/fuse"):
        _descriptor_of_libfuse()


def never_tune(device: int) -> None:
    pytest.fail(f"the limits of {device} were raised")


def test_disk_below_a_mount_that_has_ended_keeps_its_limits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(session, "tune", never_tune)
    assert _raise_limits(str(tmp_path)) is None
    assert "is not mounted any more" in caplog.text


def test_mount_lives_without_raised_limits(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    assert _raise_limits(str(tmp_path / "none")) is None
    assert "the kernel's limits stay as they are" in caplog.text


def test_error_is_taken_out_of_its_groups() -> None:
    inner = KeyError("x")
    group = BaseExceptionGroup("", [BaseExceptionGroup("", [inner, ValueError()])])
    assert _first_error(group) is inner


def test_connection_closed_while_a_request_is_fetched_is_an_end() -> None:
    aborted = ConnectionAbortedError(errno.ECONNABORTED, "fuse_session_receive_buf failed")
    with abort_is_an_end():
        raise BaseExceptionGroup("", [BaseExceptionGroup("", [aborted])])


def test_another_failure_to_fetch_requests_is_told() -> None:
    failed = OSError(errno.ENOMEM, "fuse_session_receive_buf failed")
    with pytest.raises(BaseExceptionGroup) as caught, abort_is_an_end():
        raise BaseExceptionGroup("", [failed])
    assert _first_error(caught.value) is failed


class Watched:
    """Tells when memory is given back; the number of bytes served is set by the test."""

    def __init__(self) -> None:
        self.served = 0
        self.times: list[float] = []
        self.error: Exception | None = None

    def stats(self) -> dict[str, int]:
        return {"bytes_served": self.served}

    def give_memory_back(self) -> None:
        self.times.append(trio.current_time())
        if self.error:
            raise self.error


async def watch(watched: Watched, clock: trio.testing.MockClock, served: list[int]) -> None:
    """Let one `IDLE` pass after another, with so many bytes served by the end of each."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(give_memory_back_when_idle, watched)  # type: ignore[arg-type]  # a fake
        for number in served:
            await trio.testing.wait_all_tasks_blocked()
            watched.served = number
            clock.jump(IDLE)
            await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()


async def test_memory_is_given_back_once_when_reading_has_ended(
    mock_clock: trio.testing.MockClock,
) -> None:
    watched = Watched()
    await watch(watched, mock_clock, [1, 2, 2, 2, 2, 3, 3])
    assert watched.times == [3 * IDLE, 7 * IDLE]


async def test_failure_to_give_memory_back_is_logged(
    mock_clock: trio.testing.MockClock, expected_logs: LogCheck
) -> None:
    expected_logs("memory could not be given back", times=1)
    watched = Watched()
    watched.error = ZeroDivisionError()
    await watch(watched, mock_clock, [1, 1, 1])


def test_file_system_has_what_is_watched(kernel: Kernel) -> None:
    """The fake above stands for these two."""
    trio.run(kernel.read, "bin/a.bin")
    filesystem = kernel.operations.filesystem
    assert filesystem.stats()["bytes_served"] == 256
    assert filesystem.stats()["memory"]["used"] > 0
    filesystem.give_memory_back()
    # A decode thread that has just finished may hold the last of it.
    wait_until(lambda: filesystem.stats()["memory"]["used"] == 0)
