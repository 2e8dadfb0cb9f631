from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zarrfs.errors import MetadataError, UnsupportedError
from zarrfs.format.chunk_keys import parse_chunk_key_encoding
from zarrfs.format.extensions import Extension
from zarrfs.format.key_encodings import EncodingName, SeparatedKeys, Separator

encodings = st.builds(
    SeparatedKeys,
    st.sampled_from(get_args(EncodingName)),
    st.sampled_from(get_args(Separator)),
)
coordinates = st.lists(st.integers(0, 2**63 - 1), max_size=4).map(tuple)


@given(encodings, coordinates)
def test_key_decodes_to_the_coordinates_it_encodes(
    encoding: SeparatedKeys, coords: tuple[int, ...]
) -> None:
    assert encoding.decode(encoding.encode(coords), len(coords)) == coords


@given(encodings, st.text("c./01٣ \n", max_size=8), st.integers(0, 3))
def test_only_the_key_that_would_be_encoded_decodes(
    encoding: SeparatedKeys, key: str, ndim: int
) -> None:
    coords = encoding.decode(key, ndim)
    assert coords is None or (len(coords) == ndim and encoding.encode(coords) == key)


@pytest.mark.parametrize(
    ("name", "separator", "key", "scalar_key"),
    [
        ("default", "/", "c/1/23/45", "c"),
        ("default", ".", "c.1.23.45", "c"),
        ("v2", ".", "1.23.45", "0"),
        ("v2", "/", "1/23/45", "0"),
    ],
)
def test_keys_are_those_of_the_specification(
    name: EncodingName, separator: Separator, key: str, scalar_key: str
) -> None:
    encoding = SeparatedKeys(name, separator)
    assert encoding.encode((1, 23, 45)) == key
    assert encoding.encode(()) == scalar_key


@pytest.mark.parametrize("key", ["zarr.json", ".zarray", "c", "c/0/0", "0", "c/00", "c/-1", ""])
def test_other_names_are_no_chunks(key: str) -> None:
    assert SeparatedKeys("default", "/").decode(key, 1) is None


def test_number_too_long_for_a_chunk_is_none() -> None:
    assert SeparatedKeys("v2", ".").decode("9" * 5000, 1) is None


@pytest.mark.parametrize(
    ("extension", "encoding"),
    [
        (Extension(name="default"), SeparatedKeys("default", "/")),
        (Extension(name="v2"), SeparatedKeys("v2", ".")),
        (
            Extension(name="default", configuration={"separator": "."}),
            SeparatedKeys("default", "."),
        ),
        (Extension(name="v2", configuration={"separator": "/"}), SeparatedKeys("v2", "/")),
    ],
)
def test_encoding_is_parsed(extension: Extension, encoding: SeparatedKeys) -> None:
    assert parse_chunk_key_encoding(extension, 1, "x") == encoding


@pytest.mark.parametrize("separator", ["", "-", None, 1, ["/"]])
def test_other_separators_are_refused(separator: object) -> None:
    extension = Extension(name="v2", configuration={"separator": separator})
    with pytest.raises(MetadataError, match=r'^x\.configuration\.separator: must be "/" or "\."'):
        parse_chunk_key_encoding(extension, 1, "x")


def test_other_members_are_refused() -> None:
    extension = Extension(name="default", configuration={"suffix": ".tif"})
    with pytest.raises(UnsupportedError, match=r"^x\.configuration\.suffix: is unknown"):
        parse_chunk_key_encoding(extension, 1, "x")


def test_other_encoding_is_named_as_unsupported() -> None:
    with pytest.raises(UnsupportedError, match="'fanout'"):
        parse_chunk_key_encoding(Extension(name="fanout"), 1, "x")
