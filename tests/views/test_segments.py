from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contracts.view_contract import read
from zarrfs.errors import OffsetError, ViewError
from zarrfs.views.segments import MAX_FILE_BYTES, FlatSpan, Header, Padding, Segment, Segments

FLAT = bytes(range(1, 101))


@st.composite
def segment(draw: st.DrawFn) -> Segment:
    kind = draw(st.sampled_from([Header, FlatSpan, Padding]))
    if kind is Header:
        return Header(draw(st.binary(max_size=20)))
    size = draw(st.integers(0, 20))
    return Padding(size) if kind is Padding else FlatSpan(draw(st.integers(0, 80)), size)


def contents(segment: Segment) -> bytes:
    match segment:
        case Header(data):
            return data
        case FlatSpan(offset, size):
            return FLAT[offset : offset + size]
        case Padding(size):
            return bytes(size)


@given(st.lists(segment(), max_size=6), st.lists(st.integers(0, 130), max_size=6))
def test_pieces_cut_at_random_places_reassemble(parts: list[Segment], cuts: list[int]) -> None:
    segments = Segments(*parts)
    whole = b"".join(map(contents, parts))
    assert segments.size == len(whole)
    places = [0, *sorted(cuts), segments.size]
    pieces = [
        read(segments, FLAT, start, max(stop - start, 0))
        for start, stop in itertools.pairwise(places)
    ]
    assert b"".join(pieces) == whole


@given(st.lists(segment(), max_size=6), st.integers(0, 130), st.integers(0, 130))
def test_any_span_is_that_slice(parts: list[Segment], offset: int, size: int) -> None:
    whole = b"".join(map(contents, parts))
    assert read(Segments(*parts), FLAT, offset, size) == whole[offset : offset + size]


@pytest.mark.parametrize(("offset", "size"), [(-1, 5), (0, -1)])
def test_span_before_the_file_or_of_negative_size_is_refused(offset: int, size: int) -> None:
    with pytest.raises(OffsetError):
        list(Segments(Header(b"abc")).cut(offset, size))


def test_file_may_be_as_large_as_files_can_be_and_no_larger() -> None:
    assert Segments(FlatSpan(0, MAX_FILE_BYTES)).size == MAX_FILE_BYTES
    with pytest.raises(ViewError, match="more bytes than a file can have"):
        Segments(Header(b"x"), FlatSpan(0, MAX_FILE_BYTES))
