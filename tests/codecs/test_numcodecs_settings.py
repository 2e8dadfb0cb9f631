from __future__ import annotations

from typing import Any

import numcodecs
import pytest

from zarrfs.codecs.numcodecs_settings import check_settings
from zarrfs.errors import MetadataError


def check(codec_id: str, **configuration: Any) -> None:
    codec_class = numcodecs.registry.codec_registry[codec_id]
    check_settings(codec_id, codec_class, configuration, "x")


@pytest.mark.parametrize(
    ("codec_id", "configuration"),
    [
        ("zlib", {}),
        ("zlib", {"level": -1}),
        ("zlib", {"level": None}),
        ("zstd", {"level": 100}),
        ("blosc", {"cname": "lz4", "clevel": 9, "shuffle": -1, "blocksize": 0}),
        ("lzma", {"format": 3, "filters": [{"id": 3}], "preset": None}),
        ("fixedscaleoffset", {"offset": 0, "scale": 0.1, "dtype": "<f4", "astype": "<u1"}),
        ("vlen-utf8", {}),
    ],
)
def test_settings_that_numcodecs_has_are_taken(
    codec_id: str, configuration: dict[str, Any]
) -> None:
    check(codec_id, **configuration)


@pytest.mark.parametrize(
    ("codec_id", "configuration", "message"),
    [
        ("zlib", {"level": 10}, "x.level: must be an integer from -1 to 9, not 10"),
        ("zlib", {"level": "9"}, 'x.level: must be an integer from -1 to 9, not "9"'),
        ("bz2", {"level": 0}, "x.level: must be an integer from 1 to 9, not 0"),
        ("blosc", {"cname": "brotli"}, 'x.cname: must be "blosclz" or "lz4" or "lz4hc"'),
        ("blosc", {"shuffle": 3}, "x.shuffle: must be an integer from -1 to 2, not 3"),
        ("crc32", {"location": "middle"}, 'x.location: must be "start" or "end", not "middle"'),
        (
            "fixedscaleoffset",
            {"offset": 0, "scale": float("inf"), "dtype": "<f4"},
            "x.scale: must be a finite number, not Infinity",
        ),
        ("zlib", {"speed": 1}, 'x.speed: is no setting of numcodecs\' zlib; it has "level"'),
        ("vlen-utf8", {"a": 1}, "x.a: is no setting of numcodecs' vlen-utf8; it has none"),
        ("packbits", {"a": 1}, "x.a: is no setting of numcodecs' packbits; it has none"),
        ("astype", {"decode_dtype": "<f4"}, "x.encode_dtype: is missing"),
        ("delta", {"dtype": []}, "x.dtype: must be a non-empty string, not []"),
        ("delta", {"dtype": "<q9"}, 'x.dtype: must be a type string of NumPy, not "<q9"'),
        ("delta", {"dtype": "(2,"}, 'x.dtype: must be a type string of NumPy, not "(2,"'),
        (
            "quantize",
            {"digits": 1, "dtype": "<f8", "astype": "S"},
            'x.astype: must be a type of some bytes, not "S"',
        ),
    ],
)
def test_wrong_settings_are_refused_by_name(
    codec_id: str, configuration: dict[str, Any], message: str
) -> None:
    with pytest.raises(MetadataError) as raised:
        check(codec_id, **configuration)
    assert str(raised.value).startswith(message)
