"""Chunk key encodings by name: those of the specification, proposed ones, and plug-ins'.

Law: ``parse(serialise(encoding), ndim) == encoding``. Spec: Zarr v3 core, "Chunk key encoding".
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from zarrfs.errors import MetadataError, UnsupportedError, ZarrfsError
from zarrfs.format.documents import Json, expect_choice, refuse_unknown, show, take
from zarrfs.format.extensions import Extension, parse_essential_extension
from zarrfs.format.key_encodings import ChunkKeyEncoding, EncodingName, SeparatedKeys, Separator
from zarrfs.format.key_templates import parse_template
from zarrfs.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_LISTED_KEYS = 2**20
"""Keys that are listed to find chunks by them, where an encoding cannot decode; about 200 MB."""

ChunkKeyEncodingParser = Callable[[Extension, int, str], ChunkKeyEncoding]
"""Makes an encoding of an extension, the number of dimensions, and the field that holds it."""

ChunkFinder = Callable[[str], "tuple[int, ...] | None"]

# What the proposed encodings forbid in keys; besides, no part of a key may be empty or a dot.
_UNSAFE = re.compile(r"\.\.|\\|\0|zarr\.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class SuffixKeys(ChunkKeyEncoding):
    """Keys of another encoding, and text behind them, such as ``.tiff``.

    Spec: Zarr extensions, chunk key encoding ``suffix`` (proposed).
    """

    base: ChunkKeyEncoding
    suffix: str
    name: Literal["suffix", "zarrs.default_suffix"] = "suffix"
    """That of zarrs stands for a `base` of ``default``."""

    @property
    def configuration(self) -> Mapping[str, Json]:
        """As in the metadata document."""
        if self.name == "suffix":
            base = serialise_chunk_key_encoding(self.base)
            return {"suffix": self.suffix, "base_encoding": base}
        return {**self.base.configuration, "suffix": self.suffix}

    @property
    def can_decode(self) -> bool:
        """Whether the encoding inside can."""
        return self.base.can_decode

    def encode(self, coords: tuple[int, ...]) -> str:
        """Key of a chunk."""
        return self.base.encode(coords) + self.suffix

    def decode(self, key: str, ndim: int) -> tuple[int, ...] | None:
        """Coordinates of the chunk under `key`, or ``None`` if it is no chunk's key."""
        if not key.endswith(self.suffix):
            return None
        return self.base.decode(key.removesuffix(self.suffix), ndim)


def parse_separator(value: Json, field: str) -> Separator:
    """Parse the character between the coordinates of a chunk key."""
    return cast("Separator", expect_choice(value, ("/", "."), field))


def parse_chunk_key_encoding(extension: Extension, ndim: int, field: str) -> ChunkKeyEncoding:
    """Parse the chunk key encoding of a v3 array of `ndim` dimensions.

    Spec: Zarr v3, "Default chunk key encoding" and "v2 chunk key encoding".

    Raises
    ------
    MetadataError
        If its configuration is malformed, or it spells keys that are none.
    UnsupportedError
        If zarrfs has no such encoding.
    """
    parse = CHUNK_KEY_ENCODINGS.find(extension.name)
    if parse is None:
        names = ", ".join(map(repr, CHUNK_KEY_ENCODINGS.names()))
        reason = f"zarrfs has no chunk key encoding {extension.name!r}; it has {names}"
        raise UnsupportedError(reason, field=field)
    try:
        encoding: object = parse(extension, ndim, field)
        if not isinstance(encoding, ChunkKeyEncoding):
            raise TypeError(f"it made a {type(encoding).__name__}")
        key = encoding.encode((0,) * ndim)
    except ZarrfsError:
        raise
    except Exception as error:  # a plug-in's code, which may fail as it likes
        reason = f"the chunk key encoding {extension.name!r} failed: {error}"
        raise UnsupportedError(reason, field=field) from error
    if _UNSAFE.search(key) or not {"", "."}.isdisjoint(key.split("/")):
        raise MetadataError(f"must give keys below the array, not {show(key)}", field=field)
    return encoding


