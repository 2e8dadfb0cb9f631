"""The one table: codec name -> how to build it."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import TYPE_CHECKING

from zarrfs.codecs.base import Codec, Spec
from zarrfs.codecs.bytes_codec import parse_bytes
from zarrfs.codecs.checksums import parse_crc32c
from zarrfs.codecs.compressors import parse_blosc, parse_gzip, parse_zstd
from zarrfs.codecs.sharding import BuildPipeline, parse_sharding
from zarrfs.codecs.transpose import parse_transpose
from zarrfs.errors import UnsupportedError

if TYPE_CHECKING:
    from zarrfs.format.extensions import Extension

Factory = Callable[["Extension", Spec], Codec]
ComposingFactory = Callable[["Extension", Spec, BuildPipeline], Codec]
"""Builds a codec that holds pipelines of its own, by means of its last argument."""

_FACTORIES = MappingProxyType[str, Factory](
    {
        "blosc": parse_blosc,
        "bytes": parse_bytes,
        "crc32c": parse_crc32c,
        "endian": parse_bytes,  # the name in drafts of v3
        "gzip": parse_gzip,
        "transpose": parse_transpose,
        "zstd": parse_zstd,
    }
)


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
        ``None`` if the codec is not known and need not be understood.

    Raises
    ------
    MetadataError
        If its configuration is wrong or it cannot stand here.
    UnsupportedError
        If it is not known.
    """
    if extension.name == "sharding_indexed":
        return parse_sharding(extension, spec, build_pipeline)
    factory = _FACTORIES.get(extension.name)
    if factory is not None:
        return factory(extension, spec)
    if not extension.must_understand:
        return None
    raise UnsupportedError(f"codec {extension.name!r} is not known", field="codecs")
