"""Flat files of stores that take their time: many requests under way, and no more than that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.arrays import writer
from tests.flat.opened import finished, opened
from zarrfs.arrays.decode_pool import DEFAULT_THREADS
from zarrfs.arrays.fetch_pool import LEAST_REQUESTS, MAX_REQUESTS
from zarrfs.errors import ChunkError
from zarrfs.flat.readahead import ReadAhead
from zarrfs.stores.faults import parse_faults
from zarrfs.stores.faulty import FaultyStore

if TYPE_CHECKING:
    from tests.log_check import LogCheck

KIB, MIB = 2**10, 2**20
DATA = np.arange(2**20, dtype="<u2").reshape(128, 8192)
CHUNK = (32, 128)
CHUNK_BYTES = 8 * KIB


@pytest.fixture
def far() -> FaultyStore:
    """Four rows of 64 chunks."""
    store = writer.write_v3(DATA, CHUNK, [writer.bytes_codec(), writer.GZIP])
    return FaultyStore(store, parse_faults({"latency": "0ms"}))


def hang(far: FaultyStore) -> None:
    far.inject(latency="0ms", hang="get", keys="c/*")


def n_asked(far: FaultyStore) -> int:
    return sum(operation.name == "get" for operation in far.operations)


def test_as_many_chunks_are_fetched_at_a_time_as_may_be(far: FaultyStore) -> None:
    with opened(far) as file:
        hang(far)
        reply = file.flat.read(0, 64 * KIB, ReadAhead())
        assert far.wait_until_hanging(MAX_REQUESTS)
        far.heal()
        assert bytes(finished(reply)) == DATA.tobytes()[: 64 * KIB]


def test_requests_take_no_more_than_their_part_of_the_memory(far: FaultyStore) -> None:
    n = 2 * LEAST_REQUESTS
    with opened(far, memory=8 * n * CHUNK_BYTES) as file:
        hang(far)
        reply = file.flat.read(0, 64 * KIB, ReadAhead())
        assert far.wait_until_hanging(n)
        assert not far.wait_until_hanging(n + 1, timeout=0.05)
        far.heal()
        assert bytes(finished(reply)) == DATA.tobytes()[: 64 * KIB]


def test_decode_threads_are_free_while_the_store_is_waited_for(far: FaultyStore) -> None:
    with opened(far) as file:
        hang(far)
        reply = file.flat.read(0, 64 * KIB, ReadAhead())
        assert far.wait_until_hanging(DEFAULT_THREADS + 1)
        file.engine.pool.submit(far.heal)  # runs, though the store has not answered
        assert bytes(finished(reply)) == DATA.tobytes()[: 64 * KIB]


def test_each_chunk_is_fetched_once(far: FaultyStore) -> None:
    with opened(far) as file:
        far.forget_operations()
        assert file.read_through(100 * KIB) == DATA.tobytes()
        assert n_asked(far) == file.count("chunks_decoded") == 4 * 64


def test_chunks_that_are_missing_or_fail_are_as_in_any_store(
    far: FaultyStore, expected_logs: LogCheck
) -> None:
    expected_logs("c/3/5", times=1)
    far.delete("c/0/0")
    far.set("c/3/5", b"nonsense")
    expected = DATA.copy()
    expected[:32, :128] = 0
    with opened(far) as file:
        assert file.read(0, MIB) == expected.tobytes()[:MIB]
        with pytest.raises(ChunkError, match="c/3/5"):
            file.read(MIB + MIB // 2, MIB // 2)


def test_objects_are_requests_of_their_own_however_small(far: FaultyStore) -> None:
    """A scattered read waits for one answer, not for one after another."""
    n = DEFAULT_THREADS + 2
    with opened(far) as file:
        hang(far)
        reply = file.flat.read(256 * 20, 256 * n, ReadAhead())
        assert far.wait_until_hanging(n)
        far.heal()
        assert bytes(finished(reply)) == DATA.tobytes()[256 * 20 : 256 * (20 + n)]
