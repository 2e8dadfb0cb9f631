"""Arrays of irregular grids are read as the NumPy array that was cut by hand says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import zarrfs
from tests.arrays import writer
from tests.flat.opened import opened
from tests.grids import cut, document, grids
from zarrfs.api.inspection import node_info
from zarrfs.errors import ChunkError, MetadataError, UnsupportedError
from zarrfs.format.axes import RegularAxis, irregular_axis
from zarrfs.format.chunk_grids import ChunkGrid
from zarrfs.stores.local import LocalStore
from zarrfs.stores.memory import MemoryStore

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from zarrfs.stores.base import Store


@dataclass(frozen=True)
class Case:
    data: npt.NDArray[Any]
    grid: ChunkGrid
    codecs: writer.Codecs

    def store(self, store: Store | None = None) -> Store:
        parts = cut(self.data, self.grid, 7)
        return writer.write_parts(
            self.data, parts, document(self.grid), self.codecs, fill=7, store=store
        )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    shape = draw(st.lists(st.integers(0, 9), max_size=3).map(tuple))
    plain = [writer.bytes_codec(draw(st.sampled_from(["little", "big"])))]
    plain += draw(st.sampled_from([[], [writer.GZIP], [writer.CRC32C]]))
    unit: tuple[int, ...] = ()
    codecs = plain
    if draw(st.booleans()):
        inner = tuple(draw(st.integers(1, 2)) for _ in shape)
        unit = tuple(n * draw(st.integers(1, 2)) for n in inner)
        location = draw(st.sampled_from(["start", "end"]))
        codecs = [writer.sharding(inner, plain, location=location)]
        if draw(st.booleans()):
            codecs = [writer.sharding(unit, codecs)]
    elif len(shape) > 1 and draw(st.booleans()):
        order = draw(st.permutations(range(len(shape))))
        codecs = [{"name": "transpose", "configuration": {"order": list(order)}}, *plain]
    grid = draw(grids(shape, unit))
    values = draw(st.sampled_from([[7], [7, 1], list(range(100))]))
    data = np.resize(np.array(values, "int16"), shape)
    return Case(data, grid, codecs)


def open_stored(store: Store) -> zarrfs.Array:
    """Open an array that was written by hand."""
    named = MemoryStore("irregular-grids")
    for key in list(named.list_prefix("")):
        named.delete(key)
    for key in store.list_prefix(""):
        named.set(key, store.get(key))
    return zarrfs.open_array(named.url)


def part(length: int) -> st.SearchStrategy[slice | int]:
    ends = st.none() | st.integers(-length - 2, length + 2)
    slices = st.builds(slice, ends, ends, st.none() | st.integers(-4, 4).filter(bool))
    return slices | st.integers(-length, length - 1) if length else slices


@given(cases(), st.data())
def test_selections_are_those_of_the_array(case: Case, draw: st.DataObject) -> None:
    array = open_stored(case.store())
    index = tuple(draw.draw(part(n)) for n in case.data.shape)
    assert np.array_equal(array[index], case.data[index])
    assert np.array_equal(array[...], case.data)


@given(cases(), st.data(), st.sampled_from([200, 2000, 2**20]))
def test_spans_of_the_flat_file_are_those_of_the_array(
    case: Case, draw: st.DataObject, memory: int
) -> None:
    flat = case.data.astype("<i2").tobytes()
    with opened(case.store(), memory=memory) as file:
        assert file.read_through(draw.draw(st.integers(1, 64))) == flat
        for _ in range(3):
            offset = draw.draw(st.integers(0, len(flat)))
            size = draw.draw(st.integers(0, len(flat)))
            assert file.read(offset, size) == flat[offset : offset + size]


@given(cases(), st.data())
def test_what_is_written_is_read_and_all_else_stays(case: Case, draw: st.DataObject) -> None:
    array = open_stored(case.store())
    index = tuple(draw.draw(part(n)) for n in case.data.shape)
    expected = case.data.copy()
    expected[index] = array[index] = 3
    assert np.array_equal(array[...], expected)
    assert array.read_bytes() == expected.astype("<i2").tobytes()


def months(store: Store | None = None) -> tuple[npt.NDArray[Any], Store]:
    """A year of days in chunks of months, by four columns."""
    data = np.arange(365 * 6, dtype="int32").reshape(365, 6)
    days = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    grid = ChunkGrid((irregular_axis(365, [(n, 1) for n in days]), RegularAxis(6, 4)))
    chunk_grid = {
        "name": "rectilinear",
        "configuration": {"kind": "inline", "chunk_shapes": [days, 4]},
    }
    return data, writer.write_parts(data, cut(data, grid, 0), chunk_grid, store=store)


def test_chunks_are_told_as_lengths_along_each_dimension() -> None:
    _, store = months()
    array = open_stored(store)
    assert array.chunks == ((31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), 4)
    assert array.shards is None


def test_info_tells_runs_of_chunks(tmp_path: Path) -> None:
    months(LocalStore(str(tmp_path)))
    info = node_info(str(tmp_path))
    assert info["chunk_shape"] == [[31, 28, 31, 30, 31, 30, [31, 2], 30, 31, 30, 31], 4]
    assert (info["n_objects"], info["n_objects_stored"]) == (24, 24)
    assert info["chunk_key_encoding"] == {"name": "default", "configuration": {"separator": "/"}}
    assert set(info["views"].values()) == {None}


def test_a_chunk_of_another_length_is_an_error_of_that_chunk() -> None:
    data, store = months()
    store.set("c/1/0", store.get("c/0/0"))  # 31 days where 28 are due
    array = open_stored(store)
    assert np.array_equal(array[:31], data[:31])
    with pytest.raises(ChunkError, match="'c/1/0'"):
        array[31:32, 0]


def test_shards_that_inner_chunks_do_not_divide_are_refused_at_once() -> None:
    data = np.zeros((10, 4), "int8")
    chunk_grid = {
        "name": "rectilinear",
        "configuration": {"kind": "inline", "chunk_shapes": [[4, 3, 4], 4]},
    }
    store = writer.write_parts(data, [], chunk_grid, [writer.sharding((2, 2))])
    message = "/zarr.json: chunk_grid: has a chunk of 3 along dimension 0, which inner chunks of 2"
    with pytest.raises(MetadataError, match=message):
        open_stored(store)


def test_any_number_of_chunks_takes_no_memory() -> None:
    length = 10**15
    data = np.zeros((0,), "int8")
    chunk_grid = {
        "name": "rectilinear",
        "configuration": {"kind": "inline", "chunk_shapes": [[[1, length - 5], [2, 9]]]},
    }
    store = writer.write_parts(data, [], chunk_grid)
    document = bytes(store.get("zarr.json")).replace(b'"shape": [0]', b'"shape": [%d]' % length)
    store.set("zarr.json", document)
    store.set(f"c/{length - 5}", b"ab")
    array = open_stored(store)
    assert array[length - 6 : length - 2].tolist() == [0, ord("a"), ord("b"), 0]
    assert array.read_bytes(length - 5, 3) == b"ab\0"
    with pytest.raises(UnsupportedError, match="too many to list"):
        _ = array.chunks


def test_an_array_that_cannot_decode_its_keys_is_read() -> None:
    data = np.arange(12, dtype="int8").reshape(3, 4)
    store = writer.write_v3(data, (1, 2))
    document = bytes(store.get("zarr.json")).replace(
        b'{"name": "default", "configuration": {"separator": "/"}}',
        b'{"name": "template", "configuration": {"format": "{0}{1}.raw"}}',
    )
    store.set("zarr.json", document)
    for row in range(3):
        for column in range(2):
            store.set(f"{row}{column}.raw", store.get(f"c/{row}/{column}"))
    array = open_stored(store)
    assert np.array_equal(array[...], data)
    assert array.nbytes_stored == 12
