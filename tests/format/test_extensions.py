from __future__ import annotations

import pytest

from zarrfs.errors import MetadataError, UnsupportedError
from zarrfs.format.extensions import (
    Extension,
    parse_essential_extension,
    parse_extension,
    parse_extensions,
    serialise_extension,
)


@pytest.mark.parametrize("value", ["zstd", {"name": "zstd"}, {"name": "zstd", "configuration": {}}])
def test_short_hand_name_is_an_object_with_a_name(value: object) -> None:
    assert parse_extension(value, "x") == Extension(name="zstd")


def test_configuration_is_kept() -> None:
    value = {"name": "gzip", "configuration": {"level": 1}, "must_understand": False}
    assert parse_extension(value, "x") == Extension(
        name="gzip", configuration={"level": 1}, must_understand=False
    )


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("", 'x: must be a non-empty string, not ""'),
        (None, "x: must be a name or an object, not null"),
        ({}, "x.name: is missing"),
        ({"name": 1}, "x.name: must be a non-empty string, not 1"),
        ({"name": "a", "configuration": None}, "x.configuration: must be an object, not null"),
        ({"name": "a", "must_understand": 0}, "x.must_understand: must be true or false, not 0"),
    ],
)
def test_malformed_extension_is_refused(value: object, message: str) -> None:
    with pytest.raises(MetadataError) as error:
        parse_extension(value, "x")
    assert str(error.value) == message


def test_unknown_member_is_refused() -> None:
    with pytest.raises(UnsupportedError, match=r"^x\.version: is unknown"):
        parse_extension({"name": "a", "version": 2}, "x")


def test_what_every_reader_needs_cannot_be_ignorable() -> None:
    with pytest.raises(MetadataError, match=r"^x\.must_understand: cannot be false"):
        parse_essential_extension({"name": "a", "must_understand": False}, "x")


def test_items_of_a_list_are_numbered_in_messages() -> None:
    with pytest.raises(MetadataError, match=r"^codecs\[1\]: must be a name"):
        parse_extensions(["bytes", 1], "codecs")


@pytest.mark.parametrize(
    ("extension", "written"),
    [
        (Extension(name="crc32c"), {"name": "crc32c"}),
        (
            Extension(name="gzip", configuration={"level": 1}),
            {"name": "gzip", "configuration": {"level": 1}},
        ),
        (Extension(name="x", must_understand=False), {"name": "x", "must_understand": False}),
        (Extension(name="numcodecs.lz4"), {"name": "numcodecs.lz4", "configuration": {}}),
    ],
)
def test_extension_is_written_as_an_object_and_read_again(
    extension: Extension, written: object
) -> None:
    assert serialise_extension(extension) == written
    assert parse_extension(written, "x") == extension
