from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import zarr

from zarrfs.api.inspection import node_info
from zarrfs.errors import NodeNotFoundError
from zarrfs.stores.memory import MemoryStore

if TYPE_CHECKING:
    from pathlib import Path


def test_an_array_is_told_with_its_chunks_and_bytes(store: Path) -> None:
    info = node_info(store / "sharded")

    assert json.loads(json.dumps(info, allow_nan=False)) == info
    assert (info["kind"], info["shape"], info["data_type"]) == ("array", [16, 16], "int16")
    assert (info["chunk_shape"], info["shard_shape"]) == ([4, 4], [8, 8])
    assert (info["n_objects"], info["n_objects_stored"], info["nbytes"]) == (4, 4, 512)
    assert 0 < info["nbytes_stored"] < 2000
    assert info["views"] == {"bin": None, "npy": None}


def test_a_group_is_told_with_its_children(store: Path) -> None:
    info = node_info(store)

    assert info["kind"] == "group"
    assert info["attributes"] == {"title": "weather"}
    assert info["children"] == {"deep": "group", "sharded": "array", "t": "array"}


def test_an_array_without_fixed_size_says_why_it_has_no_file(tmp_path: Path) -> None:
    zarr.create_array(tmp_path / "s.zarr", shape=(3,), dtype=str)

    info = node_info(tmp_path / "s.zarr")
    views = info["views"]

    assert info["nbytes"] is None
    assert set(views) == {"bin", "npy"}
    assert all("no fixed size" in why for why in views.values())


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (b"{", "a/zarr.json: "),
        (b'{"zarr_format": 4}', "zarr_format"),
        (
            b'{"zarr_format": 3, "node_type": "array", "shape": [-1], "data_type": "uint8",'
            b' "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [2]}},'
            b' "chunk_key_encoding": {"name": "default"}, "fill_value": 3, "codecs": ["bytes"]}',
            "shape",
        ),
        (
            b'{"zarr_format": 3, "node_type": "array", "shape": [1], "data_type": "int1000",'
            b' "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [2]}},'
            b' "chunk_key_encoding": {"name": "default"}, "fill_value": 3, "codecs": ["bytes"]}',
            "int1000",
        ),
    ],
)
def test_a_node_that_cannot_be_read_says_why(document: bytes, words: str) -> None:
    store = MemoryStore("api-test-broken")
    store.set("a/zarr.json", document)

    info = node_info("memory://api-test-broken/a")

    assert info["kind"] == "unreadable"
    assert words in info["error"]
    assert info["views"] == {"bin": info["error"], "npy": info["error"]}


def test_an_array_with_an_unknown_codec_is_told_all_the_same() -> None:
    store = MemoryStore("api-test-codec")
    store.set(
        "zarr.json",
        b'{"zarr_format": 3, "node_type": "array", "shape": [4], "data_type": "uint8",'
        b' "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [2]}},'
        b' "chunk_key_encoding": {"name": "default"}, "fill_value": 3,'
        b' "codecs": ["bytes", "shrink"]}',
    )

    info = node_info("memory://api-test-codec")

    assert (info["kind"], info["shape"], info["chunk_shape"]) == ("array", [4], [2])
    assert all("shrink" in why for why in info["views"].values())


def test_a_path_without_a_node_says_so() -> None:
    MemoryStore("api-test-empty").set("x/y", b"")

    with pytest.raises(NodeNotFoundError, match="memory://api-test-empty/x"):
        node_info("memory://api-test-empty/x")
