"""Chunks in a file: found until they were read, never over the limit, nothing left behind."""

from __future__ import annotations

import errno
import logging
import os
import resource
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zarrfs.arrays import spill_file, spilled_chunks
from zarrfs.arrays.spilled_chunks import PAGE, SpilledChunks

if TYPE_CHECKING:
    import numpy.typing as npt

    from zarrfs.arrays.regions import Coords

SHAPE = (2, PAGE)
WHOLE = (slice(0, 2), slice(0, PAGE))
FIRST, SECOND = (slice(0, 1), slice(0, PAGE)), (slice(1, 2), slice(0, PAGE))
OWNER = "array"


def chunk(number: int) -> npt.NDArray[np.uint8]:
    """Return two pages."""
    return np.arange(2 * PAGE, dtype=np.uint32).astype("u1").reshape(SHAPE) + np.uint8(number)


def put(spilled: SpilledChunks, number: int, *, owner: object = OWNER, row: object = None) -> bool:
    """Spill the chunk of a number, by default each as a row by itself."""
    one = spilled.write(chunk(number), number if row is None else row)
    if one is not None:
        spilled.keep(owner, (number,), one, 2 * PAGE)
    return one is not None


def kept(spilled: SpilledChunks, numbers: range, owner: object = OWNER) -> list[int]:
    return [number for number in numbers if spilled.has(owner, (number,))]


@pytest.fixture
def spilled(tmp_path: Path) -> SpilledChunks:
    """Room for four chunks."""
    return SpilledChunks(str(tmp_path / "cache" / "zarrfs"), 8 * PAGE)


def test_parts_are_read_back_and_the_chunk_goes_with_the_last(spilled: SpilledChunks) -> None:
    assert put(spilled, 3)
    first = spilled.read(OWNER, (3,), FIRST)
    assert first is not None
    assert (first[FIRST] == chunk(3)[FIRST]).all()
    assert not first.flags.writeable
    second = spilled.read(OWNER, (3,), SECOND)
    assert second is not None
    assert (second[SECOND] == chunk(3)[SECOND]).all()
    assert not spilled.has(OWNER, (3,))
    assert spilled.read(OWNER, (3,), FIRST) is None


@pytest.mark.parametrize("dtype", ["u1", ">i4", "c16", "U3", [("a", "u1"), ("b", "<f8")]])
def test_types_and_parts(spilled: SpilledChunks, dtype: Any) -> None:
    data = np.random.default_rng(2).integers(0, 100, (3, 5, 7)).astype("u1").astype(dtype)
    one = spilled.write(data.transpose(2, 0, 1), "row")  # of no order that a file has
    assert one is not None
    spilled.keep(OWNER, (0, 0, 0), one, data.size)
    part = (slice(1, 3), slice(0, 3), slice(2, 5))
    found = spilled.read(OWNER, (0, 0, 0), part)
    assert found is not None
    assert (found.shape, found.dtype) == ((7, 3, 5), data.dtype)
    assert (found[part] == data.transpose(2, 0, 1)[part]).all()


def test_a_chunk_is_not_found_before_it_is_kept(spilled: SpilledChunks) -> None:
    one = spilled.write(chunk(0), 0)
    assert one is not None
    assert not spilled.has(OWNER, (0,))
    assert spilled.read(OWNER, (0,), FIRST) is None


def test_a_chunk_that_is_given_up_leaves_its_place(spilled: SpilledChunks) -> None:
    for number in range(10):
        one = spilled.write(chunk(number), "row")
        assert one is not None
        assert one.offset == 0
        spilled.discard(one)


def test_a_chunk_whose_parts_were_all_wanted_meanwhile_is_not_kept(spilled: SpilledChunks) -> None:
    one = spilled.write(chunk(0), 0)
    assert one is not None
    spilled.keep(OWNER, (0,), one, 0)
    assert spilled.n_chunks == 0
    again = spilled.write(chunk(1), 1)
    assert again is not None
    assert again.offset == one.offset


