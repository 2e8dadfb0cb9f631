"""Chunks to decode, by object -> what one task does: enough to be worth it, for all cores alike.

Pure. Law: each chunk is in one batch, and chunks of one object keep their order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from zarrfs.arrays.regions import Coords

Batch = tuple[str, "Sequence[Coords]"]
"""Key of an object, and chunks of it."""

# A task has about this many decoded bytes: enough to merge the byte ranges of small inner chunks,
# few enough that urgent ones soon find a thread.
TASK_BYTES = 4 * 2**20


def batches(
    groups: Mapping[str, Sequence[Coords]], chunk_nbytes: int, *, n_shares: int | None
) -> Iterator[list[Batch]]:
    """Divide chunks into tasks.

    Parameters
    ----------
    groups
        The chunks, by the key of the object that holds them.
    chunk_nbytes
        Bytes of one when decoded.
    n_shares
        Tasks among which few chunks are divided evenly, whatever objects they are of: to hand a
        chunk to a thread takes about as long as to decode 64 KiB of it. ``None`` where each
        object is a request that takes its time: such have a task each.

    Yields
    ------
    list of Batch
        One task.
    """
    n_most = max(1, TASK_BYTES // max(1, chunk_nbytes))
    if n_shares is not None:
        n_most = min(n_most, -(-sum(map(len, groups.values())) // n_shares))
    task: list[Batch] = []
    n_chunks = 0
    for key, group in groups.items():
        start = 0
        while start < len(group):
            batch = group[start : start + n_most - n_chunks]
            start += len(batch)
            task.append((key, batch))
            n_chunks += len(batch)
            if n_chunks == n_most or n_shares is None:
                yield task
                task, n_chunks = [], 0
    if task:
        yield task
