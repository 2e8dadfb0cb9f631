"""Tables of a Markdown page, which stand between ``<!-- name -->`` and ``<!-- end -->``."""

from __future__ import annotations

import re
from pathlib import Path

TOPICS = Path(__file__).parents[2] / "docs/topics"


def table(page: str, name: str) -> list[list[str]]:
    """Return the cells of each row, without the header."""
    text = (TOPICS / page).read_text("utf-8")
    body = text.split(f"<!-- {name} -->\n", 1)[1].split("<!-- end -->", 1)[0]
    rows = [line for line in body.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows[2:]]


def names(cell: str) -> list[str]:
    """Names in a cell, as code; those in parentheses are not counted."""
    return re.findall(r"`([^`]+)`", re.sub(r"\(.*?\)", "", cell))


def first_names(page: str, name: str) -> list[str]:
    """Names in the first column of a table."""
    return [found for row in table(page, name) for found in names(row[0])]