def serialise_chunk_key_encoding(encoding: ChunkKeyEncoding) -> Json:
    """Write an encoding as the member `chunk_key_encoding` of a v3 document."""
    return {"name": encoding.name, "configuration": dict(encoding.configuration)}


def chunk_finder(encoding: ChunkKeyEncoding, grid_shape: tuple[int, ...]) -> ChunkFinder:
    """Return what finds a chunk of a grid by its key, and ``None`` for any other key.

    Where the encoding cannot decode, all keys of the grid are listed for that.

    Raises
    ------
    UnsupportedError
        If those are more than `MAX_LISTED_KEYS`.
    """
    if encoding.can_decode:

        def find(key: str) -> tuple[int, ...] | None:
            coords = encoding.decode(key, len(grid_shape))
            if coords is None or any(c >= n for c, n in zip(coords, grid_shape, strict=True)):
                return None
            return coords

        return find
    if math.prod(grid_shape) > MAX_LISTED_KEYS:
        reason = f"keys of {encoding.name!r} do not tell which of so many chunks they are"
        raise UnsupportedError(reason, field="chunk_key_encoding")
    chunks = itertools.product(*map(range, grid_shape))
    return {encoding.encode(coords): coords for coords in chunks}.get


# --- the encodings that there are -----------------------------------------------------------


def _parse_separated(extension: Extension, ndim: int, field: str) -> ChunkKeyEncoding:
    """Parse ``default``, whose separator is ``/`` if it gives none, or ``v2``, whose is a dot."""
    refuse_unknown(extension.configuration, ("separator",), f"{field}.configuration")
    usual = "/" if extension.name == "default" else "."
    separator = extension.configuration.get("separator", usual)
    separator = parse_separator(separator, f"{field}.configuration.separator")
    return SeparatedKeys(cast("EncodingName", extension.name), separator)


def _parse_suffix(extension: Extension, ndim: int, field: str) -> ChunkKeyEncoding:
    field = f"{field}.configuration"
    refuse_unknown(extension.configuration, ("suffix", "base_encoding"), field)
    suffix = _parse_suffix_text(extension, field)
    at = f"{field}.base_encoding"
    base = parse_essential_extension(take(extension.configuration, "base_encoding", field), at)
    return SuffixKeys(base=parse_chunk_key_encoding(base, ndim, at), suffix=suffix)


def _parse_default_suffix(extension: Extension, ndim: int, field: str) -> ChunkKeyEncoding:
    field = f"{field}.configuration"
    refuse_unknown(extension.configuration, ("suffix", "separator"), field)
    suffix = _parse_suffix_text(extension, field)
    separator = parse_separator(extension.configuration.get("separator", "/"), f"{field}.separator")
    base = SeparatedKeys("default", separator)
    return SuffixKeys(base=base, suffix=suffix, name="zarrs.default_suffix")


def _parse_suffix_text(extension: Extension, field: str) -> str:
    suffix = take(extension.configuration, "suffix", field)
    if not isinstance(suffix, str):
        raise MetadataError(f"must be a string, not {show(suffix)}", field=f"{field}.suffix")
    return suffix


CHUNK_KEY_ENCODINGS: Registry[ChunkKeyEncodingParser] = Registry(
    "chunk key encoding",
    {
        "default": _parse_separated,
        "suffix": _parse_suffix,
        "template": parse_template,
        "v2": _parse_separated,
        "zarrs.default_suffix": _parse_default_suffix,
    },
    group="zarrfs.chunk_key_encodings",
)
"""Parsers of all chunk key encodings, by name. Each makes a `ChunkKeyEncoding` of the extension,
the number of dimensions, and the dotted field that holds the extension, for messages."""

register_chunk_key_encoding = CHUNK_KEY_ENCODINGS.register
unregister_chunk_key_encoding = CHUNK_KEY_ENCODINGS.unregister
list_chunk_key_encodings = CHUNK_KEY_ENCODINGS.names
chunk_key_encoding_info = CHUNK_KEY_ENCODINGS.info
