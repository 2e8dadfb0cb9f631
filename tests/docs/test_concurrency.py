"""The page on locks names every lock that there is."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from tests.docs.examples import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS = {"Lock", "RLock", "Condition", "Semaphore", "Event"}


def makers(tree: ast.AST, owner: str) -> Iterator[str]:
    """Names of the classes, functions or modules that make locks."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            of = node.func.value
            if isinstance(of, ast.Name) and of.id == "threading" and node.func.attr in KINDS:
                yield owner
        inner = owner
        if isinstance(node, ast.ClassDef) or (
            isinstance(node, ast.FunctionDef) and not isinstance(tree, ast.ClassDef)
        ):
            inner = node.name
        yield from makers(node, inner)


def test_page_names_every_lock() -> None:
    page = (ROOT / "docs/concurrency.md").read_text("utf-8")
    found = {
        name
        for path in sorted((ROOT / "zarrfs").rglob("*.py"))
        for name in makers(ast.parse(path.read_text("utf-8")), path.name)
    }
    assert len(found) > 15
    assert {name for name in found if name not in page} == set()
