"""The one table: codec name -> how to build it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from zarrfs.codecs.base import Codec, Spec
from zarrfs.codecs.bytes_codec import parse_bytes
from zarrfs.codecs.checksums import parse_crc32c
from zarrfs.codecs.compressors import parse_blosc, parse_gzip, parse_zstd
from zarrfs.codecs.numcodecs_adapter import PREFIX, parse_numcodecs
from zarrfs.codecs.sharding import BuildPipeline, parse_sharding
from zarrfs.codecs.transpose import parse_transpose
from zarrfs.errors import UnsupportedError

if TYPE_CHECKING:
    from zarrfs.format.extensions import Extension

Factory = Callable[["Extension", Spec], Codec]

_FACTORIES = MappingProxyType[str, Factory](
    {
        "blosc": parse_blosc,
        "bytes": parse_bytes,
        "crc32c": parse_crc32c,
        "endian": parse_bytes,  # the name in drafts of v3
        "gzip": parse_gzip,
        "transpose": parse_transpose,
        "vlen-bytes": parse_numcodecs,
        "vlen-utf8": parse_numcodecs,
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
        ``None`` if the codec is not supported and need not be understood.

    Raises
    ------
    MetadataError
        If its configuration is wrong or it cannot stand here.
    UnsupportedError
        If it is not known.
    """
    try:
        return _find(extension, build_pipeline)(extension, spec)
    except UnsupportedError:
        if extension.must_understand:
            raise
        return None


def _find(extension: Extension, build_pipeline: BuildPipeline) -> Factory:
    name = extension.name
    if name == "sharding_indexed":
        return partial(parse_sharding, build=build_pipeline)
    if name.startswith(PREFIX):
        return parse_numcodecs
    if name not in _FACTORIES:
        raise UnsupportedError(f"zarrfs has no codec {name!r}", field="codecs")
    return _FACTORIES[name]
