"""A flat file read from start to end, through the kernel, in every state of the caches.

Cold: neither the kernel nor the daemon holds anything of the array (see `benchmarks.counting`); the
store itself lies in memory. Evicted: the store lies on a disk and is not in memory either. Warm:
the kernel holds the whole file.
"""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import zarr

from benchmarks.bare_codec import decoder
from benchmarks.counting import needs_of_whole, on_mount
from benchmarks.mounting import mounted, mounted_as_nobody, read_ahead
from benchmarks.null_handler import zeros_mounted
from benchmarks.pages import drop_pages
from benchmarks.peers import OPENERS, open_with_tensorstore
from benchmarks.rounds import Contender, Workload, nothing
from benchmarks.stored_arrays import StoredArray

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.mounting import Mounted
    from benchmarks.stored_arrays import StoredArrays

DISK = Path("/var/tmp")
"""For what must not lie in memory."""

LATENCY = "latency=20ms"


def read_with_dd(file: Path) -> None:
    """Read a file to its end, in reads of 1 MiB."""
    subprocess.run(["dd", f"if={file}", "of=/dev/null", "bs=1M", "status=none"], check=True)


def compare(file: Path, stored: StoredArray) -> None:
    """Compare a flat file with what tensorstore reads.

    Raises
    ------
    RuntimeError
        If they differ.
    """
    read = open_with_tensorstore(stored.path)
    with file.open("rb") as opened:
        for start, stop in stored.array.pieces():
            piece = read(np.s_[start:stop])
            if opened.read(piece.nbytes) != piece.tobytes():
                raise RuntimeError(f"{file} shows other bytes than tensorstore reads")


def with_dd(
    name: str,
    mount: Mounted,
    stored: StoredArray,
    *,
    ending: str = "bin",
    prepare: Callable[[], object] | None = None,
) -> Contender:
    """Read the flat file of an array with `dd`, cold."""
    file = mount.file(stored.name, ending)
    return on_mount(
        name,
        mount,
        [file],
        needs_of_whole(stored),
        functools.partial(mount.read, file),
        prepare=prepare,
    )


def peers(path: Path, prepare: Callable[[], object] = nothing) -> list[Contender]:
    """Open an array and read all of it to memory, with each library."""

    def read(name: str) -> None:
        OPENERS[name](path)(...)

    return [
        Contender(name=name, run=functools.partial(read, name), prepare=prepare) for name in OPENERS
    ]


def converting(stored: StoredArray, file: Path) -> Contender:
    """Write the array to a `.npy` file with zarr-python, then read that with `dd`."""
    array = stored.array

    def convert() -> None:
        source = zarr.open_array(stored.path, mode="r")
        target = np.lib.format.open_memmap(file, "w+", array.dtype, array.shape)
        for start, stop in array.pieces():
            target[start:stop] = source[start:stop]
        target.flush()
        del target
        read_with_dd(file)

    return Contender(
        name="convert, then dd",
        run=convert,
        prepare=functools.partial(file.unlink, missing_ok=True),
    )


@contextlib.contextmanager
def cold(arrays: StoredArrays, scratch: Path, name: str) -> Iterator[Workload]:
    """Compare with libraries that read to memory, with no work at all, and with the codec alone."""
    stored = arrays.get(name)
    nbytes = stored.array.nbytes
    with (
        mounted(stored.path, scratch / "mnt") as mount,
        zeros_mounted(scratch / "zeros", nbytes) as zeros,
    ):
        compare(mount.file(stored.name), stored)

        def forget_zeros() -> None:
            ours, theirs = read_ahead(mount.mount_point), read_ahead(zeros.parent)
            if (kib := ours.read_text()) != theirs.read_text():
                theirs.write_text(kib)
            drop_pages([zeros])

        contenders = [
            with_dd("zarrfs", mount, stored),
            *peers(stored.path),
            converting(stored, scratch / "converted.npy"),
            Contender(
                name="no-op handler",
                prepare=forget_zeros,
                run=functools.partial(read_with_dd, zeros),
            ),
        ]
        if stored.array.compressors:
            contenders.append(Contender(name="codec alone", run=decoder(stored)))
        yield Workload(
            title=f"Whole file, cold: {stored.array}",
            nbytes=nbytes,
            contenders=contenders,
            daemons=[mount.pid],
        )


