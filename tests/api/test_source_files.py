"""Elements of files, box by box."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zarrfs.api.source_files import open_source
from zarrfs.arrays.new_arrays import NewArray, new_metadata
from zarrfs.errors import SourceError, ViewError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from zarrfs.arrays.regions import Box
    from zarrfs.format.metadata import ArrayMetadata

SHAPE = (4, 5, 6)
DATA = np.arange(120, dtype="i4").reshape(SHAPE)


def metadata(shape: tuple[int, ...] = SHAPE, dtype: Any = "int32") -> ArrayMetadata:
    return new_metadata(NewArray(shape=shape, dtype=dtype))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("files")
    (path / "flat").write_bytes(DATA.astype("<i4").tobytes())
    np.save(path / "c.npy", DATA)
    np.save(path / "f.npy", np.asfortranarray(DATA))
    np.save(path / "big.npy", DATA.astype(">i4"))
    return path


def some_boxes() -> st.SearchStrategy[Box]:
    ends = (st.tuples(st.integers(0, n), st.integers(0, n)).map(sorted) for n in SHAPE)
    return st.tuples(*(end.map(lambda pair: (pair[0], pair[1])) for end in ends))


@pytest.mark.parametrize("name", ["flat", "c.npy", "f.npy", "big.npy"])
@given(box=some_boxes())
def test_a_box_is_what_numpy_slices(name: str, box: Box, folder: Path) -> None:
    source = open_source(str(folder / name))
    try:
        source.fit(metadata())
        read = source.read(box)
    finally:
        source.close()

    np.testing.assert_array_equal(read, DATA[tuple(slice(*ends) for ends in box)])


def test_npy_tells_shape_and_type(folder: Path) -> None:
    source = open_source(str(folder / "big.npy"))
    assert (source.shape, source.dtype) == (SHAPE, np.dtype(">i4"))
    source.close()


def test_flat_file_tells_neither(folder: Path) -> None:
    source = open_source(str(folder / "flat"))
    assert (source.shape, source.dtype) == (None, None)
    source.close()


def test_element_without_dimensions(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.float32(1.5))
    source = open_source(str(tmp_path / "x.npy"))
    source.fit(metadata((), "float32"))
    assert source.read(()) == np.float32(1.5)
    source.close()


@pytest.mark.parametrize(("shape", "wanted"), [((119,), 476), ((121,), 484)])
def test_flat_file_of_another_size_does_not_fit(
    shape: tuple[int, ...], wanted: int, folder: Path
) -> None:
    source = open_source(str(folder / "flat"))
    with pytest.raises(SourceError, match=f"has 480 bytes, but the array takes {wanted} "):
        source.fit(metadata(shape))
    source.close()


@pytest.mark.parametrize(
    ("shape", "dtype", "reason"),
    [
        ((6, 5, 4), "int32", "has the shape"),
        (SHAPE, "uint8", "cannot become uint8"),
        (SHAPE, "M8[s]", "cannot become numpy.datetime64"),
    ],
)
def test_npy_of_other_elements_does_not_fit(
    shape: tuple[int, ...], dtype: str, reason: str, folder: Path
) -> None:
    source = open_source(str(folder / "c.npy"))
    with pytest.raises(SourceError, match=reason):
        source.fit(metadata(shape, dtype))
    source.close()


def test_elements_without_fixed_size_cannot_be_flat(folder: Path) -> None:
    source = open_source(str(folder / "flat"))
    with pytest.raises(ViewError, match="no fixed size"):
        source.fit(metadata((3,), "string"))
    source.close()


def write(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    return str(path)


def npy_bytes(array: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is no .npy file"),
        (bytes(200), "is no .npy file"),
        (npy_bytes(DATA)[:100], "is no .npy file"),
        (npy_bytes(DATA)[:-1], "its header tells of 608: it was cut short"),
        (npy_bytes(np.array([None])), "pickled"),
        (b"\x93NUMPY\3\0" + bytes(200), "unknown version"),
    ],
)
def test_what_is_no_npy_file_is_refused(data: bytes, reason: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=reason):
        open_source(write(tmp_path / "x.npy", data))


@pytest.mark.parametrize("name", ["none", "", "\0"])
def test_what_cannot_be_opened_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be opened"):
        open_source(str(tmp_path / name) if name == "none" else name)


def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is a directory"):
        open_source(str(tmp_path))


def test_a_file_that_is_cut_short_meanwhile_is_an_error(tmp_path: Path) -> None:
    path = write(tmp_path / "x", DATA.tobytes())
    source = open_source(path)
    source.fit(metadata())
    os.truncate(path, 100)
    with pytest.raises(SourceError, match="was cut short while it was read"):
        source.read(((0, 4), (0, 5), (0, 6)))
    source.close()


def test_whether_a_file_lies_below_a_directory(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "link").symlink_to("a")
    source = open_source(write(tmp_path / "a" / "x", b""))
    assert source.is_below(str(tmp_path / "link"))
    assert not source.is_below(str(tmp_path / "b"))
    source.close()


@pytest.fixture
def pipe() -> Iterator[tuple[str, int]]:
    """Name of the end to read, and the other one, for the test to close."""
    ours, theirs = os.pipe()
    yield f"/proc/self/fd/{ours}", theirs
    os.close(ours)


def test_a_pipe_is_read_piece_by_piece(pipe: tuple[str, int]) -> None:
    os.write(pipe[1], DATA.tobytes())
    os.close(pipe[1])
    source = open_source(pipe[0])
    source.fit(metadata())
    assert source.is_sequential
    assert not source.is_below("/")
    np.testing.assert_array_equal(source.read(((0, 1), (0, 5), (0, 6))), DATA[:1])
    np.testing.assert_array_equal(source.read(((1, 4), (0, 5), (0, 6))), DATA[1:])
    source.finish()
    source.close()


def test_a_pipe_that_ends_early_tells_its_size(pipe: tuple[str, int]) -> None:
    os.write(pipe[1], bytes(100))
    os.close(pipe[1])
    source = open_source(pipe[0])
    source.fit(metadata())
    source.read(((0, 0), (0, 5), (0, 6)))
    with pytest.raises(SourceError, match="has 100 bytes, but the array takes 480 "):
        source.read(((0, 4), (0, 5), (0, 6)))
    source.close()


def test_a_pipe_that_goes_on_is_too_long(pipe: tuple[str, int]) -> None:
    os.write(pipe[1], bytes(5))
    os.close(pipe[1])
    source = open_source(pipe[0])
    source.fit(metadata((1,)))
    source.read(((0, 1),))
    with pytest.raises(SourceError, match="has more than the 4 bytes"):
        source.finish()
    source.close()


def test_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\1\0\0\0")))
    source = open_source("-")
    source.fit(metadata((1,)))
    assert source.name == "standard input"
    assert source.read(((0, 1),)).tolist() == [1]
    source.finish()


def test_standard_input_that_is_closed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(SourceError, match="is closed"):
        open_source("-")


def test_a_pipe_that_does_not_wait_is_refused() -> None:
    ours, theirs = os.pipe2(os.O_NONBLOCK)
    source = open_source(f"/proc/self/fd/{ours}")
    os.set_blocking(source._file.fileno(), False)  # type: ignore[attr-defined]  # opened anew
    source.fit(metadata((1,)))
    with pytest.raises(SourceError, match="not to wait"):
        source.read(((0, 1),))
    source.close()
    os.close(ours)
    os.close(theirs)


def test_a_zip_of_arrays_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", a=np.arange(3))
    with pytest.raises(SourceError, match=r"x\.npz is a zip of \.npy files; unpack it"):
        open_source(str(tmp_path / "x.npz"))
