"""The package of the pages on plug-ins, put together from what they show."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

TOPICS = Path(__file__).parents[2] / "docs/topics"
PAGES = [TOPICS / f"{name}.md" for name in ("own-codecs", "own-stores", "plug-ins")]


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
