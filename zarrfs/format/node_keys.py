"""Node paths <-> keys of their metadata documents.

A node path is what a store's keys begin with: ``""`` is the root, ``"a/b"`` a node below it,
without ``/`` at either end. Spec: Zarr v3 core, "Storage"; Zarr v2, "Hierarchies".
"""

from __future__ import annotations

V3_DOCUMENT = "zarr.json"
"""Metadata document of a v3 group or array."""

V2_ARRAY = ".zarray"
V2_GROUP = ".zgroup"
V2_ATTRIBUTES = ".zattrs"


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


def node_name(path: str) -> str:
    """Last part of a node path; ``""`` for the root."""
    return path.rpartition("/")[2]
