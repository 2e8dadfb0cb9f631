"""What a user may choose about how a mount shows its store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zarrfs.flat.element_order import Endian


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewOptions:
    """How to show a store."""

    layout: str = "tree"
    """``tree``, or the name of the one tree that is the root of the mount."""

    views: tuple[str, ...] | None = None
    """Trees to list, or ``None`` for the usual ones."""

    endian: Endian = "little"
    """Byte order of the elements in flat files."""

    memory: int = 2**30
    """Bytes that may be cached in all."""

    cache_dir: str | None = None
    """Directory for decoded chunks that are needed again soon and do not fit in memory."""

    cache_size: int = 0
    """Bytes that may be kept there."""

    attr_timeout: float = 1.0
    """Seconds for which names, attributes and failures are remembered."""
