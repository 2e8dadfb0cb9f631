from __future__ import annotations

import pytest

from zarrfs.errors import CodecError, MetadataError, NodeNotFoundError, SourceError, StoreError


@pytest.mark.parametrize("text", ["a\nb", "a\x1b[2Jb", "a\0b", "a\udc80b", "a\u2028b"])
def test_what_a_terminal_would_obey_is_escaped(text: str) -> None:
    for error in (
        MetadataError(text, field=text, key=text),
        CodecError("zstd", "decode", text, key=text),
    ):
        assert str(error).isprintable()
        assert error.reason.isprintable()
        assert error.key == text
    assert str(StoreError("get", text, text, store=text)).isprintable()
    assert str(NodeNotFoundError(text)).isprintable()
    assert str(SourceError(text, text)).isprintable()


def test_long_texts_are_cut_in_the_middle() -> None:
    error = MetadataError("a" + 10**6 * "b" + "c", field="d" + 10**6 * "e" + "f")
    assert len(str(error)) < 500
    assert (error.reason[0], error.reason[-1], error.field[0], error.field[-1]) == tuple("acdf")


def test_a_text_that_was_cut_stays_as_it_is() -> None:
    error = CodecError("zstd", "decode", 10**6 * "a\n")
    assert error.at("x").reason == error.reason
