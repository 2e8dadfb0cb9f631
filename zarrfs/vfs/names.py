"""Which name a node has in a mount. Pure; the only place that decides.

A directory keeps the name of its node. A file is the array's name and a suffix; where that is a
directory's name too, it becomes ``NAME.array.SUFFIX``. A name over 255 bytes is cut and ends in 8
hexadecimal digits of its SHA-1.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container

MAX_NAME_BYTES = 255
"""Longest name that the kernel takes (``NAME_MAX``)."""

COLLISION = ".array"
"""Stands between name and suffix of a file whose plain name is a directory's."""


def shown_name(name: str, suffix: str = "") -> str:
    """Return a name with its suffix, cut to what the kernel takes."""
    encoded = (name + suffix).encode("utf-8", "surrogateescape")
    if len(encoded) <= MAX_NAME_BYTES:
        return name + suffix
    ending = f"~{hashlib.sha1(encoded, usedforsecurity=False).hexdigest()[:8]}{suffix}"
    kept = encoded[: MAX_NAME_BYTES - len(ending.encode())]
    # Not in the middle of a character.
    return kept.decode("utf-8", "ignore") + ending


def file_name(name: str, suffix: str, directories: Container[str]) -> str:
    """Return the name of an array's file beside directories of these names."""
    plain = shown_name(name, suffix)
    return shown_name(name, COLLISION + suffix) if plain in directories else plain


def may_be_renamed(shown: str) -> bool:
    """Tell whether a name may be another than the node's own, so that only a listing can say."""
    return COLLISION in shown or len(shown.encode("utf-8", "surrogateescape")) > MAX_NAME_BYTES - 4
