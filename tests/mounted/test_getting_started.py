"""The first pages that a user reads show what happens, through a mount."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.docs.examples import ENVIRONMENT, ROOT, check_page

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(("name", "n_examples"), [("index", 5), ("getting-started", 16)])
def test_page_shows_what_its_examples_give(
    name: str, n_examples: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    monkeypatch.chdir(tmp_path)
    page = ROOT / f"docs/{name}.md"
    text = page.read_text("utf-8").replace("/tmp/mnt", str(tmp_path / "mnt"))
    assert check_page(page, text) == n_examples


def test_readme_creates_an_array(tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    (example,) = re.findall(r"```sh\n(zarrfs create .*?)```", text, re.DOTALL)
    np.save(tmp_path / "t.npy", np.arange(12.0))
    subprocess.run(["sh", "-e", "-c", example], cwd=tmp_path, env=ENVIRONMENT, check=True)
    assert (tmp_path / "data.zarr/ocean/t/c/0").is_file()
