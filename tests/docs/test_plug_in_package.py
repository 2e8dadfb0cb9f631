"""The package of the pages on plug-ins: installed, its extensions work without being registered."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

PAGES = [Path(__file__).parents[2] / f"docs/topics/{n}.md" for n in ("own-codecs", "plug-ins")]

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
"""


def install(directory: Path) -> None:
    """Put the package there as pip would."""
    text = "".join(page.read_text("utf-8") for page in PAGES)
    module = "\n".join(re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
    (directory / "zarr_example.py").write_text(module)
    (project,) = re.findall(r"^```toml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    about = tomllib.loads(project)["project"]
    info = directory / f"zarr_example-{about['version']}.dist-info"
    info.mkdir()
    name = f"Name: {about['name']}\nVersion: {about['version']}\n"
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\n{name}")
    lines = []
    for group, entries in about["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in entries.items())]
    (info / "entry_points.txt").write_text("\n".join(lines))


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
    ]
    assert sorted(key.name for key in (tmp_path / "x.zarr/t").iterdir()) == [
        "0000",
        "0001",
        "zarr.json",
    ]
