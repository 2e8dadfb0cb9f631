"""One mount from init to unmount: mount, say that it answers, serve, end in order."""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import select
import signal
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyfuse3
import trio
from trio.lowlevel import current_trio_token

from zarrfs.arrays.heap import give_large_buffers_back
from zarrfs.errors import MountError
from zarrfs.fuse.kernel_tuning import ENOUGH_READ_AHEAD_KB, tune
from zarrfs.fuse.operations import Operations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from zarrfs.fuse.kernel_tuning import KernelLimits
    from zarrfs.vfs.filesystem import FileSystem

_log = logging.getLogger(__name__)

# Requests served at a time. More than the kernel's max_background (12, or 64 when raised), so that
# slow reads never keep a lookup waiting: with fewer tasks than reads one took 3.7 s.
MAX_REQUESTS = 256

# Seconds that requests in flight get when the daemon is told to end.
GRACE = 5.0

# Seconds between signals that end a read of /dev/fuse for which there is nothing any more.
ALARM = 1.0

# Seconds for which a mount is held back until the kernel's limits are raised: files that were
# opened before keep the old read-ahead. Without sudo it takes a few milliseconds.
TUNING = 0.5

# Seconds that pages on their way to the kernel get when the mount ends: a few milliseconds will do.
PUSHING = 1.0

# SIGHUP: the terminal of a mount in the foreground was closed.
ENDING_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

# Seconds without a read after which cached data is given back.
IDLE = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOptions:
    """How to mount, and how long to wait."""

    mountpoint: str
    fuse_options: frozenset[str]
    """Passed to libfuse as they are: ``ro``, ``allow_other``, ``fsname=…``."""

    timeout: float = 60.0
    """Seconds after which a request for data is ``EIO``."""

    names_timeout: float = 15.0
    """Seconds after which a request for names or attributes is ``EIO``."""

    attr_timeout: float = 1.0
    """Seconds for which the kernel believes names and attributes."""

    keep_cache: bool = True
    """The kernel keeps a file's pages from one open to the next."""


def run(filesystem: FileSystem, options: SessionOptions, ready: Callable[[], None]) -> None:
    """Mount, call `ready` once the mount answers, and serve until it ends.

    It ends when it is unmounted, or on one of `ENDING_SIGNALS`. To be called in the main thread,
    once per process: pyfuse3 knows one mount.

    Raises
    ------
    MountError
        If libfuse cannot mount, with its own words.
    """
    give_large_buffers_back()
    operations = Operations(
        filesystem,
        timeout=options.timeout,
        names_timeout=options.names_timeout,
        attr_timeout=options.attr_timeout,
        keep_cache=options.keep_cache,
    )
    # The kernel judges permissions by the modes that it is told; else access(2) says yes to all.
    fuse_options = {*options.fuse_options, "default_permissions"}
    with _words_of_libfuse() as words:
        try:
            pyfuse3.init(operations, options.mountpoint, fuse_options)
        except RuntimeError as error:
            raise MountError(f"cannot mount at {options.mountpoint}: {words() or error}") from error
    try:
        trio.run(_serve, operations, options, ready)
    except BaseExceptionGroup as group:
        raise _first_error(group) from group
    finally:
        pyfuse3.close(unmount=True)


