from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zarrfs.errors import MetadataError, RegistrationError, UnsupportedError
from zarrfs.format.chunk_keys import (
    chunk_finder,
    chunk_key_encoding_info,
    list_chunk_key_encodings,
    parse_chunk_key_encoding,
    register_chunk_key_encoding,
    serialise_chunk_key_encoding,
    unregister_chunk_key_encoding,
)
from zarrfs.format.extensions import Extension, parse_extension
from zarrfs.format.key_encodings import ChunkKeyEncoding, EncodingName, SeparatedKeys, Separator

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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


# --- suffixes -------------------------------------------------------------------------------

V2_DOTS = {"name": "v2", "configuration": {"separator": "."}}
V2_TIFF = {"suffix": ".tiff", "base_encoding": {"name": "v2"}}


@pytest.mark.parametrize(
    ("name", "configuration", "key"),
    [
        ("suffix", {"suffix": ".tiff", "base_encoding": "default"}, "c/1/23/45.tiff"),
        ("suffix", V2_TIFF, "1.23.45.tiff"),
        ("suffix", {"suffix": "", "base_encoding": "default"}, "c/1/23/45"),
        (
            "suffix",
            {"suffix": "0", "base_encoding": {"name": "suffix", "configuration": V2_TIFF}},
            "1.23.45.tiff0",
        ),
        ("zarrs.default_suffix", {"suffix": ".tiff"}, "c/1/23/45.tiff"),
        ("zarrs.default_suffix", {"suffix": ".tiff", "separator": "."}, "c.1.23.45.tiff"),
    ],
)
def test_suffix_stands_behind_the_key(name: str, configuration: dict[str, Any], key: str) -> None:
    encoding = parse_chunk_key_encoding(Extension(name=name, configuration=configuration), 3, "x")
    assert encoding.encode((1, 23, 45)) == key
    assert encoding.can_decode
    assert encoding.decode(key, 3) == (1, 23, 45)
    assert encoding.decode(f"{key}x", 3) is None
    assert encoding.decode("c/1/2/3.zip", 3) is None


@pytest.mark.parametrize(
    ("configuration", "message"),
    [
        ({"base_encoding": "v2"}, r"^x\.configuration\.suffix: is missing"),
        ({"suffix": 5, "base_encoding": "v2"}, r"^x\.configuration\.suffix: must be a string"),
        ({"suffix": "a"}, r"^x\.configuration\.base_encoding: is missing"),
        ({"suffix": "a", "base_encoding": "b"}, r"^x\.configuration\.base_encoding: .* no chunk"),
        ({"suffix": "/../../a", "base_encoding": "v2"}, "^x: must give keys below the array"),
        ({"suffix": "/./a", "base_encoding": "v2"}, "^x: must give keys below the array"),
        ({"suffix": "/", "base_encoding": "v2"}, "^x: must give keys below the array"),
        ({"suffix": "//a", "base_encoding": "v2"}, "^x: must give keys below the array"),
        ({"suffix": "\0", "base_encoding": "v2"}, "^x: must give keys below the array"),
        ({"suffix": "/zarr.json", "base_encoding": "v2"}, "^x: must give keys below the array"),
    ],
)
def test_malformed_suffix_is_refused(configuration: dict[str, Any], message: str) -> None:
    with pytest.raises(MetadataError, match=message):
        parse_chunk_key_encoding(Extension(name="suffix", configuration=configuration), 1, "x")


@pytest.mark.parametrize(
    ("name", "configuration"),
    [
        ("default", {"separator": "."}),
        ("v2", {"separator": "/"}),
        (
            "suffix",
            {"suffix": "a", "base_encoding": {"name": "v2", "configuration": {"separator": "."}}},
        ),
        ("zarrs.default_suffix", {"suffix": ".tif", "separator": "/"}),
        ("template", {"format": "{-1}/{*:04}.jpeg", "separator": "_"}),
        ("template", {"format": "{1}-{0}"}),
    ],
)
def test_encoding_is_written_as_it_was(name: str, configuration: dict[str, Any]) -> None:
    value = {"name": name, "configuration": configuration}
    encoding = parse_chunk_key_encoding(parse_extension(value, "x"), 2, "x")
    assert serialise_chunk_key_encoding(encoding) == value


