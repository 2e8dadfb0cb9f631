"""The kernel's requests, put to a real file system without a kernel."""

from __future__ import annotations

import errno
import inspect
import os
import stat
from typing import TYPE_CHECKING, Any

import pyfuse3
import pytest
import trio
import trio.testing

from tests.fuse.conftest import (
    ATTR_TIMEOUT,
    CALLER,
    DATA,
    NAMES_TIMEOUT,
    ROOT,
    TIMEOUT,
    Kernel,
    make_operations,
)
from zarrfs.fuse.operations import LISTING_BATCH, NAME_THREADS, Operations
from zarrfs.stores.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.log_check import LogCheck
    from zarrfs.stores.base import ObjectInfo
    from zarrfs.stores.faulty import FaultyStore

BYTES = DATA.tobytes()


def errno_from(caught: pytest.ExceptionInfo[pyfuse3.FUSEError]) -> int:
    return caught.value.errno


async def errno_of(request: Awaitable[object]) -> int:
    """The errno that a request ends with."""
    with pytest.raises(pyfuse3.FUSEError) as caught:
        await request
    return errno_from(caught)


# --- names and attributes -----------------------------------------------------------------------


async def test_lookup_finds_a_flat_file(kernel: Kernel) -> None:
    found = await kernel.attributes("bin/a.bin")
    assert (found.st_size, found.st_mode) == (DATA.nbytes, stat.S_IFREG | 0o444)
    assert (found.attr_timeout, found.entry_timeout) == (ATTR_TIMEOUT, ATTR_TIMEOUT)


async def test_missing_name_is_cached_by_the_kernel(kernel: Kernel) -> None:
    found = await kernel.attributes("none")
    assert (found.st_ino, found.entry_timeout) == (0, ATTR_TIMEOUT)


async def test_name_over_255_bytes_is_too_long(operations: Operations) -> None:
    name = pyfuse3.FileNameT(b"x" * 256)
    assert await errno_of(operations.lookup(ROOT, name, CALLER)) == errno.ENAMETOOLONG


async def test_name_of_255_bytes_is_looked_up(operations: Operations) -> None:
    name = pyfuse3.FileNameT(b"x" * 255)
    assert (await operations.lookup(ROOT, name, CALLER)).st_ino == 0


async def test_name_that_is_no_utf8_is_looked_up(operations: Operations) -> None:
    name = pyfuse3.FileNameT(b"\xff")
    assert (await operations.lookup(ROOT, name, CALLER)).st_ino == 0


async def test_inode_is_the_same_in_the_next_mount(kernel: Kernel, store: FaultyStore) -> None:
    again = Kernel(make_operations(store))
    for path in ("bin", "bin/a.bin", "npy/a.npy", "zarr/a/zarr.json", "README.txt"):
        assert (await kernel.attributes(path)).st_ino == (await again.attributes(path)).st_ino


async def test_inode_lives_until_it_is_forgotten_as_often_as_looked_up(kernel: Kernel) -> None:
    inode = (await kernel.attributes("bin")).st_ino
    assert (await kernel.attributes("bin")).st_ino == inode
    await kernel.operations.forget([(inode, 1)])
    assert (await kernel.operations.getattr(inode, CALLER)).st_ino == inode
    await kernel.operations.forget([(inode, 1)])
    assert len(kernel.operations._inodes) == 1


async def test_forget_of_an_unknown_inode_raises_nothing(
    operations: Operations, expected_logs: LogCheck
) -> None:
    expected_logs("inode 4711", times=1)
    await operations.forget([(pyfuse3.InodeT(4711), 1)])


async def test_error_of_the_store_is_eio_and_one_line(
    kernel: Kernel, store: FaultyStore, expected_logs: LogCheck
) -> None:
    expected_logs(r"ERROR .*lookup: .*injected error", times=1)
    store.inject(error="stat", keys="a/c/0/0")
    assert await errno_of(kernel.attributes("zarr/a/c/0/0")) == errno.EIO


async def test_entry_that_is_gone_does_not_exist(kernel: Kernel, store: FaultyStore) -> None:
    inode = (await kernel.attributes("zarr/a/c/0/0")).st_ino
    store.delete("a/c/0/0")
    assert await errno_of(kernel.operations.getattr(inode, CALLER)) == errno.ENOENT


