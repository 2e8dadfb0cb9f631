"""How many chunks are decoded of those that are needed: the same however fast the machine is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tests.arrays import writer
from tests.flat.opened import finished, opened
from zarrfs.flat import readahead, reader
from zarrfs.flat.readahead import ReadAhead
from zarrfs.flat.reader import FlatArray

KIB = 2**10


@pytest.fixture
def small_scale(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have lengths that do not depend on the array 1/128 of what they are."""
    for module, name in (
        (reader, "SLAB_BYTES"),
        (reader, "BEHIND_BYTES"),
        (reader, "LAST_WINDOW_BYTES"),
        (readahead, "FIRST_WINDOW_BYTES"),
        (readahead, "LAST_WINDOW_BYTES"),
    ):
        monkeypatch.setattr(module, name, getattr(module, name) // 128)


@pytest.mark.usefixtures("small_scale")
@pytest.mark.parametrize("n_readers", [1, 2, 4, 8])
@pytest.mark.parametrize("n_files", [1, 8])
@pytest.mark.parametrize("n_rows", [9, 100])
def test_readers_of_a_part_each_decode_hardly_more_than_the_chunks_of_their_parts(
    n_readers: int, n_files: int, n_rows: int
) -> None:
    """A plane is 1/32 of a row of chunks and touches all of them; memory is for 9 rows or more."""
    data = np.random.default_rng(1).integers(1, 2**16, (512, 128, 64), np.uint16)
    part, plane = data.nbytes // n_readers, 16 * KIB
    memory = n_rows * 32 * plane
    with opened(writer.write_v3(data, (32, 32, 32)), memory=memory) as one:
        files = [FlatArray(one.source, one.dtype, one.table, memory=memory) for _ in range(n_files)]

        def read(number: int) -> bytes:
            ahead, start, file = ReadAhead(), number * part, files[number % n_files]
            spans = range(start, start + part, plane)
            return b"".join(bytes(finished(file.read(at, plane, ahead))) for at in spans)

        with ThreadPoolExecutor(n_readers) as threads:
            assert b"".join(threads.map(read, range(n_readers))) == data.tobytes()
        assert one.count("chunks_decoded") <= 1.1 * 16 * 8


def test_a_read_that_needs_a_whole_row_of_chunks_has_the_row_made() -> None:
    data = np.random.default_rng(1).integers(1, 2**16, (128, 128, 64), np.uint16)
    with opened(writer.write_v3(data, (64, 32, 32))) as one:
        readahead = ReadAhead()
        for offset in range(70 * 16 * KIB, 128 * 16 * KIB, 16 * KIB):
            expected = data.tobytes()[offset : offset + 16 * KIB]
            assert one.read(offset, 16 * KIB, readahead) == expected
        assert one.count("chunks_decoded") == 8
        assert one.count("chunk_cache_hits") == 0


@pytest.mark.parametrize(("axis", "n_touched"), [(0, 4 * 8), (1, 2 * 8), (2, 64)])
def test_planes_across_any_axis_decode_no_chunk_twice(axis: int, n_touched: int) -> None:
    """Runs of neighbours are read, as without a page cache; across x they lie 1 KiB apart."""
    data = np.random.default_rng(1).integers(1, 2**16, (32, 256, 512), np.uint16)
    plane = np.moveaxis(np.arange(data.size).reshape(data.shape), axis, 0)[10].ravel()
    runs = np.split(plane, np.flatnonzero(np.diff(plane) != 1) + 1)
    with opened(writer.write_v3(data, (16, 64, 64))) as one:
        ahead = ReadAhead()
        content = b"".join(one.read(2 * int(run[0]), 2 * len(run), ahead) for run in runs)
        assert content == np.moveaxis(data, axis, 0)[10].tobytes()
        assert one.count("chunks_decoded") <= n_touched


def test_chunks_in_use_are_not_lost_to_reads_all_over_the_file() -> None:
    data = np.random.default_rng(1).integers(1, 2**16, (512, 64, 64), np.uint16)
    chunk = 16 * 32 * 32 * 2
    in_use = range(0, 4 * 16 * data[0].nbytes, 16 * data[0].nbytes)
    with opened(writer.write_v3(data, (16, 32, 32)), memory=8 * chunk) as one:

        def read(offset: int) -> None:
            assert one.read(offset, 10) == data.tobytes()[offset : offset + 10]

        for offset in in_use:
            read(offset)
        for n, offset in enumerate(range(data.nbytes // 2, data.nbytes, 16 * data[0].nbytes)):
            read(offset)
            read(in_use[n % 4])
        assert one.count("chunks_decoded") == 4 + 16
