from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zarrfs.errors import MetadataError, UnsupportedError
from zarrfs.format.extensions import Extension
from zarrfs.format.key_templates import TemplateKeys, parse_template


def template(text: Any, ndim: int = 3, separator: Any = None) -> TemplateKeys:
    configuration = {"format": text}
    if separator is not None:
        configuration["separator"] = separator
    return parse_template(Extension(name="template", configuration=configuration), ndim, "x")


@st.composite
def templates(draw: st.DrawFn) -> tuple[TemplateKeys, int]:
    """Templates that name each dimension once, by whatever index, and their dimensions."""
    ndim = draw(st.integers(1, 4))
    texts = st.text("ab01._-/{}", max_size=3).map(
        lambda text: text.replace("{", "{{").replace("}", "}}")
    )
    n_named = draw(st.integers(0, ndim))
    names: list[object] = [
        draw(st.sampled_from([dimension, dimension - ndim]))
        for dimension in draw(st.permutations(range(ndim)))[:n_named]
    ]
    if n_named < ndim:
        names.insert(draw(st.integers(0, n_named)), "*")
    padding = st.sampled_from(["", ":01", ":03", ":021"])
    places = [f"{draw(texts)}{{{name}{draw(padding)}}}" for name in names]
    separator = draw(st.text("a0/_", min_size=1, max_size=2))
    return template("".join(places) + draw(texts), ndim, separator), ndim


@given(templates(), st.data())
def test_key_decodes_to_the_coordinates_it_encodes(
    case: tuple[TemplateKeys, int], data: st.DataObject
) -> None:
    encoding, ndim = case
    coords = tuple(data.draw(st.integers(0, 2**63 - 1) | st.integers(0, 20)) for _ in range(ndim))
    if encoding.can_decode:
        assert encoding.decode(encoding.encode(coords), ndim) == coords


@given(templates(), st.data())
def test_only_the_key_that_would_be_encoded_decodes(
    case: tuple[TemplateKeys, int], data: st.DataObject
) -> None:
    encoding, ndim = case
    key = encoding.encode((7,) * ndim)
    at = data.draw(st.integers(0, len(key)))
    changed = key[:at] + data.draw(st.text("07a/٣", max_size=2)) + key[at + 1 :]
    coords = encoding.decode(changed, ndim)
    assert coords is None or encoding.encode(coords) == changed


@pytest.mark.parametrize(
    ("text", "separator", "coords", "key"),
    [
        # The examples of the proposal, zarr-extensions pull request "Template chunk key encoding".
        ("c/{*}", "/", (11, 22, 33), "c/11/22/33"),
        ("{*}", ".", (11, 22, 33), "11.22.33"),
        ("prefix/{*}", "/", (11, 22, 33), "prefix/11/22/33"),
        ("{*}.suffix", "_", (11, 22, 33), "11_22_33.suffix"),
        ("{2}/{0}/{1}", ".", (11, 22, 33), "33/11/22"),
        ("{-1}/{*}", "/", (11, 22, 33), "33/11/22"),
        ("{*:04}", "/", (11, 22, 33), "0011/0022/0033"),
        ("{*:02}", "/", (111, 2, 33), "111/02/33"),
        ("images/{-1}/{*:04}.jpeg", "_", (5, 6, 7), "images/7/0005_0006.jpeg"),
        # Braces, as zarr-template 0.1.0 reads them.
        ("{{{0}}}-{1}_{2}", None, (1, 2, 3), "{1}-2_3"),
    ],
)
def test_keys_are_those_of_the_proposal(
    text: str, separator: str | None, coords: tuple[int, ...], key: str
) -> None:
    encoding = template(text, len(coords), separator)
    assert encoding.encode(coords) == key
    assert encoding.decode(key, len(coords)) == coords


@pytest.mark.parametrize("text", ["{0}{1}", "{0}5{1}", "{0:03}{1:03}"])
def test_keys_that_may_be_read_in_two_ways_are_not_decoded(text: str) -> None:
    encoding = template(text, 2)
    assert not encoding.can_decode
    assert encoding.decode(encoding.encode((1, 1)), 2) is None


def test_number_too_long_for_a_chunk_is_none() -> None:
    assert template("{0}", 1).decode("9" * 5000, 1) is None


@pytest.mark.parametrize(
    ("text", "ndim", "separator", "message"),
    [
        (None, 1, None, "x.configuration.format: must be a non-empty string"),
        ("", 1, None, "x.configuration.format: must be a non-empty string"),
        ("c", 1, None, "x.configuration.format: must name each of 1 dimensions once, unlike 'c'"),
        ("{0}", 2, None, "x.configuration.format: must name each of 2 dimensions once"),
        ("{0}/{*}", 1, "/", "x.configuration.format: must name each of 1 dimensions once"),
        ("{*}", 0, "/", "x.configuration.format: must name each of 0 dimensions once"),
        ("{0}/{-1}", 1, None, "x.configuration.format: names a dimension twice"),
        ("{*}/{*}", 2, "/", "x.configuration.format: names a dimension twice"),
        ("{1}", 1, None, "x.configuration.format: has '{1}', but the array has 1 dimensions"),
        ("{-2}", 1, None, "x.configuration.format: has '{-2}', but the array has 1 dimensions"),
        ("{*}", 1, None, "x.configuration.separator: is missing, and '{*}' needs it"),
        ("{*}", 1, "", "x.configuration.separator: must be a non-empty string"),
        ("{*}", 1, 5, "x.configuration.separator: must be a non-empty string"),
        ("{0}}", 1, None, "x.configuration.format: has a single brace"),
        ("{{0}", 1, None, "x.configuration.format: has a single brace"),
        ("{0", 1, None, "x.configuration.format: has a single brace"),
        ("{}", 1, None, "x.configuration.format: must have '*' or a number in braces"),
        ("{a}", 1, None, "x.configuration.format: must have '*' or a number in braces"),
        ("{0:4}", 1, None, "x.configuration.format: must have '*' or a number in braces"),
        ("{0:0}", 1, None, "x.configuration.format: must have '*' or a number in braces"),
        ("{+0}", 1, None, "x.configuration.format: must have '*' or a number in braces"),
    ],
)
def test_malformed_template_is_refused(text: Any, ndim: int, separator: Any, message: str) -> None:
    with pytest.raises(MetadataError) as error:
        template(text, ndim, separator)
    assert str(error.value).startswith(message)


def test_too_much_padding_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="255 digits at most"):
        template("{0:0256}", 1)


def test_other_members_are_refused() -> None:
    extension = Extension(name="template", configuration={"format": "{0}", "template": "{0}"})
    with pytest.raises(UnsupportedError, match=r"^x\.configuration\.template: is unknown"):
        parse_template(extension, 1, "x")
