"""Bytes of a metadata document <-> JSON members, each checked where it is taken out.

Every fault becomes a `MetadataError` that names the member, dotted, and shows what it holds. The
`expect_…` functions return what they were given, with the type that they found.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from zarrfs.errors import MetadataError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

Json = Any
"""A parsed JSON value; checked where it is taken apart."""

MAX_INTEGER = 2**63 - 1
"""Largest length that an array or chunk can have: what a 64-bit offset can count."""

MAX_DOCUMENT_BYTES = 2**26
"""Bytes of the largest document read: consolidated metadata of some 50,000 arrays."""

MAX_VALUES = 2**21
"""Values that a document may hold, as far as its punctuation tells. A list in a list takes three
bytes, and 70 in memory."""

_SHOWN_CHARACTERS = 60


def parse_json(data: bytes | bytearray | memoryview) -> dict[str, Json]:
    """Parse a metadata document: one JSON object in UTF-8.

    The bare words ``NaN``, ``Infinity`` and ``-Infinity``, which Python writers leave in
    attributes, are read as floats.

    Raises
    ------
    MetadataError
        If it is not UTF-8, not JSON (with line and column), not an object, names a member
        twice, or is larger than `MAX_DOCUMENT_BYTES` and `MAX_VALUES` allow.
    """
    data = bytes(data)
    _expect_readable(data)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MetadataError(f"not UTF-8: {error.reason} at byte {error.start}") from error
    try:
        document = json.loads(text, object_pairs_hook=_object_of_distinct_members)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise MetadataError(f"not JSON: {error.msg} ({place})") from error
    except RecursionError as error:
        raise MetadataError("not readable: nested too deeply") from error
    except MetadataError:
        raise
    except ValueError as error:  # Python refuses to parse integers of more than 4300 digits
        raise MetadataError("not readable: a number has too many digits") from error
    if not isinstance(document, dict):
        raise MetadataError(f"must be a JSON object, not {show(document)}")
    return document


def expect_document_size(n_bytes: int) -> None:
    """Check that a document is not too large to be read."""
    if n_bytes > MAX_DOCUMENT_BYTES:
        reason = f"has {n_bytes} bytes; zarrfs reads documents of up to {MAX_DOCUMENT_BYTES}"
        raise MetadataError(reason)


def _expect_readable(data: bytes) -> None:
    """Check that a document is not too large, before it is parsed or stored."""
    expect_document_size(len(data))
    n_values = sum(map(data.count, (b",", b"[", b"{")))
    if n_values > MAX_VALUES:
        reason = f"holds about {n_values} values; zarrfs reads up to {MAX_VALUES}"
        raise MetadataError(reason)


def dump_json(document: Mapping[str, Json]) -> bytes:
    """Write a metadata document in ASCII, each of its members on a line.

    So people can read it, and it is written three times as fast as one that is indented
    throughout, which Python's JSON library does without its C encoder.

    JSON has no NaN and no infinities. In attributes they become the bare words that Python
    writers leave there, and that `parse_json` reads; other readers may refuse the document.

    Raises
    ------
    MetadataError
        If a value is nothing that JSON has (`field` names the member), or the document is larger
        than those that `parse_json` reads.
    """
    try:
        lines = [f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in document.items()]
        data = "{{\n{}\n}}\n".format(",\n".join(lines)).encode("ascii")
    except (TypeError, ValueError, RecursionError) as error:
        reason = f"cannot be written as JSON: {error}"
        raise MetadataError(reason, field=_find_culprit(document)) from error
    _expect_readable(data)
    return data


def _find_culprit(document: Mapping[str, Json]) -> str:
    """Return the path of the member, as deep as objects go, that JSON cannot hold."""
    field, value = "", document
    passed: set[int] = set()
    while isinstance(value, dict) and id(value) not in passed:  # one may hold itself
        passed.add(id(value))
        names = (name for name, inner in value.items() if not _is_json(inner))
        name = next(names, None)
        if not isinstance(name, str):
            break
        field, value = dotted(field, name), value[name]
    return field


def _is_json(value: Json) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def _object_of_distinct_members(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        raise MetadataError(
            "stands twice in one object", field=dotted("", counts.most_common(1)[0][0])
        )
    return members


def dotted(field: str, name: str) -> str:
    """Return the path of a member inside the member `field`, fit to be printed."""
    name = _printable(name)
    return f"{field}.{name}" if field else name


def show(value: Json) -> str:
    """Render a JSON value for a message, cut to a few words."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (RecursionError, TypeError, ValueError):
        return f"a value of type {type(value).__name__}"
    text = _printable(text)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 1]}…"


