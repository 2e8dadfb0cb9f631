"""Flat files read in parts: at random, along planes, and by many readers a part each."""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.counting import MIB, needs, needs_of_whole, on_mount
from benchmarks.mounting import mounted
from benchmarks.peers import OPENERS
from benchmarks.rounds import Contender, Workload
from benchmarks.whole_file import compare

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from benchmarks.arrays import StandardArray
    from benchmarks.stored_arrays import StoredArray, StoredArrays

    Selection = tuple[slice, ...]

READ_BYTES = 4096
N_READS = 1000
N_CHECKED = 20
"""Reads that are compared before anything is measured."""

LEAST_MEMORY = "memory=16M"
"""The least that a mount takes, 1.6 % of an array: next to nothing is found in a cache."""

AXES = ("z", "y", "x")


def box(array: StandardArray, offset: int, size: int) -> Selection:
    """Return the selection of elements that a span of the flat file is.

    Raises
    ------
    ValueError
        If it is none: it ends inside a row that it does not begin in, say.
    """
    start, n = offset // array.dtype.itemsize, size // array.dtype.itemsize
    inner = 1
    selection: list[slice] = []
    for length in reversed(array.shape):
        index, count = start // inner % length, max(1, n // inner)
        count = min(count, length)
        if index + count > length or (n > inner and n % inner) or (inner * count < n and index):
            raise ValueError(f"bytes {offset} to {offset + size} are no box")
        selection.insert(0, slice(index, index + count))
        inner *= length
    return tuple(selection)


