"""Handle numbers stand for open things until they are closed, and never for another."""

from __future__ import annotations

import pytest

from zarrfs.fuse.handles import Handles


def test_number_stands_for_its_thing() -> None:
    handles: Handles[str] = Handles()
    first, second = handles.add("x"), handles.add("x")
    assert first != second
    assert (handles.get(first), len(handles)) == ("x", 2)


def test_removed_number_is_never_given_again() -> None:
    handles: Handles[str] = Handles()
    number = handles.add("x")
    assert handles.remove(number) == "x"
    assert len(handles) == 0
    assert handles.add("y") != number
    with pytest.raises(KeyError):
        handles.get(number)
