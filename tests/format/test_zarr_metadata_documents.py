"""The documents that zarr-python's package of metadata models must parse, and zarrfs too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from zarrfs.format.chunk_grids import parse_chunk_grid, serialise_chunk_grid
from zarrfs.format.chunk_keys import parse_chunk_key_encoding
from zarrfs.format.consolidated import (
    build_v2_consolidated,
    build_v3_consolidated,
    parse_v2_consolidated,
    parse_v3_consolidated,
)
from zarrfs.format.documents import parse_json
from zarrfs.format.dtypes_v3 import parse_v3_dtype
from zarrfs.format.extensions import parse_extension
from zarrfs.format.fill_values import parse_v3_fill_value
from zarrfs.format.metadata import ArrayMetadata, GroupMetadata
from zarrfs.format.node_documents import Documents, parse_documents, serialise_documents

ROOT = Path(__file__).parents[1] / "data" / "zarr-metadata"
RAW_NAMES = {"raw": "r32"}
"""Data types whose folder has another name."""

SPELLED_BY_ABSENCE = {"storage_transformers", "consolidated_metadata"}
"""Members that say nothing where they are empty, or nothing about the node itself."""


def files(pattern: str) -> list[Path]:
    found = sorted(ROOT.glob(pattern))
    assert found
    return found


def label(path: object) -> str:
    return str(path.relative_to(ROOT)) if isinstance(path, Path) else repr(path)


def cases(pattern: str) -> list[tuple[str, Any]]:
    return [
        (f"{path.parent.name}-{name}", value)
        for path in files(pattern)
        for name, value in json.loads(path.read_text()).items()
    ]


def survives_writing(documents: Documents) -> ArrayMetadata | GroupMetadata:
    """Parse documents, write what they say, and hold that nothing is lost of it."""
    metadata = parse_documents(documents)
    written = serialise_documents(metadata)
    assert repr(parse_documents(written)) == repr(metadata), "NaN is not equal to itself"
    for name, members in documents.items():
        assert set(members) - SPELLED_BY_ABSENCE <= set(written.get(name, members))
    return metadata


@pytest.mark.parametrize("path", files("v3/array/*.json"), ids=label)
def test_v3_array_survives_writing(path: Path) -> None:
    document = parse_json(path.read_bytes())
    metadata = survives_writing({"zarr.json": document})
    assert isinstance(metadata, ArrayMetadata)
    assert list(metadata.shape) == document["shape"]


@pytest.mark.parametrize("path", files("v3/group/*.json"), ids=label)
def test_v3_group_survives_writing(path: Path) -> None:
    assert isinstance(survives_writing({"zarr.json": parse_json(path.read_bytes())}), GroupMetadata)


@pytest.mark.parametrize("path", files("v2/array/*.json"), ids=label)
def test_v2_array_survives_writing(path: Path) -> None:
    document = parse_json(path.read_bytes())
    metadata = survives_writing({".zarray": document})
    assert isinstance(metadata, ArrayMetadata)
    assert list(metadata.shape) == document["shape"]


def test_v2_group_survives_writing() -> None:
    document = parse_json((ROOT / "v2/group/minimal.json").read_bytes())
    assert isinstance(survives_writing({".zgroup": document}), GroupMetadata)


@pytest.mark.parametrize("path", files("v3/consolidated/*.json"), ids=label)
def test_v3_consolidated_nodes_survive_writing(path: Path) -> None:
    document = parse_json(path.read_bytes())
    consolidated = parse_v3_consolidated(document)
    assert consolidated.nodes.keys() == document["metadata"].keys()
    for documents in consolidated.nodes.values():
        survives_writing(documents)
    survives_writing(
        {"zarr.json": {"zarr_format": 3, "node_type": "group", "consolidated_metadata": document}}
    )
    built = build_v3_consolidated(consolidated.nodes)
    assert parse_v3_consolidated(built).names == consolidated.names


@pytest.mark.parametrize("path", files("v2/consolidated/*.json"), ids=label)
def test_v2_consolidated_nodes_survive_writing(path: Path) -> None:
    document = parse_json(path.read_bytes())
    consolidated = parse_v2_consolidated(document)
    for documents in consolidated.nodes.values():
        survives_writing(documents)
    own = {name: members for name, members in document["metadata"].items() if "/" not in name}
    assert build_v2_consolidated({"": own, **consolidated.nodes}) == document


@pytest.mark.parametrize(("name", "value"), cases("v3/codec/*/cases.json"))
def test_codec_is_parsed(name: str, value: Any) -> None:
    assert name.startswith(parse_extension(value, "codec").name)


@pytest.mark.parametrize(("name", "value"), cases("v3/chunk_grid/*/cases.json"))
def test_chunk_grid_is_parsed_and_survives_writing(name: str, value: Any) -> None:
    extension = parse_extension(value, "chunk_grid")
    (lengths,) = (v for v in extension.configuration.values() if isinstance(v, list))
    shape = (30,) * len(lengths)
    grid = parse_chunk_grid(extension, shape, "chunk_grid")
    written = serialise_chunk_grid(grid)
    assert name.startswith(written["name"])
    assert parse_chunk_grid(parse_extension(written, "x"), shape, "x") == grid


@pytest.mark.parametrize(("name", "value"), cases("v3/chunk_key_encoding/*/cases.json"))
def test_chunk_key_encoding_is_parsed(name: str, value: Any) -> None:
    encoding = parse_chunk_key_encoding(parse_extension(value, "x"), 1, "x")
    assert name.startswith(encoding.name)


@pytest.mark.parametrize("path", files("v3/data_type/*/fill_values.json"), ids=label)
def test_fill_values_are_parsed(path: Path) -> None:
    described = path.with_name("data_type.json")
    name = RAW_NAMES.get(path.parent.name, path.parent.name)
    data_type = parse_v3_dtype(json.loads(described.read_text()) if described.exists() else name)
    for value in json.loads(path.read_text()).values():
        fill_value: Any = parse_v3_fill_value(value, data_type)
        assert isinstance(fill_value, bytes | str) or fill_value.dtype == data_type.dtype
