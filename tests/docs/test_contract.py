"""The Python names of the contract are there, and those that it calls planned are not."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import zarrfs
from tests.docs.examples import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

OWNERS = {"zarrfs": zarrfs, "z": zarrfs.Array, "g": zarrfs.Group}


def blocks() -> list[str]:
    text = (ROOT / "docs/reference/contract.md").read_text("utf-8")
    return re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def attributes(program: str) -> Iterator[tuple[str, str]]:
    """Names of attributes, with that of what has them."""
    for node in ast.walk(ast.parse(program)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield node.value.id, node.attr


def test_names_of_the_contract_are_there() -> None:
    named = [(owner, name) for owner, name in attributes(blocks()[0]) if owner in OWNERS]
    assert len(named) > 20
    assert [pair for pair in named if not hasattr(OWNERS[pair[0]], pair[1])] == []


def test_what_is_planned_is_not_there_yet() -> None:
    named = [(owner, name) for owner, name in attributes(blocks()[1]) if owner in OWNERS]
    assert [pair for pair in named if hasattr(OWNERS[pair[0]], pair[1])] == []
