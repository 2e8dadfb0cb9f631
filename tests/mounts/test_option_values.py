"""Sizes and durations as options have them."""

from __future__ import annotations

import pytest

from zarrfs.mounts.memory import available_memory
from zarrfs.mounts.option_values import (
    SMALLEST_MEMORY,
    parse_directory,
    parse_memory,
    parse_seconds,
    parse_size,
)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("16777216", 16 << 20),
        ("16M", 16 << 20),
        ("1.5g", 3 << 29),
        ("1GiB", 1 << 30),
        ("2TB", 2 << 40),
        ("16384 K", None),
        ("16384k", 16 << 20),
        ("0", 0),
        ("10%", None),
    ],
)
def test_sizes(text: str, size: int | None) -> None:
    if size is None:
        with pytest.raises(ValueError, match="write"):
            parse_size(text)
    else:
        assert parse_size(text) == size


def test_share_of_the_memory() -> None:
    assert parse_memory("50%") == available_memory() * 50 // 100
    assert parse_memory("1G") == 1 << 30
    with pytest.raises(ValueError, match="512M or 2G, or 25%"):
        parse_memory("half")


def test_smallest_memory() -> None:
    assert parse_memory(str(SMALLEST_MEMORY)) == SMALLEST_MEMORY
    with pytest.raises(ValueError, match="at least 16M"):
        parse_memory(str(SMALLEST_MEMORY - 1))


def test_directories_are_absolute() -> None:
    assert parse_directory("/var/a b") == "/var/a b"
    for text in ("", "cache", "~/cache", "./cache"):
        with pytest.raises(ValueError, match="absolute path"):
            parse_directory(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("60", 60), ("1.5", 1.5), ("250ms", 0.25), ("3s", 3), ("2m", 120), ("1h", 3600)],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_seconds(text) == seconds