# --- finding chunks -------------------------------------------------------------------------


@pytest.mark.parametrize("template", ["{0}_{1}", "{0}{1}"])
def test_chunks_of_the_grid_are_found_by_their_keys(template: str) -> None:
    extension = Extension(name="template", configuration={"format": template})
    encoding = parse_chunk_key_encoding(extension, 2, "x")
    find = chunk_finder(encoding, (2, 3))
    for coords in itertools.product(range(2), range(3)):
        assert find(encoding.encode(coords)) == coords
    assert find(encoding.encode((2, 0))) is None
    assert find("zarr.json") is None


def test_too_many_chunks_are_not_listed_to_find_one() -> None:
    extension = Extension(name="template", configuration={"format": "{0}{1}"})
    encoding = parse_chunk_key_encoding(extension, 2, "x")
    with pytest.raises(UnsupportedError, match="'template' do not tell which of so many chunks"):
        chunk_finder(encoding, (2**10, 2**11))


# --- plug-ins -------------------------------------------------------------------------------


class Hexadecimal(ChunkKeyEncoding):
    """Coordinates in hexadecimal digits; keys are not decoded."""

    name = "test.hexadecimal"
    configuration: Mapping[str, Any] = {}
    can_decode = False

    def encode(self, coords: tuple[int, ...]) -> str:
        return "".join(f"x{c:x}" for c in coords)

    def decode(self, key: str, ndim: int) -> tuple[int, ...] | None:
        raise AssertionError("`can_decode` tells not to ask")


@pytest.fixture
def hexadecimal() -> Iterator[str]:
    register_chunk_key_encoding("test.hexadecimal", lambda extension, ndim, field: Hexadecimal())
    yield "test.hexadecimal"
    unregister_chunk_key_encoding("test.hexadecimal")


def test_registered_encoding_is_parsed_and_listed(hexadecimal: str) -> None:
    encoding = parse_chunk_key_encoding(Extension(name=hexadecimal), 2, "x")
    assert encoding.encode((10, 255)) == "xaxff"
    assert chunk_finder(encoding, (20, 1))("xfx0") == (15, 0)
    assert serialise_chunk_key_encoding(encoding) == {"name": hexadecimal, "configuration": {}}
    assert hexadecimal in list_chunk_key_encodings()
    assert chunk_key_encoding_info(hexadecimal).origin == "registered"


def test_built_in_encodings_are_protected() -> None:
    with pytest.raises(RegistrationError, match="'v2' is built in"):
        register_chunk_key_encoding("v2", lambda extension, ndim, field: Hexadecimal())
    with pytest.raises(RegistrationError, match="'v2' is built in"):
        unregister_chunk_key_encoding("v2")


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (ZeroDivisionError("no"), "the chunk key encoding 'test.bad' failed: no"),
        (MetadataError("odd", field="x"), "^x: odd$"),
        ("abc", "the chunk key encoding 'test.bad' failed: it made a str"),
    ],
)
def test_registered_encoding_that_fails_is_an_error_of_the_array(made: Any, message: str) -> None:
    def parse(extension: Extension, ndim: int, field: str) -> ChunkKeyEncoding:
        if isinstance(made, Exception):
            raise made
        encoding: ChunkKeyEncoding = made
        return encoding

    register_chunk_key_encoding("test.bad", parse)
    try:
        with pytest.raises(MetadataError, match=message):
            parse_chunk_key_encoding(Extension(name="test.bad"), 1, "x")
    finally:
        unregister_chunk_key_encoding("test.bad")
