"""What a user says of codecs, in terms of v3 or v2 -> the codecs of a new array. Pure.

What is not said is chosen: elements are laid out little-endian and compressed with zstd, level 1.
Of temperatures and precipitation of a climate model (BCSD, float32) that took 1 and 5 % more bytes
than level 3, which is zstd's default, but was 2.8 times as fast to write (380 MB/s a core) and 1.2
to 1.5 times as fast to read. Smooth numbers lose more: of a random walk in steps of 0.1 it took
27 % more.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from zarrfs.errors import MetadataError
from zarrfs.format.conversion import v3_codec_of
from zarrfs.format.documents import show
from zarrfs.format.dtypes import OBJECT_TYPES
from zarrfs.format.extensions import Extension, parse_extension

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from zarrfs.format.dtypes import ByteOrder, DataType

Codec = str | dict[str, Any] | Extension
"""A codec as in a v3 document: its name, or an object with name and configuration."""

Compressor = str | dict[str, Any] | Any
"""A codec as in a v2 document: its id, an object with ``id`` and configuration, or a codec object
of numcodecs."""

DEFAULT_COMPRESSOR = {"id": "zstd", "level": 1}


def v2_codecs(
    compressor: Compressor | None,
    steps: list[Extension],
    data_type: DataType,
    byte_order: ByteOrder | None,
) -> tuple[Extension, ...]:
    """Codecs of a v2 model: those that make bytes, then filters (`steps`) and compressor."""
    if data_type.name in OBJECT_TYPES and not (
        steps and steps[0].name.removeprefix("numcodecs.") in OBJECT_TYPES.values()
    ):
        steps = [v2_codec(OBJECT_TYPES[data_type.name], "filters"), *steps]
    if compressor is not None:
        is_chosen = isinstance(compressor, str) and compressor == "auto"
        chosen = DEFAULT_COMPRESSOR if is_chosen else compressor
        steps = [*steps, v2_codec(chosen, "compressor")]
    if data_type.dtype.hasobject:
        return tuple(steps)
    # Fields of v2's structured types say their own byte order.
    has_order = data_type.dtype.names is None and _has_byte_order(data_type.dtype)
    endian = {"endian": byte_order or "little"} if has_order else {}
    return (Extension(name="bytes", configuration=endian), *steps)


def v2_codec(value: Compressor, field: str) -> Extension:
    """Understand a filter or compressor.

    Raises
    ------
    MetadataError
        If it is none.
    """
    members = value
    if isinstance(value, str):
        members = {"id": value}
    elif hasattr(value, "get_config"):
        members = value.get_config()
    if not isinstance(members, dict) or not isinstance(members.get("id"), str):
        reason = f"must be an id, an object with one, or a codec of numcodecs, not {show(value)}"
        raise MetadataError(reason, field=field)
    configuration = {name: member for name, member in members.items() if name != "id"}
    return Extension(name=f"numcodecs.{members['id']}", configuration=configuration)


def v3_codecs(
    given: Sequence[Codec], data_type: DataType, byte_order: ByteOrder | None
) -> tuple[Extension, ...]:
    """Codecs that the user gave, completed: byte order, and the options of compressors.

    Raises
    ------
    MetadataError
        If one is none.
    """
    codecs = [extension_of(codec, f"codecs[{i}]") for i, codec in enumerate(given)]
    itemsize = 1
    for i, codec in enumerate(codecs):
        if codec.name == "bytes":
            itemsize = data_type.dtype.itemsize
            if _has_byte_order(data_type.dtype):
                endian = {"endian": byte_order or "little", **codec.configuration}
                codecs[i] = replace(codec, configuration=endian)
            continue
        complete = v3_codec_of(codec.name, codec.configuration, itemsize)
        if complete.name == codec.name:
            codecs[i] = replace(codec, configuration=complete.configuration)
    return tuple(codecs)


def extension_of(value: Codec, field: str) -> Extension:
    """Understand a codec, or another extension, as in a v3 document."""
    return value if isinstance(value, Extension) else parse_extension(value, field)


def _has_byte_order(dtype: np.dtype[Any]) -> bool:
    """Whether elements have more than one byte whose order may differ."""
    if dtype.isbuiltin == 2:  # types of other packages, whose `newbyteorder` does nothing
        return dtype.itemsize > 1
    return dtype.newbyteorder("S") != dtype
