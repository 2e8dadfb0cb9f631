from __future__ import annotations

import itertools
import random
import threading
from typing import TYPE_CHECKING

import pytest

from zarrfs.flat.readahead import (
    FIRST_WINDOW_BYTES,
    LAST_WINDOW_BYTES,
    MAX_STREAMS,
    START_BYTES,
    WINDOW_GROWTH,
    Advice,
    ReadAhead,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

KIB, MIB = 2**10, 2**20
READ = 128 * KIB


def replay(reads: Iterable[tuple[int, int]], ahead: ReadAhead | None = None) -> list[Advice]:
    ahead = ahead or ReadAhead()
    return [ahead.observe(offset, size) for offset, size in reads]


def sequential(n: int, size: int = READ, start: int = 0) -> list[tuple[int, int]]:
    return [(start + i * size, size) for i in range(n)]


def share(advices: list[Advice]) -> float:
    return sum(advice.is_sequential for advice in advices) / len(advices)


@pytest.mark.parametrize("size", [1, 512, 4 * KIB, READ, MIB, 16 * MIB])
def test_reads_one_after_another_are_sequential_from_the_second_on(size: int) -> None:
    advices = replay(sequential(20, size))
    assert [advice.is_sequential for advice in advices] == [size >= START_BYTES] + [True] * 19


def test_a_large_read_at_the_start_of_the_file_begins_a_stream_and_reads_nothing_ahead() -> None:
    assert ReadAhead().observe(0, START_BYTES) == Advice(True, (START_BYTES, START_BYTES))
    assert not ReadAhead().observe(0, START_BYTES - 1).is_sequential, "a look at a header"
    assert not ReadAhead().observe(MIB, START_BYTES).is_sequential


def test_what_is_read_ahead_joins_without_gap_or_overlap() -> None:
    advices = replay(sequential(1000))
    spans = [advice.ahead for advice in advices if advice.ahead[0] < advice.ahead[1]]
    assert spans[0][0] == 2 * READ
    for (_, stop), (start, _) in itertools.pairwise(spans):
        assert start == stop


def test_the_window_grows_with_what_was_read_up_to_its_limit() -> None:
    ahead = ReadAhead()
    far = 0
    for offset, size in sequential(1000):
        advice = ahead.observe(offset, size)
        far = max(far, advice.ahead[1])
        stop = offset + size
        window = min(max(FIRST_WINDOW_BYTES, WINDOW_GROWTH * stop), LAST_WINDOW_BYTES)
        assert far - stop <= window
        if offset:
            assert far - stop == window


def test_nothing_is_read_ahead_of_who_begins_elsewhere_before_he_has_read_enough() -> None:
    ahead = ReadAhead()
    n_read = 0
    for offset, size in sequential(1000, start=512 * MIB):
        first, stop = ahead.observe(offset, size, before_ahead=30 * MIB).ahead
        n_read += size
        assert (first < stop) == (n_read >= 30 * MIB)


def test_a_few_small_reads_do_not_read_far_ahead() -> None:
    advices = replay(sequential(50, 4 * KIB))
    assert max(advice.ahead[1] for advice in advices) <= 50 * 4 * KIB + FIRST_WINDOW_BYTES


def test_no_more_is_read_ahead_than_memory_allows() -> None:
    ahead = ReadAhead()
    for offset, size in sequential(1000):
        advice = ahead.observe(offset, size, most_ahead=3 * MIB)
        assert advice.ahead[1] <= offset + size + 3 * MIB


@pytest.mark.parametrize("distance", [2, 4, 8])
def test_reads_that_overtake_each_other_are_sequential(distance: int) -> None:
    order = random.Random(distance)
    reads = sorted(sequential(200), key=lambda read: read[0] + order.random() * distance * READ)
    advices = replay(reads)
    assert share(advices) > 0.95
    assert all(advice.is_sequential for advice in advices[10:])


def test_the_start_of_a_buffered_reader_is_sequential() -> None:
    # Requests as the page cache makes them: they grow with its window, then two
    # are under way at a time.
    trace = [(0, 16), (16, 16), (32, 32), (64, 64), (192, 64), (128, 64), (256, 128), (512, 128)]
    trace += [(384, 128), (640, 128), (896, 128), (768, 128), (1024, 128)]
    advices = replay((offset * KIB, size * KIB) for offset, size in trace)
    assert all(advice.is_sequential for advice in advices[1:])


@pytest.mark.parametrize("n_streams", [2, 4, MAX_STREAMS])
def test_several_readers_of_one_open_file_are_told_apart(n_streams: int) -> None:
    streams = [sequential(50, start=i * 100 * MIB) for i in range(n_streams)]
    reads = [read for together in zip(*streams, strict=True) for read in together]
    advices = replay(reads)
    assert not any(advice.is_sequential for advice in advices[1:n_streams])
    assert all(advice.is_sequential for advice in advices[n_streams:])


def test_more_streams_than_are_followed_give_up_the_one_unused_for_longest() -> None:
    ahead = ReadAhead()
    starts = [i * 100 * MIB for i in range(MAX_STREAMS + 1)]
    replay(((start, READ) for start in starts), ahead)
    assert ahead.observe(starts[1] + READ, READ).is_sequential
    assert not ahead.observe(starts[0] + READ, READ).is_sequential, "given up for the last"
    assert ahead.observe(starts[1] + 2 * READ, READ).is_sequential, "used again meanwhile"
    assert not ahead.observe(starts[2] + READ, READ).is_sequential
    assert len(ahead.windows()) == MAX_STREAMS


@pytest.mark.parametrize("size", [4 * KIB, READ])
@pytest.mark.parametrize("file_size", [256 * MIB, 4096 * MIB])
def test_random_reads_are_scattered(size: int, file_size: int) -> None:
    order = random.Random(1)
    advices = replay((order.randrange(file_size - size), size) for _ in range(2000))
    assert share(advices) < 0.02


def test_random_reads_read_nothing_ahead() -> None:
    order = random.Random(2)
    advices = replay((order.randrange(4096 * MIB), 4 * KIB) for _ in range(2000))
    assert sum(stop - start for start, stop in (advice.ahead for advice in advices)) < 20 * MIB


def test_random_reads_do_not_disturb_a_sequential_reader_of_the_same_file() -> None:
    order = random.Random(3)
    ahead = ReadAhead()
    for read in sequential(200):
        advice = ahead.observe(*read)
        ahead.observe(order.randrange(4096 * MIB), 4 * KIB)
    assert advice.is_sequential


def test_reading_backwards_is_sequential_and_reads_nothing_ahead() -> None:
    advices = replay(reversed(sequential(100)))
    assert [advice.is_sequential for advice in advices] == [False] + [True] * 99
    assert all(start == stop for start, stop in (advice.ahead for advice in advices))


def test_reading_the_same_bytes_again_is_one_stream() -> None:
    ahead = ReadAhead()
    replay([(0, 4 * KIB)] * 10, ahead)
    assert len(ahead.windows()) == 1


def test_a_tiny_file_read_at_once_or_byte_by_byte() -> None:
    assert replay([(0, 100)])[0].ahead == (100, 100)
    assert share(replay(sequential(100, 1))) == 0.99


def test_windows_tell_where_streams_go_on() -> None:
    ahead = ReadAhead()
    replay(sequential(2), ahead)
    replay([(100 * MIB, READ), (100 * MIB - READ, READ)], ahead)
    (forward, advised), (backward, _) = ahead.windows()
    assert (forward, advised) == (2 * READ - 1, 2 * READ + FIRST_WINDOW_BYTES)
    assert backward == 100 * MIB - READ


def test_threads_may_share_an_open_file() -> None:
    ahead = ReadAhead()

    def read(start: int) -> None:
        for offset, size in sequential(300, start=start):
            ahead.observe(offset, size)

    threads = [threading.Thread(target=read, args=(i * 100 * MIB,)) for i in range(2 * MAX_STREAMS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ahead.windows()) <= MAX_STREAMS


def test_reads_of_what_a_larger_one_has_covered_are_of_its_stream() -> None:
    # More is read than the kernel asked for, and it asks for some of that meanwhile.
    readahead, advices = ReadAhead(), []
    for start in range(0, 64 * MIB, 4 * MIB):
        advices.append(readahead.observe(start, 4 * MIB))
        advices.append(readahead.observe(start + 128 * KIB, 128 * KIB))
    assert all(advice.is_sequential for advice in advices[2:])
    assert len(readahead.windows()) == 1
