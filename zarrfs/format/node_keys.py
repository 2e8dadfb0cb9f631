"""Node paths <-> keys of their metadata documents; which names a node may have.

A node path is what a store's keys begin with: ``""`` is the root, ``"a/b"`` a node below it,
without ``/`` at either end. Spec: Zarr v3 core, "Storage"; Zarr v2, "Hierarchies".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zarrfs.format.metadata import ZarrFormat

V3_DOCUMENT = "zarr.json"
"""Metadata document of a v3 group or array."""

V2_ARRAY = ".zarray"
V2_GROUP = ".zgroup"
V2_ATTRIBUTES = ".zattrs"
V2_CONSOLIDATED = ".zmetadata"

DOCUMENTS = (V3_DOCUMENT, V2_ARRAY, V2_GROUP, V2_ATTRIBUTES, V2_CONSOLIDATED)
"""All names that metadata documents have."""


def key_prefix(path: str) -> str:
    """Return what the keys of a node begin with: ``""`` for the root, else ``"a/b/"``."""
    return f"{path}/" if path else ""


def metadata_key(path: str, document: str) -> str:
    """Key of one of a node's metadata documents, such as ``"a/b/zarr.json"``."""
    return f"{key_prefix(path)}{document}"


def join(path: str, name: str) -> str:
    """Path of the node `name` below a node."""
    return f"{key_prefix(path)}{name}"


def parent(path: str) -> str | None:
    """Path of the group that holds a node; ``None`` for the root."""
    return path.rpartition("/")[0] if path else None


def ancestors(path: str) -> list[str]:
    """Paths of all groups that hold a node, the root first."""
    parts = path.split("/") if path else []
    return ["/".join(parts[:n]) for n in range(len(parts))]


def node_name(path: str) -> str:
    """Last part of a node path; ``""`` for the root."""
    return path.rpartition("/")[2]


def node_name_fault(name: str, zarr_format: ZarrFormat) -> str | None:
    """Tell why a new node cannot have this name; ``None`` if it can.

    Nodes that others wrote are read whatever their names are.

    Spec: Zarr v3 core, "Node names"; Zarr v2, "Logical storage paths". Version 3 reserves names
    that begin with ``__``; version 2 has no rule for them.
    """
    if not name:
        return "a name must have at least one character"
    if "/" in name:
        return f"{name!r} holds a '/', which stands between names"
    if not name.strip("."):
        return f"{name!r} is nothing but periods"
    if name == V3_DOCUMENT or (zarr_format == 2 and name in DOCUMENTS):
        return f"{name!r} is the name of a metadata document"
    if zarr_format == 3 and name.startswith("__"):
        return f"{name!r} begins with '__', which Zarr v3 reserves"
    return None