@contextlib.contextmanager
def evicted(arrays: StoredArrays, scratch: Path, name: str) -> Iterator[Workload]:
    """Read from a disk what is in no cache of this machine; its host may have one."""
    with tempfile.TemporaryDirectory(dir=DISK) as folder:
        original = arrays.get(name)
        path = Path(folder) / original.path.name
        shutil.copytree(original.path, path)
        stored = StoredArray(array=original.array, path=path)
        os.sync()
        files = [path / "zarr.json", *stored.objects]
        evict = functools.partial(drop_pages, files)
        with mounted(path, scratch / "mnt") as mount:
            compare(mount.file(stored.name), stored)
            yield Workload(
                title=f"Whole file, cold, store on disk and evicted: {stored.array}",
                nbytes=stored.array.nbytes,
                contenders=[
                    with_dd("zarrfs", mount, stored, prepare=evict),
                    *peers(path, evict),
                ],
                daemons=[mount.pid],
            )


@contextlib.contextmanager
def warm(arrays: StoredArrays, scratch: Path, name: str) -> Iterator[Workload]:
    """Read what the kernel has in its page cache, against a plain file with the same bytes."""
    stored = arrays.get(name)
    plain = scratch / "plain.bin"
    with mounted(stored.path, scratch / "mnt") as mount:
        file = mount.file(stored.name)
        compare(file, stored)
        shutil.copyfile(file, plain)
        read = functools.partial(mount.read, file)
        yield Workload(
            title=f"Whole file, warm: {stored.array}",
            nbytes=stored.array.nbytes,
            contenders=[
                on_mount(
                    "zarrfs",
                    mount,
                    [file],
                    needs_of_whole(stored),
                    read,
                    prepare=read,
                    is_cold=False,
                ),
                Contender(name="file in memory", run=functools.partial(read_with_dd, plain)),
            ],
            daemons=[mount.pid],
        )


def sum_mapped(file: Path) -> int:
    """Map a file and add up its 8-byte words."""
    return int(np.memmap(file, "<u8", "r").sum())


@contextlib.contextmanager
def mapped(arrays: StoredArrays, scratch: Path, name: str) -> Iterator[Workload]:
    """Read through a memory map, page fault by page fault, against `dd` of the same file."""
    stored = arrays.get(name)
    with mounted(stored.path, scratch / "mnt") as mount:
        file = mount.file(stored.name)
        compare(file, stored)
        yield Workload(
            title=f"Sum of a memory map, cold: {stored.array}",
            nbytes=stored.array.nbytes,
            contenders=[
                on_mount(
                    "zarrfs, mapped",
                    mount,
                    [file],
                    needs_of_whole(stored),
                    functools.partial(sum_mapped, file),
                ),
                with_dd("zarrfs, dd", mount, stored),
            ],
            daemons=[mount.pid],
        )


@contextlib.contextmanager
def npy(arrays: StoredArrays, scratch: Path, name: str) -> Iterator[Workload]:
    """Read the `.npy` file, whose elements begin behind a header, against the `.bin` file."""
    stored = arrays.get(name)
    with mounted(stored.path, scratch / "mnt") as mount:
        if not np.array_equal(
            np.load(mount.file(stored.name, "npy"), "r")[:1],
            open_with_tensorstore(stored.path)(np.s_[:1]),
        ):
            raise RuntimeError("the .npy file shows other elements than tensorstore reads")
        yield Workload(
            title=f"Whole .npy file, cold: {stored.array}",
            nbytes=stored.array.nbytes,
            contenders=[
                with_dd("zarrfs, .npy", mount, stored, ending="npy"),
                with_dd("zarrfs, .bin", mount, stored),
            ],
            daemons=[mount.pid],
        )


@contextlib.contextmanager
def latency(arrays: StoredArrays, scratch: Path, name: str) -> Iterator[Workload]:
    """Read from a store each of whose requests takes 20 ms longer, against the store itself."""
    stored = arrays.get(name)
    with (
        mounted(f"fault+{stored.path}", scratch / "far", LATENCY) as far,
        mounted(stored.path, scratch / "near") as near,
    ):
        compare(far.file(stored.name), stored)
        yield Workload(
            title=f"Whole file, cold, 20 ms per request: {stored.array}",
            nbytes=stored.array.nbytes,
            contenders=[
                with_dd("zarrfs, 20 ms", far, stored),
                with_dd("zarrfs", near, stored),
            ],
            daemons=[far.pid, near.pid],
        )


@contextlib.contextmanager
def not_root(arrays: StoredArrays, scratch: Path, name: str) -> Iterator[Workload]:
    """Mount and read as a user who may not tune the kernel, against root."""
    stored = arrays.get(name)
    with (
        mounted_as_nobody(stored.path, scratch / "user") as users,
        mounted(stored.path, scratch / "mnt") as roots,
    ):
        compare(roots.file(stored.name), stored)
        yield Workload(
            title=f"Whole file, cold, not root: {stored.array}",
            nbytes=stored.array.nbytes,
            contenders=[
                with_dd("zarrfs, not root", users, stored),
                with_dd("zarrfs, root", roots, stored),
            ],
            daemons=[users.pid, roots.pid],
        )
