from __future__ import annotations

from typing import Any

import numcodecs.registry
import numpy as np
import pytest

import zarrfs
from zarrfs.codecs.base import ChunkSpec
from zarrfs.errors import MetadataError, RegistrationError, UnsupportedError


@pytest.mark.parametrize(
    ("name", "kind", "extra"),
    [
        ("zstd", "bytes -> bytes", None),
        ("transpose", "array -> array", None),
        ("sharding_indexed", "array -> bytes", None),
        ("zfp", "array -> bytes", "zfpy"),
        ("numcodecs.delta", "array -> array", None),
        ("numcodecs.lz4", "bytes -> bytes", None),
        ("numcodecs.pcodec", "array -> bytes", "pcodec"),
        ("numcodecs.json2", "array -> bytes", None),
    ],
)
def test_built_in_codecs_tell_what_they_are(name: str, kind: str, extra: str | None) -> None:
    info = zarrfs.codec_info(name)
    assert (info.name, info.kind, info.extra, info.origin) == (name, kind, extra, "built in")
    assert info.is_available
    assert info.description
    assert ":" in info.provider


def test_all_codecs_that_are_listed_have_an_entry_and_are_available_with_all_extras() -> None:
    names = zarrfs.list_codecs()
    assert {"bytes", "gzip", "numcodecs.zlib", "sharding_indexed"} <= set(names)
    assert not any(name.endswith("*") for name in names)
    assert "numcodecs.pickle" not in names
    assert [zarrfs.codec_info(name).name for name in names] == names
    assert zarrfs.available_codecs() == names


def test_codec_of_a_package_that_is_missing_names_the_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(numcodecs.registry.codec_registry, "pcodec")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    for name, extra in (("numcodecs.pcodec", "pcodec"), ("zfp", "zfpy")):
        info = zarrfs.codec_info(name)
        assert (info.is_available, info.extra) == (False, extra)
        assert name in zarrfs.list_codecs()
        assert name not in zarrfs.available_codecs()


@pytest.mark.parametrize("name", ["lz4", "unheard-of", "numcodecs.unheard-of", "numcodecs.pickle"])
def test_unknown_codec_has_no_entry(name: str) -> None:
    with pytest.raises(RegistrationError, match=f"codec '{name}' is not known"):
        zarrfs.codec_info(name)


@pytest.mark.parametrize(
    ("name", "configuration"),
    [
        ("bytes", {"endian": "big"}),
        ("gzip", None),
        ("zstd", {"level": 5, "checksum": True}),
        ("transpose", {"order": [2, 0, 1]}),
        ("bitround", {"keepbits": 3}),
        ("vlen-utf8", {}),
        ("numcodecs.packbits", {}),
        ("numcodecs.vlen-bytes", {}),
        (
            "sharding_indexed",
            {
                "chunk_shape": [2, 3],
                "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}],
                "index_codecs": [{"name": "bytes", "configuration": {"endian": "little"}}],
            },
        ),
    ],
)
def test_right_configurations_are_found_right(name: str, configuration: Any) -> None:
    zarrfs.validate_codec(name, configuration)


@pytest.mark.parametrize(
    ("name", "configuration", "field"),
    [
        ("gzip", {"level": 99}, "codecs.gzip.level"),
        ("blosc", {"cname": "lz5"}, "codecs.blosc.cname"),
        ("transpose", {"order": [0, 0]}, "codecs.transpose.order"),
        ("transpose", {"order": [0] * 40}, "codecs.transpose.order"),
        ("crc32c", {"level": 1}, "codecs.crc32c.level"),
        ("numcodecs.zlib", {"strength": 1}, "codecs.numcodecs.zlib.strength"),
    ],
)
def test_wrong_configurations_name_the_member(
    name: str, configuration: dict[str, Any], field: str
) -> None:
    with pytest.raises(MetadataError) as caught:
        zarrfs.validate_codec(name, configuration)
    assert caught.value.field == field


def test_configuration_can_be_held_against_what_is_to_be_encoded() -> None:
    chunk = ChunkSpec(shape=(4, 6), dtype=np.dtype("i4"), fill_value=np.int32())
    zarrfs.validate_codec("transpose", {"order": [1, 0]}, spec=chunk)
    with pytest.raises(MetadataError, match="each of the 2 dimensions"):
        zarrfs.validate_codec("transpose", {"order": [2, 1, 0]}, spec=chunk)


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("zst", "did you mean 'zstd'"),
        ("lz4", "did you mean 'numcodecs.lz4'"),
        ("unheard-of", "'unheard-of'; a codec"),
    ],
)
def test_unknown_codec_names_those_alike_and_how_to_get_it(name: str, advice: str) -> None:
    with pytest.raises(UnsupportedError, match=f"{advice}.*zarrfs.register_codec"):
        zarrfs.validate_codec(name)
