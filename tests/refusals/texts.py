"""Metadata documents that are no JSON, or hardly."""

from __future__ import annotations

from tests.refusals.refusal import ARRAY_V3, BYTES, GOOD, Refusal, codec, document
from zarrfs.errors import MetadataError, UnsupportedError, ZarrfsError

DEPTH = 100_000


def text(
    name: str,
    data: bytes,
    *words: str,
    key: str = "zarr.json",
    error: type[ZarrfsError] = MetadataError,
) -> Refusal:
    """Refuse a document for its bytes."""
    files = {key: data}
    if key == ".zattrs":
        files[".zarray"] = b"{}"
    return Refusal(name=f"text-{name}", files=files, error=error, words=words)


def attributes(raw: bytes) -> bytes:
    """Return a good document, but for these bytes as an attribute."""
    return GOOD[:-1] + b', "attributes": {"x": ' + raw + b"}}"


CASES = (
    text("empty", b"", "zarr.json: not JSON", "line 1, column 1"),
    text("blank", b" \n\n", "zarr.json: not JSON", "line 3, column 1"),
    text("word", b"zarr", "zarr.json: not JSON", "line 1, column 1"),
    text("number", b"3", "zarr.json: must be a JSON object, not 3"),
    text("list", b"[]", "zarr.json: must be a JSON object, not []"),
    text("null", b"null", "zarr.json: must be a JSON object, not null"),
    text("truncated", GOOD[: len(GOOD) // 2], "zarr.json: not JSON", "line 1, column"),
    text("followed", GOOD + b"}", "zarr.json: not JSON: Extra data", "column"),
    text("zeros", bytes(4096), "zarr.json: not JSON", "line 1, column 1"),
    text("latin-1", GOOD.replace(b"int32", b"int\xe932"), "zarr.json: not UTF-8", "at byte"),
    text("utf-16", GOOD.decode().encode("utf-16"), "zarr.json: not UTF-8", "at byte 0"),
    text("gzip", b"\x1f\x8b\x08\x00", "zarr.json: not UTF-8", "at byte 1"),
    text("utf-16-unmarked", GOOD.decode().encode("utf-16-le"), "zarr.json: not JSON", "column 2"),
    text("comment", b"// good\n" + GOOD, "zarr.json: not JSON", "line 1, column 1"),
    text("comma-at-the-end", GOOD[:-1] + b",}", "zarr.json: not JSON", "column"),
    text("control-character", GOOD.replace(b"int32", b"int\x0132"), "zarr.json: not JSON"),
    text("surrogate-bytes", GOOD.replace(b"int32", b"int\xed\xa0\x8032"), "zarr.json: not UTF-8"),
    text("hexadecimal", GOOD.replace(b"[4]", b"[0x4]"), "zarr.json: not JSON"),
    text("exponent", GOOD.replace(b"[4]", b"[4e0]"), "shape: must be a list of integers", "[4.0]"),
    text("word-nan", GOOD.replace(b'": 0', b'": NaN'), "fill_value: must be an integer", "NaN"),
    text(
        "twice-escaped", GOOD[:-1] + b', "sh\\u0061pe": [4]}', "shape: stands twice in one object"
    ),
    text("twice", b'{"shape": 1, "shape": 2}', "shape: stands twice in one object"),
    text("twice-inside", attributes(b'{"a": 1, "a": 2}'), "a: stands twice in one object"),
    text("deep-lists", attributes(b"[" * DEPTH + b"]" * DEPTH), "nested too deeply"),
    text("deep-objects", attributes(b'{"a":' * DEPTH + b"1" + b"}" * DEPTH), "nested too deeply"),
    text("deep-unclosed", b"[" * 1_000_000, "nested too deeply"),
    text("long-number", attributes(b"9" * 100_000), "a number has too many digits"),
    text(
        "long-shape",
        document(ARRAY_V3, {}).replace(b"[4]", b"[" + b"9" * 100_000 + b"]"),
        "a number has too many digits",
    ),
    text("50-megabytes", b'{"' + b"x" * (50 << 20) + b'": 1}', "zarr_format: is missing"),
    text(
        "100000-members",
        b"{" + b",".join(b'"%d": 0' % i for i in range(100_000)) + b"}",
        "zarr_format: is missing",
    ),
    text(
        "50-megabytes-of-lists",
        attributes(b"[" + b"[]," * ((50 << 20) // 3) + b"[]]"),
        "values; zarrfs reads up to",
    ),
    text(
        "70-megabytes", GOOD + b" " * (70 << 20), "bytes; zarrfs reads documents of up to 67108864"
    ),
    text(
        "long-name",
        document(ARRAY_V3, {"y" * 100_000: 1}),
        "yyy",
        "is unknown",
        error=UnsupportedError,
    ),
    text(
        "line-feed-in-name",
        document(ARRAY_V3, {"a\nb\x1b[2J": 1}),
        "is unknown",
        error=UnsupportedError,
    ),
    text("nul-in-name", document(ARRAY_V3, {"a\0b": 1}), "is unknown", error=UnsupportedError),
    text(
        "surrogate-in-name",
        document(ARRAY_V3, {"\udc80": 1}),
        "\\udc80",
        "is unknown",
        error=UnsupportedError,
    ),
    text(
        "surrogate",
        document(ARRAY_V3, {"data_type": "\udc80"}),
        "data_type: zarrfs has no data type",
        error=UnsupportedError,
    ),
    text(
        "line-feed",
        document(ARRAY_V3, {"data_type": "a\nb"}),
        "data_type: zarrfs has no data type",
        error=UnsupportedError,
    ),
    text(
        "long-word",
        document(ARRAY_V3, {"data_type": "q" * 100_000}),
        "data_type: zarrfs has no data type",
        error=UnsupportedError,
    ),
    text(
        "long-codec",
        document(ARRAY_V3, {"codecs": ["q" * 100_000]}),
        "codecs",
        "zarrfs has no codec",
        error=UnsupportedError,
    ),
    text(
        "nan-shape", document(ARRAY_V3, {"shape": [float("nan")]}), "shape: must be a list", "NaN"
    ),
    text(
        "infinite-chunks",
        document(
            ARRAY_V3,
            {"chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [float("inf")]}}},
        ),
        "chunk_shape: must be a list",
        "Infinity",
    ),
    text("attributes-v2", b"[1]", ".zattrs: must be a JSON object, not [1]", key=".zattrs"),
)

# Unusual, and read all the same.
ODD = {
    "byte-order-mark": b"\xef\xbb\xbf" + GOOD,
    "nan-in-attributes": attributes(b"NaN"),
    "spaces": GOOD + b" " * 100_000,
    "nul-in-attributes": attributes(b'{"a\\u0000b": 1}'),
    "surrogate-in-attributes": attributes(b'"\\udc80"'),
    "escaped-name": GOOD.replace(b'"shape"', b'"sh\\u0061pe"'),
    "consolidated-metadata-of-an-array": document(ARRAY_V3, {"consolidated_metadata": None}),
    "storage-transformer-that-may-be-left-out": document(
        ARRAY_V3, {"storage_transformers": [{"name": "cache", "must_understand": False}]}
    ),
    "blosc-without-shuffling": document(
        ARRAY_V3,
        {"codecs": [BYTES, codec("blosc", {"shuffle": "noshuffle", "typesize": 0})]},
    ),
    "short-names": document(
        ARRAY_V3,
        {"chunk_key_encoding": "default", "codecs": [BYTES, "crc32c", "gzip"]},
    ),
    "objects-for-names": document(
        ARRAY_V3,
        {
            "data_type": {"name": "int32", "configuration": {}},
            "codecs": [{**BYTES, "must_understand": True}, codec("crc32c", {})],
        },
    ),
    "odd-names-of-dimensions": document(ARRAY_V3, {"dimension_names": ['\u03bb/"x']}),
    "null-in-place-of-optional-members": document(
        ARRAY_V3, {"attributes": None, "dimension_names": None, "storage_transformers": None}
    ),
    "unknown-member-that-may-be-ignored": document(ARRAY_V3, {"extra": {"must_understand": False}}),
}
