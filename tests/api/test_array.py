from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import zarr

import zarrfs
from zarrfs.api.process_engine import process_engine
from zarrfs.errors import ChunkError, OffsetError, SelectionError, ViewError
from zarrfs.stores.memory import MemoryStore

if TYPE_CHECKING:
    from pathlib import Path


def expected_t() -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    values = np.full((10, 7), np.nan, "float32")
    values[:8] = np.arange(56).reshape(8, 7)
    return values


def test_properties_are_those_of_the_metadata(store: Path) -> None:
    z = zarrfs.open_array(store / "t")

    assert (z.shape, z.ndim, z.size, len(z)) == ((10, 7), 2, 70, 10)
    assert (z.dtype, z.nbytes, z.zarr_format) == (np.dtype("float32"), 280, 3)
    assert (z.chunks, z.shards) == ((4, 3), None)
    assert z.dimension_names == ("y", "x")
    assert z.attributes == {"units": "K"}
    assert np.isnan(np.float32(str(z.fill_value)))
    assert [codec.name for codec in z.codecs] == ["bytes", "zstd"]
    assert repr(z) == "<zarrfs.Array /t float32 (10, 7)>"


def test_stored_bytes_are_the_sizes_of_the_chunks_on_disk(store: Path) -> None:
    on_disk = sum(file.stat().st_size for file in (store / "t" / "c").rglob("*") if file.is_file())

    assert zarrfs.open_array(store / "t").nbytes_stored == on_disk


def test_a_sharded_array_tells_inner_chunks_and_shards(store: Path) -> None:
    z = zarrfs.open_array(store / "sharded")

    assert (z.chunks, z.shards) == ((4, 4), (8, 8))


@pytest.mark.parametrize(
    "index",
    [
        np.s_[...],
        np.s_[3, 4],
        np.s_[-1, -7],
        np.s_[2:9, 1:],
        np.s_[::-2, ::3],
        np.s_[..., 5],
        np.s_[8:2],
        np.s_[np.int64(3)],
    ],
)
def test_selections_give_what_numpy_gives(store: Path, index: Any) -> None:
    selected = zarrfs.open_array(store / "t")[index]

    np.testing.assert_array_equal(selected, expected_t()[index], strict=True)


def test_an_integer_for_each_axis_gives_a_scalar(store: Path) -> None:
    value = zarrfs.open_array(store / "t")[2, 3]

    assert isinstance(value, np.float32)
    assert value == 17


def test_a_0d_array_is_one_element(store: Path) -> None:
    z = zarrfs.open_array(store / "deep" / "er" / "scalar")

    assert z[...] == 7
    assert z[()] == 7
    with pytest.raises(TypeError):
        len(z)


def test_numpy_takes_it_as_an_array(store: Path) -> None:
    z = zarrfs.open_array(store / "sharded")

    np.testing.assert_array_equal(np.asarray(z), np.arange(256).reshape(16, 16))
    assert np.asarray(z, dtype="f8").dtype == np.float64
    with pytest.raises(ValueError, match="without a copy"):
        np.array(z, copy=False)


def test_a_selection_that_does_not_fit_is_refused(store: Path) -> None:
    z = zarrfs.open_array(store / "t")

    with pytest.raises(SelectionError, match="index 10 is out of bounds for axis 0 with size 10"):
        z[10]
    with pytest.raises(IndexError):
        z[0, 0, 0]


@pytest.mark.parametrize(("offset", "size"), [(0, -1), (0, 280), (5, 13), (279, 10), (280, 1)])
def test_read_bytes_gives_spans_of_the_flat_file(store: Path, offset: int, size: int) -> None:
    flat = expected_t().astype("<f4").tobytes()

    data = zarrfs.open_array(store / "t").read_bytes(offset, size)

    assert data == (flat[offset:] if size < 0 else flat[offset : offset + size])


def test_read_bytes_before_the_start_is_an_error(store: Path) -> None:
    with pytest.raises(OffsetError):
        zarrfs.open_array(store / "t").read_bytes(-1, 4)


def test_a_damaged_chunk_is_an_error_for_what_it_holds(
    tmp_path: Path,
) -> None:
    z = zarr.create_array(tmp_path / "a.zarr", shape=(8,), chunks=(4,), dtype="i4", fill_value=0)
    z[...] = np.arange(8)
    (tmp_path / "a.zarr" / "c" / "1").write_bytes(b"garbage")
    array = zarrfs.open_array(tmp_path / "a.zarr")

    np.testing.assert_array_equal(array[:4], np.arange(4))
    with pytest.raises(ChunkError, match="c/1"):
        array[2:6]


def test_variable_length_strings_are_read_but_have_no_flat_file(tmp_path: Path) -> None:
    z = zarr.create_array(tmp_path / "s.zarr", shape=(3,), dtype=str)
    z[...] = np.array(["a", "βeta", ""], dtype=object)
    array = zarrfs.open_array(tmp_path / "s.zarr")

    assert list(array[...]) == ["a", "βeta", ""]
    with pytest.raises(ViewError, match="no fixed size"):
        array.read_bytes()


def test_arrays_in_memory_open_by_url() -> None:
    source = MemoryStore("api-test-array")
    document = (
        b'{"zarr_format": 3, "node_type": "array", "shape": [2], "data_type": "uint8",'
        b' "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [2]}},'
        b' "chunk_key_encoding": {"name": "default"}, "fill_value": 3, "codecs": ["bytes"]}'
    )
    source.set("a/zarr.json", document)

    np.testing.assert_array_equal(zarrfs.open_array("memory://api-test-array/a")[:], [3, 3])


def test_fill_value_of_objects_may_be_a_list(tmp_path: Path) -> None:
    z = zarrfs.create_array(
        tmp_path / "x.zarr",
        shape=4,
        chunks=2,
        dtype=object,
        zarr_format=2,
        filters=[{"id": "json2"}],
        fill_value=[],
    )
    z[0] = {"a": 1}
    assert z[...].tolist() == [{"a": 1}, [], [], []]


def test_iterating_reads_each_chunk_once(tmp_path: Path) -> None:
    values = np.arange(70).reshape(10, 7)
    z = zarrfs.save(tmp_path / "x", values, chunks=(4, 3))
    counters = process_engine().counters
    before = counters.snapshot()["chunks_decoded"]
    np.testing.assert_array_equal(list(z), values)
    assert counters.snapshot()["chunks_decoded"] - before == 9


def test_an_array_without_dimensions_cannot_be_iterated(tmp_path: Path) -> None:
    z = zarrfs.save(tmp_path / "x", 5)
    with pytest.raises(TypeError, match="iteration over a 0-d array"):
        list(z)
    assert list(zarrfs.save(tmp_path / "y", [])) == []
