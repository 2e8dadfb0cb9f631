"""``--codec`` and ``--filter`` -> the codecs of a new array. Pure.

A codec is written ``zstd``, ``zstd:level=5,checksum=true`` or as JSON. What is wrong is a
`UsageError`; whether a codec's configuration is right, building it tells.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from zarrfs.arrays.new_codecs import DEFAULT_COMPRESSOR
from zarrfs.codecs.catalogue import codec_info
from zarrfs.errors import MetadataError, RegistrationError, UsageError
from zarrfs.format.documents import parse_json
from zarrfs.format.dtypes import OBJECT_TYPES
from zarrfs.format.extensions import Extension, parse_extension

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zarrfs.format.dtypes import DataType

NONE = "none"
"""Stands for no compression, where leaving out the option means the default."""

_NUMCODECS = "numcodecs."


def codec_arguments(
    codec_texts: Sequence[str],
    filter_texts: Sequence[str],
    *,
    zarr_format: int,
    data_type: DataType,
) -> dict[str, Any]:
    """Return what `NewArray` takes for codecs: ``codecs`` in v3, ``compressor``, ``filters`` in v2.

    Filters come before codecs. In v3 the codec that lays out elements as bytes is put where it
    belongs, unless one that makes bytes is among them.
    """
    is_none = NONE in codec_texts
    if is_none and len(codec_texts) > 1:
        raise UsageError(f"--codec {NONE} stands alone: it means that nothing is compressed")
    codecs = [] if is_none else [parse_codec("--codec", text) for text in codec_texts]
    filters = [parse_codec("--filter", text) for text in filter_texts]
    if zarr_format == 2:
        if len(codecs) > 1:
            reason = "Zarr v2 has one compressor; give those before it with --filter"
            raise UsageError(f"--codec {codec_texts[1]}: {reason}")
        arguments: dict[str, Any] = {"filters": [_v2_form(codec) for codec in filters]}
        if codec_texts:
            arguments["compressor"] = _v2_form(codecs[0]) if codecs else None
        return arguments
    if not (codec_texts or filter_texts):
        return {}
    if not codec_texts:
        codecs = [_of_v2_form(DEFAULT_COMPRESSOR)]
    return {"codecs": _completed([_known(codec) for codec in (*filters, *codecs)], data_type)}


def parse_codec(option: str, text: str) -> Extension:
    """Parse ``name``, ``name:key=value,…``, or JSON as in metadata of v3 or v2."""
    try:
        if text.lstrip().startswith("{"):
            members = parse_json(text.encode(errors="replace"))
            return _of_v2_form(members) if "id" in members else parse_extension(members, "codec")
    except MetadataError as error:
        raise UsageError(f"{option} {text}: {error}") from error
    name, _, settings = text.partition(":")
    if not name.strip():
        example = "such as zstd or zstd:level=5"
        raise UsageError(f"{option} {text!r}: the name of a codec is missing; give one {example}")
    configuration = {}
    # Commas inside lists, objects and quotes are part of a value.
    for match in re.finditer(r'(?:[^,\[{"]|\[[^\]]*\]?|\{[^}]*\}?|"[^"]*"?)+', settings):
        key, equals, value = match[0].partition("=")
        if not (key.strip() and equals):
            reason = f"{match[0]!r} is no key=value; write {name}:key=value,key=value, or JSON"
            raise UsageError(f"{option} {text}: {reason}")
        configuration[key.strip()] = _value(value)
    return Extension(name=name.strip(), configuration=configuration)


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _v2_form(codec: Extension) -> dict[str, Any]:
    return {**codec.configuration, "id": codec.name.removeprefix(_NUMCODECS)}


def _of_v2_form(members: dict[str, Any]) -> Extension:
    if not isinstance(members["id"], str):
        raise MetadataError("must be a string", field="id")
    configuration = {key: value for key, value in members.items() if key != "id"}
    return Extension(name=members["id"], configuration=configuration)


def _known(codec: Extension) -> Extension:
    """Take a codec that only numcodecs has by its name in v3."""
    if _kind(codec.name) is None and _kind(f"{_NUMCODECS}{codec.name}") is not None:
        return Extension(name=f"{_NUMCODECS}{codec.name}", configuration=codec.configuration)
    return codec


def _completed(codecs: list[Extension], data_type: DataType) -> list[Extension]:
    """Put in what makes bytes of the elements, in front of the first codec that takes bytes."""
    kinds = [_kind(codec.name) for codec in codecs]
    if "array -> bytes" in kinds:
        return codecs
    place = next((i for i, kind in enumerate(kinds) if kind != "array -> array"), len(codecs))
    to_bytes = Extension(name=OBJECT_TYPES.get(data_type.name, "bytes"))
    return [*codecs[:place], to_bytes, *codecs[place:]]


def _kind(name: str) -> str | None:
    """Return what a codec encodes to what; ``None`` if there is no such codec."""
    try:
        return codec_info(name).kind
    except RegistrationError:
        return None
