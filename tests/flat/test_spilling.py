"""Rows of chunks larger than the memory: each chunk is decoded once for all slabs of its row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.arrays import writer
from tests.flat.opened import Opened, opened
from zarrfs.arrays import scratch, spill_file
from zarrfs.flat.readahead import ReadAhead

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt


MEMORY = 64 * 2**10
GZIPPED = [writer.bytes_codec(), writer.GZIP]


def numbers(*shape: int) -> npt.NDArray[np.uint16]:
    return np.random.default_rng(5).integers(1, 2**16, shape, np.uint16)


def n_chunks(shape: tuple[int, ...], chunks: tuple[int, ...]) -> int:
    counts = [-(-n // c) for n, c in zip(shape, chunks, strict=True)]
    return int(np.prod(counts))


def read_spilling(one: Opened, data: npt.NDArray[Any], size: int = 4000) -> None:
    assert one.flat._layout.shares_chunks
    assert one.read_through(size) == data.tobytes()


@pytest.mark.parametrize(
    ("shape", "chunks"),
    [
        pytest.param((32, 256, 16), (16, 16, 16), id="cut along the first axis"),
        pytest.param((37, 250, 19), (16, 16, 16), id="ragged edges"),
        pytest.param((8, 24, 8192), (4, 8, 512), id="cut along the second axis"),
        pytest.param((7, 21, 8000), (4, 8, 512), id="the same with ragged edges"),
        pytest.param((3, 16, 4096), (1, 16, 512), id="the first axis not in chunks"),
        pytest.param((30, 8192), (16, 8192), id="one chunk a row"),
        pytest.param((80, 700), (64, 100), id="rows hardly too large"),
    ],
)
@pytest.mark.parametrize("is_sharded", [False, True])
def test_each_chunk_is_decoded_once(
    shape: tuple[int, ...], chunks: tuple[int, ...], is_sharded: bool, tmp_path: Path
) -> None:
    data, codecs, stored = numbers(*shape), GZIPPED, chunks
    if is_sharded:
        stored = tuple(2 * n for n in chunks)
        codecs = [writer.sharding(chunks, codecs)]
    store = writer.write_v3(data, stored, codecs)
    with opened(store, memory=MEMORY, cache_dir=str(tmp_path)) as one:
        read_spilling(one, data)
        assert one.count("chunks_decoded") == n_chunks(shape, chunks)
        assert one.count("spill_hits") > 0
        assert one.engine.spilled.n_chunks == 0, "every part of each was read"
        assert not list(tmp_path.iterdir())


def test_chunks_without_a_scratch_buffer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "MAX_SCRATCH_BYTES", 100)
    data = numbers(32, 256, 16)
    store = writer.write_v3(data, (16, 16, 16), GZIPPED)
    with opened(store, memory=MEMORY, cache_dir=str(tmp_path)) as one:
        read_spilling(one, data)
        assert one.count("chunks_decoded") == 32


def test_chunks_never_written_are_the_fill_value(tmp_path: Path) -> None:
    data = numbers(32, 256, 16)
    data[:16, 64:128] = 7
    store = writer.write_v3(data, (16, 16, 16), GZIPPED, fill=7)
    with opened(store, memory=MEMORY, cache_dir=str(tmp_path)) as one:
        read_spilling(one, data)
        assert one.count("chunks_decoded") == one.count("chunks_spilled") == 28


def test_two_readers_need_no_more(tmp_path: Path) -> None:
    data = numbers(32, 256, 16)
    store = writer.write_v3(data, (16, 16, 16), GZIPPED)
    with opened(store, memory=MEMORY, cache_dir=str(tmp_path)) as one:
        first, second = ReadAhead(), ReadAhead()
        expected, size = data.tobytes(), 4096
        for offset in range(0, len(expected), size):
            assert one.read(offset, size, first) == expected[offset : offset + size]
            behind = offset - 2 * size
            if behind >= 0:
                assert one.read(behind, size, second) == expected[behind : behind + size]
        assert one.count("chunks_decoded") <= 2 * 32


def test_rows_that_fit_are_not_spilled(tmp_path: Path) -> None:
    data = numbers(64, 64)
    store = writer.write_v3(data, (16, 16), GZIPPED)
    with opened(store, memory=MEMORY, cache_dir=str(tmp_path / "cache")) as one:
        assert one.read_through(1000) == data.tobytes()
        assert one.count("chunks_spilled") == 0
    assert not (tmp_path / "cache").exists()


def test_scattered_reads_spill_nothing(tmp_path: Path) -> None:
    data = numbers(32, 256, 16)
    store = writer.write_v3(data, (16, 16, 16), GZIPPED)
    with opened(store, memory=MEMORY, cache_dir=str(tmp_path)) as one:
        for offset in (100_000, 3000, 200_000):
            assert one.read(offset, 16) == data.tobytes()[offset : offset + 16]
        assert one.count("chunks_spilled") == 0


def test_without_room_chunks_are_decoded_again(tmp_path: Path) -> None:
    data = numbers(32, 256, 16)
    store = writer.write_v3(data, (16, 16, 16), GZIPPED)
    with opened(store, memory=MEMORY, cache_dir=str(tmp_path), cache_size=0) as one:
        read_spilling(one, data)
        assert one.count("chunks_spilled") == 0
        assert one.count("chunks_decoded") > 2 * 32
    # Of the 16 chunks of a row 8 find room, and stay until they are not needed any more.
    with opened(store, memory=MEMORY, cache_dir=str(tmp_path), cache_size=8 * 8192) as one:
        read_spilling(one, data)
        assert one.count("chunks_spilled") >= 16
        assert one.count("spill_hits") > 32


def test_a_replaced_chunk_is_not_read_back(tmp_path: Path) -> None:
    data = numbers(16, 256, 16)
    store = writer.write_v3(data, (16, 16, 16), GZIPPED)
    with opened(store, memory=MEMORY, cache_dir=str(tmp_path)) as one:
        half = data.nbytes // 2
        assert one.read_through(4096, stop=half) == data.tobytes()[:half]
        assert one.engine.spilled.n_chunks == 16
        changed = data.copy()
        changed[:, 16:32] += 1
        writer.write_v3(changed, (16, 16, 16), GZIPPED, store=store)
        one.source.drop("c/0/1/0", [(0, 1, 0)])
        one.table.drop(one.flat._file)
        assert one.engine.spilled.n_chunks == 15
        assert one.read_through(4096, start=half) == changed.tobytes()[half:]
        # Slabs ahead of the first reader were made and dropped: their parts were read twice.
        assert 17 <= one.count("chunks_decoded") <= 33


def test_forgetting_drops_what_was_spilled(tmp_path: Path) -> None:
    data = numbers(16, 256, 16)
    store = writer.write_v3(data, (16, 16, 16), GZIPPED)
    with opened(store, memory=MEMORY, cache_dir=str(tmp_path)) as one:
        half = data.nbytes // 2
        one.read_through(4096, stop=half)
        writer.write_v3(data + 1, (16, 16, 16), GZIPPED, store=store)
        one.flat.forget()
        assert one.engine.spilled.n_chunks == 0
        assert one.read_through(4096) == (data + 1).tobytes()


def test_what_cannot_be_read_back_is_decoded_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = numbers(32, 256, 16)
    store = writer.write_v3(data, (16, 16, 16), GZIPPED)
    read = spill_file.SpillFile.read
    n_left = 40

    def fail_at_times(file: Any, target: memoryview, offset: int) -> None:
        nonlocal n_left
        n_left -= 1
        if n_left % 10 == 0:
            raise OSError(5, "Input/output error")
        read(file, target, offset)

    monkeypatch.setattr(spill_file.SpillFile, "read", fail_at_times)
    with opened(store, memory=MEMORY, cache_dir=str(tmp_path)) as one:
        read_spilling(one, data)
        assert 32 < one.count("chunks_decoded") < 32 + one.count("spill_hits")
