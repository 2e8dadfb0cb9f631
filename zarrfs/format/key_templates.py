"""Chunk keys by a template, such as ``images/{-1}/{*:04}.jpeg``: chunk coordinates <-> keys.

Spec: Zarr extensions, chunk key encoding ``template`` (proposed); zarr-template 0.1.0 reads the
same, and ``{{`` and ``}}`` as braces.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from zarrfs.errors import MetadataError, UnsupportedError
from zarrfs.format.documents import expect_string, refuse_unknown, take
from zarrfs.format.key_encodings import ChunkKeyEncoding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from zarrfs.format.documents import Json
    from zarrfs.format.extensions import Extension

MAX_WIDTH = 255
"""Digits that a coordinate may be padded to: what a file name can hold."""

_TOKEN = re.compile(r"\{\{|\}\}|\{(?P<place>[^{}]*)\}|[^{}]+|[{}]")
_PLACE = re.compile(r"(\*|-?[0-9]{1,9})(?::0([0-9]{1,9}))?")
_MAX_DIGITS = 19


@dataclass(frozen=True, slots=True)
class Place:
    """Where a key holds a coordinate."""

    dimension: int
    width: int
    """Digits at least, filled up with zeros."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateKeys(ChunkKeyEncoding):
    """Keys of arrays of one number of dimensions; made by `parse_template`."""

    name = "template"
    format: str
    separator: str | None
    parts: tuple[str | Place, ...]
    """Text and coordinates in turn; each dimension stands once."""

    pattern: re.Pattern[str] | None
    """A group for each coordinate; ``None`` where a key may be read in two ways."""

    @property
    def configuration(self) -> Mapping[str, Json]:
        """As in the metadata document."""
        separator = {} if self.separator is None else {"separator": self.separator}
        return {"format": self.format, **separator}

    @property
    def can_decode(self) -> bool:
        """Whether something that is no digit stands between any two coordinates."""
        return self.pattern is not None

    def encode(self, coords: tuple[int, ...]) -> str:
        """Key of a chunk."""
        return "".join(
            part if isinstance(part, str) else f"{coords[part.dimension]:0{part.width}}"
            for part in self.parts
        )

    def decode(self, key: str, ndim: int) -> tuple[int, ...] | None:
        """Coordinates of the chunk under `key`, or ``None`` if it is no chunk's key."""
        found = self.pattern.fullmatch(key) if self.pattern is not None else None
        if found is None:
            return None
        places = [part for part in self.parts if isinstance(part, Place)]
        numbers = zip(places, map(int, found.groups()), strict=True)
        coords = tuple(number for place, number in sorted(numbers, key=lambda n: n[0].dimension))
        return coords if self.encode(coords) == key else None


def parse_template(extension: Extension, ndim: int, field: str) -> TemplateKeys:
    """Parse the encoding ``template`` for arrays of `ndim` dimensions.

    Raises
    ------
    MetadataError
        If the template is malformed, or does not name each dimension once.
    UnsupportedError
        If it pads coordinates to more than `MAX_WIDTH` digits.
    """
    field = f"{field}.configuration"
    refuse_unknown(extension.configuration, ("format", "separator"), field)
    text = expect_string(take(extension.configuration, "format", field), f"{field}.format")
    separator = extension.configuration.get("separator")
    if separator is not None:
        expect_string(separator, f"{field}.separator")
    parts = _merged(_parts(text, separator, ndim, field))
    return TemplateKeys(
        format=text, separator=separator, parts=tuple(parts), pattern=_pattern(parts)
    )


def _parts(text: str, separator: str | None, ndim: int, field: str) -> Iterator[str | Place]:
    tokens = [_parse_token(token, ndim, f"{field}.format") for token in _TOKEN.finditer(text)]
    named = [token.dimension for token in tokens if isinstance(token, Place)]
    rests = named.count(_REST)
    others = [dimension for dimension in range(ndim) if dimension not in named]
    if len(set(named)) < len(named):
        raise MetadataError(f"names a dimension twice: {text!r}", field=f"{field}.format")
    if bool(others) != bool(rests):
        reason = f"must name each of {ndim} dimensions once, unlike {text!r}"
        raise MetadataError(reason, field=f"{field}.format")
    if rests and separator is None:
        raise MetadataError("is missing, and '{*}' needs it", field=f"{field}.separator")
    for token in tokens:
        if isinstance(token, Place) and token.dimension == _REST:
            for i, dimension in enumerate(others):
                if i and separator is not None:
                    yield separator
                yield Place(dimension, token.width)
        else:
            yield token


_REST = -1
"""The dimension of ``{*}`` until it is known which ones those are."""


def _parse_token(token: re.Match[str], ndim: int, field: str) -> str | Place:
    text, place = token[0], token["place"]
    if place is None:
        if text in {"{", "}"}:
            raise MetadataError(f"has a single brace: {token.string!r}", field=field)
        return text[0] if text in {"{{", "}}"} else text
    found = _PLACE.fullmatch(place)
    if found is None:
        reason = f"must have '*' or a number in braces, perhaps with ':0' and digits, not {text!r}"
        raise MetadataError(reason, field=field)
    width = int(found[2] or 0)
    if width > MAX_WIDTH:
        raise UnsupportedError(f"zarrfs pads numbers to {MAX_WIDTH} digits at most", field=field)
    if found[1] == "*":
        return Place(_REST, width)
    index = int(found[1])
    if not -ndim <= index < ndim:
        raise MetadataError(f"has {text!r}, but the array has {ndim} dimensions", field=field)
    return Place(index % ndim, width)


def _merged(parts: Iterator[str | Place]) -> list[str | Place]:
    merged: list[str | Place] = []
    for part in parts:
        if isinstance(part, str) and merged and isinstance(merged[-1], str):
            merged[-1] += part
        else:
            merged.append(part)
    return merged


def _pattern(parts: list[str | Place]) -> re.Pattern[str] | None:
    if any(isinstance(a, Place) and isinstance(b, Place) for a, b in pairwise(parts)):
        return None
    if any(isinstance(part, str) and part.isdecimal() for part in parts[1:-1]):
        return None
    return re.compile(
        "".join(
            re.escape(part)
            if isinstance(part, str)
            else f"([0-9]{{1,{max(_MAX_DIGITS, part.width)}}})"
            for part in parts
        )
    )
