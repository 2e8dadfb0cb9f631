"""Every example of the documentation gives what the page shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.docs.examples import ROOT, check_page

if TYPE_CHECKING:
    from pathlib import Path

PAGES = sorted((ROOT / "docs/topics").glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page_shows_what_its_examples_give(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert check_page(page, page.read_text("utf-8")) >= 4


def test_wrong_example_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    page = tmp_path / "page.md"
    for wrong in (
        "pycon\n>>> 1 + 1\n3",
        "console\n$ echo a\nb",
        "console\n$ false",
        "python\n1 / 0",
    ):
        with pytest.raises(AssertionError, match=r'page\.md", line 4'):
            check_page(page, f"A page\n\n```{wrong}\n```\n")
