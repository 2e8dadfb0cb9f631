"""Arrays of Zarr v3 whose codecs cannot be."""

from __future__ import annotations

from typing import Any

from tests.refusals.refusal import ABSENT, BYTES, Refusal, codec, sharding, v3
from zarrfs.errors import MetadataError, UnsupportedError, ZarrfsError


def after(
    name: str, *words: str, error: type[ZarrfsError] = MetadataError, **configuration: Any
) -> Refusal:
    """Refuse a codec of bytes for its configuration."""
    label = "-".join((name, *(f"{key}-{value}" for key, value in configuration.items())))
    label = "".join(c if c.isalnum() or c in "-_." else "-" for c in label)
    return v3(
        f"codec-{label}", name, *words, codecs=[BYTES, codec(name, configuration)], error=error
    )


def before(
    name: str,
    *words: str,
    label: str = "",
    error: type[ZarrfsError] = MetadataError,
    **configuration: Any,
) -> Refusal:
    """Refuse a codec of arrays for its configuration."""
    return v3(
        f"codec-{name}-{label or '-'.join(configuration)}",
        name,
        *words,
        codecs=[codec(name, configuration), BYTES],
        error=error,
    )


def shard(
    name: str, *words: str, error: type[ZarrfsError] = MetadataError, **changes: Any
) -> Refusal:
    """Refuse a sharded array for the sharding codec's configuration."""
    return v3(f"shard-{name}", *words, codecs=[sharding(**changes)], error=error)


def nested(depth: int) -> dict[str, Any]:
    """Return shards inside each other."""
    codec = BYTES
    for _ in range(depth):
        codec = sharding(chunk_shape=[4], codecs=[codec])
    return codec


