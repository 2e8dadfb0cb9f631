"""Arrays created with their elements: all of them, or nothing is there."""

from __future__ import annotations

import io
import math
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import zarrfs
from tests.grids import grids
from zarrfs.api import filling
from zarrfs.api.filling import boxes, create_from
from zarrfs.api.source_files import open_source
from zarrfs.arrays.new_arrays import NewArray
from zarrfs.errors import NodeExistsError, SourceError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from zarrfs.format.chunk_grids import ChunkGrid

DATA = np.arange(1, 61, dtype="i4").reshape(6, 10)


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "x.npy"
    np.save(path, DATA)
    return str(path)


def create(url: Any, file: str, *, overwrite: bool = False, **wanted: Any) -> zarrfs.Array:
    source = open_source(file)
    try:
        arguments = {"shape": DATA.shape, "dtype": "int32", "chunks": (2, 3), **wanted}
        return create_from(url, NewArray(**arguments), source, overwrite=overwrite)
    finally:
        source.close()


# --- boxes --------------------------------------------------------------------------------------

SHAPES = st.lists(st.integers(1, 12), max_size=3).map(tuple)


@given(grid=SHAPES.flatmap(grids), max_bytes=st.integers(1, 4000))
def test_boxes_are_whole_chunks_and_cover_the_array_once(grid: ChunkGrid, max_bytes: int) -> None:
    times_covered = np.zeros(grid.shape, int)
    for box in boxes(grid.axes, 4, max_bytes):
        times_covered[tuple(slice(*ends) for ends in box)] += 1
        n_chunks = 1
        for axis, (start, stop) in zip(grid.axes, box, strict=True):
            first, last = axis.find(start), axis.find(stop - 1)
            assert start == axis.start(first)
            assert stop == min(axis.start(last + 1), axis.length)
            n_chunks *= last + 1 - first
        n_bytes = 4 * math.prod(stop - start for start, stop in box)
        assert n_bytes <= max_bytes or n_chunks == 1
    assert (times_covered == 1).all()


@given(grid=SHAPES.filter(bool).flatmap(grids))
def test_boxes_are_rows_while_rows_are_small_enough(grid: ChunkGrid) -> None:
    row = 4 * math.prod(grid.shape[1:]) * max(min(n, grid.shape[0]) for n in _lengths(grid))
    for box in boxes(grid.axes, 4, row):
        assert all(ends == (0, n) for ends, n in zip(box[1:], grid.shape[1:], strict=True))


def _lengths(grid: ChunkGrid) -> list[int]:
    axis = grid.axes[0]
    return [axis.start(c + 1) - axis.start(c) for c in range(axis.n_chunks)]


# --- creating -----------------------------------------------------------------------------------


def test_elements_are_those_of_the_file(tmp_path: Path, file: str) -> None:
    array = create(tmp_path / "d.zarr/a/b", file)

    np.testing.assert_array_equal(array[...], DATA)
    np.testing.assert_array_equal(zarrfs.open_array(tmp_path / "d.zarr/a/b")[...], DATA)


def test_shards_are_filled_box_by_box(
    tmp_path: Path, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filling, "BOX_BYTES", 1)

    array = create(tmp_path / "s", file, chunks=(2, 2), shards=(4, 4), dtype="float64")

    np.testing.assert_array_equal(array[...], DATA)


def test_progress_grows_to_all_bytes(
    tmp_path: Path, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filling, "BOX_BYTES", 100)
    told = []
    source = open_source(file)
    wanted = NewArray(shape=DATA.shape, dtype="int32", chunks=(2, 10))

    create_from(tmp_path / "p", wanted, source, progress=lambda done, n: told.append((done, n)))
    source.close()

    assert told == [(80, 240), (160, 240), (240, 240)]


