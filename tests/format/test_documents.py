from __future__ import annotations

import contextlib
import math
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zarrfs.errors import MetadataError, UnsupportedError
from zarrfs.format import documents


def test_document_is_parsed() -> None:
    assert documents.parse_json(b'{"shape": [1, 2]}') == {"shape": [1, 2]}


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_buffer_is_parsed(kind: type) -> None:
    assert documents.parse_json(kind(b"{}")) == {}


def test_byte_order_mark_is_skipped() -> None:
    assert documents.parse_json(b"\xef\xbb\xbf{}") == {}


def test_bare_nan_and_infinities_are_floats() -> None:
    document = documents.parse_json(b'{"a": NaN, "b": Infinity, "c": -Infinity}')
    assert math.isnan(document["a"])
    assert (document["b"], document["c"]) == (math.inf, -math.inf)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"shape": "\xff"}', "not UTF-8: invalid start byte at byte 11"),
        (b'{"shape": [1,\n 2', "not JSON: Expecting ',' delimiter (line 2, column 3)"),
        (b"", "not JSON: Expecting value (line 1, column 1)"),
        (b"[1]", "must be a JSON object, not [1]"),
        (b"null", "must be a JSON object, not null"),
        (b'{"a": 1, "shape": [], "shape": [2]}', "shape: stands twice in one object"),
        (b'{"a": {"b": 1, "b": 1}}', "b: stands twice in one object"),
        (b"[" * 100_000, "not readable: nested too deeply"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not readable: a number has too many digits"),
    ],
)
def test_what_is_no_document_is_refused_with_its_place(data: bytes, message: str) -> None:
    with pytest.raises(MetadataError) as error:
        documents.parse_json(data)
    assert str(error.value) == message


@given(st.binary())
def test_any_bytes_are_a_document_or_refused(data: bytes) -> None:
    with contextlib.suppress(MetadataError):
        assert isinstance(documents.parse_json(data), dict)


def test_values_are_shown_as_json() -> None:
    assert documents.show([0, "a", None, True, "é"]) == '[0, "a", null, true, "é"]'


def test_long_values_are_cut() -> None:
    assert documents.show("x" * 100) == '"' + "x" * 58 + "…"


def test_lone_surrogates_are_shown_as_escapes() -> None:
    assert documents.show("\ud800") == r'"\ud800"'


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("value", [nested(100_000), object()])
def test_what_cannot_be_shown_is_named(value: object) -> None:
    assert documents.show(value) == f"a value of type {type(value).__name__}"


def test_missing_member_is_named_with_its_path() -> None:
    with pytest.raises(MetadataError, match=re.escape("chunk_grid.name: is missing")):
        documents.take({}, "name", "chunk_grid")


def test_members_of_the_document_have_no_path_before_them() -> None:
    with pytest.raises(MetadataError, match=r"^shape: is missing$"):
        documents.take({}, "shape")


@pytest.mark.parametrize(
    ("expect", "value", "reason"),
    [
        (documents.expect_object, [], "must be an object, not []"),
        (documents.expect_list, {}, "must be a list, not {}"),
        (documents.expect_string, 1, "must be a non-empty string, not 1"),
        (documents.expect_string, "", 'must be a non-empty string, not ""'),
    ],
)
def test_wrong_type_is_refused(expect: Any, value: object, reason: str) -> None:
    with pytest.raises(MetadataError) as error:
        expect(value, "a.b")
    assert str(error.value) == f"a.b: {reason}"


@pytest.mark.parametrize("value", ["c", 1, None, [], {}])
def test_only_the_choices_are_taken(value: object) -> None:
    with pytest.raises(MetadataError, match='must be "a" or "b", not '):
        documents.expect_choice(value, ("a", "b"), "x")


@pytest.mark.parametrize("value", [True, 1.0, "1", None, 0, 2**63])
def test_only_integers_within_bounds_are_taken(value: object) -> None:
    with pytest.raises(MetadataError, match=r"^x: must be an integer ≥ 1( and < 2\*\*63)?, not "):
        documents.expect_integer(value, "x", minimum=1)


def test_both_bounds_are_told() -> None:
    with pytest.raises(MetadataError, match="must be an integer from 1 to 9, not 10"):
        documents.expect_integer(10, "x", minimum=1, maximum=9)


