"""Extension points of a v3 metadata document <-> a name and its configuration.

Spec: Zarr v3 core, "Extension definition": objects, short-hand names, `must_understand`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from zarrfs.errors import MetadataError
from zarrfs.format.documents import (
    Json,
    expect_list,
    expect_object,
    expect_string,
    refuse_unknown,
    show,
    take,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


NUMCODECS = "numcodecs."
"""What the names of v2 codecs begin with in the model; their ids follow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """A named extension point of a metadata document, such as one codec."""

    name: str
    """Its registered name, such as ``zstd``, or a URI."""

    configuration: Mapping[str, Json] = field(default_factory=dict)
    """As in the document, unchecked; empty for a short-hand name."""

    must_understand: bool = True
    """False where a reader that does not know the name may leave it out."""


def parse_extension(value: Json, path: str) -> Extension:
    """Parse an extension: a short-hand name, or an object with a name and a configuration.

    Parameters
    ----------
    value
        What the document holds.
    path
        The member that holds it, dotted, for messages.

    Raises
    ------
    MetadataError
        If it has another form.
    UnsupportedError
        If the object has members that must be understood.
    """
    if isinstance(value, str):
        return Extension(name=expect_string(value, path))
    if not isinstance(value, dict):
        raise MetadataError(f"must be a name or an object, not {show(value)}", field=path)
    name = expect_string(take(value, "name", path), f"{path}.name")
    must_understand = value.get("must_understand", True)
    if not isinstance(must_understand, bool):
        reason = f"must be true or false, not {show(must_understand)}"
        raise MetadataError(reason, field=f"{path}.must_understand")
    refuse_unknown(value, ("name", "configuration", "must_understand"), path)
    configuration = expect_object(value.get("configuration", {}), f"{path}.configuration")
    return Extension(name=name, configuration=configuration, must_understand=must_understand)


def parse_essential_extension(value: Json, path: str) -> Extension:
    """Parse a data type, chunk grid or chunk key encoding, which no reader can leave out."""
    extension = parse_extension(value, path)
    if not extension.must_understand:
        reason = "cannot be false here: an array cannot be read without it"
        raise MetadataError(reason, field=f"{path}.must_understand")
    return extension


def parse_extensions(value: Json, path: str) -> tuple[Extension, ...]:
    """Parse a list of extensions, such as the codecs of an array or inside a shard."""
    items = expect_list(value, path)
    return tuple(parse_extension(item, f"{path}[{i}]") for i, item in enumerate(items))


def serialise_extension(extension: Extension) -> dict[str, Json]:
    """Write an extension as an object, which all readers take where some lack short-hand names.

    An empty configuration is left out, but for ``numcodecs.*``, where zarr-python needs it.
    """
    written: dict[str, Json] = {"name": extension.name}
    if extension.configuration or extension.name.startswith(NUMCODECS):
        written["configuration"] = dict(extension.configuration)
    if not extension.must_understand:
        written["must_understand"] = False
    return written
