from __future__ import annotations

import random
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from unittest import mock

import numpy as np
import pytest
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.arrays import writer
from tests.flat.opened import finished, opened
from zarrfs.arrays import chunk_io
from zarrfs.arrays.decode_pool import DEFAULT_THREADS
from zarrfs.errors import ChunkError, OffsetError
from zarrfs.flat.readahead import ReadAhead
from zarrfs.stores.faults import parse_faults
from zarrfs.stores.faulty import FaultyStore
from zarrfs.stores.local import LocalStore

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from tests.log_check import LogCheck
    from zarrfs.flat.element_order import Endian
    from zarrfs.stores.base import Store

KIB, MIB = 2**10, 2**20


# --- the right bytes ----------------------------------------------------------------------------


@st.composite
def written(draw: st.DrawFn) -> tuple[npt.NDArray[Any], Store]:
    """Draw an array and write it in one of many ways."""
    ndim = draw(st.integers(0, 3))
    shape = tuple(draw(st.integers(0, 9)) for _ in range(ndim))
    dtype = np.dtype(draw(st.sampled_from(["bool", "i1", "u2", "f4", "i8", "c8", "c16"])))
    seed = draw(st.integers(0, 2**32))
    rng = np.random.default_rng(seed)
    data = np.asarray(rng.integers(0, 3, shape), dtype)
    if dtype.kind in "iu":
        data = np.asarray(data * rng.integers(1, 120, shape), dtype)
    inner = tuple(draw(st.integers(1, 5)) for _ in range(ndim))
    codecs: writer.Codecs = [writer.bytes_codec(draw(st.sampled_from(["little", "big"])))]
    if ndim and draw(st.booleans()):
        order = draw(st.permutations(range(ndim)))
        codecs.insert(0, {"name": "transpose", "configuration": {"order": order}})
    if draw(st.booleans()):
        codecs.append(writer.GZIP)
    if ndim and draw(st.booleans()):
        location = draw(st.sampled_from(["start", "end"]))
        codecs = [writer.sharding(inner, codecs, location=location)]
        inner = tuple(n * draw(st.integers(1, 2)) for n in inner)
    fill = draw(st.sampled_from([0, 1]))
    return data, writer.write_v3(
        data, inner, codecs, fill=bool(fill) if dtype.kind == "b" else fill
    )


@st.composite
def spans(draw: st.DrawFn) -> list[tuple[int, int]]:
    """Offsets and sizes, some one after another."""
    found: list[tuple[int, int]] = []
    for _ in range(draw(st.integers(1, 8))):
        offset = draw(st.integers(0, 600))
        for _ in range(draw(st.integers(1, 3))):
            size = draw(st.integers(0, 200))
            found.append((offset, size))
            offset += size
    return found


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(
    written(),
    spans(),
    st.sampled_from([1, 100, 1000, 20_000]),
    st.sampled_from(["little", "big"]),
    st.sampled_from(["quick", "quick, by parts", "slow"]),
)
def test_any_span_is_that_of_the_array(
    array: tuple[npt.NDArray[Any], Store],
    reads: list[tuple[int, int]],
    memory: int,
    endian: Endian,
    kind: str,
) -> None:
    data, store = array
    if kind == "slow":
        store = FaultyStore(store, parse_faults({"latency": "0ms"}))
    expected = data.astype(data.dtype.newbyteorder("<" if endian == "little" else ">")).tobytes()
    least = 1 if kind == "quick, by parts" else chunk_io.LEAST_PARTED_BYTES
    with (
        mock.patch.object(chunk_io, "LEAST_PARTED_BYTES", least),
        opened(store, memory=memory, endian=endian) as file,
    ):
        assert file.flat.size == len(expected)
        readahead = ReadAhead()
        for offset, size in reads:
            assert file.read(offset, size, readahead) == expected[offset : offset + size]
        assert file.read_through(37) == expected


