"""The package of the pages on plug-ins: installed, its extensions work without being registered."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.docs.package import install

if TYPE_CHECKING:
    from pathlib import Path

# One that reads what was written, and knows the plug-ins by their package only.
READER = """
import zarrfs
z = zarrfs.save("x.zarr/t", [3, 1, 2], dtype="example.days", fill_value="2000-02-29",
                chunks=2, chunk_key_encoding="example.padded",
                codecs=["bytes", {"name": "example.xor", "configuration": {"mask": 85}}])
print(zarrfs.load("x.zarr/t").tolist(), z.fill_value)
print(zarrfs.codec_info("example.xor").origin, zarrfs.data_type_info("example.days").provider)
print(zarrfs.chunk_key_encoding_info("example.padded").origin)
print(zarrfs.chunk_grid_info("example.rows").origin, "example.rows" in zarrfs.list_chunk_grids())
print(zarrfs.store_info("table").provider)
"""


def test_installed_package_serves_its_extensions(tmp_path: Path) -> None:
    install(tmp_path)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", READER],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "[3, 1, 2] 11016",
        "installed zarr_example:DAYS",
        "installed",
        "installed True",
        "zarr_example:TableStore",
    ]
    assert sorted(key.name for key in (tmp_path / "x.zarr/t").iterdir()) == [
        "0000",
        "0001",
        "zarr.json",
    ]
