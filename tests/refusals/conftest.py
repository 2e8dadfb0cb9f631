"""All refused nodes in one store, with a good one among them, and how a program fares that reads
them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.refusals import chunks, codecs, documents_v2, documents_v3, texts
from tests.refusals.refusal import GOOD, GROUP, Refusal

CASES: tuple[Refusal, ...] = (
    *documents_v3.CASES,
    *documents_v2.CASES,
    *codecs.CASES,
    *texts.CASES,
    *chunks.CASES,
)

GOOD_CHUNK = bytes(range(16))

DEADLINE = 120
"""Seconds for all of them."""


@dataclass(frozen=True)
class Outcome:
    """How one node ended."""

    name: str
    stage: str
    """``open`` or ``read``; ``end`` if nothing was raised."""

    errors: list[str]
    """Names of the error's class and its bases."""

    line: str
    seconds: float
    """Of the processors: how busy the machine is does not count. `DEADLINE` ends what hangs."""
    peak: int
    """Bytes of memory that it took at most, beside those of the program before."""


def write_store(folder: Path) -> Path:
    """Store all refused nodes, and the array ``good``."""
    (folder / "good/c").mkdir(parents=True)
    (folder / "zarr.json").write_bytes(GROUP)
    (folder / "good/zarr.json").write_bytes(GOOD)
    (folder / "good/c/0").write_bytes(GOOD_CHUNK)
    for case in CASES:
        case.write(folder)
    return folder


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of all refused nodes, and the array ``good``."""
    return write_store(tmp_path_factory.mktemp("refusals") / "all.zarr")


@pytest.fixture(scope="session")
def outcomes(hostile: Path) -> dict[str, Outcome]:
    """What became of each node in a program that reads them one after the other."""
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-m", "tests.refusals.read_all", hostile],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
        cwd=root,
        env={**os.environ, "PYTHONPATH": root},
    )
    read = [Outcome(**json.loads(line)) for line in done.stdout.splitlines()]
    assert done.returncode == 0, f"ended behind {read[-1:]}: {done.stderr[-2000:]}"
    return {outcome.name: outcome for outcome in read}
