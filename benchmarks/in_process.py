"""Arrays read and written in process, and hierarchies, against zarr-python and tensorstore."""

from __future__ import annotations

import contextlib
import functools
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import zarr

import zarrfs
from benchmarks.peers import CREATORS, OPENERS, open_with_tensorstore
from benchmarks.rounds import Contender, Workload
from benchmarks.worker import worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from benchmarks.stored_arrays import StoredArrays

N_ARRAYS = 1000


def read(library: str, path: Path) -> None:
    """Open an array and read all of it to memory."""
    OPENERS[library](path)(...)


@contextlib.contextmanager
def reading(arrays: StoredArrays, scratch: Path, name: str) -> Iterator[Workload]:
    """Open an array and read all of it to memory that the process has had before."""
    stored = arrays.get(name)
    with contextlib.ExitStack() as stack:
        workers = {library: stack.enter_context(worker()) for library in OPENERS}

        def run(library: str) -> None:
            workers[library].submit(read, library, stored.path).result()

        yield Workload(
            title=f"Read in process: {stored.array}",
            nbytes=stored.array.nbytes,
            contenders=[
                Contender(name=library, run=functools.partial(run, library)) for library in OPENERS
            ],
        )


@contextlib.contextmanager
def writing(arrays: StoredArrays, scratch: Path, name: str) -> Iterator[Workload]:
    """Create an array and fill it from memory."""
    array = arrays.plan(name)
    elements: Any = array.elements(0, array.shape[0])
    folder = scratch / "written"

    def write(library: str) -> None:
        CREATORS[library](folder / library, array)(..., elements)

    # What others have written is removed beforehand: it takes memory, and only writing is measured.
    clear = functools.partial(shutil.rmtree, folder, ignore_errors=True)
    for library in CREATORS:
        write(library)
        if not np.array_equal(open_with_tensorstore(folder / library)(...), elements):
            raise RuntimeError(f"{library} has written other elements than it was given")
        clear()
    yield Workload(
        title=f"Write in process: {array}",
        nbytes=array.nbytes,
        contenders=[
            Contender(name=library, prepare=clear, run=functools.partial(write, library))
            for library in CREATORS
        ],
    )


def build_with_zarrfs(path: Path, n_arrays: int) -> int:
    """Create a group of many arrays, then open each of them; return their elements' number."""
    group = zarrfs.create_group(path)
    for i in range(n_arrays):
        group.create_array(f"a{i:03}", shape=(100, 100), chunks=(10, 10), dtype="float32")
    nodes = (node for _, node in zarrfs.open_group(path).items())
    return sum(node.size for node in nodes if isinstance(node, zarrfs.Array))


def build_with_zarr_python(path: Path, n_arrays: int) -> int:
    """Create a group of many arrays, then open each of them; return their elements' number."""
    group = zarr.create_group(path)
    for i in range(n_arrays):
        group.create_array(f"a{i:03}", shape=(100, 100), chunks=(10, 10), dtype="float32")
    return sum(array.size for _, array in zarr.open_group(path, mode="r").arrays())


@contextlib.contextmanager
def hierarchy(arrays: StoredArrays, scratch: Path) -> Iterator[Workload]:
    """Create a group of 1,000 arrays and open all of them: documents only, no chunks."""
    n_arrays = max(1, N_ARRAYS // arrays.scale)

    def run(build: Callable[[Path, int], int], path: Path) -> None:
        if (found := build(path, n_arrays)) != n_arrays * 100 * 100:
            raise RuntimeError(f"{found} elements were found")

    paths = {
        scratch / "zarrfs.zarr": build_with_zarrfs,
        scratch / "zarr-python.zarr": build_with_zarr_python,
    }
    yield Workload(
        title=f"Create a group of {n_arrays} arrays, then open each",
        nbytes=0,
        contenders=[
            Contender(
                name=path.stem,
                prepare=functools.partial(shutil.rmtree, path, ignore_errors=True),
                run=functools.partial(run, build, path),
            )
            for path, build in paths.items()
        ],
    )
