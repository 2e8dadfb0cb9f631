"""Chunk coordinates <-> store keys, relative to the array's own prefix.

Spec: Zarr v3 core, "Chunk key encoding"; Zarr v2, "Storage", `dimension_separator`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

_NUMBER = re.compile(r"0|[1-9][0-9]*")


@dataclass(frozen=True, slots=True)
class ChunkKeyEncoding:
    """``default`` (``c/0/1``) or ``v2`` (``0.1``), with either separator."""

    name: Literal["default", "v2"]
    separator: Literal["/", "."]

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
