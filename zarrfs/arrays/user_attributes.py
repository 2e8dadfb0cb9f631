"""What a user gives as attributes of a node -> what its metadata document can hold. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from zarrfs.errors import MetadataError
from zarrfs.format.documents import dotted, show

if TYPE_CHECKING:
    from zarrfs.format.documents import Json


def new_attributes(attributes: object) -> dict[str, Json]:
    """Understand the user attributes of an array or group; ``None`` is none.

    Raises
    ------
    MetadataError
        If they are no mapping; or if JSON would not give them back as they are, or others not
        read them: names that are no strings (`1` and ``"1"`` become the same), text that is none.
    """
    if attributes is None:
        return {}
    if not isinstance(attributes, Mapping):
        raise MetadataError(f"must be a mapping, not {show(attributes)}", field="attributes")
    values: list[tuple[str, object]] = [("attributes", dict(attributes))]
    passed: set[int] = set()
    while values:
        field, value = values.pop()
        if isinstance(value, str) and not _is_text(value):
            raise MetadataError("must be without lone surrogates", field=field)
        if not isinstance(value, dict | list | tuple) or id(value) in passed:
            continue
        passed.add(id(value))  # one may hold itself
        if not isinstance(value, dict):
            values += [(field, item) for item in value]
            continue
        for name, item in value.items():
            if not isinstance(name, str) or not _is_text(name):
                raise MetadataError(f"must have names that are strings, not {name!r}", field=field)
            values.append((dotted(field, name), item))
    return dict(attributes)


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
