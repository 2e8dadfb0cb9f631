"""The text of one option's value -> the value. Each raises `ValueError` that says what to write."""

from __future__ import annotations

import math
import re
from typing import Literal, cast

from zarrfs.mounts.memory import available_memory

Endian = Literal["little", "big", "stored"]

SMALLEST_MEMORY = 16 << 20
"""Bytes; with less, caches would hold no chunk of common size."""


def parse_size(text: str) -> int:
    """Bytes from ``1048576``, ``512M``, ``1.5GiB`` (units of 1024) or ``25%`` of the memory."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(%|[KMGT]?)(?:i?B)?", text.strip(), re.IGNORECASE)
    if match is None:
        raise ValueError("write bytes, 512M, 2G or 25%")
    number, unit = float(match[1]), match[2].upper()
    if unit == "%":
        size = available_memory() * number / 100
    else:
        size = number * 1024 ** " KMGT".index(unit or " ")
    if size < SMALLEST_MEMORY:
        raise ValueError(f"at least {SMALLEST_MEMORY >> 20}M")
    return int(size)


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