async def test_statfs_tells_a_size(operations: Operations) -> None:
    assert (await operations.statfs(CALLER)).f_blocks > 0


async def test_xattrs_describe_the_array(kernel: Kernel) -> None:
    inode = (await kernel.attributes("bin/a.bin")).st_ino
    names = await kernel.operations.listxattr(inode, CALLER)
    values = {name: await kernel.operations.getxattr(inode, name, CALLER) for name in names}
    assert values == {
        b"user.zarr.shape": b"4,8",
        b"user.zarr.dtype": b"<f8",
        b"user.zarr.chunks": b"1,8",
        b"user.zarr.order": b"C",
    }


async def test_other_xattrs_do_not_exist(kernel: Kernel) -> None:
    inode = (await kernel.attributes("bin/a.bin")).st_ino
    name = pyfuse3.XAttrNameT(b"security.capability")
    assert await errno_of(kernel.operations.getxattr(inode, name, CALLER)) == pyfuse3.ENOATTR


# --- directories --------------------------------------------------------------------------------


class Reply:
    """Takes the entries of a listing as the kernel does: as many as there is room for."""

    def __init__(self, room: int = 1000) -> None:
        self.room = room
        self.entries: list[tuple[bytes, int, int]] = []

    def __call__(
        self, token: object, name: bytes, attributes: pyfuse3.EntryAttributes, next_id: int
    ) -> bool:
        if len(self.entries) == self.room:
            return False
        self.entries.append((bytes(name), attributes.st_ino, next_id))
        return True


@pytest.fixture
def listing(
    operations: Operations, monkeypatch: pytest.MonkeyPatch
) -> Callable[[int, int, int], Awaitable[list[tuple[bytes, int, int]]]]:
    """Reads an open directory from a position on, with room for some entries."""

    async def read(handle: int, start: int = 0, room: int = 1000) -> list[tuple[bytes, int, int]]:
        reply = Reply(room)
        monkeypatch.setattr(pyfuse3, "readdir_reply", reply)
        await operations.readdir(pyfuse3.FileHandleT(handle), start, pyfuse3.ReaddirToken())
        return reply.entries

    return read


async def test_listing_begins_with_the_two_links(
    kernel: Kernel, listing: Callable[..., Awaitable[list[tuple[bytes, int, int]]]]
) -> None:
    inode = (await kernel.attributes("bin")).st_ino
    entries = await listing(await kernel.operations.opendir(inode, CALLER))
    assert [name for name, _, _ in entries] == [b".", b"..", b"a.bin", b"a.json"]
    assert [number for _, number, _ in entries[:2]] == [inode, ROOT]


async def test_listed_entries_are_looked_up_and_links_are_not(
    kernel: Kernel, listing: Callable[..., Awaitable[list[tuple[bytes, int, int]]]]
) -> None:
    inode = (await kernel.attributes("bin")).st_ino
    known = len(kernel.operations._inodes)
    entries = await listing(await kernel.operations.opendir(inode, CALLER))
    assert len(kernel.operations._inodes) == known + 2
    await kernel.operations.forget([(pyfuse3.InodeT(n), 1) for _, n, _ in entries[2:]])
    assert len(kernel.operations._inodes) == known


@pytest.mark.parametrize("room", [1, 2, 3, LISTING_BATCH, LISTING_BATCH + 1])
async def test_listing_goes_on_where_it_ended(
    kernel: Kernel,
    store: FaultyStore,
    room: int,
    listing: Callable[..., Awaitable[list[tuple[bytes, int, int]]]],
) -> None:
    names = [f"{n:03}" for n in range(2 * LISTING_BATCH + 5)]
    for name in names:
        store.set(f"many/{name}", b"")
    inode = (await kernel.attributes("zarr/many")).st_ino
    handle = await kernel.operations.opendir(inode, CALLER)
    known = len(kernel.operations._inodes)
    found: list[tuple[bytes, int, int]] = []
    while part := await listing(handle, found[-1][2] if found else 0, room):
        found += part
    assert [name.decode() for name, _, _ in found] == [".", "..", *names]
    assert len(kernel.operations._inodes) == known + len(names)


