"""What the property tests lean on finds faults: the registry's schemas, zarr-lint; and the new
types and codecs that no other writer has are as the schemas say.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import zarrfs
from tests.interop.linting import findings
from tests.interop.schemas import FOLDER, LEFT_OUT, OF_ANOTHER_NAME, schema

if TYPE_CHECKING:
    from pathlib import Path

RECTILINEAR: list[list[int] | int] = [[2, 2, 3], 4]

DATA_TYPES: list[Any] = [
    name
    for name in sorted(path.parent.name for path in FOLDER.glob("data-types/*/schema.json"))
    if name not in LEFT_OUT | {"struct", "fixed_length_utf32"} and not name.startswith("numpy.")
]
DATA_TYPES += [
    {"name": "fixed_length_utf32", "configuration": {"length_bytes": 12}},
    {"name": "numpy.datetime64", "configuration": {"unit": "us", "scale_factor": 10}},
    {"name": "numpy.timedelta64", "configuration": {"unit": "generic", "scale_factor": 1}},
    {"name": "struct", "configuration": {"fields": [{"name": "a", "data_type": "bfloat16"}]}},
]

CODECS: list[list[Any]] = [
    [{"name": "bitround", "configuration": {"keepbits": 3}}],
    [
        {"name": "scale_offset", "configuration": {"offset": 1, "scale": 2}},
        {"name": "cast_value", "configuration": {"data_type": "int16", "rounding": "nearest-even"}},
    ],
    [{"name": "reshape", "configuration": {"shape": [[0], [1], 1]}}],
    [{"name": "transpose", "configuration": {"order": [1, 0]}}, "bytes", "zstd"],
    [{"name": "zfp", "configuration": {"mode": "fixed_accuracy", "tolerance": 0.5}}],
]


@pytest.mark.parametrize("data_type", DATA_TYPES, ids=str)
def test_data_types_are_written_as_their_schemas_say(data_type: Any, tmp_path: Path) -> None:
    zarrfs.create_array(tmp_path / "x.zarr", shape=(3,), dtype=data_type)
    assert findings(tmp_path / "x.zarr") == []


@pytest.mark.parametrize("codecs", CODECS, ids=lambda codecs: str(codecs[0]))
def test_codecs_are_written_as_their_schemas_say(codecs: Any, tmp_path: Path) -> None:
    serializers = {"bytes", "zfp"}
    names = {codec if isinstance(codec, str) else codec["name"] for codec in codecs}
    chain = codecs if names & serializers else [*codecs, "bytes"]
    zarrfs.create_array(tmp_path / "x.zarr", shape=(4, 4), dtype="float32", codecs=chain)
    assert findings(tmp_path / "x.zarr") == []


def test_rectilinear_grids_are_written_as_their_schema_says(tmp_path: Path) -> None:
    zarrfs.create_array(tmp_path / "x.zarr", shape=(7, 9), dtype="int16", chunks=RECTILINEAR)
    assert findings(tmp_path / "x.zarr") == []


@pytest.mark.parametrize("name", sorted(OF_ANOTHER_NAME))
def test_schemas_are_left_out_only_while_they_refuse_their_own_name(name: str) -> None:
    validator = schema("data-types", name)
    assert validator is not None
    assert not validator.is_valid(name)


def test_the_schema_of_packbits_is_left_out_only_while_it_lacks_options() -> None:
    validator = schema("codecs", "packbits")
    assert validator is not None
    codec = {"name": "packbits", "configuration": {"first_bit": 0, "last_bit": 3}}
    assert not validator.is_valid(codec)


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({"codecs": [{"name": "zstd", "configuration": {"level": 99}}]}, "99 is greater than"),
        ({"data_type": {"name": "bfloat16", "configuration": {"a": 1}}}, "bfloat16"),
        ({"chunk_grid": {"name": "rectilinear", "configuration": {}}}, "'kind' is a required"),
        ({"shape": [3, 3]}, "array/rank-mismatch"),
    ],
)
def test_faults_of_documents_are_found(change: Any, finding: str, tmp_path: Path) -> None:
    directory = tmp_path / "x.zarr"
    zarrfs.create_array(directory, shape=(3,), dtype="int8")
    document = directory / "zarr.json"
    document.write_text(json.dumps({**json.loads(document.read_text()), **change}))
    assert any(finding in found for found in findings(directory))
