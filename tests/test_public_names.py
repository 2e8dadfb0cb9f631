"""What ``import zarrfs`` offers: a name that goes or comes here is seen by every user."""

from __future__ import annotations

import subprocess
import sys

import pytest

import zarrfs


def test_the_public_names_are_these() -> None:
    assert sorted(zarrfs.__all__) == [
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
    assert all(getattr(zarrfs, name) is not None for name in zarrfs.__all__)


def test_public_names_are_offered_for_completion() -> None:
    assert set(zarrfs.__all__) <= set(dir(zarrfs))


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        zarrfs.nothing  # noqa: B018 (the access is the test)


def test_importing_zarrfs_imports_neither_numpy_nor_fuse() -> None:
    heavy = "{'numpy', 'numcodecs', 'trio', 'pyfuse3', 'fsspec', 'click'}"
    code = f"import sys, zarrfs; print(sorted({heavy} & set(sys.modules)))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