CASES = (
    # --- which, and in what order --------------------------------------------------------------
    v3(
        "codec-unknown",
        "codecs",
        "zarrfs has no codec 'rot13'",
        codecs=[BYTES, "rot13"],
        error=UnsupportedError,
    ),
    v3(
        "codec-optional",
        "codecs.zarrs.optional",
        "private",
        codecs=[BYTES, codec("zarrs.optional", {})],
        error=UnsupportedError,
    ),
    v3(
        "codec-gdeflate",
        "codecs",
        "gdeflate",
        codecs=[BYTES, "zarrs.gdeflate"],
        error=UnsupportedError,
    ),
    v3(
        "codec-numcodecs-unknown",
        "numcodecs.nonsense",
        codecs=[BYTES, "numcodecs.nonsense"],
        error=UnsupportedError,
    ),
    v3(
        "codec-pickle",
        "pickle",
        "refused",
        codecs=["numcodecs.pickle"],
        data_type="string",
        fill_value="",
        error=UnsupportedError,
    ),
    v3(
        "codecs-without-bytes",
        "codecs: no codec makes bytes of the array",
        "'transpose'",
        codecs=[codec("transpose", {"order": [0]})],
    ),
    v3("codecs-only-compress", "codecs", "'zstd' encodes bytes", codecs=["zstd"]),
    v3("codecs-bytes-twice", "codecs", "'bytes' encodes arrays", codecs=[BYTES, BYTES]),
    v3(
        "codecs-transpose-last",
        "codecs",
        "'transpose' encodes arrays",
        codecs=[BYTES, codec("transpose", {"order": [0]})],
    ),
    v3("codecs-compress-first", "codecs", "'gzip' encodes bytes", codecs=["gzip", BYTES]),
    v3(
        "codecs-only-unknown-optional",
        "codecs",
        "no codec makes bytes",
        codecs=[{"name": "x", "must_understand": False}],
    ),
    v3(
        "codec-bytes-of-text",
        "codecs.bytes",
        "variable length",
        codecs=["bytes"],
        data_type="string",
        fill_value="",
    ),
    v3("codec-utf8-of-numbers", "vlen-utf8", codecs=["vlen-utf8"]),
    # --- configurations ------------------------------------------------------------------------
    v3(
        "codec-bytes-endian",
        'codecs.bytes.endian: must be "little" or "big", not "middle"',
        codecs=[codec("bytes", {"endian": "middle"})],
    ),
    v3("codec-bytes-no-endian", "codecs.bytes.endian: is missing", codecs=["bytes"]),
    v3(
        "codec-bytes-no-endian-of-complex",
        "codecs.bytes.endian: is missing",
        "complex_bfloat16",
        codecs=["bytes"],
        data_type="complex_bfloat16",
        fill_value=[0, 0],
    ),
    v3(
        "codec-configuration-null",
        "codecs[1].configuration: must be an object, not null",
        codecs=[BYTES, codec("crc32c", None)],
    ),
    v3("codec-of-draft", "codecs[0].name: is missing", codecs=[{"codec": "bytes"}]),
    v3(
        "codec-member",
        "codecs[0].endian: is unknown",
        codecs=[{"name": "bytes", "endian": "little"}],
        error=UnsupportedError,
    ),
    v3(
        "codec-bytes-member",
        "codecs.bytes.indian: is unknown",
        codecs=[codec("bytes", {"indian": "little"})],
        error=UnsupportedError,
    ),
    after("zstd", "level: must be an integer from -131072 to 22, not 99", level=99),
    after("zstd", "checksum: must be true or false, not 1", level=1, checksum=1),
    after("gzip", "level: must be an integer from 0 to 9, not 10", level=10),
    after("gzip", 'level: must be an integer from 0 to 9, not "fast"', level="fast"),
    after("blosc", "cname: must be", "brotli", cname="brotli"),
    after("blosc", "clevel: must be an integer from 0 to 9, not -1", clevel=-1),
    after("blosc", "shuffle: must be", "not 1", shuffle=1),
    after("blosc", "typesize: must be an integer", "not 0", typesize=0, shuffle="bitshuffle"),
    after("blosc", "blocksize: must be an integer", "not -1", blocksize=-1),
    after("crc32c", "level: is unknown", level=1, error=UnsupportedError),
    after("numcodecs.zlib", "level", "99", level=99),
    after("numcodecs.shuffle", "elementsize", "-1", elementsize=-1),
    before(
        "transpose",
        "order: must hold each of the 1 dimensions once, not [0, 0]",
        label="twice",
        order=[0, 0],
    ),
    before(
        "transpose",
        "order: must hold each of the 1 dimensions once, not [1]",
        label="out-of-range",
        order=[1],
    ),
    before("transpose", "order: must be a list of integers", '"K"', label="K", order="K"),
    before("transpose", "order: is missing", label="no-order"),
    before("reshape", "shape: cannot give", "[4]", "[3]", label="size", shape=[3]),
    before("reshape", "shape: holds -1 more than once", label="two-unknown", shape=[-1, -1]),
    before("reshape", "shape[0]: names dimensions of 1, not [1]", label="dimension", shape=[[1]]),
    before("reshape", "shape[0]: must be a length", "not 0", label="zero", shape=[0, 4]),
    before("bitround", "keepbits: must be an integer ≥ 1, not 0", label="0", keepbits=0),
    before("bitround", "keepbits: is missing", label="missing"),
    before("cast_value", "data_type", label="missing"),
    before(
        "cast_value",
        "data_type",
        "nonsense",
        label="type",
        data_type="nonsense",
        error=UnsupportedError,
    ),
    before(
        "cast_value",
        "rounding",
        "sideways",
        label="rounding",
        data_type="int8",
        rounding="sideways",
    ),
    before(
        "cast_value",
        "speed: must not be there",
        label="reserved",
        data_type="int8",
        speed={"must_understand": False},
    ),
    before(
        "cast_value",
        "scalar_map.encode[0]: must be [input, output], not [1]",
        label="map",
        data_type="uint8",
        scalar_map={"encode": [[1]]},
    ),
    before(
        "cast_value",
        "out_of_range",
        "explode",
        label="range",
        data_type="int8",
        out_of_range="explode",
    ),
    before("scale_offset", "scale", "0", label="zero", scale=0),
    before("scale_offset", "offset", "300000000000", label="offset", offset=300000000000),
    v3(
        "codec-packbits-range",
        "codecs.packbits",
        "first_bit",
        "9",
        codecs=[codec("packbits", {"first_bit": 9, "last_bit": 3})],
        data_type="uint8",
    ),
    v3(
        "codec-packbits-padding",
        "codecs.packbits.padding_encoding: must be",
        "sometimes",
        codecs=[codec("packbits", {"padding_encoding": "sometimes"})],
        data_type="bool",
        fill_value=False,
    ),
    v3(
        "codec-packbits-of-text",
        "codecs.packbits",
        codecs=["packbits"],
        data_type="string",
        fill_value="",
    ),
    v3(
        "codec-zfp-mode",
        "codecs.zfp.mode: must be",
        '"magic"',
        codecs=[codec("zfp", {"mode": "magic"})],
    ),
    v3(
        "codec-zfp-type",
        "codecs.zfp: cannot encode elements of type complex64",
        codecs=[codec("zfp", {"mode": "reversible"})],
        data_type="complex64",
        fill_value=[0, 0],
    ),
    v3("codec-zfp-rate", "codecs.zfp.rate", codecs=[codec("zfp", {"mode": "fixed_rate"})]),
    v3(
        "codec-pcodec-level",
        "numcodecs.pcodec",
        "level",
        "99",
        codecs=[codec("numcodecs.pcodec", {"level": 99})],
    ),
    v3(
        "codec-zfpy-mode",
        "numcodecs.zfpy",
        "mode",
        "17",
        codecs=[codec("numcodecs.zfpy", {"mode": 17})],
        data_type="float32",
    ),
    # --- shards --------------------------------------------------------------------------------
    shard("no-chunk-shape", "chunk_shape: is missing", chunk_shape=ABSENT),
    shard(
        "chunk-shape", "chunk_shape: must divide the shard's shape [4], unlike [3]", chunk_shape=[3]
    ),
    shard("chunk-0", "chunk_shape: must be a list of integers ≥ 1, not [0]", chunk_shape=[0]),
    shard(
        "of-2-dimensions",
        "chunk_shape: must divide the shard's shape [4]",
        "[2, 2]",
        chunk_shape=[2, 2],
    ),
    shard("no-codecs", "codecs: is missing", codecs=ABSENT),
    shard("codecs-empty", "codecs", codecs=[]),
    shard(
        "codec-unknown",
        "zarrfs has no codec 'rot13'",
        codecs=[BYTES, "rot13"],
        error=UnsupportedError,
    ),
    shard("no-index-codecs", "index_codecs: is missing", index_codecs=ABSENT),
    shard(
        "index-compressed",
        "index_codecs: must give the index a fixed size",
        index_codecs=[BYTES, "gzip"],
        error=UnsupportedError,
    ),
    shard("index-of-nothing", "index_codecs", index_codecs=[]),
    shard("index-no-endian", "index_codecs.bytes.endian: is missing", index_codecs=["bytes"]),
    shard("inner-no-endian", "codecs.bytes.endian: is missing", codecs=["bytes"]),
    shard("codecs-twice", "'bytes' encodes arrays", codecs=[BYTES, BYTES]),
    shard(
        "index-in-the-middle",
        'index_location: must be "start" or "end", not "middle"',
        index_location="middle",
    ),
    shard("member", "index_place: is unknown", index_place="end", error=UnsupportedError),
    v3(
        "shard-300-deep",
        "codecs: stand inside each other, too many levels deep",
        codecs=[nested(300)],
    ),
    v3(
        "shard-of-too-many",
        "inner chunks",
        codecs=[sharding(chunk_shape=[1])],
        shape=[2**62],
        chunk_grid=codec("regular", {"chunk_shape": [2**62]}),
    ),
    v3(
        "rectilinear-shard",
        "chunk_grid: has a chunk of 3 along dimension 0, which inner chunks of 2 do not divide",
        codecs=[sharding()],
        shape=[7],
        chunk_grid=codec("rectilinear", {"kind": "inline", "chunk_shapes": [[4, 3]]}),
    ),
)