async def test_positions_stay_when_a_name_goes(
    kernel: Kernel,
    store: FaultyStore,
    listing: Callable[..., Awaitable[list[tuple[bytes, int, int]]]],
) -> None:
    for name in "abc":
        store.set(f"many/{name}", b"")
    inode = (await kernel.attributes("zarr/many")).st_ino
    handle = await kernel.operations.opendir(inode, CALLER)
    first = await listing(handle, 0, 3)
    store.delete("many/b")
    rest = await listing(handle, first[-1][2])
    assert [name for name, _, _ in first + rest] == [b".", b"..", b"a", b"c"]


async def test_rewound_directory_is_listed_anew(
    kernel: Kernel,
    store: FaultyStore,
    listing: Callable[..., Awaitable[list[tuple[bytes, int, int]]]],
) -> None:
    inode = (await kernel.attributes("zarr/a/c")).st_ino
    handle = await kernel.operations.opendir(inode, CALLER)
    before = await listing(handle)
    store.set("a/c/9/0", b"")
    after = await listing(handle)
    assert [name for name, _, _ in after] == [*(name for name, _, _ in before), b"9"]


async def test_failure_in_a_long_listing_keeps_what_was_listed(
    kernel: Kernel,
    store: FaultyStore,
    expected_logs: LogCheck,
    listing: Callable[..., Awaitable[list[tuple[bytes, int, int]]]],
) -> None:
    """Entries in a reply that is never sent would never be forgotten."""
    expected_logs("readdir: .*injected error", times=1)
    for n in range(LISTING_BATCH + 5):
        store.set(f"many/{n:03}", b"")
    store.inject(error="stat", keys=f"many/{LISTING_BATCH + 2:03}")
    inode = (await kernel.attributes("zarr/many")).st_ino
    handle = await kernel.operations.opendir(inode, CALLER)
    entries = await listing(handle)
    assert len(entries) == 2 + LISTING_BATCH
    with pytest.raises(pyfuse3.FUSEError) as caught:
        await listing(handle, entries[-1][2])
    assert errno_from(caught) == errno.EIO


async def test_closed_directory_is_forgotten(operations: Operations) -> None:
    handle = await operations.opendir(ROOT, CALLER)
    await operations.fsyncdir(handle, False)
    await operations.releasedir(handle)
    assert len(operations._directories) == 0


# --- files --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offset", "size", "expected"),
    [
        (0, 4096, BYTES),
        (0, 256, BYTES),
        (1, 3, BYTES[1:4]),
        (63, 130, BYTES[63:193]),
        (255, 4096, BYTES[255:]),
        (256, 4096, b""),
        (2**40, 1, b""),
        (0, 0, b""),
    ],
)
async def test_reply_is_exactly_as_long_as_it_should_be(
    kernel: Kernel, offset: int, size: int, expected: bytes
) -> None:
    assert await kernel.read("bin/a.bin", offset, size) == expected


async def test_views_may_stay_in_the_page_cache_and_texts_may_not(kernel: Kernel) -> None:
    paths = ("bin/a.bin", "zarr/a/c/0/0", "README.txt")
    view, raw, text = [await kernel.open(path) for path in paths]
    assert [(f.keep_cache, f.direct_io) for f in (view, raw, text)] == [
        (True, False),
        (True, False),
        (False, True),
    ]


async def test_the_first_to_open_a_file_does_not_make_the_kernel_drop_pages(kernel: Kernel) -> None:
    inode = (await kernel.attributes("bin/a.bin")).st_ino
    assert [(await kernel.open("bin/a.bin")).keep_cache for _ in range(2)] == [True, True]
    kernel.operations.filesystem.refresh()
    after_refresh = [(await kernel.open("bin/a.bin")).keep_cache for _ in range(2)]
    assert after_refresh == [False, True], "it may hold old ones now"
    await kernel.operations.forget([(inode, 1 + 4)])
    kernel.operations.filesystem.refresh()
    assert (await kernel.open("bin/a.bin")).keep_cache, "it has forgotten all"


