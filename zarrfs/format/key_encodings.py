"""What a chunk key encoding is, and the two of the specification: coordinates <-> store keys.

Law: ``decode(encode(coords), ndim) == coords``, and no other key decodes. Spec: Zarr v3 core,
"Chunk key encoding"; Zarr v2, "Storage", `dimension_separator`.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zarrfs.format.documents import Json

EncodingName = Literal["default", "v2"]
Separator = Literal["/", "."]

# As many digits as 2**63 - 1 has; longer names are no chunk's (and slow to turn into integers).
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")


class ChunkKeyEncoding(ABC):
    """Chunk coordinates <-> keys, relative to the array's own prefix. A frozen value."""

    name: str
    """As in the metadata document."""

    @property
    @abstractmethod
    def configuration(self) -> Mapping[str, Json]:
        """As in the metadata document."""

    @property
    def can_decode(self) -> bool:
        """Whether keys tell their coordinates. An array can be read even if not."""
        return True

    @abstractmethod
    def encode(self, coords: tuple[int, ...]) -> str:
        """Key of a chunk."""

    @abstractmethod
    def decode(self, key: str, ndim: int) -> tuple[int, ...] | None:
        """Coordinates of the chunk under `key`, or ``None`` if it is no chunk's key.

        Called only if `can_decode`; `zarrfs.format.chunk_keys.chunk_finder` serves all.
        """


@dataclass(frozen=True, slots=True)
class SeparatedKeys(ChunkKeyEncoding):
    """``default`` (``c/0/1``) or ``v2`` (``0.1``), with either separator."""

    name: EncodingName
    separator: Separator

    @property
    def configuration(self) -> Mapping[str, Json]:
        """As in the metadata document."""
        return {"separator": self.separator}

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
