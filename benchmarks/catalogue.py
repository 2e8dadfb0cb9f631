"""The workloads by name; those on one array stand together, so that it is made only once."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.arrays import STANDARD_ARRAYS
from benchmarks.in_process import hierarchy, reading, writing
from benchmarks.parts import AXES, plane, random_reads, readers
from benchmarks.slicing import slicing
from benchmarks.whole_file import cold, evicted, latency, mapped, not_root, npy, warm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from benchmarks.rounds import Workload
    from benchmarks.stored_arrays import StoredArrays


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A workload that can be chosen."""

    work: Callable[[StoredArrays, Path], AbstractContextManager[Workload]]
    """Sets it up, given the arrays and an empty folder."""

    array: str | None = None
    """The stored array that it reads, if any."""

    needs_root: bool = False


def _on_array(array: str) -> Iterator[tuple[str, Entry]]:
    """Yield the workloads on one array."""
    every = {"cold": cold, "read": reading}
    some = {
        "random": (random_reads, {"i", "iii", "vi"}),
        "evicted": (evicted, {"i", "iii"}),
        "warm": (warm, {"i"}),
        "mmap": (mapped, {"i"}),
        "npy": (npy, {"i"}),
        "latency": (latency, {"iii"}),
        "not-root": (not_root, {"i"}),
    }
    chosen = {**every, **{name: work for name, (work, names) in some.items() if array in names}}
    for name, work in chosen.items():
        yield (
            f"{name}-{array}",
            Entry(
                work=functools.partial(work, name=array),
                array=array,
                needs_root=name == "not-root",
            ),
        )
    if array == "i":
        for n in (2, 4, 8):
            work = functools.partial(readers, name=array, n=n)
            yield f"readers-{n}-{array}", Entry(work=work, array=array)
        for axis, name in enumerate(AXES):
            work = functools.partial(plane, name=array, axis=axis)
            yield f"plane-{name}-{array}", Entry(work=work, array=array)
    yield f"write-{array}", Entry(work=functools.partial(writing, name=array))


WORKLOADS: dict[str, Entry] = {
    **{name: entry for array in STANDARD_ARRAYS for name, entry in _on_array(array)},
    "hierarchy": Entry(work=hierarchy),
    **{
        f"slices-{name}": Entry(work=functools.partial(slicing, name=name))
        for name in ("constant", "random")
    },
}
