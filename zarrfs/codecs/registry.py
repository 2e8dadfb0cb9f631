"""The one table: codec name -> how to build it.

Looked up in this order: names that the program registered, those built in here, entry points
``zarrfs.codecs`` of installed packages, and what other packages gave to numcodecs' own registry.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from zarrfs.codecs.base import BytesBytesCodec, BytesSpec, ChunkSpec, Codec, Spec
from zarrfs.codecs.bitround import parse_bitround
from zarrfs.codecs.bytes_codec import parse_bytes
from zarrfs.codecs.cast_value import parse_cast_value
from zarrfs.codecs.checksums import parse_crc32c
from zarrfs.codecs.compressors import parse_blosc, parse_gzip, parse_zstd
from zarrfs.codecs.numcodecs_adapter import is_other_id, numcodecs_ids, parse_numcodecs
from zarrfs.codecs.packbits import parse_packbits
from zarrfs.codecs.plug_ins import build_behind_bytes, build_plug_in, check_class, expect_class
from zarrfs.codecs.refused import REFUSED
from zarrfs.codecs.reshape import parse_reshape, parse_squeeze
from zarrfs.codecs.scale_offset import parse_scale_offset
from zarrfs.codecs.sharding import BuildPipeline, parse_sharding
from zarrfs.codecs.snappy import parse_snappy
from zarrfs.codecs.transpose import parse_transpose
from zarrfs.codecs.vlen import parse_interleaved, parse_vlen
from zarrfs.codecs.zfp_codec import parse_zfp
from zarrfs.errors import UnsupportedError
from zarrfs.registry import Registry

if TYPE_CHECKING:
    from zarrfs.format.extensions import Extension

Factory = Callable[["Extension", Spec, BuildPipeline], Codec]
"""Builds a codec for what it will encode; the last argument builds pipelines inside of it."""

Parse = Callable[["Extension", Spec], Codec]
"""The same, for codecs that hold no pipelines."""


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A codec of zarrfs itself."""

    kind: str
    """What it encodes to what, such as ``"array -> bytes"``."""

    parse: Callable[..., Codec]
    """The function that tells of it by its docstring."""

    build: Factory

    extra: str | None = None
    """Extra of zarrfs that installs what it needs; named like the module that is then there."""


def _built_in(kind: str, parse: Parse, extra: str | None) -> BuiltIn:
    return BuiltIn(kind, parse, lambda extension, spec, build: parse(extension, spec), extra)


def _array_array(parse: Parse, *, extra: str | None = None) -> BuiltIn:
    return _built_in("array -> array", parse, extra)


def _array_bytes(parse: Parse, *, extra: str | None = None) -> BuiltIn:
    return _built_in("array -> bytes", parse, extra)


def _bytes_bytes(parse: Parse, *, extra: str | None = None) -> BuiltIn:
    return _built_in("bytes -> bytes", parse, extra)


def _build_bitround(extension: Extension, spec: Spec, build: BuildPipeline) -> Codec:
    """Build ``numcodecs.bitround``: in v3 another name of ``bitround``, in v2 a codec of bytes."""
    parse = parse_bitround if isinstance(spec, ChunkSpec) else parse_numcodecs
    return parse(extension, spec)


def _build_numcodecs(extension: Extension, spec: Spec, build: BuildPipeline) -> Codec:
    """Build ``numcodecs.<id>``: numcodecs' codec, else the one registered as ``<id>``."""
    codec_id = extension.name.removeprefix("numcodecs.")
    found = None if codec_id in numcodecs_ids() else CODECS.find(codec_id)
    if found is None or isinstance(found, BuiltIn):
        return parse_numcodecs(extension, spec)
    plain = replace(extension, name=codec_id)
    if isinstance(spec, BytesSpec) and not issubclass(
        expect_class(found, codec_id), BytesBytesCodec
    ):
        return build_behind_bytes(found, plain, spec, build)
    return build_plug_in(found, plain, spec)


