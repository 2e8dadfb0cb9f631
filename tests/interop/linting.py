"""A store in a directory -> what zarr-lint and the registry's schemas find wrong with it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.interop.schemas import violations

_ZARR_LINT = Path(sys.executable).parent / "zarr-lint"
_TIMEOUT = 60.0
"""Seconds; it needs 0.05."""


def findings(directory: Path) -> list[str]:
    """Tell what is wrong with an array, or with a group and all below it."""
    command = [str(_ZARR_LINT), "check", str(directory), "--format", "json", "--fail-on", "warning"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT, check=False)
    found = [json.dumps(finding) for finding in json.loads(run.stdout)["diagnostics"]]
    assert run.returncode == 0 or found, run.stderr
    for path in directory.rglob("zarr.json"):
        document = json.loads(path.read_text())
        if document["node_type"] == "array":
            found += violations(document)
    return found
