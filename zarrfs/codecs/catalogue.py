"""Codec name -> what a user may want to know of it, and whether a configuration is right."""

from __future__ import annotations

import importlib.util
import inspect
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from zarrfs.codecs.base import BytesSpec, ChunkSpec, Spec
from zarrfs.codecs.numcodecs_adapter import (
    EXTRAS,
    find_class,
    is_other_id,
    is_own,
    kind_of_id,
    numcodecs_ids,
    origin_of_id,
)
from zarrfs.codecs.pipeline import build_pipeline
from zarrfs.codecs.plug_ins import check_class, kind_of
from zarrfs.codecs.registry import CODECS, BuiltIn, build_codec, list_codecs
from zarrfs.errors import MetadataError, RegistrationError, UnsupportedError
from zarrfs.format.extensions import Extension

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from zarrfs.registry import Origin

_MAX_NDIM, _MAX_LENGTH = 32, 1000
"""Arrays of more dimensions or of longer ones are not tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodecInfo:
    """What is known of a codec."""

    name: str
    """As in metadata documents of v3; in v2 the id is without ``numcodecs.``."""

    kind: str
    """What it encodes to what: ``"array -> array"``, ``"array -> bytes"``, ``"bytes -> bytes"``;
    empty if that cannot be told."""

    origin: Origin
    """``"built in"`` (numcodecs' own too), ``"installed"`` with another package, or
    ``"registered"`` by the program."""

    provider: str
    """Module and object, such as ``"zarrfs.codecs.compressors:parse_gzip"``."""

    description: str
    """One line; why it does not work if it is not available."""

    is_available: bool
    """Arrays can use it now: what it needs is installed."""

    extra: str | None = None
    """Extra of zarrfs that installs what it needs (``pip install 'zarrfs[EXTRA]'``)."""


def codec_info(name: str) -> CodecInfo:
    """Tell what is known of a codec.

    Raises
    ------
    RegistrationError
        If there is none of that name.
    """
    codec_id = name.removeprefix("numcodecs.")
    if name not in CODECS.names():
        is_numcodecs = codec_id != name and codec_id in numcodecs_ids()
        if is_numcodecs or (codec_id == name and is_other_id(name)):
            return _numcodecs_info(name, codec_id)
        if codec_id == name or codec_id not in CODECS.names():
            raise RegistrationError("codec", name, "is not known")
        return replace(codec_info(codec_id), name=name)
    registration = CODECS.info(name)
    try:
        found = CODECS.find(name)
    except UnsupportedError as error:
        found, kind, description, is_available = None, "", str(error), False
    provider, extra = registration.provider, None
    if isinstance(found, BuiltIn):
        kind, description, extra = found.kind, _first_line(found.parse), found.extra
        provider = f"{found.parse.__module__}:{found.parse.__qualname__}"
        is_available = extra is None or importlib.util.find_spec(extra) is not None
    elif found is not None:
        kind, description, is_available = _class_info(found)
    return CodecInfo(
        name=name,
        kind=kind,
        origin=registration.origin,
        provider=provider,
        description=description,
        is_available=is_available,
        extra=extra,
    )


def available_codecs() -> list[str]:
    """Return the names of the codecs that arrays can use now, sorted."""
    return [name for name in list_codecs() if codec_info(name).is_available]


def validate_codec(
    name: str, configuration: Mapping[str, Any] | None = None, *, spec: Spec | None = None
) -> None:
    """Check the configuration of a codec.

    Parameters
    ----------
    name
        The codec, as in a metadata document of v3.
    configuration
        Its members; none by default.
    spec
        What it is to encode. By default it is enough that there is some array that the codec
        could encode, among a few small ones of common data types.

    Raises
    ------
    MetadataError
        If the configuration is wrong; `field` names the member.
    UnsupportedError
        If there is no such codec, or a package that it needs is not installed.
    """
    extension = Extension(name=name, configuration=dict(configuration or {}))
    first: MetadataError | None = None
    for candidate in _candidates(extension) if spec is None else [spec]:
        try:
            build_codec(extension, candidate, build_pipeline)
        except MetadataError as error:
            first = _clearer(first, error)
        else:
            return
    assert first is not None
    raise first


def _class_info(codec_class: object) -> tuple[str, str, bool]:
    """Kind, description and availability of a class that somebody else wrote."""
    try:
        known_class = check_class(codec_class)
    except RegistrationError as error:
        return "", error.reason, False
    return kind_of(known_class), _first_line(known_class), True


def _numcodecs_info(name: str, codec_id: str) -> CodecInfo:
    extra, is_known = EXTRAS.get(codec_id), True
    try:
        found = find_class(codec_id)
    except UnsupportedError as error:
        found, is_known, description = None, False, str(error)
    else:
        description = _first_line(found) if found else f"needs the package {extra}"
    is_other = not is_known or (found is not None and not is_own(found))
    return CodecInfo(
        name=name,
        kind="bytes -> bytes" if is_other else kind_of_id(codec_id),
        origin=origin_of_id(codec_id) if is_other else "built in",
        provider=f"{found.__module__}:{found.__qualname__}" if found else "",
        description=description,
        is_available=found is not None,
        extra=extra,
    )


def _first_line(documented: object) -> str:
    return (inspect.getdoc(documented) or "").partition("\n")[0]


def _candidates(extension: Extension) -> Iterator[Spec]:
    """Bytes, and small arrays: of as many dimensions as a list in the configuration has items."""
    shapes: list[tuple[int, ...]] = []
    for value in extension.configuration.values():
        if isinstance(value, list) and len(value) <= _MAX_NDIM:
            if all(isinstance(n, int) and 0 < n <= _MAX_LENGTH for n in value):
                shapes.append(tuple(value))
            shapes.append((1,) * len(value))
    for shape, fill in product([*shapes, (4,)], (np.float32(), np.int32(), np.False_, "")):
        dtype = fill.dtype if isinstance(fill, np.generic) else np.dtype(object)
        chunk = ChunkSpec(shape=shape, dtype=dtype, fill_value=fill)
        yield chunk
        yield BytesSpec(nbytes=chunk.nbytes, array=chunk)


def _clearer(first: MetadataError | None, second: MetadataError) -> MetadataError:
    """Return the error that tells more: of a member rather than of the codec's place or type."""
    is_place = first is not None and first.field.count(".") < second.field.count(".")
    return second if first is None or is_place else first
