"""The demo, the notebook and the README do what they show."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from docs import notebook

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
DEMO = [sys.executable, str(ROOT / "docs/demo.py")]
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if name != "NO_COLOR"},
    "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    "COLUMNS": "80",
}


@pytest.fixture(autouse=True)
def nothing_stays_mounted(tmp_path: Path) -> Iterator[None]:
    """Each of these cleans up after itself, and mounts below its own folder."""
    yield
    assert str(tmp_path) not in Path("/proc/mounts").read_text()


def test_demo_shows_trees_values_and_a_plain_picture(tmp_path: Path) -> None:
    result = subprocess.run(
        DEMO,
        env={**ENVIRONMENT, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
    lines = [line.strip() for line in result.stdout.splitlines()]
    assert {"README.txt", "bin", "npy", "zarr"} <= set(lines)
    assert any(line.endswith("tas.bin") and "126K" in line for line in lines)
    assert lines.count("27.338064") == 2  # by dd, then by the memory map
    assert (
        sum(
            re.fullmatch(r"[ .:\-=+*#%@]{40,}", line) is not None
            for line in result.stdout.splitlines()
        )
        == 16
    )
    assert "\033" not in result.stdout
    assert list(tmp_path.iterdir()) == []


def test_demo_draws_in_colour_on_a_terminal(tmp_path: Path) -> None:
    control, terminal = pty.openpty()
    with subprocess.Popen(
        DEMO, env={**ENVIRONMENT, "TMPDIR": str(tmp_path)}, stdout=terminal, stderr=terminal
    ) as demo:
        os.close(terminal)
        shown = b"".join(iter(lambda: read_terminal(control), b"")).decode()
    os.close(control)
    assert demo.returncode == 0, shown
    assert shown.count("▀") > 500
    assert "\033[38;2;" in shown


def read_terminal(control: int) -> bytes:
    try:
        return os.read(control, 65536)
    except OSError:  # EIO: the other side is closed
        return b""


def test_demo_that_fails_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    # `dd` is not on this PATH, so that the demo fails with the store mounted.
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("ls", "sh", "od", "fusermount3", "umount"):
        (programs / name).symlink_to(str(shutil.which(name)))
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    result = subprocess.run(
        DEMO,
        env={**ENVIRONMENT, "TMPDIR": str(temporary), "PATH": str(programs)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert "the demo stopped" in result.stderr
    assert "Traceback" not in result.stderr
    assert "Unmounting." in result.stdout
    assert list(temporary.iterdir()) == []


def test_tour_shows_what_its_cells_give(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = json.loads((ROOT / "docs/tour.ipynb").read_text())["cells"]
    monkeypatch.chdir(ROOT / "docs")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert notebook.run(cells) == cells
    assert sum(bool(cell.get("outputs")) for cell in cells) >= 8


@pytest.mark.parametrize("language", ["sh", "python"])
def test_readme_examples_run_as_written(language: str, tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text()
    example = re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)[0]
    example = example.replace("/tmp/climate", str(tmp_path / "climate"))
    shell = ["sh", "-e", "-c"] if language == "sh" else [sys.executable, "-W", "error", "-c"]
    if language == "python":
        (tmp_path / "climate").mkdir()
    result = subprocess.run(
        [*shell, example], cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert "tas" in result.stdout
