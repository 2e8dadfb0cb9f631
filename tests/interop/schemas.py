"""A metadata document of Zarr v3 -> what the registry's JSON schemas find wrong with it.

The registry has schemas of some data types, codecs and chunk grids; what has none is not looked at.
Documents of v2 have no schema at all.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from jsonschema import Draft202012Validator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.interop.data_types import Json

Kind = Literal["chunk-grids", "codecs", "data-types"]

FOLDER = Path(__file__).parents[1] / "data" / "zarr-extensions"

OF_ANOTHER_NAME = frozenset(
    {
        *("complex_float4_e2m1fn", "complex_float6_e2m3fn", "complex_float6_e3m2fn"),
        *("complex_float8_e3m4", "complex_float8_e4m3", "complex_float8_e4m3b11fnuz"),
        *("complex_float8_e4m3fnuz", "complex_float8_e5m2", "complex_float8_e5m2fnuz"),
        "complex_float8_e8m0fnu",
    }
)
"""Data types whose schema allows only the name of the type of their parts."""

OLDER_THAN_THEIR_TEXT = frozenset({"packbits"})
"""Codecs whose schema lacks options that their README has (`first_bit`, `last_bit`)."""

LEFT_OUT = OF_ANOTHER_NAME | OLDER_THAN_THEIR_TEXT


def violations(document: dict[str, Json]) -> list[str]:
    """Tell what is wrong with the data types, codecs and grid of an array, inner ones included."""
    return [
        f"{kind} {json.dumps(extension)}: {error.json_path}: {error.message}"
        for kind, extension in _extensions(document)
        if (validator := schema(kind, _name(extension))) and _name(extension) not in LEFT_OUT
        for error in validator.iter_errors(extension)
    ]


@functools.cache
def schema(kind: Kind, name: str) -> Draft202012Validator | None:
    """Return the schema of an extension, if the registry has one."""
    path = FOLDER / kind / name / "schema.json"
    return Draft202012Validator(json.loads(path.read_text())) if path.exists() else None


def _extensions(document: dict[str, Json]) -> Iterator[tuple[Kind, Json]]:
    yield from _data_types(document["data_type"])
    yield "chunk-grids", document["chunk_grid"]
    yield from _codecs(document["codecs"])


def _data_types(data_type: Json) -> Iterator[tuple[Kind, Json]]:
    yield "data-types", data_type
    if _name(data_type) == "struct":
        for field in _configuration(data_type)["fields"]:
            yield from _data_types(field["data_type"])


def _codecs(codecs: Json) -> Iterator[tuple[Kind, Json]]:
    for codec in codecs:
        yield "codecs", codec
        configuration = _configuration(codec)
        if _name(codec) == "sharding_indexed":
            yield from _codecs(configuration["codecs"])
            yield from _codecs(configuration["index_codecs"])
        if _name(codec) == "cast_value":
            yield from _data_types(configuration["data_type"])


def _name(extension: Json) -> str:
    name: str = extension if isinstance(extension, str) else extension["name"]
    return name


def _configuration(extension: Json) -> dict[str, Any]:
    return {} if isinstance(extension, str) else extension.get("configuration", {})
