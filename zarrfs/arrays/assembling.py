"""Chunks of an array -> their places in a box of it that lies in memory, by whichever way is best.

A chunk that fills its place as it is, is decoded straight into it. Chunks with short rows that lie
side by side are copied together; all others one by one.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

from zarrfs.arrays.placing import has_places, place_of, put, region_of
from zarrfs.arrays.runs import Runs, runs_in
from zarrfs.arrays.scratch import scratch_buffers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from zarrfs.arrays.chunk_io import ChunkReader, FetchedChunks
    from zarrfs.arrays.regions import Coords, Piece
    from zarrfs.arrays.scratch import Scratch
    from zarrfs.arrays.wanted_chunk import Place
    from zarrfs.codecs.base import Array
    from zarrfs.errors import ZarrfsError


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
        reader = self._reader
        objects = [(reader.object_key(piece.coords), [piece.coords]) for piece in pieces]
        if reader.is_sharded:
            by_coords = {piece.coords: piece for piece in pieces}
            objects = list(reader.by_object(by_coords).items())
            pieces = [by_coords[coords] for _, wanted in objects for coords in wanted]
        scratch = None
        if reader.has_quick_store:
            scratch = scratch_buffers(self.run_length * reader.spec.nbytes)
        slots = None
        if scratch is not None and self.run_length > 1:
            slots = self._runs.slots(scratch.decoded)
        runs = list(self._runs.split(pieces))
        targets = self._targets(runs, slots)
        # What is stored of a run is read before the first of it is decoded, which takes 0.96 of
        # the time of one after the other (512 KiB chunks, lz4). A shard is an object of its own.
        n_at_once = itertools.repeat(1) if reader.is_sharded else map(len, runs)

        def place(coords: Coords) -> memoryview | None:
            return targets[coords].place

        fetched = self._fetch(objects, n_at_once, place, scratch)
        loaded = reader.decode(fetched, scratch, place)
        for run in runs:
            for _, (coords, chunk) in zip(run, loaded, strict=False):
                if isinstance(chunk, Exception):
                    yield Failed(reader.object_key(coords), coords, chunk)
                else:
                    region, memory, in_chunk = targets[coords]
                    put(region, memory, chunk, in_chunk, reader.spec)
            if slots is not None and len(run) > 1:
                self._runs.copy(slots, run, self._elements)

    def _fetch(
        self,
        objects: Iterable[tuple[str, list[Coords]]],
        n_at_once: Iterable[int],
        place: Place,
        scratch: Scratch | None,
    ) -> Iterator[FetchedChunks]:
        """Fetch so many objects at once, when those before are done with."""
        left = iter(objects)
        for n in n_at_once:
            free = scratch.encoded if scratch is not None else None
            fetched = []
            for key, wanted in itertools.islice(left, n):
                one = self._reader.fetch(key, wanted, free, place)
                fetched.append(one)
                if free is not None and isinstance(data := one.encoded[0], memoryview):
                    free = free[len(data) :]
            if not fetched:
                return
            yield from fetched

    def _targets(self, runs: list[Sequence[Piece]], slots: Array | None) -> dict[Coords, _Target]:
        """Choose where each chunk goes; all runs go to the same slots, one after the other."""
        spec = self._reader.spec
        in_slots = [] if slots is None else [_Target(one, place_of(one, spec), ()) for one in slots]
        targets: dict[Coords, _Target] = {}
        for run in runs:
            if len(run) > 1:
                for piece, target in zip(run, in_slots, strict=False):
                    targets[piece.coords] = target
                continue
            coords, in_chunk, in_region = run[0]
            region = region_of(self._elements, in_region)
            place = place_of(region, spec) if self._in_place else None
            targets[coords] = _Target(region, place, in_chunk)
        return targets
