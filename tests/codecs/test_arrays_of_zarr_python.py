"""Chunks that zarr-python wrote with codecs of numcodecs, and chunks that it reads."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import zarr
import zarr.codecs.numcodecs
from zarr.core.buffer import default_buffer_prototype
from zarr.core.sync import sync
from zarr.storage import MemoryStore

from tests.contracts.codec_contract import build

Steps = list[tuple[str, dict[str, Any]]]

pytestmark = [
    pytest.mark.interop,
    # zarr-python warns of codecs that are not in the specification whenever it makes one.
    pytest.mark.filterwarnings("ignore:Numcodecs codecs are not in the Zarr version 3"),
]


def make(steps: Steps) -> list[Any]:
    return [getattr(zarr.codecs.numcodecs, name)(**configuration) for name, configuration in steps]


@pytest.mark.parametrize(
    ("dtype", "filters", "serializer", "compressors"),
    [
        ("i4", [("Delta", {"dtype": "<i4"})], [], []),
        ("i4", [("Delta", {"dtype": "<i4", "astype": "<i2"})], [], [("Zlib", {"level": 1})]),
        ("f4", [("BitRound", {"keepbits": 10})], [], []),
        ("f4", [("FixedScaleOffset", {"offset": 0, "scale": 100, "astype": "u1"})], [], []),
        ("f4", [("Quantize", {"digits": 2})], [], []),
        ("f4", [("AsType", {"encode_dtype": "f8"})], [], [("Zstd", {"level": 1})]),
        ("bool", [("PackBits", {})], [], []),
        ("f4", [], [("ZFPY", {"mode": 4, "tolerance": 0.01})], []),
        ("f8", [], [("PCodec", {})], [("GZip", {})]),
        ("i8", [], [], [("Shuffle", {}), ("Zlib", {}), ("CRC32C", {})]),
        ("i8", [], [], [("LZMA", {}), ("Adler32", {})]),
        ("i8", [], [], [("Blosc", {}), ("Fletcher32", {})]),
        ("i8", [], [], [("LZ4", {}), ("JenkinsLookup3", {})]),
        ("i8", [], [], [("BZ2", {}), ("CRC32", {})]),
    ],
)
def test_chunks_of_zarr_python_are_read_and_written_as_it_does(
    dtype: str, filters: Steps, serializer: Steps, compressors: Steps
) -> None:
    store = MemoryStore()
    ours = np.linspace(0, 2, 24).reshape(4, 6).astype(dtype)
    array = zarr.create_array(
        store,
        shape=(4, 6),
        chunks=(4, 6),
        dtype=dtype,
        fill_value=1,
        filters=make(filters) or None,
        serializer=(make(serializer) or ["auto"])[0],
        compressors=make(compressors) or None,
    )
    array[...] = ours
    stored = _get(store, "c/0/0")
    pipeline = build(json.loads(_get(store, "zarr.json"))["codecs"], (4, 6), dtype)
    decoded = pipeline.decode(stored)
    assert decoded.tobytes() == np.asarray(array[...]).tobytes()
    if dtype != "f4":  # else the codecs lose some, and need not lose nothing the second time
        assert decoded.tobytes() == ours.tobytes()
    _set(store, "c/0/0", bytes(pipeline.encode(ours)))
    assert np.asarray(array[...]).tobytes() == decoded.tobytes()


def test_variable_length_text_of_zarr_python_is_read() -> None:
    store = MemoryStore()
    array = zarr.create_array(store, shape=(3,), chunks=(3,), dtype=str)
    array[...] = np.array(["a", "", "日本"])
    pipeline = build(json.loads(_get(store, "zarr.json"))["codecs"], (3,), object, fill="")
    assert pipeline.decode(_get(store, "c/0")).tolist() == ["a", "", "日本"]


def _get(store: MemoryStore, key: str) -> bytes:
    value = sync(store.get(key, default_buffer_prototype()))
    assert value is not None
    return value.to_bytes()


def _set(store: MemoryStore, key: str, data: bytes) -> None:
    sync(store.set(key, default_buffer_prototype().buffer.from_bytes(data)))