CODECS: Registry[BuiltIn | type[Codec]] = Registry(
    "codec",
    {
        "bitround": _array_array(parse_bitround),
        "blosc": _bytes_bytes(parse_blosc),
        "bytes": _array_bytes(parse_bytes),
        "cast_value": _array_array(parse_cast_value),
        "crc32c": _bytes_bytes(parse_crc32c),
        "endian": _array_bytes(parse_bytes),  # the name in drafts of v3
        "gzip": _bytes_bytes(parse_gzip),
        "numcodecs.*": BuiltIn("by its place", parse_numcodecs, _build_numcodecs),
        "numcodecs.bitround": BuiltIn("by its place", parse_bitround, _build_bitround),
        "numcodecs.snappy": _bytes_bytes(parse_snappy, extra="cramjam"),
        "packbits": _array_bytes(parse_packbits),
        "reshape": _array_array(parse_reshape),
        "scale_offset": _array_array(parse_scale_offset),
        "sharding_indexed": BuiltIn("array -> bytes", parse_sharding, parse_sharding),
        "transpose": _array_array(parse_transpose),
        "vlen-array": _array_bytes(parse_interleaved),
        "vlen-bytes": _array_bytes(parse_interleaved),
        "vlen-utf8": _array_bytes(parse_interleaved),
        "zarrs.squeeze": _array_array(parse_squeeze),
        "zarrs.vlen": BuiltIn("array -> bytes", parse_vlen, parse_vlen),
        "zarrs.vlen_v2": _array_bytes(parse_interleaved),
        "zarrs.zfp": _array_bytes(parse_zfp, extra="zfpy"),  # its first name
        "zfp": _array_bytes(parse_zfp, extra="zfpy"),
        "zstd": _bytes_bytes(parse_zstd),
    },
    group="zarrfs.codecs",
)
"""A name that ends in ``*`` stands for all that begin so."""


FIRST_NAMES = MappingProxyType(
    {
        f"https://codec.zarrs.dev/{first}": name
        for first, name in (
            ("array_to_array/bitround", "bitround"),
            ("array_to_bytes/bitround", "bitround"),
            ("array_to_bytes/pcodec", "numcodecs.pcodec"),
            ("array_to_bytes/vlen", "zarrs.vlen"),
            ("array_to_bytes/vlen_v2", "zarrs.vlen_v2"),
            ("array_to_bytes/zfp", "zfp"),
            ("array_to_bytes/zfpy", "numcodecs.zfpy"),
            ("bytes_to_bytes/bz2", "numcodecs.bz2"),
            ("bytes_to_bytes/fletcher32", "numcodecs.fletcher32"),
            ("bytes_to_bytes/gdeflate", "zarrs.gdeflate"),
        )
    }
)
"""Names that the Rust library zarrs gave codecs before they were registered -> those of today."""


