"""Runs on a mount -> what the daemon did for them, compared with what had to be done.

A run is cold if, before it, the kernel has no page of the files and the daemon no decoded chunk;
that all chunks were decoded again, or fetched where there is nothing to decode, is checked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.load import peak_rss, reset_peak_rss
from benchmarks.rounds import Contender, Counts, SpoiledError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from benchmarks.mounting import Mounted
    from benchmarks.stored_arrays import StoredArray

DECODED = "chunks decoded / needed"
FETCHED = "bytes fetched / needed"
REQUESTS = "requests per MiB"
PEAK = "peak RSS, MiB"

MIB = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What a run takes if everything is done once."""

    n_chunks: int
    """Chunks to decode, those of each read counted if nothing is kept in between."""

    n_different: int
    """Chunks that no cold run can do without."""

    stored_bytes: float
    """What `n_chunks` chunks take in the store, at the mean size."""

    nbytes: int
    """Bytes that are read from the flat files."""

    is_coded: bool
    """There is a codec besides ``bytes``, so that chunks are decoded."""


def needs(
    stored: StoredArray, *, nbytes: int, n_chunks: int, n_different: int | None = None
) -> Need:
    """Tell what it takes to read some bytes that lie in some chunks."""
    return Need(
        n_chunks=n_chunks,
        n_different=n_chunks if n_different is None else n_different,
        stored_bytes=stored.stored_bytes * n_chunks / stored.array.n_chunks,
        nbytes=nbytes,
        is_coded=bool(stored.array.compressors),
    )


def needs_of_whole(stored: StoredArray) -> Need:
    """Tell what it takes to read all of an array."""
    return needs(stored, nbytes=stored.array.nbytes, n_chunks=stored.array.n_chunks)


def grown(before: dict[str, Any], after: dict[str, Any], need: Need) -> Counts:
    """Tell what a run has done, from the counters of ``zarrfs stats`` before and after it."""
    requests = after["requests"].get("read", 0) - before["requests"].get("read", 0)
    return {
        DECODED: (after["chunks_decoded"] - before["chunks_decoded"]) / need.n_chunks,
        FETCHED: (after["bytes_fetched"] - before["bytes_fetched"]) / need.stored_bytes,
        REQUESTS: requests / (need.nbytes / MIB),
    }


def check_cold(counts: Counts, need: Need) -> None:
    """Raise `SpoiledError` if a run can have found decoded data anywhere."""
    name = DECODED if need.is_coded else FETCHED
    least = need.n_different / need.n_chunks
    # Stored sizes are means unless all chunks are read.
    if counts[name] < least * (1 if need.is_coded else 0.99):
        raise SpoiledError(f"{name}: {counts[name]:.4f}, a cold run has {least:.4f} at least")


def check_warm(counts: Counts) -> None:
    """Raise `SpoiledError` if the kernel had to ask for anything."""
    if counts[REQUESTS]:
        raise SpoiledError(f"{REQUESTS}: {counts[REQUESTS]:.4f}, a warm run has none")


def on_mount(
    name: str,
    mount: Mounted,
    files: Sequence[Path],
    need: Need,
    run: Callable[[], object],
    *,
    prepare: Callable[[], object] | None = None,
    is_cold: bool = True,
) -> Contender:
    """Make a contender of a run on files of a mount.

    Parameters
    ----------
    name
        Of the contender.
    mount
        The mount.
    files
        Those that it reads.
    need
        What it takes.
    run
        The work.
    prepare
        What else comes before it, after everything was forgotten.
    is_cold
        Whether everything is forgotten before it, or else nothing.
    """
    before: dict[str, Any] = {}

    def begin() -> None:
        mount.settle()
        if is_cold:
            mount.refresh()
            for file in files:
                mount.drop_pages(file)
        if prepare is not None:
            prepare()
        mount.settle()
        reset_peak_rss(mount.pid)
        before.update(mount.stats())

    def count() -> Counts:
        counts = grown(before, mount.stats(), need)
        if is_cold:
            check_cold(counts, need)
        else:
            check_warm(counts)
        return {**counts, PEAK: peak_rss(mount.pid) / MIB}

    return Contender(name=name, prepare=begin, run=run, count=count)
