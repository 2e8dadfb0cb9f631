"""Reads of a program in order -> more than it asks for, put into the kernel's page cache.

For mounts whose read-ahead nobody raises: there the kernel asks for 128 KiB at a time, and for
most of a file not at all if it has been given the pages by then. Its law: whatever the kernel was
made to forget does not come back, so nothing is pushed that was read before that.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pyfuse3
import trio

if TYPE_CHECKING:
    from collections.abc import Callable

    from zarrfs.fuse.inodes import InodeNumber

    Store = Callable[[int, int, memoryview], object]
    """Puts bytes into the page cache of an inode, at an offset; may wait for pages in use."""

_log = logging.getLogger(__name__)

PAGE = 4096

# Larger requests come where the read-ahead has been raised after all: they are fast enough, and
# both together no faster than one. 128 KiB is the kernel's default, twice as much what a program
# gets that has said to read in order (POSIX_FADV_SEQUENTIAL).
LARGEST_REQUEST = 256 * 2**10

# Bytes that a program must have read in order before more is read than it asks for, how many times
# what it has read that is then, and how much at most: as far as root has the kernel read ahead
# (`zarrfs.fuse.kernel_tuning.READ_AHEAD_KB`). 16 MiB were no faster, and took more memory. A
# program that stops has had so much copied in vain.
FIRST_BYTES = 512 * 2**10
GROWTH = 2
MOST_BYTES = 4 * 2**20

# Less than this is not worth a push, which costs about as much as three requests.
LEAST_BYTES = 512 * 2**10

# Pushes under way at a time, each on a thread of its own; what would be one more is left out.
MAX_PUSHES = 4

# Seconds that a read waits for its push, which takes a few milliseconds. It may take longer if the
# kernel awaits other pages of the span, and then goes on without anybody waiting for it.
PATIENCE = 0.5


@dataclass(slots=True)
class Run:
    """The reads of one open file, as far as each goes on where another ended."""

    _start: int = 0
    _expected: int = 0
    _n_bytes: int = 0

    def observe(self, offset: int, size: int) -> int:
        """Take note of a read; return how many bytes to read instead, 0 for what was asked for."""
        if self._start <= offset < self._expected:
            return 0  # the kernel had asked for it before it was given what lies here
        is_next = offset == self._expected
        self._n_bytes = self._n_bytes + size if is_next else size
        self._start, self._expected = offset, offset + size
        if self._n_bytes < FIRST_BYTES or size > LARGEST_REQUEST:
            return 0
        return min(GROWTH * self._n_bytes, MOST_BYTES)

    def reach(self, stop: int) -> None:
        """Take note that a program gets all up to here without asking."""
        self._n_bytes += stop - self._expected
        self._expected = stop


@dataclass(slots=True)
class _Told:
    """What the kernel believes of a file."""

    size: int
    n_times: int = 0
    """How often it was told, or made to forget pages."""
    pushes: set[trio.Event] = field(default_factory=set)
    """Under way."""


def _store(number: int, offset: int, data: memoryview) -> None:
    # Any buffer will do; the annotation in pyfuse3 is narrower.
    pyfuse3.notify_store(pyfuse3.InodeT(number), offset, cast("bytes", data))


class PagePushes:
    """The pushes of one mount. Only for the trio thread.

    Parameters
    ----------
    store
        What puts bytes into the kernel's page cache.
    """

    def __init__(self, store: Store = _store) -> None:
        self.is_on = False
        """Whether anything is pushed."""
        self._store = store
        self._told: dict[InodeNumber, _Told] = {}
        self._under_way: set[trio.Event] = set()

    def forget(self, number: InodeNumber) -> None:
        """Forget an inode that the kernel has forgotten."""
        self._told.pop(number, None)

    def before_telling(self, number: InodeNumber, size: int | None = None) -> list[trio.Event]:
        """Call this before an answer by which the kernel may drop pages of a file.

        What was read before is not pushed any more. What is being pushed has to end before the
        kernel is answered, so that it drops that, too.

        Parameters
        ----------
        number
            The file.
        size
            Bytes that it has from now on; ``None`` if that is not told.

        Returns
        -------
        list of trio.Event
            To be waited for.
        """
        told = self._told.get(number)
        if told is None:
            if size is not None:
                self._told[number] = _Told(size)
            return []
        told.n_times += 1
        if size is not None:
            told.size = size
        return list(told.pushes)

    def ticket(self, number: InodeNumber) -> Ticket | None:
        """Take what allows to push what is read from now on; nothing if it would not be pushed."""
        told = self._told.get(number)
        if told is None or not self.is_on or len(self._under_way) >= MAX_PUSHES:
            return None
        return Ticket(number, told, told.n_times)

    async def push(self, ticket: Ticket, offset: int, data: memoryview) -> int:
        """Put bytes of a file into the page cache, whole pages of it; returns how many it were.

        It waits until they are there, but not for long. None are pushed that the kernel holds to
        lie beyond the end of the file, nor any that it may have been made to forget.
        """
        told = ticket.told
        start = -(-offset // PAGE) * PAGE
        stop = min(offset + len(data), told.size) // PAGE * PAGE
        is_late = ticket.n_times != told.n_times or self._told.get(ticket.number) is not told
        if is_late or start >= stop or len(self._under_way) >= MAX_PUSHES:
            return 0
        pushed = data[start - offset : stop - offset]
        ended = trio.Event()
        self._under_way.add(ended)
        told.pushes.add(ended)
        token = trio.lowlevel.current_trio_token()

        def end(result: Any) -> None:
            self._under_way.discard(ended)
            told.pushes.discard(ended)
            ended.set()
            self._judge(result)

        def tell(result: Any) -> None:
            # On the thread, perhaps after the mount has ended.
            with contextlib.suppress(trio.RunFinishedError):
                token.run_sync_soon(end, result)

        # Never on this thread: the kernel may have to wait for pages of requests not yet answered.
        trio.lowlevel.start_thread_soon(
            functools.partial(self._store, ticket.number, start, pushed), tell, "zarrfs-push"
        )
        with trio.move_on_after(PATIENCE):
            await ended.wait()
        return len(pushed)

    async def end(self, seconds: float) -> None:
        """Push nothing any more, and wait for what is under way, but not for ever."""
        self.is_on = False
        with trio.move_on_after(seconds, shield=True):
            for push in tuple(self._under_way):
                await push.wait()

    def _judge(self, result: Any) -> None:
        """Go on without pushing where the kernel cannot have it."""
        try:
            result.unwrap()
        except FileNotFoundError:
            pass  # it has forgotten the file meanwhile
        except Exception as error:  # noqa: BLE001 (a read is answered all the same)
            self.is_on = False
            is_known = isinstance(error, OSError) and error.errno == errno.ENOSYS
            why = "it cannot" if is_known else error
            _log.info("no more pages are given to the kernel unasked: %s", why)


@dataclass(frozen=True, slots=True)
class Ticket:
    """Allows to push what is read after it was taken, until the kernel is told anything else."""

    number: InodeNumber
    told: _Told
    n_times: int
