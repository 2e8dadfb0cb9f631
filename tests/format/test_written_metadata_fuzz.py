"""Whatever metadata a document makes: they are written again, converted, or refused by name."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.format.test_metadata_fuzz import (
    GROUP,
    V2_ARRAY,
    V2_STRINGS,
    V3_ARRAY,
    mutate,
    parse,
    values,
)
from zarrfs.errors import MetadataError
from zarrfs.format.consolidated import (
    build_v2_consolidated,
    build_v3_consolidated,
    parse_v2_consolidated,
    parse_v3_consolidated,
)
from zarrfs.format.conversion import array_to_v2, array_to_v3
from zarrfs.format.metadata import ArrayMetadata
from zarrfs.format.node_documents import parse_documents, serialise_documents

PLAIN_V3 = {
    **V3_ARRAY,
    "data_type": "int32",
    "fill_value": 0,
    "chunk_key_encoding": {"name": "v2", "configuration": {"separator": "."}},
    "codecs": [
        {"name": "transpose", "configuration": {"order": [1, 0]}},
        {"name": "numcodecs.delta", "configuration": {"dtype": "<i4", "astype": "<i2"}},
        {"name": "bytes", "configuration": {"endian": "big"}},
        {"name": "blosc", "configuration": {"cname": "lz4", "shuffle": "shuffle", "typesize": 2}},
    ],
    "dimension_names": ["y", "x"],
}
PLAIN_V2 = {
    **V2_ARRAY,
    "dtype": ">i4",
    "fill_value": 0,
    "filters": [
        {"id": "delta", "dtype": ">i4"},
        {"id": "fixedscaleoffset", "dtype": ">i4", "astype": "|u1", "scale": 1, "offset": 0},
    ],
    "compressor": {"id": "blosc", "cname": "lz4", "clevel": 5, "shuffle": -1, "blocksize": 0},
}
DOCUMENTS = [V3_ARRAY, V2_ARRAY, V2_STRINGS, GROUP, PLAIN_V3, PLAIN_V2]


@pytest.mark.parametrize("document", DOCUMENTS)
@given(data=st.data())
def test_metadata_of_any_document_are_the_same_when_written(
    document: Any, data: st.DataObject
) -> None:
    try:
        metadata = parse(mutate(document, data))
    except MetadataError:
        return
    try:
        documents = serialise_documents(metadata)
    except MetadataError:
        return
    assert repr(parse_documents(documents)) == repr(metadata), "NaN is not equal to itself"


@pytest.mark.parametrize("document", DOCUMENTS)
@given(data=st.data())
def test_metadata_of_any_document_are_converted_or_refused(
    document: Any, data: st.DataObject
) -> None:
    try:
        metadata = parse(mutate(document, data))
    except MetadataError:
        return
    for convert in (array_to_v2, array_to_v3):
        if isinstance(metadata, ArrayMetadata):
            with contextlib.suppress(MetadataError):
                serialise_documents(convert(metadata))


def test_documents_that_are_changed_can_be_converted() -> None:
    for document in (PLAIN_V2, PLAIN_V3):
        metadata = parse(document)
        assert isinstance(metadata, ArrayMetadata)
        assert array_to_v3(metadata).zarr_format == 3
        assert array_to_v2(metadata).zarr_format == 2


@given(values, st.data())
def test_any_consolidated_metadata_are_parsed_or_refused(value: Any, data: st.DataObject) -> None:
    v3 = build_v3_consolidated({"a": {"zarr.json": GROUP}, "a/b": {"zarr.json": V3_ARRAY}})
    v2 = build_v2_consolidated({"a": {".zgroup": {}}, "a/b": {".zarray": V2_ARRAY}})
    for parse_it, document in ((parse_v3_consolidated, v3), (parse_v2_consolidated, v2)):
        for candidate in (value, mutate(document, data)):
            if parse_it is parse_v3_consolidated or isinstance(candidate, dict):
                with contextlib.suppress(MetadataError):
                    parse_it(candidate)
