from __future__ import annotations

from typing import Any

import numcodecs.registry
import numpy as np
import pytest

from tests.contracts.codec_contract import build
from zarrfs.errors import MetadataError, UnsupportedError

LITTLE = {"name": "bytes", "configuration": {"endian": "little"}}


@pytest.mark.parametrize(
    ("codec_id", "extra"), [("zfpy", "zfpy"), ("pcodec", "pcodec"), ("msgpack2", "msgpack")]
)
def test_codec_whose_package_is_missing_names_the_extra(
    codec_id: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What numcodecs' registry lacks where the package is not installed.
    monkeypatch.delitem(numcodecs.registry.codec_registry, codec_id)
    monkeypatch.delitem(numcodecs.registry.entries, codec_id, raising=False)
    with pytest.raises(UnsupportedError, match=rf"{codec_id}: needs.*'zarrfs\[{extra}\]'"):
        build([f"numcodecs.{codec_id}"], (4,), "f4")


@pytest.mark.parametrize(
    ("first_name", "codec"),
    [
        ("array_to_bytes/zfp", {"name": "zfp", "configuration": {"mode": "reversible"}}),
        ("array_to_bytes/vlen_v2", {"name": "zarrs.vlen_v2"}),
        ("bytes_to_bytes/bz2", {"name": "numcodecs.bz2", "configuration": {"level": 1}}),
        ("bytes_to_bytes/fletcher32", {"name": "numcodecs.fletcher32"}),
    ],
)
def test_codecs_are_known_by_their_first_names(first_name: str, codec: dict[str, Any]) -> None:
    is_text, is_behind = "vlen" in first_name, first_name.startswith("bytes")
    array = np.array(["a", ""], object) if is_text else np.arange(2, dtype="f4")
    stored = set()
    for name in (codec["name"], f"https://codec.zarrs.dev/{first_name}"):
        codecs = [LITTLE] * is_behind + [{**codec, "name": name}]
        pipeline = build(codecs, (2,), array.dtype, fill="" if is_text else 0)
        stored.add(bytes(pipeline.encode(array)))
    assert len(stored) == 1


@pytest.mark.parametrize("place", [0, 1])
def test_unknown_codec_of_numcodecs_is_refused_or_left_out(place: int) -> None:
    codecs: list[Any] = [LITTLE]
    codecs.insert(place, "numcodecs.unheard-of")
    with pytest.raises(UnsupportedError, match="unheard-of: is not known to numcodecs"):
        build(codecs, (4,), "f4")
    codecs[place] = {"name": "numcodecs.unheard-of", "must_understand": False}
    assert build(codecs, (4,), "f4").encoded_nbytes == 16


@pytest.mark.parametrize("codecs", [["numcodecs.pickle"], [LITTLE, "numcodecs.pickle"]])
def test_pickle_is_refused(codecs: list[Any]) -> None:
    with pytest.raises(UnsupportedError, match="decoding can run any program"):
        build(codecs, (4,), object if len(codecs) == 1 else "f4")


def test_configuration_that_numcodecs_refuses_is_an_error_of_the_metadata() -> None:
    codec = {"name": "numcodecs.zlib", "configuration": {"strength": 1}}
    with pytest.raises(MetadataError, match=r"codecs\.numcodecs\.zlib\.strength: is no setting"):
        build([LITTLE, codec], (4,), "f4")