def register_codec(codec_class: type[Codec], *, force: bool = False) -> None:
    """Let arrays use a codec of your own, in this process.

    Parameters
    ----------
    codec_class
        A subclass of `zarrfs.BytesBytesCodec`, `zarrfs.ArrayBytesCodec` or
        `zarrfs.ArrayArrayCodec` with an attribute ``name`` and the methods ``encode`` and
        ``decode``. Its constructor takes the members of the codec's configuration; a codec that
        has to know what it encodes defines the class method ``from_configuration`` instead.
    force
        Replace a codec that has the name already.

    Raises
    ------
    RegistrationError
        If the class is no such class, or the name is taken.

    See Also
    --------
    zarrfs.codecs.catalogue.codec_info : What is known of a codec.

    Notes
    -----
    Codecs are pure and may be called from many threads at once. What they raise becomes a
    `CodecError`, and so do results of the wrong type, shape or size. A package that has codecs
    offers them by entry points, group ``zarrfs.codecs``, name and class; they then work by being
    installed.

    In Zarr v3 arrays the codec goes by its name, in Zarr v2 by ``{"id": name}`` as a filter or
    as the compressor, there together with its configuration.

    Examples
    --------
    Flips bits of every byte:

    >>> from dataclasses import dataclass
    >>> import numpy as np
    >>> import zarrfs
    >>> @dataclass(frozen=True)
    ... class Xor(zarrfs.BytesBytesCodec):
    ...     '''Flips the bits of every byte that are set in `mask`.'''
    ...
    ...     name = "example.xor"
    ...     mask: int
    ...
    ...     def encode(self, data):
    ...         return (np.frombuffer(data, np.uint8) ^ np.uint8(self.mask)).tobytes()
    ...
    ...     def decode(self, data, out=None):
    ...         return self.encode(data)
    >>> zarrfs.register_codec(Xor)
    >>> zarrfs.codec_info("example.xor").description
    'Flips the bits of every byte that are set in `mask`.'

    Now ``"codecs": ["bytes", {"name": "example.xor", "configuration": {"mask": 85}}, "zstd"]``
    may stand in the metadata of an array. A codec that changes the type of the elements says what
    comes out, in `encoded_spec`; the fill value too is encoded:

    >>> class Halves(zarrfs.ArrayArrayCodec):
    ...     '''Keeps 64-bit floats in 32 bits.'''
    ...
    ...     name = "example.halves"
    ...
    ...     def __init__(self, spec):
    ...         self.encoded_spec = zarrfs.ChunkSpec(
    ...             shape=spec.shape, dtype=np.dtype("f4"), fill_value=np.float32(spec.fill_value)
    ...         )
    ...
    ...     @classmethod
    ...     def from_configuration(cls, configuration, spec):
    ...         return cls(spec)
    ...
    ...     def encode(self, array):
    ...         return array.astype("f4")
    ...
    ...     def decode(self, array):
    ...         return array.astype("f8")
    >>> zarrfs.register_codec(Halves)
    >>> zarrfs.unregister_codec("example.halves")
    >>> zarrfs.unregister_codec("example.xor")
    """
    CODECS.register(check_class(codec_class).name, codec_class, force=force)


def unregister_codec(name: str) -> None:
    """Forget a codec that was registered; one that it replaced is back.

    Raises
    ------
    RegistrationError
        If it was not registered: what is built in or installed stays.
    """
    CODECS.unregister(name)


def list_codecs() -> list[str]:
    """Return the names of all codecs, sorted, those included that need another package."""
    named = (name for name in CODECS.names() if not name.endswith("*"))
    return sorted({*named, *(f"numcodecs.{codec_id}" for codec_id in numcodecs_ids())})


def build_codec(extension: Extension, spec: Spec, build_pipeline: BuildPipeline) -> Codec | None:
    """Build one codec for what it will encode.

    Parameters
    ----------
    extension
        The codec's name and configuration.
    spec
        What it encodes: an array, or bytes if a codec before it made some of the array.
    build_pipeline
        Builds the pipelines of codecs that hold some, such as sharding.

    Returns
    -------
    Codec | None
        ``None`` if the codec is not supported and need not be understood.

    Raises
    ------
    MetadataError
        If its configuration is wrong or it cannot stand here.
    UnsupportedError
        If it is not known.
    """
    name = FIRST_NAMES.get(extension.name)
    if name is not None:
        extension = replace(extension, name=name)
    try:
        found = CODECS.find(extension.name)
        if isinstance(found, BuiltIn):
            return found.build(extension, spec, build_pipeline)
        if found is not None:
            return build_plug_in(found, extension, spec)
        if is_other_id(extension.name):
            return parse_numcodecs(extension, spec)
        if extension.name in REFUSED:
            field = f"codecs.{extension.name}"
            raise UnsupportedError(REFUSED[extension.name], field=field)
        raise UnsupportedError(_unknown(extension.name), field="codecs")
    except UnsupportedError:
        if extension.must_understand:
            raise
        return None


def _unknown(name: str) -> str:
    """Say that there is no such codec, and what may help."""
    known = list_codecs()
    close = [known_name for known_name in known if known_name == f"numcodecs.{name}"]
    close += difflib.get_close_matches(name, known, 3, cutoff=0.7)
    advice = f"did you mean {' or '.join(map(repr, dict.fromkeys(close)))}; " if close else ""
    return (
        f"zarrfs has no codec {name!r}; {advice}a codec of another package works once that is "
        "installed, one of your own after zarrfs.register_codec"
    )
