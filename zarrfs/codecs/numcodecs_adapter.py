"""Codecs of numcodecs: the filters and compressors of Zarr v2, and ``numcodecs.*`` names of v3.

Which kind of codec one is depends on where it stands:

- Before the array→bytes codec, as Zarr v3 has it, filters (``delta``, ``astype`` …) are
  array→array, and ``zfpy``, ``pcodec`` and the codecs of objects (``vlen-utf8`` …) are array→bytes.
  Arrays there have native byte order, so that the byte order in a filter's ``dtype`` says
  nothing; elements are taken in C order.
- Behind it, as v2 has it once ``bytes`` stands for the array's own byte order, all are
  bytes→bytes. They see memory in stored byte order, and their ``dtype`` counts.

numcodecs' own registry is honoured: codecs that other packages put there are bytes→bytes. What
they decode to is checked, but they alone know how much memory they take for it.
"""

from __future__ import annotations

import lzma
from collections.abc import Callable
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

import numcodecs
import numcodecs.registry
import numpy as np
from numcodecs.errors import UnknownCodecError

from zarrfs.codecs.base import (
    ArrayBytesCodec,
    Buffer,
    BytesSpec,
    ChunkSpec,
    Codec,
    Spec,
    array_bytes,
    expect_bytes,
)
from zarrfs.codecs.compressors import DECODE_INTO, BytesFilter, find_decompress
from zarrfs.codecs.numcodecs_arrays import (
    ArrayFilter,
    decoded_nbytes,
    encoded_array,
    encoded_layout,
)
from zarrfs.codecs.numcodecs_objects import (
    NUMBER_CODECS,
    OBJECT_CODECS,
    number_codec,
    object_codec,
)
from zarrfs.codecs.numcodecs_settings import check_settings
from zarrfs.codecs.numcodecs_values import (
    Numcodec,
    as_array,
    as_buffer,
    expect_no_objects,
    quietly,
)
from zarrfs.errors import MetadataError, UnsupportedError
from zarrfs.format.array_filters import ARRAY_FILTERS
from zarrfs.format.documents import without

if TYPE_CHECKING:
    from zarrfs.format.extensions import Extension
    from zarrfs.registry import Origin

EXTRAS = MappingProxyType({"msgpack2": "msgpack", "pcodec": "pcodec", "zfpy": "zfpy"})
"""Codecs that need another package, and the extra of zarrfs that installs it."""

