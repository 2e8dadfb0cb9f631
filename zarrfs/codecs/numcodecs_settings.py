"""Members of the configurations of numcodecs' own codecs: which there are, and what they may hold.

numcodecs checks few of them before they are used. Decoding uses fewer still, so that without this
an array would be read, and its first writing fail in a library's words.
"""

from __future__ import annotations

import inspect
import math
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from zarrfs.errors import MetadataError
from zarrfs.format.array_filters import ARRAY_FILTERS
from zarrfs.format.documents import (
    Json,
    dotted,
    expect_choice,
    expect_integer,
    expect_string,
    show,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_INTEGERS = MappingProxyType(
    {
        ("bitround", "keepbits"): (0, 2**31 - 1),
        ("blosc", "blocksize"): (0, 2**31 - 1),
        ("blosc", "clevel"): (0, 9),
        ("blosc", "shuffle"): (-1, 2),
        ("blosc", "typesize"): (1, 2**31 - 1),
        ("bz2", "level"): (1, 9),
        ("gzip", "level"): (-1, 9),
        ("jenkins_lookup3", "initval"): (0, 2**32 - 1),
        ("lz4", "acceleration"): (-(2**31), 2**31 - 1),
        ("lzma", "format"): (0, 3),
        ("pcodec", "level"): (0, 12),
        ("quantize", "digits"): (-400, 400),
        ("shuffle", "elementsize"): (0, 2**31 - 1),
        ("zfpy", "mode"): (1, 5),
        ("zlib", "level"): (-1, 9),
        ("zstd", "level"): (-(2**31), 2**31 - 1),  # its library takes the nearest that it has
    }
)
"""Least and greatest integer that the libraries take."""

_NUMBERS = frozenset({("fixedscaleoffset", "offset"), ("fixedscaleoffset", "scale")})

_CHOICES = MappingProxyType(
    {
        ("adler32", "location"): ("start", "end"),
        ("blosc", "cname"): ("blosclz", "lz4", "lz4hc", "snappy", "zlib", "zstd"),
        ("crc32", "location"): ("start", "end"),
        ("crc32c", "location"): ("start", "end"),
    }
)


def check_settings(
    codec_id: str, codec_class: type, configuration: Mapping[str, Json], field: str
) -> None:
    """Refuse members that a codec does not have, lacks, or cannot use; ``null`` is a default.

    Parameters
    ----------
    codec_id
        Id of one of numcodecs' own codecs.
    codec_class
        Its class.
    configuration
        Without the id.
    field
        Path of the codec, for messages.
    """
    _check_names(codec_id, codec_class, configuration, field)
    for name, value in configuration.items():
        path, place = dotted(field, name), (codec_id, name)
        if value is None:
            continue
        if place in _INTEGERS:
            least, greatest = _INTEGERS[place]
            expect_integer(value, path, minimum=least, maximum=greatest)
        elif place in _CHOICES:
            expect_choice(value, _CHOICES[place], path)
        elif place in _NUMBERS and not _is_number(value):
            raise MetadataError(f"must be a finite number, not {show(value)}", field=path)
        elif name in ARRAY_FILTERS.get(codec_id, ()):
            _check_type(value, path)


def _check_names(
    codec_id: str, codec_class: type, configuration: Mapping[str, Json], field: str
) -> None:
    parameters = list(inspect.signature(codec_class).parameters.values())
    known = [
        one.name for one in parameters if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
    ]
    for name in configuration:
        if name not in known:
            has = f"it has {', '.join(map(show, known))}" if known else "it has none"
            reason = f"is no setting of numcodecs' {codec_id}; {has}"
            raise MetadataError(reason, field=dotted(field, name))
    for one in parameters:
        if one.name in known and one.default is one.empty and one.name not in configuration:
            raise MetadataError("is missing", field=dotted(field, one.name))


def _check_type(value: Json, field: str) -> None:
    """Refuse what is no name of a type, or of one whose elements have no bytes."""
    try:
        dtype = np.dtype(expect_string(value, field))
    except MetadataError:
        raise
    except Exception as error:  # NumPy raises SyntaxError too
        reason = f"must be a type string of NumPy, not {show(value)}"
        raise MetadataError(reason, field=field) from error
    if not dtype.itemsize:
        raise MetadataError(f"must be a type of some bytes, not {show(value)}", field=field)


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