@settings(max_examples=30)
@given(written(), st.lists(spans(), min_size=2, max_size=4), st.sampled_from([1, 200, 20_000]))
def test_threads_read_the_right_bytes_at_the_same_time(
    array: tuple[npt.NDArray[Any], Store], readers: list[list[tuple[int, int]]], memory: int
) -> None:
    data, store = array
    expected = data.tobytes()
    with opened(store, memory=memory) as file, ThreadPoolExecutor(len(readers)) as threads:

        def read_all(reads: list[tuple[int, int]]) -> bool:
            readahead = ReadAhead()
            return all(
                file.read(offset, size, readahead) == expected[offset : offset + size]
                for offset, size in reads
            )

        assert all(threads.map(read_all, readers))


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_what_zarr_python_wrote_reads_the_same(tmp_path: Path, zarr_format: Any) -> None:
    data = np.random.default_rng(1).normal(size=(50, 41, 7)).astype("f4")
    written_array = zarr.create_array(
        tmp_path / "a.zarr", shape=data.shape, dtype=data.dtype, chunks=(16, 9, 7),
        zarr_format=zarr_format,
    )  # fmt: skip
    written_array[...] = data
    with opened(LocalStore(tmp_path / "a.zarr")) as file:
        assert file.read_through(1000) == data.tobytes()


def test_structured_elements_are_read_across_their_middle() -> None:
    data = np.zeros((5, 7), [("a", "u1"), ("b", ">f8"), ("c", "S2"), ("d", "<i4", (2,))])
    data["a"] = np.arange(35).reshape(5, 7)
    data["b"] = data["a"] / 3
    data["d"][..., 1] = 77
    little = data.astype(data.dtype.newbyteorder("<")).tobytes()
    with opened(writer.write_v2(data, (2, 3), order="F")) as file:
        assert file.read_through(10) == little
        assert file.read(13, 333) == little[13:346]


def test_slabs_on_a_later_axis_give_the_right_bytes() -> None:
    data = np.arange(6 * 40 * 50, dtype="u2").reshape(6, 40, 50)
    # A plane of 4000 bytes is over a quarter of the memory.
    with opened(writer.write_v3(data, (4, 16, 16)), memory=8_000) as file:
        assert file.read_through(3000) == data.tobytes()
        assert file.read_through(50_000) == data.tobytes()


# --- edges of the file --------------------------------------------------------------------------


@pytest.fixture
def data() -> npt.NDArray[Any]:
    return np.arange(1, 101, dtype="u2").reshape(10, 10)


def test_a_read_over_the_end_is_cut_and_one_behind_it_empty(data: npt.NDArray[Any]) -> None:
    with opened(writer.write_v3(data, (4, 4))) as file:
        assert file.read(190, 100) == data.tobytes()[190:]
        assert file.read(200, 100) == b""
        assert file.read(10**30, 100) == b""
        assert file.read(5, 0) == b""


@pytest.mark.parametrize(("offset", "size"), [(-1, 10), (0, -1)])
def test_a_span_that_is_none_is_refused(data: npt.NDArray[Any], offset: int, size: int) -> None:
    with opened(writer.write_v3(data, (4, 4))) as file, pytest.raises(OffsetError):
        file.flat.read(offset, size, ReadAhead())


def test_an_array_without_elements_is_an_empty_file() -> None:
    with opened(writer.write_v3(np.zeros((3, 0, 2), "f8"), (1, 1, 1))) as file:
        assert file.flat.size == 0
        assert file.read(0, 100) == b""


def test_a_file_far_larger_than_memory_has_the_right_size() -> None:
    store = writer.write_v3(np.zeros((1, 1), "u2"), (1, 1))
    document = bytes(store.get("zarr.json")).replace(
        b'"shape": [1, 1]', b'"shape": [4000000000, 4000000000]'
    )
    store.set("zarr.json", document.replace(b'"chunk_shape": [1, 1]', b'"chunk_shape": [100, 100]'))
    with opened(store) as file:
        assert file.flat.size == 2 * 4_000_000_000**2
        assert file.read(file.flat.size - 5, 10) == bytes(5)


# --- how often chunks are decoded ---------------------------------------------------------------


@pytest.fixture
def rows() -> npt.NDArray[Any]:
    """1 MiB whose slabs are rows of eight chunks, 16 KiB each with 1 MiB of memory."""
    return np.random.default_rng(1).integers(1, 2**16, (512, 1024), np.uint16)


ROW = (8, 128)
N_CHUNKS = 64 * 8


