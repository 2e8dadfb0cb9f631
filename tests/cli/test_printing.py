"""Values as text for people."""

from __future__ import annotations

import json

import pytest

from zarrfs.cli.options import store_options
from zarrfs.cli.printing import flat_items, print_json, print_table, say, size_text
from zarrfs.errors import UsageError


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (48 * 10**12, "43.7 TiB"),
        (2**63, "8192.0 PiB"),
    ],
)
def test_sizes(size: int, text: str) -> None:
    assert size_text(size) == text


def test_nested_values_get_dotted_names() -> None:
    values = {"a": 1234, "b": {"c": 0.5, "d": {"e": None}}, "f": "text", "g": True}
    assert list(flat_items(values)) == [
        ("a", "1,234"),
        ("b.c", "0.500"),
        ("b.d.e", "-"),
        ("f", "text"),
        ("g", "True"),
    ]


def test_columns_are_as_wide_as_needed(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([["A", "LONG"], ["longer", "b"], ["c", ""]])
    assert capsys.readouterr().out == "A       LONG\nlonger  b\nc\n"


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"a": [1, None]})
    assert json.loads(capsys.readouterr().out) == {"a": [1, None]}


def test_messages_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    say("hello", program="mount.zarrfs")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "mount.zarrfs: hello\n")


def test_store_options() -> None:
    texts = ('anon,endpoint-url="http://h?a,b"', "key=")
    assert store_options(texts) == {"anon": "true", "endpoint_url": "http://h?a,b", "key": ""}
    with pytest.raises(UsageError):
        store_options(('"',))


def test_what_a_terminal_would_obey_is_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    say("a\x1b[2Jb\nc\udcff")
    print_table([["KEY"], ["a\nb"]])
    captured = capsys.readouterr()
    assert captured.err == "zarrfs: a\\x1b[2Jb\nc\\udcff\n"
    assert captured.out.splitlines() == ["KEY", "a\\nb"]
