"""One malformed or hostile node, and how it is refused; what the tables beside this are made of."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from zarrfs.errors import MetadataError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from zarrfs.errors import ZarrfsError

At = Literal["open", "read"]
"""When it is refused: opening the node, or reading its elements."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A node, and the one line that refuses it."""

    name: str
    """Of the node, and of the test."""

    files: Mapping[str, bytes]
    """Keys below the node, and what is stored there."""

    error: type[ZarrfsError]

    words: tuple[str, ...]
    """What the line holds, in this order: the member, its value, the rule."""

    at: At = "open"

    def write(self, folder: Path) -> None:
        """Store the node below a directory."""
        for key, data in self.files.items():
            path = folder / self.name / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)


ABSENT: Any = object()
"""As the value of a member: left out."""

BYTES = {"name": "bytes", "configuration": {"endian": "little"}}

ARRAY_V3 = {
    "zarr_format": 3,
    "node_type": "array",
    "shape": [4],
    "data_type": "int32",
    "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [4]}},
    "chunk_key_encoding": {"name": "default"},
    "fill_value": 0,
    "codecs": [BYTES],
}

ARRAY_V2 = {
    "zarr_format": 2,
    "shape": [4],
    "chunks": [4],
    "dtype": "<i4",
    "compressor": None,
    "fill_value": 0,
    "order": "C",
    "filters": None,
}


GROUP = b'{"zarr_format": 3, "node_type": "group"}'

GOOD = json.dumps(ARRAY_V3).encode()


def document(members: Mapping[str, Any], changes: Mapping[str, Any]) -> bytes:
    """Write a metadata document with some members changed, added or left out."""
    changed = {name: value for name, value in {**members, **changes}.items() if value is not ABSENT}
    return json.dumps(changed).encode()


def v3(
    name: str,
    *words: str,
    error: type[ZarrfsError] = MetadataError,
    at: At = "open",
    **changes: Any,
) -> Refusal:
    """Refuse an array of v3 for some members of its document."""
    files = {"zarr.json": document(ARRAY_V3, changes)}
    return Refusal(name=f"v3-{name}", files=files, error=error, words=words, at=at)


def v2(
    name: str,
    *words: str,
    error: type[ZarrfsError] = MetadataError,
    at: At = "open",
    **changes: Any,
) -> Refusal:
    """Refuse an array of v2 for some members of its document."""
    files = {".zarray": document(ARRAY_V2, changes)}
    return Refusal(name=f"v2-{name}", files=files, error=error, words=words, at=at)


def codec(name: str, configuration: Any = ABSENT) -> dict[str, Any]:
    """Return a codec as a v3 document has it."""
    return {"name": name} | ({} if configuration is ABSENT else {"configuration": configuration})


def sharding(**changes: Any) -> dict[str, Any]:
    """Return the sharding codec with some members of its configuration changed or left out."""
    configuration = {
        "chunk_shape": [2],
        "codecs": [BYTES],
        "index_codecs": [BYTES, codec("crc32c")],
        **changes,
    }
    return codec(
        "sharding_indexed",
        {name: value for name, value in configuration.items() if value is not ABSENT},
    )