async def test_keep_cache_can_be_turned_off(kernel: Kernel) -> None:
    kernel.operations._keep_cache = False
    await kernel.open("bin/a.bin")
    assert not (await kernel.open("bin/a.bin")).keep_cache


@pytest.mark.parametrize(
    "flags", [os.O_WRONLY, os.O_RDWR, os.O_RDONLY | os.O_TRUNC, os.O_WRONLY | os.O_APPEND]
)
async def test_open_for_writing_is_refused(kernel: Kernel, flags: int) -> None:
    assert await errno_of(kernel.open("bin/a.bin", flags)) == errno.EROFS


@pytest.mark.parametrize("flags", [os.O_CREAT, os.O_APPEND, os.O_NONBLOCK, os.O_DIRECT])
async def test_other_flags_do_not_matter(kernel: Kernel, flags: int) -> None:
    opened = await kernel.open("bin/a.bin", flags)
    assert bytes(await kernel.operations.read(opened.fh, 0, 8)) == BYTES[:8]


async def test_sync_of_a_file_opened_for_reading_is_fine(kernel: Kernel) -> None:
    opened = await kernel.open("bin/a.bin")
    await kernel.operations.fsync(opened.fh, True)


async def test_kernel_need_not_ask_at_every_close(kernel: Kernel) -> None:
    opened = await kernel.open("bin/a.bin")
    assert await errno_of(kernel.operations.flush(opened.fh)) == errno.ENOSYS


async def test_closed_file_is_forgotten(kernel: Kernel) -> None:
    await kernel.read("bin/a.bin")
    assert len(kernel.operations._files) == 0


async def test_damaged_chunk_is_eio_for_its_bytes_only(
    kernel: Kernel, store: FaultyStore, expected_logs: LogCheck
) -> None:
    # Again and again, for here nothing is remembered: the file system's `attr_timeout` is 0.
    expected_logs(r"array 'a', object 'a/c/1/0'.*crc32c")
    store.set("a/c/1/0", b"\0" * 68)
    assert await kernel.read("bin/a.bin", 0, 64) == BYTES[:64]
    assert await errno_of(kernel.read("bin/a.bin", 63, 2)) == errno.EIO
    assert await errno_of(kernel.read("bin/a.bin", 127, 1)) == errno.EIO
    assert await kernel.read("bin/a.bin", 128, 128) == BYTES[128:]


async def test_requests_and_bytes_are_counted(kernel: Kernel) -> None:
    await kernel.read("bin/a.bin")
    stats = kernel.operations.filesystem.stats()
    assert stats["bytes_served"] == DATA.nbytes
    assert (stats["requests"]["open"], stats["requests"]["read"]) == (1, 1)
    assert stats["errors"] == 0


# --- what never is an answer --------------------------------------------------------------------


class BrokenStore(MemoryStore):
    """A store with a fault in its program."""

    def stat(self, key: str) -> ObjectInfo:
        raise ZeroDivisionError(key)


async def test_unforeseen_error_is_eio_with_a_traceback(expected_logs: LogCheck) -> None:
    expected_logs("lookup failed", times=1)
    kernel = Kernel(make_operations(BrokenStore()))
    assert await errno_of(kernel.attributes("zarr/x")) == errno.EIO
    assert expected_logs.records[0].exc_info is not None
    assert kernel.operations.filesystem.stats()["errors"] == 1


READ_ONLY_ARGUMENTS: dict[str, tuple[object, ...]] = {
    "setattr": (ROOT, pyfuse3.EntryAttributes(), None, None, CALLER),
    "mknod": (ROOT, b"x", 0o644, 0, CALLER),
    "mkdir": (ROOT, b"x", 0o755, CALLER),
    "unlink": (ROOT, b"x", CALLER),
    "rmdir": (ROOT, b"x", CALLER),
    "symlink": (ROOT, b"x", b"y", CALLER),
    "rename": (ROOT, b"x", ROOT, b"y", 0, CALLER),
    "link": (ROOT, ROOT, b"x", CALLER),
    "create": (ROOT, b"x", 0o644, os.O_WRONLY, CALLER),
    "write": (1, 0, b"x"),
    "setxattr": (ROOT, b"user.x", b"y", CALLER),
    "removexattr": (ROOT, b"user.x", CALLER),
}


