"""Chunks of an array -> their places in a box of it that lies in memory, by whichever way is best.

A chunk that fills its place as it is, is decoded straight into it. Chunks with short rows that lie
side by side are copied together; all others one by one.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from zarrfs.arrays.placing import has_places, place_of, put, region_of
from zarrfs.arrays.runs import Runs, runs_in
from zarrfs.arrays.scratch import scratch_buffers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from zarrfs.arrays.chunk_io import ChunkReader, FetchedChunks
    from zarrfs.arrays.regions import Coords, Piece
    from zarrfs.arrays.runs import Stretch
    from zarrfs.arrays.scratch import Scratch
    from zarrfs.arrays.wanted_chunk import Place
    from zarrfs.codecs.base import Array, ChunkSpec
    from zarrfs.errors import ZarrfsError

# What is stored of so many bytes of chunks, or of a run, is read before the first is decoded: less
# of Python is driven out of the core's cache in between. Runs of 8 chunks of 512 KiB (lz4) took
# 0.96 of the time, a slice of 16 chunks of 40 KB in memory 0.9.
BATCH_BYTES = 2**20


class Failed(NamedTuple):
    """A chunk that could not be had."""

    key: str
    """The object that holds it."""

    coords: Coords
    error: ZarrfsError


class _Target(NamedTuple):
    """Where the elements of a chunk go first: to their places, or to a slot of a run."""

    region: Array
    place: memoryview | None
    """The memory of it, if the chunk may be decoded to there."""

    in_chunk: tuple[slice, ...]


class Assembler:
    """Puts chunks to their places in one box; any thread may have it do some of them.

    Parameters
    ----------
    reader
        Reads and decodes the chunks.
    elements
        The box, in C order and without gaps.
    has_steps
        Elements between those of the box are left out, or it is turned round.
    """

    def __init__(self, reader: ChunkReader, elements: Array, *, has_steps: bool = False) -> None:
        self._reader = reader
        self._elements = elements
        spec = reader.spec
        is_such = elements.dtype == spec.dtype and not has_steps
        self._in_place = is_such and has_places(elements.shape, spec)
        self._runs = Runs(spec, 0, 1)
        # Threads that ask slow stores are many, and would each hold on to memory for runs.
        if is_such and not self._in_place and reader.has_quick_store and reader.decodes_in_place:
            self._runs = runs_in(elements.shape, spec)
        self._n_at_once = max(self._runs.length, BATCH_BYTES // max(1, spec.nbytes))

    @property
    def run_length(self) -> int:
        """Chunks that are copied together, at most, if `assemble` is given them in one call."""
        return self._runs.length

    def assemble(self, pieces: Sequence[Piece]) -> Iterator[Failed]:
        """Read and decode chunks, and put them to their places.

        Parameters
        ----------
        pieces
            Of the box, best in C order; each chunk once.

        Yields
        ------
        Failed
            Each chunk that could not be had, and whose elements mean nothing.
        """
        reader, spec = self._reader, self._reader.spec
        scratch = scratch_buffers(self._n_at_once * spec.nbytes) if reader.has_quick_store else None
        slots: list[_Target] = []
        if scratch is not None and self.run_length > 1:
            slots = _slots(scratch.decoded, self.run_length, spec)
        for shard, inside in self._shards(pieces):
            for stretch in self._runs.split(inside, self._n_at_once):
                targets = self._targets(stretch, slots)
                place = partial(_place, targets)
                if shard is None:
                    fetched = self._fetch(stretch.pieces, place, scratch)
                else:
                    fetched = [shard.part(stretch.first, len(stretch.pieces))]
                for coords, chunk in reader.decode(fetched, scratch, place):
                    if isinstance(chunk, Exception):
                        yield Failed(reader.object_key(coords), coords, chunk)
                    else:
                        region, memory, in_chunk = targets[coords]
                        put(region, memory, chunk, in_chunk, spec)
                if scratch is not None and stretch.is_run:
                    self._runs.copy(scratch.decoded, stretch.pieces, self._elements)

    def _shards(
        self, pieces: Sequence[Piece]
    ) -> Iterator[tuple[FetchedChunks | None, Sequence[Piece]]]:
        """Fetch inner chunks, those of a shard in one go; ``None`` where objects are chunks."""
        reader = self._reader
        if not reader.is_sharded:
            yield None, pieces
            return
        by_coords = {piece.coords: piece for piece in pieces}
        for key, wanted in reader.by_object(by_coords).items():
            yield reader.fetch(key, wanted), [by_coords[coords] for coords in wanted]

    def _fetch(
        self, pieces: Sequence[Piece], place: Place, scratch: Scratch | None
    ) -> list[FetchedChunks]:
        """Fetch chunks, into the same buffer one behind the other as far as there is room."""
        reader = self._reader
        free = scratch.encoded if scratch is not None else None
        fetched = []
        for coords, _, _ in pieces:
            one = reader.fetch(reader.object_key(coords), (coords,), free, place)
            fetched.append(one)
            [data] = one.encoded
            if free is not None and isinstance(data, memoryview):
                free = free[len(data) :]
        return fetched

    def _targets(self, stretch: Stretch, slots: Sequence[_Target]) -> dict[Coords, _Target]:
        """Tell where chunks go; all runs go to the same slots, one after the other."""
        if stretch.is_run:
            places = zip(stretch.pieces, slots, strict=False)
            return {piece.coords: target for piece, target in places}
        targets = {}
        for coords, in_chunk, in_region in stretch.pieces:
            region = region_of(self._elements, in_region)
            place = place_of(region, self._reader.spec) if self._in_place else None
            targets[coords] = _Target(region, place, in_chunk)
        return targets


def _slots(memory: memoryview, n: int, spec: ChunkSpec) -> list[_Target]:
    places = [memory[i * spec.nbytes : (i + 1) * spec.nbytes] for i in range(n)]
    return [_Target(np.ndarray(spec.shape, spec.dtype, place), place, ()) for place in places]


def _place(targets: dict[Coords, _Target], coords: Coords) -> memoryview | None:
    return targets[coords].place