@pytest.mark.parametrize("size", [4 * KIB, 10_000, 128 * KIB, 2 * MIB])
def test_a_sequential_reader_decodes_each_chunk_once(rows: npt.NDArray[Any], size: int) -> None:
    with opened(writer.write_v3(rows, ROW), memory=MIB) as file:
        assert file.read_through(size) == rows.tobytes()
        assert file.count("chunks_decoded") == N_CHUNKS
        assert file.engine.budget.peak <= MIB


def test_a_reader_backwards_decodes_each_chunk_once(rows: npt.NDArray[Any]) -> None:
    with opened(writer.write_v3(rows, ROW), memory=MIB) as file:
        readahead = ReadAhead()
        for offset in reversed(range(0, rows.nbytes, 4096)):
            assert file.read(offset, 4096, readahead) == rows.tobytes()[offset : offset + 4096]
        assert file.count("chunks_decoded") == N_CHUNKS


def test_two_readers_of_one_range_decode_each_chunk_once(rows: npt.NDArray[Any]) -> None:
    with (
        opened(writer.write_v3(rows, ROW), memory=4 * MIB) as file,
        ThreadPoolExecutor(2) as threads,
    ):
        for content in threads.map(file.read_through, [32 * KIB, 32 * KIB]):
            assert content == rows.tobytes()
        assert file.count("chunks_decoded") == N_CHUNKS


@pytest.mark.parametrize("memory", [MIB, 4 * MIB])
def test_four_sequential_readers_decode_hardly_more_than_each_chunk_once(
    rows: npt.NDArray[Any], memory: int
) -> None:
    quarter = rows.nbytes // 4
    with opened(writer.write_v3(rows, ROW), memory=memory) as file:
        with ThreadPoolExecutor(4) as threads:
            parts = threads.map(
                lambda i: file.read_through(4 * KIB, i * quarter, (i + 1) * quarter), range(4)
            )
            assert b"".join(parts) == rows.tobytes()
        assert file.count("chunks_decoded") <= 1.1 * N_CHUNKS
        assert file.engine.budget.peak <= memory


@pytest.mark.parametrize("n_slabs", [4, 5])
def test_four_readers_in_turn_need_no_more_memory_than_a_slab_each(n_slabs: int) -> None:
    """Each reader is in a slab as large as the limit allows: a quarter of the memory."""
    data = np.random.default_rng(1).integers(1, 2**16, (128, 1024), np.uint16)
    memory = n_slabs * 16 * KIB
    quarter = data.nbytes // 4
    with opened(writer.write_v3(data, ROW), memory=memory) as file:
        readers = [ReadAhead() for _ in range(4)]
        for offset in range(0, quarter, 1500):
            for i, readahead in enumerate(readers):
                start = i * quarter + offset
                size = min(1500, quarter - offset)
                assert file.read(start, size, readahead) == data.tobytes()[start : start + size]
        assert file.engine.budget.peak <= memory
        # The first read of each is gathered, and what it keeps has to make room for slabs.
        assert file.count("chunks_decoded") <= 1.1 * 128 + 4 * 8


