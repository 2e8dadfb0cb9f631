from __future__ import annotations

import hashlib
import os

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from zarrfs.vfs.names import (
    MAX_NAME_BYTES,
    fitted,
    may_be_cut,
    may_be_renamed,
    plain_array_names,
    shown_names,
)

SUFFIXES = (".bin", ".json")

# Names that are likely to collide, and such that the kernel cannot have.
PARTS = ("a", ".array", ".bin", ".json", "é", "\udcc3\udca9", "\ud800", "x" * 240, "温" * 81, "~")
NAMES = st.lists(st.sampled_from(PARTS), min_size=1, max_size=3).map("".join) | st.text(
    st.characters(exclude_characters="/\0"), min_size=1, max_size=300
)


@st.composite
def siblings(draw: st.DrawFn) -> tuple[list[str], list[str]]:
    all_names = draw(st.lists(NAMES, unique=True, max_size=8))
    is_directory = [draw(st.booleans()) for _ in all_names]
    # A name may be what another one is cut to.
    all_names += [n for n in map(fitted, all_names) if n not in all_names and draw(st.booleans())]
    is_directory += [True] * (len(all_names) - len(is_directory))
    directories = [n for n, is_dir in zip(all_names, is_directory, strict=True) if is_dir]
    return directories, [n for n in all_names if n not in directories]


@given(siblings())
def test_everything_has_exactly_one_name_that_the_kernel_gives_back(
    named: tuple[list[str], list[str]],
) -> None:
    directories, arrays = named
    shown = shown_names(directories, arrays, SUFFIXES)
    expected: list[tuple[str, str | None]] = [(name, None) for name in directories]
    expected += [(name, suffix) for name in arrays for suffix in SUFFIXES]
    assert sorted(shown.values(), key=str) == sorted(expected, key=str)
    for name, (_, suffix) in shown.items():
        assert len(os.fsencode(name)) <= MAX_NAME_BYTES
        assert os.fsdecode(os.fsencode(name)) == name
        assert name.endswith(suffix or "")


@given(siblings())
def test_files_of_one_array_have_one_stem(named: tuple[list[str], list[str]]) -> None:
    stems: dict[str, set[str]] = {}
    for name, (own, suffix) in shown_names(*named, SUFFIXES).items():
        if suffix is not None:
            stems.setdefault(own, set()).add(name.removesuffix(suffix))
    assert all(len(stem) == 1 for stem in stems.values())


@given(siblings())
@example((["a.bin"], ["a", "a.array"]))
def test_directories_that_fit_keep_their_names_whatever_else_is_there(
    named: tuple[list[str], list[str]],
) -> None:
    directories, arrays = named
    shown = shown_names(directories, arrays, SUFFIXES)
    assert all(shown[name] == (name, None) for name in directories if fitted(name) == name)


@given(siblings(), NAMES)
def test_plain_names_can_be_found_without_a_listing(
    named: tuple[list[str], list[str]], other: str
) -> None:
    directories, arrays = named
    shown = shown_names(directories, arrays, SUFFIXES)
    for name in {*shown, *directories, *arrays, other, *(n + ".bin" for n in [*arrays, other])}:
        if may_be_renamed(name):
            continue
        found: tuple[str, str | None] | None = (name, None) if name in directories else None
        for own, suffix in plain_array_names(name, SUFFIXES):
            if own in arrays and not any(own + s in directories for s in SUFFIXES) and not found:
                found = (own, suffix)
        assert shown.get(name) == found


@given(siblings())
def test_names_do_not_depend_on_the_order_of_a_listing(named: tuple[list[str], list[str]]) -> None:
    directories, arrays = named
    assert shown_names(directories, arrays, SUFFIXES) == shown_names(
        directories[::-1], arrays[::-1], SUFFIXES
    )


@pytest.mark.parametrize(
    ("directories", "arrays", "expected"),
    [
        (["a"], ["a.b"], ["a", "a.b.bin", "a.b.json"]),
        (["a.bin"], ["a"], ["a.array.bin", "a.array.json", "a.bin"]),
        (["a.json"], ["a"], ["a.array.bin", "a.array.json", "a.json"]),
        ([], ["a.array"], ["a.array.bin", "a.array.json"]),
        (
            ["a.bin"],
            ["a", "a.array"],
            [
                "a.array.array.bin",
                "a.array.array.json",
                "a.array.bin",
                "a.array.json",
                "a.bin",
            ],
        ),
        (
            ["a.array.bin", "a.bin"],
            ["a"],
            ["a.array.array.bin", "a.array.array.json", "a.array.bin", "a.bin"],
        ),
    ],
)
def test_files_make_way_for_directories(
    directories: list[str], arrays: list[str], expected: list[str]
) -> None:
    assert sorted(shown_names(directories, arrays, SUFFIXES)) == expected


@pytest.mark.parametrize(
    "name", ["x" * 256, "é" * 128, "温" * 86, "\udcff" * 256, "\U0001f30d" * 64]
)
def test_long_name_is_cut_between_characters_and_ends_in_its_hash(name: str) -> None:
    digits = hashlib.sha1(os.fsencode(name)).hexdigest()[:8]
    (shown,) = shown_names([name])
    kept, _, ending = shown.rpartition("~")
    assert ending == digits
    assert name.startswith(kept)
    assert MAX_NAME_BYTES - 4 < len(os.fsencode(shown)) <= MAX_NAME_BYTES
    assert may_be_cut(shown)
    assert set(shown_names((), [name], SUFFIXES)) == {
        fitted(name, 5) + suffix for suffix in SUFFIXES
    }


def test_name_that_just_fits_is_not_cut() -> None:
    assert list(shown_names(["x" * 255])) == ["x" * 255]
    assert list(shown_names((), ["x" * 250], SUFFIXES)) == ["x" * 250 + s for s in SUFFIXES]


def test_names_that_are_the_same_bytes_to_the_kernel_are_told_apart() -> None:
    twins = ["é", "\udcc3\udca9"]
    assert os.fsencode(twins[0]) == os.fsencode(twins[1])
    shown = shown_names(twins)
    assert len({os.fsencode(name) for name in shown}) == 2


def test_name_that_is_no_utf_8_at_all_is_shown_in_escapes() -> None:
    (shown,) = shown_names(["a\ud800"])
    assert shown.startswith("a\\ud800~")


@pytest.mark.parametrize("name", ["a", "a.bin", "a~b", "a~1234567", "array", "a~123456789"])
def test_ordinary_names_need_no_listing(name: str) -> None:
    assert not may_be_renamed(name)
