"""Node paths <-> keys of their metadata documents, and which names a node may have.

A node path is what a store's keys begin with: ``""`` is the root, ``"a/b"`` a node below it,
without ``/`` at either end. Spec: Zarr v3 core, "Storage" and "Node names"; Zarr v2,
"Hierarchies".
"""

from __future__ import annotations

V3_DOCUMENT = "zarr.json"
"""Metadata document of a v3 group or array."""

V2_ARRAY = ".zarray"
V2_GROUP = ".zgroup"
V2_ATTRIBUTES = ".zattrs"
V2_CONSOLIDATED = ".zmetadata"
"""Copies of the documents below a v2 group, in one."""

_DOCUMENTS = frozenset({V3_DOCUMENT, V2_ARRAY, V2_GROUP, V2_ATTRIBUTES, V2_CONSOLIDATED})


def is_metadata_key(key: str) -> bool:
    """Tell whether a key, or its last part, is that of a metadata document of either format."""
    return key.rpartition("/")[2] in _DOCUMENTS


def key_prefix(path: str) -> str:
    """Return what the keys of a node begin with: ``""`` for the root, else ``"a/b/"``."""
    return f"{path}/" if path else ""


def metadata_key(path: str, document: str) -> str:
    """Key of one of a node's metadata documents, such as ``"a/b/zarr.json"``."""
    return f"{key_prefix(path)}{document}"


def split_metadata_key(key: str) -> tuple[str, str] | None:
    """Node path and document of a metadata key, or ``None`` if it is another key."""
    path, _, document = key.rpartition("/")
    return (path, document) if document in _DOCUMENTS else None


def join(path: str, name: str) -> str:
    """Path of the node `name` below a node."""
    return f"{key_prefix(path)}{name}"


def parent(path: str) -> str | None:
    """Path of the group that holds a node; ``None`` for the root."""
    return path.rpartition("/")[0] if path else None


def node_name(path: str) -> str:
    """Last part of a node path; ``""`` for the root."""
    return path.rpartition("/")[2]


def name_fault(name: str) -> str | None:
    """Say why a node other than the root cannot have this name, or ``None`` if it can.

    The rules of v3 hold for v2 too, where they only add to what would not work.
    """
    if not name:
        return "a node name cannot be empty"
    if "/" in name:
        return f"a node name cannot contain '/': {name!r}"
    if not name.strip("."):
        return f"a node name cannot be only dots: {name!r}"
    if name.startswith("__"):
        return f"node names that start with '__' are reserved: {name!r}"
    if name in _DOCUMENTS:
        return f"a node cannot be named like a metadata document: {name!r}"
    return None