def test_the_oldest_rows_make_room(spilled: SpilledChunks) -> None:
    for number in range(7):
        assert put(spilled, number)
    assert kept(spilled, range(7)) == [3, 4, 5, 6]


def test_a_row_that_is_too_large_keeps_what_it_has(spilled: SpilledChunks) -> None:
    results = [put(spilled, number, row="same") for number in range(7)]
    assert results == [True] * 4 + [False] * 3
    assert kept(spilled, range(7)) == [0, 1, 2, 3]


def test_chunks_are_limited_in_number(
    spilled: SpilledChunks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spilled_chunks, "MAX_CHUNKS", 2)
    for number in range(4):
        assert put(spilled, number)
    assert kept(spilled, range(4)) == [2, 3]


def test_owners_are_told_apart(spilled: SpilledChunks) -> None:
    put(spilled, 0, owner="a")
    put(spilled, 0, owner="b", row=1)
    spilled.drop("a")
    assert not spilled.has("a", (0,))
    assert spilled.has("b", (0,))
    spilled.drop_chunk("b", (0,))
    spilled.drop_chunk("b", (0,))
    assert spilled.n_chunks == 0


def test_what_was_read_lasts_when_its_place_is_used_again(
    tmp_path: Path,
) -> None:
    spilled = SpilledChunks(str(tmp_path), 2 * PAGE)
    put(spilled, 1)
    found = spilled.read(OWNER, (1,), FIRST)
    put(spilled, 2)
    assert found is not None
    assert (found[FIRST] == chunk(1)[FIRST]).all()


def test_a_chunk_replaced_while_it_is_read_is_not_returned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spilled = SpilledChunks(str(tmp_path), 2 * PAGE)
    put(spilled, 1)
    read = spill_file.SpillFile.read

    def slow(file: Any, target: memoryview, offset: int) -> None:
        put(spilled, 2)
        read(file, target, offset)

    monkeypatch.setattr(spill_file.SpillFile, "read", slow)
    assert spilled.read(OWNER, (1,), FIRST) is None
    assert spilled.has(OWNER, (2,))


def test_a_chunk_written_while_all_is_cleared_is_given_up(spilled: SpilledChunks) -> None:
    one = spilled.write(chunk(0), 0)
    assert one is not None
    spilled.clear()
    spilled.keep(OWNER, (0,), one, 2 * PAGE)
    assert spilled.n_chunks == 0
    assert put(spilled, 1)


def test_the_directory_is_made_when_needed_and_stays_empty(tmp_path: Path) -> None:
    place = tmp_path / "cache"
    spilled = SpilledChunks(str(place), 8 * PAGE)
    assert not place.exists()
    put(spilled, 0)
    assert place.stat().st_mode & 0o777 == 0o700
    assert not list(place.iterdir())


def test_the_file_has_no_name_where_the_file_system_knows_none_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_file = os.open

    def refuse(path: Any, flags: int, mode: int = 0o777, **options: Any) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(errno.EOPNOTSUPP, "Operation not supported")
        return open_file(path, flags, mode, **options)

    monkeypatch.setattr(os, "open", refuse)
    spilled = SpilledChunks(str(tmp_path), 8 * PAGE)
    assert put(spilled, 0)
    assert spilled.read(OWNER, (0,), WHOLE) is not None
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("clear", [SpilledChunks.clear, lambda spilled: spilled.drop(OWNER)])
def test_disk_space_is_given_back(spilled: SpilledChunks, clear: Any) -> None:
    put(spilled, 0)
    assert spilled._file is not None
    link = Path(f"/proc/self/fd/{spilled._file._descriptor}")
    assert "cache/zarrfs" in str(link.readlink())
    clear(spilled)
    assert spilled.n_chunks == 0
    assert not link.is_symlink() or "cache/zarrfs" not in str(link.readlink())


@pytest.mark.parametrize(("directory", "limit"), [(None, PAGE), ("/nowhere", 0)])
def test_without_directory_or_room_nothing_is_kept(directory: str | None, limit: int) -> None:
    spilled = SpilledChunks(directory, limit)
    assert not spilled.is_on
    assert not put(spilled, 0)


