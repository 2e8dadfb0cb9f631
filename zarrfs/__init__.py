"""zarrfs: mount any Zarr store and read its arrays as plain files.

The public names, each imported when it is first used: neither the command line nor a program that
only opens an array pays for what it does not use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zarrfs.api.array import Array
    from zarrfs.api.creating import create_array, create_group, load, save
    from zarrfs.api.group import Group
    from zarrfs.api.opening import open_any as open
    from zarrfs.api.opening import open_array, open_group
    from zarrfs.codecs.base import (
        ArrayArrayCodec,
        ArrayBytesCodec,
        BytesBytesCodec,
        BytesSpec,
        ChunkSpec,
    )
    from zarrfs.codecs.catalogue import available_codecs, codec_info, validate_codec
    from zarrfs.codecs.registry import list_codecs, register_codec, unregister_codec
    from zarrfs.errors import ZarrfsError
    from zarrfs.mounts.process import Mount, mount
    from zarrfs.mounts.state import list_mounts
    from zarrfs.mounts.unmount import unmount

__version__ = "0.1.0.dev0"

__all__ = [
    "Array",
    "ArrayArrayCodec",
    "ArrayBytesCodec",
    "BytesBytesCodec",
    "BytesSpec",
    "ChunkSpec",
    "Group",
    "Mount",
    "ZarrfsError",
    "__version__",
    "available_codecs",
    "codec_info",
    "create_array",
    "create_group",
    "list_codecs",
    "list_mounts",
    "load",
    "mount",
    "open",
    "open_array",
    "open_group",
    "register_codec",
    "save",
    "unmount",
    "unregister_codec",
    "validate_codec",
]

_HOMES = {
    "Array": ("zarrfs.api.array", "Array"),
    "ArrayArrayCodec": ("zarrfs.codecs.base", "ArrayArrayCodec"),
    "ArrayBytesCodec": ("zarrfs.codecs.base", "ArrayBytesCodec"),
    "BytesBytesCodec": ("zarrfs.codecs.base", "BytesBytesCodec"),
    "BytesSpec": ("zarrfs.codecs.base", "BytesSpec"),
    "ChunkSpec": ("zarrfs.codecs.base", "ChunkSpec"),
    "Group": ("zarrfs.api.group", "Group"),
    "Mount": ("zarrfs.mounts.process", "Mount"),
    "ZarrfsError": ("zarrfs.errors", "ZarrfsError"),
    "available_codecs": ("zarrfs.codecs.catalogue", "available_codecs"),
    "codec_info": ("zarrfs.codecs.catalogue", "codec_info"),
    "create_array": ("zarrfs.api.creating", "create_array"),
    "create_group": ("zarrfs.api.creating", "create_group"),
    "list_codecs": ("zarrfs.codecs.registry", "list_codecs"),
    "list_mounts": ("zarrfs.mounts.state", "list_mounts"),
    "load": ("zarrfs.api.creating", "load"),
    "mount": ("zarrfs.mounts.process", "mount"),
    "open": ("zarrfs.api.opening", "open_any"),
    "open_array": ("zarrfs.api.opening", "open_array"),
    "open_group": ("zarrfs.api.opening", "open_group"),
    "register_codec": ("zarrfs.codecs.registry", "register_codec"),
    "save": ("zarrfs.api.creating", "save"),
    "unmount": ("zarrfs.mounts.unmount", "unmount"),
    "unregister_codec": ("zarrfs.codecs.registry", "unregister_codec"),
    "validate_codec": ("zarrfs.codecs.catalogue", "validate_codec"),
}
"""Public name -> module, and the name there."""


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'zarrfs' has no attribute {name!r}")
    module, attribute = _HOMES[name]
    return getattr(importlib.import_module(module), attribute)
