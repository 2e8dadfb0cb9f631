"""Consolidated metadata: the documents of all nodes below a group, copied to one place.

Version 2 keeps them in ``.zmetadata``, version 3 inline in the group's ``zarr.json``. Neither is
part of a specification; both are as zarr-python writes and reads them. Law: ``parse(build(nodes))``
has the same nodes.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zarrfs.errors import MetadataError
from zarrfs.format.documents import Json, dotted, expect_object, is_integer, show, take, without
from zarrfs.format.node_documents import Documents, main_document
from zarrfs.format.node_keys import (
    V2_ARRAY,
    V2_ATTRIBUTES,
    V2_GROUP,
    V3_DOCUMENT,
    join,
    metadata_key,
    node_name,
    parent,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MEMBER = "consolidated_metadata"
"""Member of a v3 group's document that holds it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsolidatedMetadata:
    """What a group knows of the nodes below it. Paths are relative to the group."""

    nodes: Mapping[str, Documents]
    """Documents of each node by its path, never ``""``."""

    names: Mapping[str, tuple[str, ...]]
    """Names directly below a path, sorted; plain directories above nodes included."""


def parse_v3_consolidated(value: Json) -> ConsolidatedMetadata:
    """Parse ``consolidated_metadata`` of a v3 group.

    Raises
    ------
    MetadataError
        If it is malformed, or not of kind ``inline``.
    """
    kind = take(expect_object(value, MEMBER), "kind", MEMBER)
    if kind != "inline":
        raise MetadataError(f'must be "inline", not {show(kind)}', field=dotted(MEMBER, "kind"))
    field = dotted(MEMBER, "metadata")
    metadata = expect_object(take(value, "metadata", MEMBER), field)
    return _consolidated(
        {
            _path(path, field): {V3_DOCUMENT: expect_object(members, dotted(field, path))}
            for path, members in metadata.items()
        }
    )


def parse_v2_consolidated(document: Mapping[str, Json]) -> ConsolidatedMetadata:
    """Parse ``.zmetadata`` of a v2 group.

    Raises
    ------
    MetadataError
        If it is malformed, or of another format than 1.
    """
    version = take(document, "zarr_consolidated_format")
    if not is_integer(version) or version != 1:
        raise MetadataError(f"must be 1, not {show(version)}", field="zarr_consolidated_format")
    nodes: dict[str, dict[str, Mapping[str, Json]]] = {}
    for key, members in expect_object(take(document, "metadata"), "metadata").items():
        if node_name(key) in (V2_ARRAY, V2_GROUP, V2_ATTRIBUTES):
            path = parent(key) or ""
            if path:
                node = nodes.setdefault(_path(path, "metadata"), {})
                node[node_name(key)] = expect_object(members, dotted("metadata", key))
    with_attributes_only = {
        path for path, found in nodes.items() if found.keys() == {V2_ATTRIBUTES}
    }
    return _consolidated(without(nodes, with_attributes_only))


def build_v3_consolidated(nodes: Mapping[str, Documents]) -> dict[str, Json]:
    """Return ``consolidated_metadata`` for the v3 nodes below a group, by relative path.

    Groups among them have an empty one of their own, which zarr-python needs to take the nodes
    below them from here.
    """
    metadata = {}
    for path in _sorted(nodes):
        members = dict(nodes[path][V3_DOCUMENT])
        if members.get("node_type") == "group":
            members[MEMBER] = _inline({})
        metadata[path] = members
    return _inline(metadata)


def build_v2_consolidated(nodes: Mapping[str, Documents]) -> dict[str, Json]:
    """Return ``.zmetadata`` for the v2 nodes below a group, and for itself as ``""``."""
    metadata = {
        metadata_key(path, name): members
        for path in _sorted(nodes)
        for name, members in nodes[path].items()
    }
    return {"zarr_consolidated_format": 1, "metadata": metadata}


def own_documents(documents: Documents) -> Documents:
    """Return a node's documents without what they tell of others."""
    name = main_document(documents)
    return {**documents, name: without(documents[name], (MEMBER,))}


def _inline(metadata: dict[str, Json]) -> dict[str, Json]:
    return {"kind": "inline", "must_understand": False, "metadata": metadata}


def _sorted(paths: Mapping[str, object]) -> list[str]:
    """Sort as zarr-python does: what lies higher first, then without regard to case."""
    return sorted(
        paths, key=lambda path: (path.count("/"), unicodedata.normalize("NFKC", path).casefold())
    )


def _path(path: str, field: str) -> str:
    if not {"", ".", ".."}.isdisjoint(path.split("/")):
        raise MetadataError("is no path of a node below the group", field=dotted(field, path))
    return path


def _consolidated(nodes: Mapping[str, Documents]) -> ConsolidatedMetadata:
    names: dict[str, set[str]] = {}
    for path in nodes:
        for above, name in _steps(path):
            names.setdefault(above, set()).add(name)
    return ConsolidatedMetadata(
        nodes=nodes, names={path: tuple(sorted(found)) for path, found in names.items()}
    )


def _steps(path: str) -> Iterator[tuple[str, str]]:
    """Yield each path on the way to a node, and the name that follows it."""
    above = ""
    for name in path.split("/"):
        yield above, name
        above = join(above, name)