async def _serve(
    operations: Operations, options: SessionOptions, ready: Callable[[], None]
) -> None:
    filesystem = operations.filesystem
    expire = functools.partial(operations.kernel_cache.expire, current_trio_token())
    filesystem.on_refresh(expire)
    async with trio.open_nursery() as nursery:

        async def end_on_signal() -> None:
            with trio.open_signal_receiver(*ENDING_SIGNALS) as signals:
                async for number in signals:
                    _log.info("%s: unmounting", signal.Signals(number).name)
                    pyfuse3.terminate()
                    await trio.sleep(GRACE)
                    nursery.cancel_scope.cancel()

        async def interrupt_vain_reads() -> None:
            # A request can be taken back (its caller was killed, or an interrupt came too late)
            # between the news of it and the read(2) that fetches it. That read waits for the next
            # request then, and holds the interpreter's lock: everything stands still.
            # See test_request_that_was_taken_back_stops_nothing.
            with trio.open_signal_receiver(signal.SIGALRM) as alarms:
                signal.setitimer(signal.ITIMER_REAL, ALARM, ALARM)
                try:
                    async for _ in alarms:
                        pass  # pyfuse3 goes on after EINTR; nothing else is to be done
                finally:
                    signal.setitimer(signal.ITIMER_REAL, 0)

        async def end_when_cut_off() -> None:
            # Nobody can be answered any more: requests that still wait for storage are in vain.
            with select.epoll() as connection:
                connection.register(_descriptor_of_libfuse(), 0)  # tells errors, and nothing else
                await trio.lowlevel.wait_readable(connection.fileno())
                nursery.cancel_scope.cancel()

        async def raise_limits(tuned: trio.Event) -> None:
            limits = await trio.to_thread.run_sync(
                _raise_limits, options.mountpoint, abandon_on_cancel=True
            )
            if limits:
                # Where it cannot be told, nobody has raised it.
                operations.pages.is_on = (limits.read_ahead_kb or 0) < ENOUGH_READ_AHEAD_KB
                filesystem.kernel.update(limits.known(), pages_pushed=operations.pages.is_on)
            tuned.set()

        async def tell_when_ready() -> None:
            # In threads: this process must answer what is asked of the mount.
            await trio.to_thread.run_sync(os.statvfs, options.mountpoint, abandon_on_cancel=True)
            tuned = trio.Event()
            nursery.start_soon(raise_limits, tuned)
            with trio.move_on_after(TUNING):
                await tuned.wait()
            ready()

        nursery.start_soon(end_on_signal)
        nursery.start_soon(interrupt_vain_reads)
        nursery.start_soon(end_when_cut_off)
        nursery.start_soon(tell_when_ready)
        nursery.start_soon(give_memory_back_when_idle, filesystem)
        try:
            with abort_is_an_end():
                await pyfuse3.main(max_tasks=MAX_REQUESTS)
        finally:
            await operations.pages.end(PUSHING)  # libfuse is closed next, and they use it
        nursery.cancel_scope.cancel()


def _raise_limits(mountpoint: str) -> KernelLimits | None:
    """Have the kernel ask more of a mount that answers."""
    try:
        status = Path(mountpoint).stat()
        if status.st_ino == pyfuse3.ROOT_INODE:
            return tune(status.st_dev)
        # Unmounted at once: the limits of the disk below are none of ours.
        _log.info("%s is not mounted any more", mountpoint)
    except Exception:  # noqa: BLE001 (a mount works as it is)
        _log.info("the kernel's limits stay as they are", exc_info=True)
    return None


@contextlib.contextmanager
def abort_is_an_end() -> Iterator[None]:
    """Let a session end in peace when the kernel closes the connection.

    libfuse knows what the kernel mostly says then, ENODEV. It is ECONNABORTED where a request was
    just being fetched, such as the last close of a file in a mount that was detached.
    """
    try:
        yield
    except* ConnectionAbortedError:
        _log.info("the kernel has closed the connection")


async def give_memory_back_when_idle(filesystem: FileSystem) -> None:
    """Have cached data dropped when nothing has been read for `IDLE` seconds; never ends."""
    served, is_given_back = 0, False
    while True:
        await trio.sleep(IDLE)
        before, served = served, filesystem.stats()["bytes_served"]
        if served != before:
            is_given_back = False
        elif not is_given_back:
            is_given_back = True
            try:
                filesystem.give_memory_back()
            except Exception:  # noqa: BLE001 (a fault in zarrfs; the mount must live)
                _log.exception("memory could not be given back")


def _descriptor_of_libfuse() -> int:
    """Find the connection to the kernel, which pyfuse3 keeps to itself; one mount a process."""
    for link in Path("/proc/self/fd").iterdir():
        # The listing itself has a descriptor that is gone by now.
        with contextlib.suppress(FileNotFoundError):
            if str(link.readlink()) == "/dev/fuse":
                return int(link.name)
    raise MountError("this process has no connection to /dev/fuse")


def _first_error(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the error itself rather than a group of trio's nurseries around it."""
    first = group.exceptions[0]
    return _first_error(first) if isinstance(first, BaseExceptionGroup) else first


@contextlib.contextmanager
def _words_of_libfuse() -> Iterator[Callable[[], str]]:
    """Keep what C code writes to descriptor 2: libfuse tells the reason of a failure only there."""
    with tempfile.TemporaryFile() as kept:
        saved = os.dup(2)
        os.dup2(kept.fileno(), 2)

        def words() -> str:
            kept.seek(0)
            return kept.read().decode(errors="replace").strip()

        try:
            yield words
        finally:
            os.dup2(saved, 2)
            os.close(saved)
