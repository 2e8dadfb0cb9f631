"""Text of the command line -> what describes an array: lengths, names, JSON, a fill value. Pure.

What is wrong is a `UsageError` that names the option, what was given, and what is expected.
"""

from __future__ import annotations

import difflib
import json
import re
from typing import TYPE_CHECKING, Any

from zarrfs.arrays.new_arrays import NewArray, new_metadata
from zarrfs.cli.codec_arguments import codec_arguments
from zarrfs.errors import MetadataError, UnsupportedError, UsageError
from zarrfs.format import documents
from zarrfs.format.dtype_arguments import data_type_of
from zarrfs.format.dtypes_v3 import ALIASES, DATA_TYPES

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from zarrfs.format.documents import Json
    from zarrfs.format.dtypes import DataType
    from zarrfs.format.metadata import ZarrFormat

NO_DIMENSIONS = "scalar"
"""Stands for the shape of an array without dimensions; nothing at all is more often a mistake."""

MAX_LENGTH = 2**63 - 1
"""Of a dimension; more cannot be indexed."""

_OPTIONS = {
    "shape": "--shape",
    "dtype": "--dtype",
    "chunks": "--chunks",
    "shards": "--shards",
    "codecs": "--codec",
    "compressor": "--codec",
    "filters": "--filter",
    "fill_value": "--fill-value",
    "dimension_names": "--dimension-names",
    "attributes": "--attributes",
}
"""Field of an error in `NewArray` -> the option that gave it."""


def parse_new_array(
    *,
    shape: str | None,
    dtype: str | None,
    chunks: str | None,
    shards: str | None,
    codecs: Sequence[str],
    filters: Sequence[str],
    zarr_format: str,
    fill_value: str | None,
    dimension_names: str | None,
    attributes: str | None,
    order: str,
    shape_of_file: tuple[int, ...] | None = None,
    dtype_of_file: np.dtype[Any] | None = None,
) -> NewArray:
    """Parse all of them, and check that they go together.

    Parameters
    ----------
    shape_of_file, dtype_of_file
        What is taken if the option is not given.
    """
    if shape is None and shape_of_file is None:
        raise UsageError("--shape is needed, such as --shape 1000,1000")
    if dtype is None and dtype_of_file is None:
        raise UsageError("--dtype is needed, such as --dtype float64")
    lengths = shape_of_file if shape is None else parse_lengths("--shape", shape, minimum=0)
    data_type, given = parse_data_type(dtype) if dtype is not None else _of_file(dtype_of_file)
    version: ZarrFormat = 2 if zarr_format == "2" else 3
    wanted = NewArray(
        shape=lengths or (),
        dtype=given,
        zarr_format=version,
        chunks=None if chunks is None else parse_lengths("--chunks", chunks, minimum=1),
        shards=None if shards is None else parse_lengths("--shards", shards, minimum=1),
        order="F" if order == "F" else "C",
        fill_value=None if fill_value is None else parse_fill_value(fill_value, data_type),
        dimension_names=None if dimension_names is None else parse_dimension_names(dimension_names),
        attributes=None if attributes is None else parse_attributes(attributes),
        **codec_arguments(codecs, filters, zarr_format=version, data_type=data_type),
    )
    try:
        new_metadata(wanted)
    except MetadataError as error:
        raise UsageError(_message(error)) from error
    return wanted


def _message(error: MetadataError) -> str:
    """Name the option that is at fault, where one is."""
    for name, option in _OPTIONS.items():
        if error.field.startswith(name):
            rest = error.field.removeprefix(name).lstrip(".")
            return f"{option}: {rest}: {error.reason}" if rest else f"{option}: {error.reason}"
    return str(error)


def _of_file(dtype: np.dtype[Any] | None) -> tuple[DataType, np.dtype[Any]]:
    """Take the type of a file's elements; it is stored little-endian, whatever the file has."""
    assert dtype is not None
    try:
        native = dtype.newbyteorder("=")
        return data_type_of(native)[0], native
    except MetadataError as error:
        raise UsageError(f"the file's elements cannot be stored: {error}") from error


def parse_lengths(option: str, text: str, *, minimum: int) -> tuple[int, ...]:
    """Parse elements along each dimension, such as ``1000,1000``.

    Parameters
    ----------
    option
        For messages.
    text
        Whole numbers with commas between, or `NO_DIMENSIONS`.
    minimum
        The least length.
    """
    if text.strip() == NO_DIMENSIONS:
        return ()
    lengths = []
    for part in text.split(","):
        number = part.strip()
        if not re.fullmatch(r"\d+", number, re.ASCII):
            raise UsageError(f"{option} {text!r}: {_wrong_length(text, number)}")
        if not minimum <= int(number[:30]) <= MAX_LENGTH:
            reason = f"{_short(number)} is not within {minimum} and {MAX_LENGTH}"
            raise UsageError(f"{option} {_short(text)!r}: {reason}")
        lengths.append(int(number))
    return tuple(lengths)


def _wrong_length(text: str, number: str) -> str:
    expected = "give whole numbers with commas between, such as 1000,1000"
    if not text.strip():
        return f"no lengths; {expected}, or {NO_DIMENSIONS!r} for an array without dimensions"
    return f"{number!r} is no length; {expected}" if number else f"a length is missing; {expected}"


def parse_data_type(text: str) -> tuple[DataType, Any]:
    """Parse a data type: a name of Zarr or NumPy, or the JSON of metadata.

    Returns
    -------
    DataType
        What it is.
    object
        The same as it was given, to tell the byte order too.
    """
    given = parse_json("--dtype", text) if text.lstrip().startswith(("{", "[")) else text.strip()
    try:
        return data_type_of(given)[0], given
    except UnsupportedError as error:
        names = sorted({*DATA_TYPES.names(), *ALIASES, "str"} - {"raw_bytes"})
        close = difflib.get_close_matches(text, names, 3)
        advice = f"; did you mean {' or '.join(close)}?" if close else ""
        raise UsageError(f"--dtype {text}: {error.reason}{advice}") from error
    except MetadataError as error:
        raise UsageError(f"--dtype {text}: {error.reason}") from error


def parse_json(option: str, text: str) -> Json:
    """Parse JSON."""
    try:
        value: Json = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{option} {_short(text)}: is no JSON: {error}") from error
    return value


def parse_attributes(text: str) -> dict[str, Json]:
    """Parse the user attributes: a JSON object."""
    try:
        return documents.parse_json(text.encode(errors="replace"))
    except MetadataError as error:
        advice = """give a JSON object, such as '{"units": "K"}'"""
        raise UsageError(f"--attributes {_short(text)}: {error}; {advice}") from error


def parse_dimension_names(text: str) -> tuple[str | None, ...]:
    """Parse ``y,x``; an empty name is none."""
    return tuple(name.strip() or None for name in text.split(",")) if text else ()


def parse_fill_value(text: str, data_type: DataType) -> Any:
    """Parse a fill value: JSON as in metadata, or text as it is, as the data type needs.

    Whether it is an element of the type is for `fill_value_of` to say.
    """
    kind = data_type.dtype.kind
    if data_type.name in {"string", "fixed_length_utf32"}:
        return text
    if data_type.name == "bytes" or kind == "S":
        return text.encode()
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return _complex(text) if kind == "c" else text
    return tuple(value) if isinstance(value, list) and data_type.name == "struct" else value


def _complex(text: str) -> complex | str:
    try:
        return complex(text)
    except ValueError:
        return text


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"
