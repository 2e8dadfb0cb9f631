"""Values -> text for people, on standard output or standard error."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from zarrfs.errors import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


def say(message: str, *, program: str = "zarrfs") -> None:
    """Print a message to standard error, of one line or several."""
    lines = map(printable, message.split("\n"))
    click.echo(f"{program}: {chr(10).join(lines)}", err=True)


def print_json(value: Any) -> None:
    """Print a value as JSON."""
    click.echo(json.dumps(value, indent=2))


def print_table(rows: Sequence[Sequence[str]]) -> None:
    """Print rows as columns of equal width; the first row is the head."""
    rows = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for number, row in enumerate(rows):
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo(click.style(line.rstrip(), bold=number == 0))


def flat_items(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield ``("memory.used", "12")`` for each leaf of nested mappings."""
    for key, value in values.items():
        if isinstance(value, dict):
            yield from flat_items(value, f"{prefix}{key}.")
        elif isinstance(value, float):
            yield f"{prefix}{key}", f"{value:,.3f}"
        elif isinstance(value, int) and not isinstance(value, bool):
            yield f"{prefix}{key}", f"{value:,}"
        else:
            yield f"{prefix}{key}", "-" if value is None else str(value)


def size_text(n_bytes: int) -> str:
    """Bytes in units of 1024, such as ``1.5 GiB``."""
    size, unit = float(n_bytes), "bytes"
    for larger in ("KiB", "MiB", "GiB", "TiB", "PiB"):
        if size < 1024:
            break
        size, unit = size / 1024, larger
    return f"{n_bytes} bytes" if unit == "bytes" else f"{size:.1f} {unit}"
