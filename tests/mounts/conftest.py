"""Real mounts for tests: each is taken away at the end, whatever became of it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

DATA = Path(__file__).parents[1] / "data" / "bcsd" / "bcsd_v3.zarr.zip"


class Program(Protocol):
    """Runs ``zarrfs`` in a process of its own."""

    def __call__(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]: ...


@pytest.fixture
def zarrfs() -> Program:
    """The program, as a user calls it."""

    def call(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "zarrfs", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    return call


@pytest.fixture
def mounted(zarrfs: Program, mountpoint: Path) -> Path:
    """The shipped data, mounted."""
    done = zarrfs("mount", DATA, mountpoint, "-o", "ro")
    assert (done.returncode, done.stderr) == (0, "")
    return mountpoint


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A folder that everybody may enter: pytest's own are closed to other users."""
    path = Path(tempfile.mkdtemp(prefix="zarrfs-test-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)
