"""Chunk coordinates <-> store keys, relative to the array's own prefix.

Spec: Zarr v3 core, "Chunk key encoding"; Zarr v2, "Storage", `dimension_separator`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from zarrfs.errors import UnsupportedError
from zarrfs.format.documents import Json, expect_choice, refuse_unknown

if TYPE_CHECKING:
    from zarrfs.format.extensions import Extension

EncodingName = Literal["default", "v2"]
Separator = Literal["/", "."]

_DEFAULT_SEPARATORS = {"default": "/", "v2": "."}

# As many digits as 2**63 - 1 has; longer names are no chunk's (and slow to turn into integers).
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class ChunkKeyEncoding:
    """``default`` (``c/0/1``) or ``v2`` (``0.1``), with either separator."""

    name: EncodingName
    separator: Separator

    def encode(self, coords: tuple[int, ...]) -> str:
        """Key of a chunk; the only chunk of a 0-d array is ``c`` or ``0``."""
        numbers = self.separator.join(map(str, coords))
        if self.name == "v2":
            return numbers or "0"
        return f"c{self.separator}{numbers}" if numbers else "c"

    def decode(self, key: str, ndim: int) -> tuple[int, ...] | None:
        """Coordinates of the chunk under `key`, or ``None`` if it is no chunk's key."""
        parts = key.split(self.separator)
        if self.name == "default" and parts.pop(0) != "c":
            return None
        if self.name == "v2" and ndim == 0:
            return () if key == "0" else None
        if len(parts) != ndim or not all(_NUMBER.fullmatch(part) for part in parts):
            return None
        return tuple(map(int, parts))


def parse_separator(value: Json, field: str) -> Separator:
    """Parse the character between the coordinates of a chunk key."""
    return cast("Separator", expect_choice(value, ("/", "."), field))


def parse_chunk_key_encoding(extension: Extension, field: str) -> ChunkKeyEncoding:
    """Parse the chunk key encoding of a v3 array.

    Where it gives no separator, that is ``/`` for ``default`` and ``.`` for ``v2``.

    Spec: Zarr v3, "Default chunk key encoding" and "v2 chunk key encoding".

    Raises
    ------
    MetadataError
        If its separator is not one of the two.
    UnsupportedError
        If it is another encoding.
    """
    name, configuration = extension.name, extension.configuration
    if name not in _DEFAULT_SEPARATORS:
        reason = f"zarrfs has no chunk key encoding {name!r}; it reads 'default' and 'v2'"
        raise UnsupportedError(reason, field=field)
    refuse_unknown(configuration, ("separator",), f"{field}.configuration")
    separator = configuration.get("separator", _DEFAULT_SEPARATORS[name])
    return ChunkKeyEncoding(
        cast("EncodingName", name), parse_separator(separator, f"{field}.configuration.separator")
    )
