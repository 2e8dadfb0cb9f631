"""The one table: codec name -> how to build it."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import TYPE_CHECKING

from zarrfs.codecs.base import Codec, Spec
from zarrfs.codecs.bitround import parse_bitround
from zarrfs.codecs.bytes_codec import parse_bytes
from zarrfs.codecs.checksums import parse_crc32c
from zarrfs.codecs.compressors import parse_blosc, parse_gzip, parse_zstd
from zarrfs.codecs.numcodecs_adapter import parse_numcodecs
from zarrfs.codecs.packbits import parse_packbits
from zarrfs.codecs.reshape import parse_reshape, parse_squeeze
from zarrfs.codecs.sharding import BuildPipeline, parse_sharding
from zarrfs.codecs.transpose import parse_transpose
from zarrfs.codecs.zfp_codec import parse_zfp
from zarrfs.errors import UnsupportedError

if TYPE_CHECKING:
    from zarrfs.format.extensions import Extension

Factory = Callable[["Extension", Spec, BuildPipeline], Codec]
"""Builds a codec for what it will encode; the last argument builds pipelines inside of it."""


def _plain(parse: Callable[[Extension, Spec], Codec]) -> Factory:
    """Return the factory of a codec that holds no pipelines."""
    return lambda extension, spec, build_pipeline: parse(extension, spec)


_FACTORIES = MappingProxyType[str, Factory](
    {
        "bitround": _plain(parse_bitround),
        "blosc": _plain(parse_blosc),
        "bytes": _plain(parse_bytes),
        "crc32c": _plain(parse_crc32c),
        "endian": _plain(parse_bytes),  # the name in drafts of v3
        "gzip": _plain(parse_gzip),
        "numcodecs.*": _plain(parse_numcodecs),
        "packbits": _plain(parse_packbits),
        "reshape": _plain(parse_reshape),
        "sharding_indexed": parse_sharding,
        "transpose": _plain(parse_transpose),
        "vlen-bytes": _plain(parse_numcodecs),
        "vlen-utf8": _plain(parse_numcodecs),
        "zarrs.squeeze": _plain(parse_squeeze),
        "zarrs.zfp": _plain(parse_zfp),  # its first name
        "zfp": _plain(parse_zfp),
        "zstd": _plain(parse_zstd),
    }
)
"""A name that ends in ``.*`` stands for all that begin so."""


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
    family = f"{extension.name.partition('.')[0]}.*"
    factory = _FACTORIES.get(extension.name) or _FACTORIES.get(family)
    try:
        if factory is None:
            raise UnsupportedError(f"zarrfs has no codec {extension.name!r}", field="codecs")
        return factory(extension, spec, build_pipeline)
    except UnsupportedError:
        if extension.must_understand:
            raise
        return None
