"""An open array that was deleted or replaced is told, and not read as fill value or written to."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pytest

import zarrfs
from zarrfs.api.group import open_found
from zarrfs.api.process_engine import process_engine
from zarrfs.arrays.hierarchy import Hierarchy
from zarrfs.errors import MetadataError, NodeNotFoundError, NodeTypeError, StoreError
from zarrfs.stores.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from zarrfs.stores.base import Capabilities

USES: list[Callable[[zarrfs.Array], object]] = [
    lambda z: z[...],
    lambda z: z.__setitem__(..., 1),
    lambda z: z.read_bytes(),
    lambda z: z.resize(2),
    lambda z: z.append([1]),
]


@pytest.fixture
def z(tmp_path: Path) -> zarrfs.Array:
    z = zarrfs.save(tmp_path / "x.zarr/a", np.arange(1, 7, dtype="i4"), chunks=4)
    z.read_bytes()
    return z


@pytest.mark.parametrize("use", USES)
def test_a_deleted_array_is_told(
    z: zarrfs.Array, use: Callable[[zarrfs.Array], object], tmp_path: Path
) -> None:
    shutil.rmtree(tmp_path / "x.zarr/a")
    with pytest.raises(NodeNotFoundError, match="the array was deleted since it was opened"):
        use(z)
    assert not (tmp_path / "x.zarr/a").exists()


@pytest.mark.parametrize("use", USES)
def test_a_store_that_is_gone_is_told(
    z: zarrfs.Array, use: Callable[[zarrfs.Array], object], tmp_path: Path
) -> None:
    shutil.rmtree(tmp_path / "x.zarr")
    with pytest.raises(StoreError, match="No such file or directory"):
        use(z)
    assert not (tmp_path / "x.zarr").exists()


@pytest.mark.parametrize(
    "other",
    [
        {"dtype": "f4"},
        {"chunks": 2},
        {"compressor": None},
        {"fill_value": 5},
        {"dimension_separator": "."},
    ],
)
@pytest.mark.parametrize("use", USES[:3])
def test_another_array_in_its_place_is_told(
    z: zarrfs.Array, use: Callable[[zarrfs.Array], object], tmp_path: Path, other: dict[str, Any]
) -> None:
    wanted = {"dtype": "i4", "chunks": 4, **other}
    zarrfs.save(tmp_path / "x.zarr/a", np.zeros(6), overwrite=True, **wanted)
    with pytest.raises(NodeTypeError, match="'a' was replaced by another one since it was opened"):
        use(z)
    assert not zarrfs.load(tmp_path / "x.zarr/a").any()


def test_a_group_in_its_place_is_told(z: zarrfs.Array, tmp_path: Path) -> None:
    zarrfs.create_group(tmp_path / "x.zarr/a", overwrite=True)
    with pytest.raises(NodeNotFoundError):
        z[...] = 1
    (tmp_path / "x.zarr/a/zarr.json").write_text("{")
    with pytest.raises(MetadataError):
        z[...] = 1


def test_shape_and_attributes_may_change(z: zarrfs.Array, tmp_path: Path) -> None:
    other = zarrfs.open_array(tmp_path / "x.zarr/a")
    other.attributes["units"] = "K"
    other.append([7])
    z[0] = 10
    assert z[...].tolist() == [10, 2, 3, 4, 5, 6]
    assert other[...].tolist() == [10, 2, 3, 4, 5, 6, 7]


def test_nan_as_fill_value_is_the_same_array_still(tmp_path: Path) -> None:
    z = zarrfs.create_array(tmp_path / "x", shape=2, dtype="f4", fill_value=np.nan, zarr_format=2)
    z.attributes["units"] = "K"
    z[0] = 1
    assert z[0] == 1


def test_time_without_unit_as_fill_value_is_the_same_array_still(tmp_path: Path) -> None:
    z = zarrfs.create_array(tmp_path / "x", shape=2, dtype="M8", fill_value=np.datetime64("NaT"))
    document = json.loads((tmp_path / "x/zarr.json").read_text())
    (tmp_path / "x/zarr.json").write_text(json.dumps({**document, "fill_value": 5}))
    z = zarrfs.open_array(tmp_path / "x")
    assert z[...].view("i8").tolist() == [5, 5]


def test_a_store_that_takes_a_request_to_tell_is_not_asked() -> None:
    class Remote(MemoryStore):
        @property
        def capabilities(self) -> Capabilities:
            return replace(super().capabilities, cheap_stat=False)

    zarrfs.save("memory://presence", [1, 2], overwrite=True)
    hierarchy = Hierarchy(Remote("presence"))
    z = open_found(hierarchy, hierarchy.node(""), process_engine())
    assert isinstance(z, zarrfs.Array)
    MemoryStore("presence").delete("zarr.json")
    assert z[...].tolist() == [1, 2]


def test_a_key_encoding_that_equals_only_itself_is_the_same_still(tmp_path: Path) -> None:
    class Dashes(zarrfs.ChunkKeyEncoding):
        name = "test.dashes"
        configuration: ClassVar[dict[str, Any]] = {}

        def encode(self, coords: tuple[int, ...]) -> str:
            return "-".join(map(str, coords))

        def decode(self, key: str, ndim: int) -> tuple[int, ...] | None:
            return tuple(map(int, key.split("-")))

    zarrfs.register_chunk_key_encoding("test.dashes", lambda *arguments: Dashes())
    try:
        z = zarrfs.create_array(
            tmp_path / "x", shape=(2, 2), dtype="u1", chunk_key_encoding="test.dashes"
        )
        z[0, 1] = 5
        assert z[...].tolist() == [[0, 5], [0, 0]]
    finally:
        zarrfs.unregister_chunk_key_encoding("test.dashes")
