"""The slabs of all flat files of a mount: who has one made, and what is dropped for it."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from zarrfs.arrays.decode_pool import DEFAULT_THREADS
from zarrfs.flat.slab import Slab

if TYPE_CHECKING:
    from collections.abc import Iterator

    from zarrfs.arrays.engine import Engine
    from zarrfs.flat.readahead import ReadAhead
    from zarrfs.flat.slab import FlatFile


# Bytes of chunks in decode that are not counted in the budget; only larger chunks are.
DECODE_BYTES = 8 * 2**20

# Slabs of a file that are known to be the kernel's; one more forgets them all, and some may be read
# ahead once more than they need be.
MAX_PASSED = 10_000


class SlabTable:
    """Slabs of any number of flat files, within a memory budget that others may share.

    A slab may be dropped once it is ready. A reader's view keeps the buffer alive, and its bytes
    taken from the budget, until the reply is sent.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        """Its threads and memory."""
        self._budget = engine.budget
        self._slabs: OrderedDict[tuple[FlatFile, int], Slab] = OrderedDict()
        self._budget.add_reclaimer(self._reclaim)

    def get(self, file: FlatFile, index: int, *, in_order: bool = False) -> Slab:
        """Find the slab that a reader needs now, or start it; perhaps not ready.

        Parameters
        ----------
        file, index
            The slab.
        in_order
            The reader comes to slabs in their order, and leaves them behind.
        """
        key = (file, index)
        with self._budget.lock:
            slab = self._slabs.get(key)
            if slab is not None and slab.is_stale:
                self._drop(key)
                slab = None
            if in_order:
                file.streamed.add(index)
            if slab is not None:
                self._slabs.move_to_end(key)
                if not slab.is_ready:
                    self.engine.pool.submit(slab.hasten, urgent=True)
                return slab
            if index in file.passed:  # the kernel has forgotten it, and so others too
                file.passed.clear()
            slab = self._slabs[key] = Slab(file, index, self.engine, urgent=True)
        self._budget.request(slab.size, slab.fill)
        return slab

    def prefetch(self, file: FlatFile, index: int) -> bool:
        """Start on a slab if there is room for it without hurting anybody; whether it is there."""
        key = (file, index)
        with self._budget.lock:
            if key in self._slabs or index in file.passed:
                return True
            slab = Slab(file, index, self.engine, urgent=False)
            if not self._budget.take_spare(slab.size):
                return False
            self._slabs[key] = slab
            file.streamed.add(index)
        # Quickly, lest the fillings of slabs that follow queue up behind this one's chunks.
        self.engine.pool.submit(slab.fill, urgent=True)
        return True

    def drop_passed(self, file: FlatFile, index: int, *, behind: int) -> None:
        """Drop the slabs before one that all readers in order have left behind.

        The kernel keeps what it was given; the memory is of more use to the slabs ahead.

        Parameters
        ----------
        file, index
            The slab.
        behind
            Bytes behind a reader that it may still ask for.
        """
        with self._budget.lock:
            if min(file.streamed, default=index) >= index:  # asked at each read
                return
            current, ahead = _uses(file, behind)
            if len(file.passed) >= MAX_PASSED:
                file.passed.clear()
            for passed in file.streamed - current - ahead:
                if passed < index and self._slabs[file, passed].is_ready:
                    self._drop((file, passed))
                    file.passed.add(passed)

    def is_ready(self, file: FlatFile, index: int) -> bool:
        """Whether a slab is there and need not be waited for."""
        with self._budget.lock:
            slab = self._slabs.get((file, index))
            return slab is not None and slab.is_ready and not slab.is_stale

    def add_reader(self, file: FlatFile, reader: ReadAhead) -> None:
        """Take note of an open file, so that the slabs around its reads are spared."""
        if reader not in file.readers:
            with self._budget.lock:
                file.readers.add(reader)
        # At each read, for it is forgotten when the mount is idle. Each thread holds a chunk as
        # it is stored and as it is decoded; so has each request one to a store that takes its time.
        reads = file.source.reader
        in_decode = 2 * DEFAULT_THREADS * reads.spec.nbytes
        if not reads.has_quick_store:
            in_decode += self.engine.fetching.n_requests(reads.spec.nbytes) * reads.spec.nbytes
        self._budget.set_aside(in_decode - DECODE_BYTES)

    def drop(self, file: FlatFile) -> None:
        """Forget the slabs of a file. One being assembled is finished for those who wait."""
        with self._budget.lock:
            for key in [key for key in self._slabs if key[0] is file]:
                self._drop(key)
            file.passed.clear()

    def clear(self) -> None:
        """Forget all slabs that are ready, to give memory back."""
        with self._budget.lock:
            for key in [key for key, slab in self._slabs.items() if slab.is_ready]:
                self._drop(key)
            self._budget.reset_aside()
            self._budget.drop_spares()

    def _reclaim(self, size: int, may_be_needed: bool) -> int:
        dropped = 0
        for slab in self._droppable(may_be_needed):
            if dropped >= size:
                break
            self._drop((slab.file, slab.index))
            dropped += slab.size
        return dropped

    def _droppable(self, may_be_needed: bool) -> Iterator[Slab]:
        """Yield the slabs that are ready, those to miss least first.

        What no reader comes to any more; then what was read ahead, since doing without does not
        make others do without; last what is being read, the one unused for longest first. If more
        is just being read ahead, none of these: that will make room as soon as it is ready.
        """
        ready = [slab for slab in self._slabs.values() if slab.is_ready]
        being_made = [slab for slab in self._slabs.values() if slab.lease and not slab.is_ready]
        uses = {file: _uses(file) for file in {slab.file for slab in self._slabs.values()}}
        current = [slab for slab in ready if slab.index in uses[slab.file][0]]
        ahead = [slab for slab in ready if slab.index in uses[slab.file][1]]
        kept = {*current, *ahead}
        yield from (slab for slab in ready if slab not in kept)
        if may_be_needed:
            yield from reversed(ahead)
            if not any(slab.index in uses[slab.file][1] for slab in being_made):
                yield from current

    def _drop(self, key: tuple[FlatFile, int]) -> None:
        slab = self._slabs.pop(key)
        slab.file.streamed.discard(slab.index)
        if slab.lease is not None:
            self._budget.expect(slab.lease)


def _uses(file: FlatFile, behind: int = 0) -> tuple[set[int], set[int]]:
    """Return the slabs that readers of a file are in, and the others that lie ahead of them.

    They are in those too that lie so many bytes `behind` them.
    """
    current: set[int] = set()
    ahead: set[int] = set()
    for reader in file.readers:
        for position, advised in reader.windows():
            here = file.layout.find(position)
            current.update(range(file.layout.find(max(0, position - behind)), here + 1))
            ahead.update(range(here + 1, file.layout.find(max(position, advised - 1)) + 1))
    return current, ahead - current
