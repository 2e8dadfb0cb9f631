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
    from zarrfs.byte_range import ByteRange
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
    from zarrfs.format.chunk_grids import (
        ChunkGrid,
        chunk_grid_info,
        list_chunk_grids,
        register_chunk_grid,
        regular_grid,
        unregister_chunk_grid,
    )
    from zarrfs.format.chunk_keys import (
        chunk_key_encoding_info,
        list_chunk_key_encodings,
        register_chunk_key_encoding,
        unregister_chunk_key_encoding,
    )
    from zarrfs.format.dtypes import DataType, DataTypeDefinition
    from zarrfs.format.dtypes_v3 import (
        data_type_info,
        list_data_types,
        register_data_type,
        unregister_data_type,
    )
    from zarrfs.format.extensions import Extension
    from zarrfs.format.key_encodings import ChunkKeyEncoding
    from zarrfs.mounts.process import Mount, mount
    from zarrfs.mounts.state import list_mounts
    from zarrfs.mounts.unmount import unmount
    from zarrfs.stores.base import Capabilities, Listed, ObjectInfo, Store
    from zarrfs.stores.schemes import list_stores, register_store, store_info, unregister_store

__version__ = "0.1.0.dev0"

__all__ = [
    "Array",
    "ArrayArrayCodec",
    "ArrayBytesCodec",
    "ByteRange",
    "BytesBytesCodec",
    "BytesSpec",
    "Capabilities",
    "ChunkGrid",
    "ChunkKeyEncoding",
    "ChunkSpec",
    "DataType",
    "DataTypeDefinition",
    "Extension",
    "Group",
    "Listed",
    "Mount",
    "ObjectInfo",
    "Store",
    "ZarrfsError",
    "__version__",
    "available_codecs",
    "chunk_grid_info",
    "chunk_key_encoding_info",
    "codec_info",
    "create_array",
    "create_group",
    "data_type_info",
    "list_chunk_grids",
    "list_chunk_key_encodings",
    "list_codecs",
    "list_data_types",
    "list_mounts",
    "list_stores",
    "load",
    "mount",
    "open",
    "open_array",
    "open_group",
    "register_chunk_grid",
    "register_chunk_key_encoding",
    "register_codec",
    "register_data_type",
    "register_store",
    "regular_grid",
    "save",
    "store_info",
    "unmount",
    "unregister_chunk_grid",
    "unregister_chunk_key_encoding",
    "unregister_codec",
    "unregister_data_type",
    "unregister_store",
    "validate_codec",
]

_HOMES = {
    "Array": ("zarrfs.api.array", "Array"),
    "ArrayArrayCodec": ("zarrfs.codecs.base", "ArrayArrayCodec"),
    "ArrayBytesCodec": ("zarrfs.codecs.base", "ArrayBytesCodec"),
    "ByteRange": ("zarrfs.byte_range", "ByteRange"),
    "BytesBytesCodec": ("zarrfs.codecs.base", "BytesBytesCodec"),
    "BytesSpec": ("zarrfs.codecs.base", "BytesSpec"),
    "Capabilities": ("zarrfs.stores.base", "Capabilities"),
    "ChunkGrid": ("zarrfs.format.chunk_grids", "ChunkGrid"),
    "ChunkKeyEncoding": ("zarrfs.format.key_encodings", "ChunkKeyEncoding"),
    "ChunkSpec": ("zarrfs.codecs.base", "ChunkSpec"),
    "DataType": ("zarrfs.format.dtypes", "DataType"),
    "DataTypeDefinition": ("zarrfs.format.dtypes", "DataTypeDefinition"),
    "Extension": ("zarrfs.format.extensions", "Extension"),
    "Group": ("zarrfs.api.group", "Group"),
    "Listed": ("zarrfs.stores.base", "Listed"),
    "Mount": ("zarrfs.mounts.process", "Mount"),
    "ObjectInfo": ("zarrfs.stores.base", "ObjectInfo"),
    "Store": ("zarrfs.stores.base", "Store"),
    "ZarrfsError": ("zarrfs.errors", "ZarrfsError"),
    "available_codecs": ("zarrfs.codecs.catalogue", "available_codecs"),
    "chunk_grid_info": ("zarrfs.format.chunk_grids", "chunk_grid_info"),
    "chunk_key_encoding_info": ("zarrfs.format.chunk_keys", "chunk_key_encoding_info"),
    "codec_info": ("zarrfs.codecs.catalogue", "codec_info"),
    "create_array": ("zarrfs.api.creating", "create_array"),
    "create_group": ("zarrfs.api.creating", "create_group"),
    "data_type_info": ("zarrfs.format.dtypes_v3", "data_type_info"),
    "list_chunk_grids": ("zarrfs.format.chunk_grids", "list_chunk_grids"),
    "list_chunk_key_encodings": ("zarrfs.format.chunk_keys", "list_chunk_key_encodings"),
    "list_codecs": ("zarrfs.codecs.registry", "list_codecs"),
    "list_data_types": ("zarrfs.format.dtypes_v3", "list_data_types"),
    "list_mounts": ("zarrfs.mounts.state", "list_mounts"),
    "list_stores": ("zarrfs.stores.schemes", "list_stores"),
    "load": ("zarrfs.api.creating", "load"),
    "mount": ("zarrfs.mounts.process", "mount"),
    "open": ("zarrfs.api.opening", "open_any"),
    "open_array": ("zarrfs.api.opening", "open_array"),
    "open_group": ("zarrfs.api.opening", "open_group"),
    "register_chunk_grid": ("zarrfs.format.chunk_grids", "register_chunk_grid"),
    "register_chunk_key_encoding": ("zarrfs.format.chunk_keys", "register_chunk_key_encoding"),
    "register_codec": ("zarrfs.codecs.registry", "register_codec"),
    "register_data_type": ("zarrfs.format.dtypes_v3", "register_data_type"),
    "register_store": ("zarrfs.stores.schemes", "register_store"),
    "regular_grid": ("zarrfs.format.chunk_grids", "regular_grid"),
    "save": ("zarrfs.api.creating", "save"),
    "store_info": ("zarrfs.stores.schemes", "store_info"),
    "unmount": ("zarrfs.mounts.unmount", "unmount"),
    "unregister_chunk_grid": ("zarrfs.format.chunk_grids", "unregister_chunk_grid"),
    "unregister_chunk_key_encoding": ("zarrfs.format.chunk_keys", "unregister_chunk_key_encoding"),
    "unregister_codec": ("zarrfs.codecs.registry", "unregister_codec"),
    "unregister_data_type": ("zarrfs.format.dtypes_v3", "unregister_data_type"),
    "unregister_store": ("zarrfs.stores.schemes", "unregister_store"),
    "validate_codec": ("zarrfs.codecs.catalogue", "validate_codec"),
}
"""Public name -> module, and the name there."""


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'zarrfs' has no attribute {name!r}")
    module, attribute = _HOMES[name]
    return getattr(importlib.import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