def _printable(text: str) -> str:
    """Escape lone surrogates, which a JSON document can hold and no terminal can show."""
    if text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def take(members: Mapping[str, Json], name: str, field: str = "") -> Json:
    """Return a member that must be there; `field` is the path of the object."""
    try:
        return members[name]
    except KeyError:
        raise MetadataError("is missing", field=dotted(field, name)) from None


def expect_object(value: Json, field: str) -> Mapping[str, Json]:
    """Check that a value is a JSON object."""
    if not isinstance(value, dict):
        raise MetadataError(f"must be an object, not {show(value)}", field=field)
    return value


def expect_list(value: Json, field: str) -> list[Json]:
    """Check that a value is a JSON array."""
    if not isinstance(value, list):
        raise MetadataError(f"must be a list, not {show(value)}", field=field)
    return value


def expect_string(value: Json, field: str) -> str:
    """Check that a value is a string with at least one character."""
    if not isinstance(value, str) or not value:
        raise MetadataError(f"must be a non-empty string, not {show(value)}", field=field)
    return value


def expect_choice(value: Json, choices: tuple[str, ...], field: str) -> str:
    """Check that a value is one of a few strings."""
    if not isinstance(value, str) or value not in choices:
        wanted = " or ".join(show(choice) for choice in choices)
        raise MetadataError(f"must be {wanted}, not {show(value)}", field=field)
    return value


def is_integer(value: Json) -> bool:
    """Tell whether a value is a JSON number without fraction or exponent."""
    return isinstance(value, int) and not isinstance(value, bool)


def _at_least(minimum: int, values: list[Json]) -> str:
    """Tell the least of a length; the greatest too, if that is what values miss."""
    is_large = any(is_integer(value) and value > MAX_INTEGER for value in values)
    return f"≥ {minimum} and < 2**63" if is_large else f"≥ {minimum}"


def expect_integer(value: Json, field: str, *, minimum: int, maximum: int = MAX_INTEGER) -> int:
    """Check that a value is an integer within bounds, both included."""
    if not is_integer(value) or not minimum <= value <= maximum:
        bounds = _at_least(minimum, [value])
        if maximum < MAX_INTEGER:
            bounds = f"from {minimum} to {maximum}"
        raise MetadataError(f"must be an integer {bounds}, not {show(value)}", field=field)
    return int(value)


def expect_integers(value: Json, field: str, *, minimum: int) -> tuple[int, ...]:
    """Check that a value is a list of integers from `minimum` to 2**63 - 1."""
    if not isinstance(value, list) or not all(
        is_integer(item) and minimum <= item <= MAX_INTEGER for item in value
    ):
        bounds = _at_least(minimum, value if isinstance(value, list) else [])
        reason = f"must be a list of integers {bounds}, not {show(value)}"
        raise MetadataError(reason, field=field)
    return tuple(value)


def refuse_unknown(
    members: Mapping[str, Json], known: Collection[str], field: str = ""
) -> dict[str, Json]:
    """Refuse members that zarrfs does not know, but for those that say they may be ignored.

    Spec: Zarr v3 core, "Extension definition", `must_understand`.

    Returns
    -------
    dict
        The unknown members that may be ignored.

    Raises
    ------
    UnsupportedError
        If a member is not `known` and not an object with ``"must_understand": false``.
    """
    unknown = without(members, known)
    for name, value in unknown.items():
        if not isinstance(value, dict) or value.get("must_understand") is not False:
            reason = 'is unknown to zarrfs and not marked "must_understand": false'
            raise UnsupportedError(reason, field=dotted(field, name))
    return unknown


def without(members: Mapping[str, Json], names: Collection[str]) -> dict[str, Json]:
    """Return an object's members but for some; many of those are best given as a set."""
    return {name: value for name, value in members.items() if name not in names}