def test_a_directory_that_cannot_be_made_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    (tmp_path / "file").touch()
    spilled = SpilledChunks(str(tmp_path / "file" / "cache"), 8 * PAGE)
    assert not put(spilled, 0)
    assert not put(spilled, 1)
    assert not spilled.is_on
    (message,) = caplog.messages
    assert message.startswith("decoded chunks cannot be kept in ")
    assert message.endswith("file/cache: Not a directory")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_limits_what_is_kept(
    spilled: SpilledChunks,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    pwrite = os.pwrite

    def full(descriptor: int, data: memoryview, offset: int) -> int:
        if offset + len(data) > 5 * PAGE:
            if offset >= 5 * PAGE:
                raise OSError(code, os.strerror(code))
            data = data[: 5 * PAGE - offset]  # as much as there is room for
        return pwrite(descriptor, data, offset)

    monkeypatch.setattr(os, "pwrite", full)
    assert [put(spilled, number, row="a") for number in range(4)] == [True, True, False, False]
    assert [put(spilled, number) for number in (7, 8, 9)] == [True] * 3
    assert kept(spilled, range(10)) == [8, 9]
    assert len(caplog.messages) == 1
    found = spilled.read(OWNER, (9,), WHOLE)
    assert found is not None
    assert (found == chunk(9)).all()


def test_a_limit_of_the_process_is_a_full_disk(spilled: SpilledChunks) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5 * PAGE, limits[1]))
    try:
        results = [put(spilled, number, row="a") for number in range(4)]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert results == [True, True, False, False]


def test_others_keep_half_of_what_is_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room = os.statvfs(tmp_path)
    values = list(room)
    values[0], values[1], values[4] = PAGE, PAGE, 9  # sizes of blocks, and how many are free
    monkeypatch.setattr(os, "fstatvfs", lambda descriptor: os.statvfs_result(values))
    spilled = SpilledChunks(str(tmp_path), 2**30)
    assert [put(spilled, number, row="a") for number in range(3)] == [True, True, False]


def test_a_disk_that_fails_is_not_written_to_again(
    spilled: SpilledChunks, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    put(spilled, 0)

    def fail(descriptor: int, data: memoryview, offset: int) -> int:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "pwrite", fail)
    assert not put(spilled, 1)
    assert not spilled.is_on
    assert spilled.n_chunks == 0
    monkeypatch.undo()
    assert not put(spilled, 2)


def test_what_cannot_be_read_back_is_missed_and_told_once(
    spilled: SpilledChunks, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    put(spilled, 0)
    put(spilled, 1)
    monkeypatch.setattr(os, "preadv", lambda *_: 0)
    assert spilled.read(OWNER, (0,), FIRST) is None
    assert spilled.read(OWNER, (1,), FIRST) is None
    assert spilled.n_chunks == 0
    (message,) = caplog.messages
    assert "ends too early" in message


@given(st.lists(st.tuples(st.sampled_from("pprd"), st.integers(0, 5)), max_size=30))
def test_it_holds_what_a_dictionary_would(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    spilled = SpilledChunks(str(tmp_path_factory.getbasetemp()), 6 * PAGE)
    model: dict[Coords, tuple[int, int]] = {}
    for version, (step, number) in enumerate(steps):
        coords = (number,)
        if step == "p":
            one = spilled.write(chunk(version), version)
            assert one is not None
            while len(model) == 3:
                del model[next(iter(model))]
            model.pop(coords, None)
            model[coords] = version, 2
            spilled.keep(OWNER, coords, one, 2 * PAGE)
        elif step == "d":
            spilled.drop_chunk(OWNER, coords)
            model.pop(coords, None)
        else:
            found = spilled.read(OWNER, coords, SECOND)
            assert (found is None) == (coords not in model)
            if found is not None:
                content, n_left = model[coords]
                assert (found[SECOND] == chunk(content)[SECOND]).all()
                model[coords] = content, n_left - 1
                if n_left == 1:
                    del model[coords]
        assert kept(spilled, range(6)) == sorted(number for (number,) in model)