@pytest.mark.parametrize("name", READ_ONLY_ARGUMENTS)
async def test_request_that_would_write_is_refused(operations: Operations, name: str) -> None:
    request: Any = getattr(operations, name)
    assert await errno_of(request(*READ_ONLY_ARGUMENTS[name])) == errno.EROFS


def test_every_request_has_an_answer_of_ours() -> None:
    """What pyfuse3 answers by itself is ENOSYS, which programs take for a broken system."""
    requests = {
        name
        for name, method in vars(pyfuse3.Operations).items()
        if inspect.iscoroutinefunction(method)
    }
    left = {
        name for name in requests if getattr(Operations, name) is vars(pyfuse3.Operations)[name]
    }
    # No symbolic links; permissions are judged by the kernel; plain files are always readable.
    assert left == {"readlink", "access", "poll"}


# --- deadlines ----------------------------------------------------------------------------------


async def wait_until_hanging(store: FaultyStore, count: int) -> None:
    assert await trio.to_thread.run_sync(store.wait_until_hanging, count)


async def test_hanging_data_is_eio_at_the_deadline_and_then_at_once(
    kernel: Kernel,
    store: FaultyStore,
    mock_clock: trio.testing.MockClock,
    expected_logs: LogCheck,
) -> None:
    """After a failed read the kernel asks again page by page."""
    expected_logs(r"read: bin/a.bin, 64 bytes at offset 0: no data within 60 s", times=1)
    opened = await kernel.open("bin/a.bin")
    store.inject(hang="get")
    async with trio.open_nursery() as nursery:

        async def ask() -> None:
            assert await errno_of(kernel.operations.read(opened.fh, 0, 64)) == errno.EIO

        nursery.start_soon(ask)
        await wait_until_hanging(store, 1)
        mock_clock.jump(TIMEOUT)
    assert await errno_of(kernel.operations.read(opened.fh, 8, 8)) == errno.EIO
    assert trio.current_time() == mock_clock.current_time()
    store.heal()
    mock_clock.jump(ATTR_TIMEOUT)
    assert bytes(await kernel.operations.read(opened.fh, 0, 256)) == BYTES


async def test_names_answer_while_data_hangs(kernel: Kernel, store: FaultyStore) -> None:
    opened = await kernel.open("bin/a.bin")
    store.inject(hang="get", keys="a/c/*")
    async with trio.open_nursery() as nursery:
        for offset in range(0, 256, 64):
            nursery.start_soon(kernel.operations.read, opened.fh, offset, 64)
        await wait_until_hanging(store, 1)
        assert (await kernel.attributes("bin/a.bin")).st_size == DATA.nbytes
        assert (await kernel.attributes("zarr/a/c/0/0")).st_size == 68
        store.heal()


async def test_hanging_name_is_eio_at_the_deadline(
    kernel: Kernel,
    store: FaultyStore,
    mock_clock: trio.testing.MockClock,
    expected_logs: LogCheck,
) -> None:
    expected_logs(r"lookup: zarr/a: no answer within 15 s", times=1)
    parent = (await kernel.attributes("zarr")).st_ino
    store.inject(hang="stat")
    async with trio.open_nursery() as nursery:

        async def ask() -> None:
            request = kernel.operations.lookup(parent, pyfuse3.FileNameT(b"a"), CALLER)
            assert await errno_of(request) == errno.EIO

        nursery.start_soon(ask)
        await wait_until_hanging(store, 1)
        mock_clock.jump(NAMES_TIMEOUT)
    store.heal()


async def test_log_can_be_read_while_all_name_threads_hang(
    kernel: Kernel, store: FaultyStore
) -> None:
    parent = (await kernel.attributes("zarr")).st_ino
    store.inject(hang="stat")
    async with trio.open_nursery() as nursery:
        for n in range(2 * NAME_THREADS):
            name = pyfuse3.FileNameT(b"%d" % n)
            nursery.start_soon(kernel.operations.lookup, parent, name, CALLER)
        await wait_until_hanging(store, NAME_THREADS)
        assert await kernel.read(".zarrfs/log") == b"a line\n"
        store.heal()
