"""Sphinx configuration. Pages are Markdown (MyST); every warning is an error in `make docs`."""

from __future__ import annotations

import tomllib
from pathlib import Path

_project = tomllib.loads(Path(__file__).parents[1].joinpath("pyproject.toml").read_text())[
    "project"
]

project = "zarrfs"
author = "the zarrfs developers"
project_copyright = f"2026, {author}"
release = _project["version"]
version = ".".join(release.split(".")[:2])

extensions = ["myst_parser", "numpydoc", "sphinx.ext.autodoc", "sphinx.ext.doctest", "sphinx_click"]
exclude_patterns = ["_build", "changes"]
nitpicky = True
# No inventory of other projects is fetched: the documentation builds without a network.
nitpick_ignore_regex = [
    (r"py:.*", r"(collections|contextlib|numpy|np|npt|os|pathlib|types|typing)\..*"),
    (r"py:.*", r"(Iterator|Mapping|Sequence|Path|Self)"),
    # Types that annotations name and that have no page: users are only handed them.
    (r"py:class", r"(ArrayMetadata|Extension|Json|Origin|Spec|ZarrFormat)"),
    (r"py:class", r"(Codec|Compressor|Lengths|Mode)"),
    (r"py:class", r"(zarrfs\.registry\.)?T"),  # whatever a registry holds
    (r"py:class", r"(ChunkGridParser|ChunkKeyEncodingParser|Documents|GroupMetadata|ParseInner)"),
    (r"py:class", r"zarrfs\.format\.axes\.(Regular|Irregular)Axis"),
]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_typehints = "signature"
autodoc_member_order = "bysource"
numpydoc_show_class_members = False

html_theme = "furo"
html_title = "zarrfs"

man_pages = [
    ("reference/command-line", "zarrfs", _project["description"], [author], 1),
]
