"""URL of a directory -> where its store begins, and the node that is meant inside.

The store begins at the topmost directory on the way that is a Zarr node, else at the first whose
name ends in ``.zarr``, else the directory itself is one. So ``data.zarr/ocean/t`` is the node
``ocean/t`` of the store ``data.zarr``, and what is created there gets the groups above it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zarrfs.format.node_keys import V2_ARRAY, V2_GROUP, V3_DOCUMENT
from zarrfs.stores.urls import directories, split_url

if TYPE_CHECKING:
    import os
    from pathlib import Path


def locate(url: str | os.PathLike[str]) -> tuple[str, str]:
    """Cut a URL into the store's URL and the path of a node inside it.

    Raises
    ------
    UrlError
        If the URL is not understood.
    """
    store_url, path = split_url(url)
    ways = [] if path else directories(store_url)
    if not ways or _is_file(ways[-1].directory):
        return store_url, path
    for way in ways:
        if any(map(_is_file, (way.directory / name for name in (V3_DOCUMENT, V2_GROUP, V2_ARRAY)))):
            return way.store_url, way.node_path
    for way in ways:
        if way.directory.name.lower().endswith(".zarr"):
            return way.store_url, way.node_path
    return store_url, path


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # what may not be looked at is not ours
        return False