def test_scattered_small_reads_touch_only_the_chunks_that_hold_them() -> None:
    store = writer.write_v3(np.zeros((1, 1), "u2"), (1, 1))
    document = bytes(store.get("zarr.json"))
    document = document.replace(b'"shape": [1, 1]', b'"shape": [8192, 4096]')
    store.set("zarr.json", document.replace(b'"chunk_shape": [1, 1]', b'"chunk_shape": [32, 64]'))
    faulty, order = FaultyStore(store), random.Random(1)
    with opened(faulty) as file:
        faulty.forget_operations()
        readahead, touched = ReadAhead(), set()
        for _ in range(120):
            number = order.randrange(file.flat.size // 4096)
            assert file.read(number * 4096, 4096, readahead) == bytes(4096)
            row, half = divmod(number, 2)
            touched |= {f"c/{row // 32}/{half * 32 + i}" for i in range(32)}
        keys = [operation.key for operation in faulty.operations]
        assert sorted(keys) == sorted(touched)
        assert file.count("chunk_cache_hits") == 120 * 32 - len(touched) > 0


def test_slabs_that_share_chunks_decode_each_once_where_memory_allows() -> None:
    data = np.random.default_rng(1).integers(1, 2**16, (24, 64, 64), np.uint16)
    memory = 512 * KIB  # two rows of chunks are 393 KiB, one is over a quarter
    with opened(writer.write_v3(data, (24, 16, 16)), memory=memory) as file:
        assert file.read_through(4 * KIB) == data.tobytes()
        assert file.count("chunks_decoded") == 16
        assert file.engine.budget.peak <= memory


# --- little memory ------------------------------------------------------------------------------


@pytest.mark.parametrize("memory", [5_000, 20_000, 70_000])
def test_sixty_four_readers_of_a_tiny_budget_all_get_to_the_end(
    rows: npt.NDArray[Any], memory: int
) -> None:
    rows = rows[:64]
    with opened(writer.write_v3(rows, ROW), memory=memory) as file:
        starts = [i * rows.nbytes // 64 for i in range(64)]
        with ThreadPoolExecutor(64) as threads:
            parts = threads.map(
                lambda start: file.read_through(900, start, start + rows.nbytes // 64), starts
            )
            assert b"".join(parts) == rows.tobytes()
        assert file.engine.budget.peak <= memory


def test_a_read_over_many_slabs_needs_memory_for_one() -> None:
    data = np.random.default_rng(1).integers(0, 2**16, (64, 1024), np.uint16)
    with opened(writer.write_v3(data, (8, 1024)), memory=16 * KIB) as file:
        assert file.read(0, data.nbytes) == data.tobytes()
        assert file.engine.budget.peak <= 16 * KIB


def test_a_reply_that_is_kept_makes_others_wait_and_not_fail(rows: npt.NDArray[Any]) -> None:
    with opened(writer.write_v3(rows, (8, 1024)), memory=64 * KIB) as file:
        kept = [finished(file.flat.read(i * 16 * KIB, 16 * KIB, ReadAhead())) for i in range(4)]
        waiting = file.flat.read(4 * 16 * KIB, 16 * KIB, ReadAhead())
        assert isinstance(waiting, Future)
        assert not waiting.done()
        assert file.engine.budget.is_short
        assert b"".join(map(bytes, kept)) == rows.tobytes()[: 64 * KIB]
        kept.clear()
        assert bytes(finished(waiting)) == rows.tobytes()[64 * KIB : 80 * KIB]


# --- failures -----------------------------------------------------------------------------------


@pytest.fixture
def faulty(rows: npt.NDArray[Any]) -> FaultyStore:
    return FaultyStore(writer.write_v3(rows, ROW))


BROKEN = slice(12 * 2048 + 512, 12 * 2048 + 768)
"""Bytes of row 12 that lie in chunk (1, 2)."""


@pytest.mark.parametrize("size", [64, 4 * KIB, 300 * KIB])
def test_only_reads_of_bytes_of_a_failed_chunk_fail(
    rows: npt.NDArray[Any], faulty: FaultyStore, expected_logs: LogCheck, size: int
) -> None:
    expected_logs("injected error", times=1)
    faulty.inject(error="get", keys="c/1/2")
    content = rows.tobytes()
    with opened(faulty, memory=4 * MIB) as file:
        readahead = ReadAhead()
        for offset in range(0, 128 * KIB, size):
            stop = min(offset + size, len(content))
            touches = any(
                offset < row * 2048 + BROKEN.stop % 2048 and row * 2048 + 512 < stop
                for row in range(8, 16)
            )
            if touches:
                with pytest.raises(ChunkError, match="c/1/2"):
                    file.read(offset, size, readahead)
            else:
                assert file.read(offset, size, readahead) == content[offset:stop]
        n_reads = sum(op.key == "c/1/2" for op in faulty.operations if op.name == "get")
        assert n_reads == 1, "remembered, however often it is asked for"


def test_a_failed_chunk_is_tried_again_after_its_time(
    rows: npt.NDArray[Any], faulty: FaultyStore, expected_logs: LogCheck
) -> None:
    expected_logs("injected error", times=2)
    faulty.inject(error="get", keys="c/0/0")
    with opened(faulty, failure_ttl=0, memory=4 * MIB) as file:
        for _ in range(2):
            with pytest.raises(ChunkError):
                file.read(0, 16 * KIB)
        faulty.heal()
        assert file.read(0, 16 * KIB) == rows.tobytes()[: 16 * KIB]
        assert file.read(0, 100) == rows.tobytes()[:100]


def test_each_reader_of_a_failed_chunk_raises_an_error_of_its_own(
    faulty: FaultyStore, expected_logs: LogCheck
) -> None:
    expected_logs("injected error", times=1)
    faulty.inject(error="get", keys="c/0/0")
    with opened(faulty) as file:
        errors = []
        for size in (10, 10, 256 * KIB, 256 * KIB):
            with pytest.raises(ChunkError) as caught:
                file.read(0, size)
            errors.append(caught.value)
        assert len(set(map(id, errors))) == 4
        assert all(error.is_logged for error in errors)


def test_no_memory_at_all_is_an_error_and_the_next_read_tries_again(
    rows: npt.NDArray[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(size: int, **_: bool) -> Any:
        file.engine.budget.give_back(size)
        raise MemoryError("none")

    with opened(writer.write_v3(rows, ROW)) as file:
        with monkeypatch.context() as patch:
            patch.setattr(file.engine.budget, "buffer", refuse)
            with pytest.raises(ChunkError, match=r"no memory for \d+ bytes"):
                file.read(0, rows.nbytes)
        assert file.read(0, rows.nbytes) == rows.tobytes()


# --- changes behind the mount -------------------------------------------------------------------


def test_a_change_is_noticed_and_forgetting_shows_it(rows: npt.NDArray[Any]) -> None:
    store = writer.write_v3(rows, ROW)
    with opened(store) as file:
        assert file.read_through(64 * KIB) == rows.tobytes()
        assert not file.flat.has_changed()
        other = np.zeros_like(rows)
        for key in list(store.list_prefix("c/")):
            store.set(key, bytes(8 * 128 * 2))
        assert file.flat.has_changed()
        file.flat.forget()
        assert not file.flat.has_changed()
        assert file.read_through(64 * KIB) == other.tobytes()


@pytest.mark.parametrize("size", [100, 16 * KIB])
def test_what_is_read_while_all_is_forgotten_is_new_for_those_who_ask_later(
    rows: npt.NDArray[Any], faulty: FaultyStore, size: int
) -> None:
    faulty.inject(hang="get", keys="c/*")
    with opened(faulty, memory=4 * MIB) as file:
        before = file.flat.read(0, size, ReadAhead())
        assert faulty.wait_until_hanging()
        file.flat.forget()
        after = file.flat.read(0, size, ReadAhead())
        for key in list(faulty.list_prefix("c/0/")):
            faulty.set(key, bytes(8 * 128 * 2))
        faulty.heal()
        assert bytes(finished(after)) == bytes(size)
        finished(before)
        assert file.read(0, size) == bytes(size)


# --- urgent reads -------------------------------------------------------------------------------


def test_a_scattered_read_overtakes_read_ahead(rows: npt.NDArray[Any], faulty: FaultyStore) -> None:
    with opened(faulty, memory=16 * MIB) as file:
        readahead = ReadAhead()
        file.read(0, 4 * KIB, readahead)
        faulty.inject(hang="get", keys="c/*")
        file.flat.read(4 * KIB, 4 * KIB, readahead)
        assert faulty.wait_until_hanging(DEFAULT_THREADS)
        faulty.forget_operations()
        scattered = file.flat.read(rows.nbytes - 100, 100, ReadAhead())
        faulty.heal()
        assert bytes(finished(scattered)) == rows.tobytes()[-100:]
        keys = [operation.key for operation in faulty.operations if operation.name == "get"]
        before = keys[: keys.index("c/63/7")]
        ahead = [key for key in before if int(key.split("/")[1]) >= 16]
        assert len(ahead) <= DEFAULT_THREADS, "only the slab that somebody waits for goes first"


def test_memory_for_large_chunks_in_decode_is_left_again_after_an_idle_time(
    tmp_path: Path,
) -> None:
    size, memory = 2**21, 2**26
    zarr.create_array(tmp_path / "a", data=np.arange(2 * size, dtype="u1"), chunks=(size,))
    with opened(LocalStore(tmp_path / "a"), memory=memory) as file:
        budget, readahead = file.engine.budget, ReadAhead()
        for _ in range(2):  # the file stays open while the mount is idle
            assert file.read(5, 1, readahead) == b"\x05"
            assert not budget.take_spare(memory - budget.used)
            file.table.clear()
            file.engine.cache.clear()
            assert budget.take_spare(memory - budget.used)
            budget.give_back(memory)