def chunks_in(array: StandardArray, selection: Selection) -> set[tuple[int, ...]]:
    """Coordinates of the chunks that hold a selection."""
    ranges = [
        np.arange(part.start // chunk, -(-part.stop // chunk))
        for part, chunk in zip(selection, array.chunks, strict=True)
    ]
    return set(zip(*(axis.ravel().tolist() for axis in np.meshgrid(*ranges)), strict=True))


def read_spans(file: Path, offsets: Sequence[int]) -> list[bytes]:
    """Read 4 KiB at each offset; the kernel is told not to read ahead."""
    opened = os.open(file, os.O_RDONLY)
    try:
        os.posix_fadvise(opened, 0, 0, os.POSIX_FADV_RANDOM)
        return [os.pread(opened, READ_BYTES, offset) for offset in offsets]
    finally:
        os.close(opened)


@contextlib.contextmanager
def random_reads(arrays: StoredArrays, scratch: Path, name: str) -> Iterator[Workload]:
    """Read 4 KiB at random places, one after the other, with next to no cache on either side.

    The daemon begins each round without a decoded chunk and has the least memory that it takes, so
    that what it keeps of one read is gone before another needs it; how much it did find shows in
    the chunks decoded. The libraries keep nothing.
    """
    stored = arrays.get(name)
    array = stored.array
    n_reads = max(N_CHECKED, N_READS // arrays.scale)
    blocks = np.random.default_rng(7).integers(0, array.nbytes // READ_BYTES, n_reads)
    offsets = (blocks * READ_BYTES).tolist()
    boxes = [box(array, offset, READ_BYTES) for offset in offsets]
    touched = [chunks_in(array, each) for each in boxes]
    need = needs(
        stored,
        nbytes=n_reads * READ_BYTES,
        n_chunks=sum(map(len, touched)),
        n_different=len(set().union(*touched)),
    )

    def read(opener: str, n: int | None = None) -> list[npt.NDArray[Any]]:
        select = OPENERS[opener](stored.path)
        return [select(each) for each in boxes[:n]]

    with mounted(stored.path, scratch / "mnt", LEAST_MEMORY) as mount:
        file = mount.file(stored.name)
        expected = read_spans(file, offsets[:N_CHECKED])
        for opener in OPENERS:
            if [each.tobytes() for each in read(opener, N_CHECKED)] != expected:
                raise RuntimeError(f"{opener} reads other bytes than the mount shows")
        yield Workload(
            title=f"{n_reads} random reads of 4 KiB, cold: {array}",
            nbytes=need.nbytes,
            contenders=[
                on_mount(
                    "zarrfs", mount, [file], need, functools.partial(read_spans, file, offsets)
                ),
                *(Contender(name=each, run=functools.partial(read, each)) for each in OPENERS),
            ],
            daemons=[mount.pid],
        )


@contextlib.contextmanager
def plane(arrays: StoredArrays, scratch: Path, name: str, axis: int) -> Iterator[Workload]:
    """Read the plane in the middle of one axis out of a memory map, against libraries."""
    stored = arrays.get(name)
    array = stored.array
    middle = array.shape[axis] // 2
    selection: Any = tuple(
        slice(middle, middle + 1) if each == axis else slice(0, length)
        for each, length in enumerate(array.shape)
    )
    need = needs(
        stored,
        nbytes=array.nbytes // array.shape[axis],
        n_chunks=len(chunks_in(array, selection)),
    )
    with mounted(stored.path, scratch / "mnt") as mount:
        file = mount.file(stored.name)

        def read_mapped() -> npt.NDArray[Any]:
            return np.array(np.memmap(file, array.dtype, "r", shape=array.shape)[selection])

        expected = read_mapped()
        for opener, open_array in OPENERS.items():
            if not np.array_equal(open_array(stored.path)(selection), expected):
                raise RuntimeError(f"{opener} reads other elements than the mount shows")

        def read(opener: str) -> None:
            OPENERS[opener](stored.path)(selection)

        yield Workload(
            title=f"A plane across {AXES[axis]}, cold: {array}",
            nbytes=need.nbytes,
            contenders=[
                on_mount("zarrfs, mapped", mount, [file], need, read_mapped),
                *(Contender(name=each, run=functools.partial(read, each)) for each in OPENERS),
            ],
            daemons=[mount.pid],
        )


def linked(stored: StoredArray, folder: Path, n: int) -> list[str]:
    """Make a store of arrays that share their data with one by hard links; return their names."""
    folder.mkdir()
    (folder / "zarr.json").write_text('{"zarr_format": 3, "node_type": "group"}')
    names = [f"{stored.name}{number}" for number in range(n)]
    for name in names:
        shutil.copytree(stored.path, folder / name, copy_function=os.link)
    return names


@contextlib.contextmanager
def readers(arrays: StoredArrays, scratch: Path, name: str, n: int) -> Iterator[Workload]:
    """Have each of some readers read its part of the array: of one file, and each of its own.

    They read as much as one reader does who reads one file whole, and need the same chunks.
    """
    stored = arrays.get(name)
    array = stored.array
    edges = [array.nbytes // MIB * each // n for each in range(n + 1)]
    whole = needs_of_whole(stored)
    # Chunks of one row along the first axis lie side by side in the file, all of them in each part.
    row_chunks = array.n_chunks // -(-array.shape[0] // array.chunks[0])
    row_bytes = array.nbytes // array.shape[0] * array.chunks[0]
    n_rows = [
        -(-stop * MIB // row_bytes) - start * MIB // row_bytes
        for start, stop in itertools.pairwise(edges)
    ]
    each_own = needs(stored, nbytes=array.nbytes, n_chunks=row_chunks * sum(n_rows))
    names = linked(stored, scratch / "linked", n)
    with mounted(scratch / "linked", scratch / "mnt") as mount:
        files = [mount.file(each) for each in names]
        compare(files[-1], stored)

        def read(files: Sequence[Path]) -> None:
            def read_part(number: int) -> None:
                part = (f"skip={edges[number]}", f"count={edges[number + 1] - edges[number]}")
                output = ("of=/dev/null", "bs=1M", "status=none")
                mount.run("dd", f"if={files[number]}", *output, *part)

            with ThreadPoolExecutor(n) as threads:
                list(threads.map(read_part, range(n)))

        yield Workload(
            title=f"{n} readers, cold: {array}",
            nbytes=array.nbytes,
            contenders=[
                on_mount(
                    f"zarrfs, {n} readers of one file",
                    mount,
                    files[:1],
                    whole,
                    functools.partial(read, files[:1] * n),
                ),
                on_mount(
                    f"zarrfs, {n} readers of {n} files",
                    mount,
                    files,
                    each_own,
                    functools.partial(read, files),
                ),
                on_mount(
                    "zarrfs, 1 reader",
                    mount,
                    files[:1],
                    whole,
                    functools.partial(mount.read, files[0]),
                ),
            ],
            daemons=[mount.pid],
        )