def test_an_empty_array_needs_no_elements(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")

    array = create(tmp_path / "e", str(tmp_path / "empty"), shape=(0, 4), chunks=(2, 2))

    assert array[...].shape == (0, 4)


def test_what_does_not_fit_creates_nothing(tmp_path: Path, file: str) -> None:
    with pytest.raises(SourceError, match="has the shape"):
        create(tmp_path / "d.zarr", file, shape=(10, 6))
    assert not (tmp_path / "d.zarr").exists()


def test_what_cannot_be_filled_creates_nothing(tmp_path: Path) -> None:
    (tmp_path / "flat").write_bytes(b"")
    with pytest.raises(SourceError, match="no fixed size"):
        create(tmp_path / "d.zarr", str(tmp_path / "flat"), dtype="string")
    assert not (tmp_path / "d.zarr").exists()


def test_overwriting_is_asked_for(tmp_path: Path, file: str) -> None:
    old = zarrfs.save(tmp_path / "d.zarr/a", np.zeros(3, "u1"))
    with pytest.raises(NodeExistsError):
        create(tmp_path / "d.zarr/a", file)
    assert old[...].tolist() == [0, 0, 0]

    create(tmp_path / "d.zarr/a", file, overwrite=True)

    np.testing.assert_array_equal(zarrfs.open_array(tmp_path / "d.zarr/a")[...], DATA)


def test_what_does_not_fit_overwrites_nothing(tmp_path: Path, file: str) -> None:
    zarrfs.save(tmp_path / "d.zarr/a", np.ones(3, "u1"))
    with pytest.raises(SourceError):
        create(tmp_path / "d.zarr/a", file, overwrite=True, dtype="uint8")
    assert zarrfs.load(tmp_path / "d.zarr/a").tolist() == [1, 1, 1]


def test_a_file_of_the_array_itself_is_refused(tmp_path: Path) -> None:
    zarrfs.create_array(tmp_path / "d.zarr/a", shape=(1,), dtype="u1", compressor=None)[0] = 7
    chunk = tmp_path / "d.zarr/a/c/0"
    with pytest.raises(SourceError, match="lies where the array is to be created"):
        create(
            tmp_path / "d.zarr/a", str(chunk), overwrite=True, shape=(1,), chunks=(1,), dtype="u1"
        )
    assert chunk.read_bytes() == b"\7"


def test_an_error_of_the_store_leaves_nothing_of_the_array(tmp_path: Path, file: str) -> None:
    (tmp_path / "d.zarr").mkdir()
    with pytest.raises(StoreError):
        create(f"fault+{tmp_path}/d.zarr/a?error=set&keys=*/c/2/2", file)
    assert not (tmp_path / "d.zarr/a").exists()


def test_the_metadata_come_last(tmp_path: Path, file: str) -> None:
    seen = []
    source = open_source(file)

    def look(n_done: int, n_bytes: int) -> None:
        seen.append(sorted(path.name for path in (tmp_path / "d.zarr/a").iterdir()))

    wanted = NewArray(shape=DATA.shape, dtype="int32", chunks=(2, 3))
    create_from(tmp_path / "d.zarr/a", wanted, source, progress=look)
    source.close()

    assert seen == [[".zarrfs-claim", "c"]]
    assert sorted(path.name for path in (tmp_path / "d.zarr/a").iterdir()) == ["c", "zarr.json"]


def test_metadata_that_cannot_be_stored_leave_nothing(tmp_path: Path, file: str) -> None:
    (tmp_path / "d.zarr").mkdir()
    with pytest.raises(StoreError):
        create(f"fault+{tmp_path}/d.zarr/a?error=set&keys=a/zarr.json", file)
    assert not (tmp_path / "d.zarr/a").exists()


def test_who_was_faster_keeps_what_is_there(tmp_path: Path, file: str) -> None:
    source = open_source(file)
    wanted = NewArray(shape=DATA.shape, dtype="int32", chunks=(2, 3))

    def create_another(n_done: int, n_bytes: int) -> None:
        (tmp_path / "d.zarr/a/zarr.json").write_text("{}")

    with pytest.raises(NodeExistsError):
        create_from(tmp_path / "d.zarr/a", wanted, source, progress=create_another)
    source.close()
    assert (tmp_path / "d.zarr/a/zarr.json").read_text() == "{}"


def test_chunks_that_cannot_be_deleted_again_are_told(
    tmp_path: Path, file: str, expected_logs: Callable[[str], None]
) -> None:
    expected_logs(r"what was stored of 'a' so far could not be deleted: cannot delete a/c/")
    (tmp_path / "d.zarr").mkdir()
    source = open_source(file)
    wanted = NewArray(shape=DATA.shape, dtype="int32", chunks=(2, 3))

    def interrupt(n_done: int, n_bytes: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        create_from(
            f"fault+{tmp_path}/d.zarr/a?error=delete&keys=a/c/*",
            wanted,
            source,
            progress=interrupt,
        )
    source.close()


def test_an_interrupt_leaves_nothing_of_the_array(
    tmp_path: Path, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filling, "BOX_BYTES", 1)
    source = open_source(file)
    wanted = NewArray(shape=DATA.shape, dtype="int32", chunks=(2, 3))

    def interrupt(n_done: int, n_bytes: int) -> None:
        assert (tmp_path / "d.zarr/a/c").exists()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        create_from(tmp_path / "d.zarr/a", wanted, source, progress=interrupt)
    source.close()
    assert not (tmp_path / "d.zarr/a").exists()


def test_a_stream_is_read_a_row_of_chunks_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filling, "BOX_BYTES", 1)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(DATA.tobytes())))

    np.testing.assert_array_equal(create(tmp_path / "s", "-")[...], DATA)


def test_a_stream_needs_rows_that_fit_into_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filling, "BOX_BYTES", 1)
    monkeypatch.setattr(filling, "MAX_ROW_BYTES", 79)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(DATA.tobytes())))
    with pytest.raises(SourceError, match="one has 80 bytes here, more than 79"):
        create(tmp_path / "s", "-")
    assert not (tmp_path / "s").exists()


def test_chunks_for_which_there_is_no_memory_are_told(
    tmp_path: Path, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> None:
        raise MemoryError

    monkeypatch.setattr(zarrfs.Array, "__setitem__", fail)
    with pytest.raises(SourceError, match=r"chunks of shape \(2, 3\) take more memory than there"):
        create(tmp_path / "s", file)