_SIZES = MappingProxyType[str, Callable[[int], int]](
    {
        "adler32": lambda n: n + 4,
        "base64": lambda n: 4 * -(-n // 3),
        "crc32": lambda n: n + 4,
        "crc32c": lambda n: n + 4,
        "fletcher32": lambda n: n + 4,
        "jenkins_lookup3": lambda n: n + 4,
        "shuffle": lambda n: n,
    }
)
"""Filters of bytes, and how many bytes they make of so many."""


def parse_numcodecs(extension: Extension, spec: Spec) -> Codec:
    """Build a codec of numcodecs, of the kind that its place asks for.

    Raises
    ------
    MetadataError
        If numcodecs refuses its configuration, or it cannot stand here.
    UnsupportedError
        If numcodecs does not have it, or a package is missing that it needs.
    """
    name, codec_id = extension.name, extension.name.removeprefix("numcodecs.")
    array = spec if isinstance(spec, ChunkSpec) else spec.array
    codec = _numcodec(extension, codec_id, array, is_native=array is spec)
    known_id = codec_id if is_own(type(codec)) else ""
    build = _find_array_bytes(known_id, codec)
    if isinstance(spec, ChunkSpec):
        if build is not None:
            return build(name, codec, spec)
        if known_id in ARRAY_FILTERS:
            expect_no_objects(name, spec)
            encoded = encoded_array(name, codec_id, codec, spec)
            return ArrayFilter(name=name, spec=spec, encoded_spec=encoded, codec=codec)
    content = expect_bytes(name, spec)
    if build is not None:
        if array is None:
            raise MetadataError("encodes arrays, and here are only bytes", field=f"codecs.{name}")
        return as_bytes_filter(build(name, codec, array), content, array)
    decompress = find_decompress(codec) if known_id else None
    return BytesFilter(
        name=name,
        spec=content,
        encoded_spec=_encoded_bytes(known_id, codec, content),
        compress=partial(_compress, codec, array),
        decompress=decompress or partial(_decompress, codec, known_id),
        decodes_into=decompress is not None and codec_id in DECODE_INTO,
    )


def numcodecs_ids() -> list[str]:
    """Return the ids of the codecs that numcodecs has, or would have with an extra of zarrfs."""
    known = {*numcodecs.registry.codec_registry, *numcodecs.registry.entries, *EXTRAS}
    return sorted(known - {"pickle"})


def find_class(codec_id: str) -> type | None:
    """Return the class that numcodecs has under an id; ``None`` if it is not installed.

    Raises
    ------
    UnsupportedError
        If a package offers it, but cannot be imported.
    """
    found: type | None = numcodecs.registry.codec_registry.get(codec_id)
    if found is None and (entry := numcodecs.registry.entries.get(codec_id)) is not None:
        try:
            found = entry.load()
        except Exception as error:  # another package's code, which may fail as it likes
            reason = f"the codec {codec_id!r} of {entry.value} cannot be imported: {error}"
            raise UnsupportedError(reason, field="codecs") from error
    return found


def is_other_id(codec_id: str) -> bool:
    """Whether another package than numcodecs has put an id into its registry."""
    found = numcodecs.registry.codec_registry.get(codec_id)
    return codec_id in numcodecs.registry.entries if found is None else not is_own(found)


def is_own(codec_class: type) -> bool:
    """Whether a codec class is of numcodecs itself."""
    return codec_class.__module__.partition(".")[0] == "numcodecs"


def origin_of_id(codec_id: str) -> Origin:
    """Tell how an id that is not numcodecs' own came into its registry."""
    return "installed" if codec_id in numcodecs.registry.entries else "registered"


def kind_of_id(codec_id: str) -> str:
    """Return what a codec of numcodecs itself encodes to what, where v3 has it."""
    if codec_id in ARRAY_FILTERS:
        return "array -> array"
    is_of_arrays = codec_id in OBJECT_CODECS or codec_id in NUMBER_CODECS
    return "array -> bytes" if is_of_arrays else "bytes -> bytes"


# --- building -------------------------------------------------------------------------------


def _numcodec(
    extension: Extension, codec_id: str, array: ChunkSpec | None, *, is_native: bool
) -> Numcodec:
    """Return the codec object of numcodecs."""
    field = f"codecs.{extension.name}"
    if codec_id == "pickle":
        reason = (
            "is refused: decoding can run any program. If you trust the store: "
            "zarrfs.register_codec(zarrfs.codecs.pickle_codec.PickleCodec, force=True)"
        )
        raise UnsupportedError(reason, field=field)
    configuration = {**extension.configuration, "id": codec_id}
    if codec_id == "pcodec" and configuration.get("delta_spec") in ("none", "no_op"):
        # pcodec 1 renamed it, which numcodecs 0.16.6 does not know; no order is no delta either.
        configuration |= {"delta_spec": "try_consecutive", "delta_encoding_order": 0}
    if codec_id == "lzma" and configuration.get("format") in (None, lzma.FORMAT_XZ):
        configuration.pop("delta", None)  # GDAL's; a stream of this format tells its filters
    members = ARRAY_FILTERS.get(codec_id, ())
    if array is not None and members and configuration.get(members[0]) is None:
        # zarr-python leaves out what is the array's own type.
        configuration[members[0]] = array.dtype.str
    if codec_id == "shuffle" and configuration.get("elementsize") is None:
        if array is None:
            reason = "is missing, and the codec before it leaves no elements to shuffle"
            raise MetadataError(reason, field=f"{field}.elementsize")
        configuration["elementsize"] = array.dtype.itemsize
    found = find_class(codec_id)
    if found is not None and is_own(found):
        check_settings(codec_id, found, without(configuration, ("id",)), field)
    try:
        for member in members if is_native else ():
            if configuration.get(member) is not None:
                configuration[member] = np.dtype(configuration[member]).newbyteorder("=").str
        return numcodecs.get_codec(configuration)
    except UnknownCodecError as error:
        extra = EXTRAS.get(codec_id)
        reason = (
            f"needs the package {extra}: pip install 'zarrfs[{extra}]'"
            if extra
            else "is not known to numcodecs; install the package that has it, or register it by "
            "zarrfs.register_codec or numcodecs.register_codec"
        )
        raise UnsupportedError(reason, field=field) from error
    except Exception as error:  # each codec checks its configuration in its own way
        raise MetadataError(f"numcodecs refuses it: {error}", field=field) from error


def _find_array_bytes(
    codec_id: str, codec: Numcodec
) -> Callable[[str, Numcodec, ChunkSpec], ArrayBytesCodec] | None:
    """Return how to build a codec that takes arrays; ``None`` for those that take bytes."""
    if codec_id in OBJECT_CODECS or (codec_id == "categorize" and codec.dtype.hasobject):
        return object_codec
    return number_codec if codec_id in NUMBER_CODECS else None


def as_bytes_filter(codec: ArrayBytesCodec, content: BytesSpec, array: ChunkSpec) -> BytesFilter:
    """Let a codec of arrays stand behind ``bytes``, as v2 has it."""

    def compress(data: Buffer) -> Buffer:
        return codec.encode(as_array(data, array))

    def decompress(data: Buffer, spec: BytesSpec, out: memoryview | None) -> Buffer:
        return array_bytes(codec.decode(data))

    return BytesFilter(name=codec.name, spec=content, compress=compress, decompress=decompress)


def _encoded_bytes(codec_id: str, codec: Numcodec, content: BytesSpec) -> BytesSpec:
    """Return what a filter or compressor makes of bytes."""
    if codec_id in ARRAY_FILTERS and content.array is not None:
        shape, dtype = encoded_layout(codec_id, codec, content.array)
        array = ChunkSpec(shape=shape, dtype=dtype, fill_value=None)
        return BytesSpec(nbytes=array.nbytes, array=array)
    if codec_id in _SIZES and content.nbytes is not None:
        return BytesSpec(nbytes=_SIZES[codec_id](content.nbytes))
    return BytesSpec()


# --- coding ---------------------------------------------------------------------------------


def _compress(codec: Numcodec, array: ChunkSpec | None, data: Buffer) -> Buffer:
    """Encode bytes as the array that they are: numcodecs looks at type and shape."""
    elements = np.frombuffer(data, np.uint8) if array is None else as_array(data, array)
    if elements.dtype.names:
        # Of records the length counts alone; a buffer cannot have those with times in them.
        elements = elements.view(np.dtype((np.void, elements.itemsize)))
    return as_buffer(quietly(codec.encode, elements))


def _decompress(
    codec: Numcodec, own_id: str, data: Buffer, spec: BytesSpec, out: memoryview | None
) -> Buffer:
    if own_id in ARRAY_FILTERS:
        due, limit = decoded_nbytes(own_id, codec, len(data)), spec.limit(len(data))
        if due > limit:
            raise ValueError(f"holds {due} bytes where {limit} are due")
    return as_buffer(quietly(codec.decode, data))