@pytest.mark.parametrize("value", [[True], [1.0], ["a"], [None], [0], [2**63], 1, None, {}, "11"])
def test_only_lists_of_integers_are_taken(value: object) -> None:
    with pytest.raises(
        MetadataError, match=r"^x: must be a list of integers ≥ 1( and < 2\*\*63)?, not "
    ):
        documents.expect_integers(value, "x", minimum=1)


def test_known_and_ignorable_members_pass() -> None:
    documents.refuse_unknown({"a": 1, "b": {"must_understand": False}}, ("a",))


@pytest.mark.parametrize("value", [1, None, {}, {"must_understand": True}, {"must_understand": 0}])
def test_unknown_member_is_refused(value: object) -> None:
    with pytest.raises(UnsupportedError, match=r"^x\.b: is unknown to zarrfs"):
        documents.refuse_unknown({"a": 1, "b": value}, ("a",), "x")


# --- writing ------------------------------------------------------------------------------------


def test_document_is_written_a_member_a_line() -> None:
    document = {"zarr_format": 3, "shape": [1, 2], "title": "é"}
    expected = b'{\n  "zarr_format": 3,\n  "shape": [1, 2],\n  "title": "\\u00e9"\n}\n'
    assert documents.dump_json(document) == expected


def test_nan_and_infinities_are_written_as_bare_words_that_are_read_again() -> None:
    data = documents.dump_json({"a": [math.nan, math.inf, -math.inf]})
    assert b"NaN" in data
    assert str(documents.parse_json(data)["a"]) == "[nan, inf, -inf]"


@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=()), max_size=3),
        st.recursive(
            st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False),
                      st.text(st.characters(exclude_categories=()), max_size=3)),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner),
            max_leaves=5,
        ),
        max_size=4,
    )
)  # fmt: skip
def test_whatever_json_is_written_is_read_again(document: dict[str, Any]) -> None:
    assert documents.parse_json(documents.dump_json(document)) == document


def lists(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


def objects_in_a_ring() -> dict[str, Any]:
    ring: dict[str, Any] = {}
    ring["b"] = {"c": ring}
    return ring


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"a": objects_in_a_ring()}, "a.b.c: cannot be written as JSON: Circular reference"),
        (
            {"attributes": {"ok": 1, "t": {"when": math}}},
            "attributes.t.when: cannot be written as JSON: Object of type module is not",
        ),
        ({"a": [b""]}, "a: cannot be written as JSON: Object of type bytes is not JSON"),
        ({"a": {(1, 2): 3}}, "a: cannot be written as JSON: keys must be str, int, "),
        ({"a": lists(100_000)}, "a: cannot be written as JSON: maximum recursion depth"),
        ({"a": 10**5000}, "a: cannot be written as JSON: Exceeds the limit "),
    ],
    ids=["ring", "module", "bytes", "key", "deep", "digits"],
)
def test_what_json_cannot_hold_is_named(document: dict[str, Any], message: str) -> None:
    with pytest.raises(MetadataError) as error:
        documents.dump_json(document)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_unknown_members_that_may_be_ignored_are_returned() -> None:
    members = {"known": 1, "extra": {"must_understand": False}}
    assert documents.refuse_unknown(members, ("known",)) == {"extra": {"must_understand": False}}
    assert documents.without(members, ("extra", "other")) == {"known": 1}


def test_documents_larger_than_the_limit_are_refused() -> None:
    data = b'{"x": "' + bytes(documents.MAX_DOCUMENT_BYTES) + b'"}'
    message = (
        rf"^has {len(data)} bytes; zarrfs reads documents of up to {documents.MAX_DOCUMENT_BYTES}$"
    )
    with pytest.raises(MetadataError, match=message):
        documents.parse_json(data)


def test_documents_of_more_values_than_the_limit_are_refused() -> None:
    data = b'{"x": [' + b"[]," * (documents.MAX_VALUES // 2) + b"[]]}"
    limit = documents.MAX_VALUES
    message = rf"^holds about {limit + 3} values; zarrfs reads up to {limit}$"
    with pytest.raises(MetadataError, match=message):
        documents.parse_json(data)


def test_document_that_could_not_be_read_again_is_not_written() -> None:
    with pytest.raises(MetadataError, match=r"^has \d+ bytes; zarrfs reads documents of up to "):
        documents.dump_json({"x": " " * documents.MAX_DOCUMENT_BYTES})
