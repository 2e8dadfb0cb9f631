"""Slabs whose chunks processes decode: the same bytes, and whatever fails is done by threads."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.arrays import writer
from tests.flat.opened import opened
from tests.waiting import wait_until
from zarrfs.errors import ChunkError
from zarrfs.flat import slab
from zarrfs.stores.local import LocalStore

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from tests.log_check import LogCheck
    from zarrfs.stores.base import Store

CHUNKS = (4, 32)
N_CHUNKS = 16 * 4


@pytest.fixture
def data() -> npt.NDArray[np.uint16]:
    return np.random.default_rng(1).integers(1, 2**16, (64, 128), np.uint16)


@pytest.fixture(params=["plain", "sharded"])
def store(request: pytest.FixtureRequest, data: npt.NDArray[Any], tmp_path: Path) -> Store:
    codecs, chunks = [writer.bytes_codec(), writer.GZIP], CHUNKS
    if request.param == "sharded":
        codecs, chunks = [writer.sharding(CHUNKS, codecs)], (8, 64)
    return writer.write_v3(data, chunks, codecs, store=LocalStore(tmp_path))


@pytest.mark.parametrize("part_bytes", [2**20, 1000])
def test_processes_read_what_threads_read(
    store: Store, data: npt.NDArray[Any], part_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slab, "PART_BYTES", part_bytes)
    with opened(store, n_processes=1) as one:
        wait_until(one.engine.processes.start)
        assert one.read_through(5000) == data.tobytes()
        assert one.count("chunks_decoded") == N_CHUNKS
        assert not one.source.reader.versions.changed()
        assert one.source.reader.versions.take()


def test_byte_order_of_the_file_is_not_that_of_the_array(
    store: Store, data: npt.NDArray[Any]
) -> None:
    with opened(store, n_processes=1, endian="big") as one:
        wait_until(one.engine.processes.start)
        assert one.read_through(5000) == data.astype(">u2").tobytes()


def test_large_chunks_are_left_to_threads(
    store: Store, data: npt.NDArray[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slab, "PROCESS_BYTES", 100)
    with opened(store, n_processes=1) as one:
        assert one.read_through(5000) == data.tobytes()
        assert not one.engine.processes._starting, "nobody has asked for them"


def test_a_chunk_that_a_process_cannot_decode_is_an_error_of_its_bytes_alone(
    data: npt.NDArray[Any], tmp_path: Path, expected_logs: LogCheck
) -> None:
    expected_logs("c/3/1", times=1)
    codecs = [writer.bytes_codec(), writer.GZIP]
    store = writer.write_v3(data, CHUNKS, codecs, store=LocalStore(tmp_path))
    store.set("c/3/1", b"no gzip")
    with opened(store, n_processes=1) as one:
        wait_until(one.engine.processes.start)
        row = data[12:13].nbytes
        with pytest.raises(ChunkError, match="c/3/1"):
            one.read(0, data.nbytes)
        assert one.read(0, 12 * row) == data[:12].tobytes()
        assert one.read(12 * row, 64) == data[12, :32].tobytes()


def test_killed_processes_leave_the_right_bytes(
    store: Store, data: npt.NDArray[Any], expected_logs: LogCheck
) -> None:
    expected_logs("a decode process has ended", times=1)
    with opened(store, n_processes=1) as one:
        processes = one.engine.processes
        wait_until(processes.start)
        os.kill(processes._free[0]._popen.pid, signal.SIGKILL)
        assert one.read_through(5000) == data.tobytes()
        assert one.count("chunks_decoded") == N_CHUNKS


def test_slabs_that_share_chunks_are_left_to_threads_which_keep_them(
    store: Store, data: npt.NDArray[Any]
) -> None:
    with opened(store, n_processes=1, memory=2000) as one:
        assert one.read_through(500) == data.tobytes()
        assert not one.engine.processes._starting
