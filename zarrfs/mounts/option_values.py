"""The text of one option's value -> the value. Each raises `ValueError` that says what to write."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Literal, cast

from zarrfs.mounts.memory import available_memory

Endian = Literal["little", "big", "stored"]

SMALLEST_MEMORY = 16 << 20
"""Bytes; with less, caches would hold no chunk of common size."""


def parse_memory(text: str) -> int:
    """Bytes, as `parse_size` has them, or ``25%`` of the memory."""
    share = re.fullmatch(r"(\d+(?:\.\d+)?)%", text.strip())
    try:
        size = int(available_memory() * float(share[1]) / 100) if share else parse_size(text)
    except ValueError as error:
        raise ValueError(f"{error}, or 25%") from error
    if size < SMALLEST_MEMORY:
        raise ValueError(f"at least {SMALLEST_MEMORY >> 20}M")
    return size


def parse_size(text: str) -> int:
    """Bytes from ``1048576``, ``512M`` or ``1.5GiB`` (units of 1024)."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([KMGT]?)(?:i?B)?", text.strip(), re.IGNORECASE)
    if match is None:
        raise ValueError("write bytes, 512M or 2G")
    return int(float(match[1]) * 1024 ** " KMGT".index(match[2].upper() or " "))


def parse_directory(text: str) -> str:
    """Any absolute path; a mount at boot has no other place to start from."""
    if not Path(text).is_absolute():
        raise ValueError("write an absolute path")
    return text


def parse_seconds(text: str) -> float:
    """Seconds from ``60``, ``1.5``, ``500ms``, ``2m`` or ``1h``."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h)?", text.strip())
    if match is None:
        raise ValueError("write seconds, or 500ms, 60s, 2m, 1h")
    seconds = float(match[1]) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600, None: 1}[match[2]]
    if not math.isfinite(seconds):
        raise ValueError("a finite time")
    return seconds


def parse_deadline(text: str) -> float:
    """Seconds, and more than none: a request must have time to end."""
    seconds = parse_seconds(text)
    if seconds == 0:
        raise ValueError("more than 0")
    return seconds


def parse_switch(text: str) -> bool:
    """``on`` or ``off``, also as ``yes``, ``true``, ``1``, ``no``, ``false``, ``0``."""
    word = text.strip().lower()
    if word in {"on", "yes", "true", "1"}:
        return True
    if word in {"off", "no", "false", "0"}:
        return False
    raise ValueError("write on or off")


def parse_views(text: str) -> tuple[str, ...]:
    """Names separated by ``:`` (commas separate options); ``all``, or ``none``."""
    names = tuple(text.split(":"))
    if "" in names:
        raise ValueError("write names separated by ':', or all, or none")
    return names


def parse_endian(text: str) -> Endian:
    """Byte order of flat files."""
    if text not in {"little", "big", "stored"}:
        raise ValueError("write little, big or stored")
    return cast("Endian", text)


def parse_word(text: str) -> str:
    """Any text but none."""
    if not text:
        raise ValueError("write a value")
    return text
