"""Every example of the documentation gives what the page shows."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.examples import page_test

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs/topics").glob("*.md"))

# On a terminal it is shown in place, and gone in the end.
PROGRESS = re.compile(r"^zarrfs: .*: [0-9]+ % \(.*\)\n", re.MULTILINE)

# Commands are those of the environment that runs the tests.
ENVIRONMENT = os.environ | {
    "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
    "PYTHONWARNINGS": "error",
}


def run(command: str) -> None:
    """Run a command of the shell here; print what it says on either stream, but for progress."""
    result = subprocess.run(
        ["sh", "-c", command],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    print(PROGRESS.sub("", result.stdout), end="")
    if result.returncode:
        print(f"exit code {result.returncode}")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page_shows_what_its_examples_give(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    test = page_test(page, run)
    assert len(test.examples) >= 4
    report: list[str] = []
    results = doctest.DocTestRunner(verbose=False).run(test, out=report.append)
    assert results.failed == 0, "\n" + "".join(report)
