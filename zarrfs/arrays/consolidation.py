"""Consolidated metadata of a store: written on demand, taken away when a node below changes.

Others leave them behind when nodes change, and then show what is no more. To bring them up to date
each time would write all of them for each new array, and lose one of two changes made at once.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from zarrfs.arrays.node_reading import has_nodes_below, read_documents
from zarrfs.errors import KeyNotFoundError, NodeNotFoundError, NodeTypeError
from zarrfs.format.consolidated import (
    MEMBER,
    build_v2_consolidated,
    build_v3_consolidated,
    own_documents,
)
from zarrfs.format.documents import dump_json, without
from zarrfs.format.node_documents import is_array, zarr_format_of
from zarrfs.format.node_keys import V2_CONSOLIDATED, V3_DOCUMENT, join, key_prefix, metadata_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from zarrfs.arrays.hierarchy import Hierarchy
    from zarrfs.format.node_documents import Documents
    from zarrfs.stores.base import Store

_log = logging.getLogger(__name__)


def consolidate(hierarchy: Hierarchy, path: str) -> int:
    """Copy the documents of all nodes below a group to one place.

    Returns
    -------
    int
        Nodes below the group.

    Raises
    ------
    NodeNotFoundError
        If there is no group at `path`.
    NodeTypeError
        If an array is, or a node below is of the other format or lies in a plain directory: other
        readers could not find it any more.
    MetadataError
        If a document is not JSON.
    StoreError
        If the store fails.
    """
    store = hierarchy.store
    stored = read_documents(store, path)
    if stored is None:
        raise NodeNotFoundError(path or "/", "only groups can be consolidated")
    if is_array(stored.members):
        raise NodeTypeError(f"{path or '/'!r} is an array; only groups can be consolidated")
    zarr_format = zarr_format_of(stored.members)
    nodes = dict(_documents_below(store, path, zarr_format))
    prefix = key_prefix(path)
    relative = {below.removeprefix(prefix): documents for below, documents in nodes.items()}
    if zarr_format == 3:
        members = {**stored.members[V3_DOCUMENT], MEMBER: build_v3_consolidated(relative)}
        store.set(metadata_key(path, V3_DOCUMENT), dump_json(members))
    else:
        document = build_v2_consolidated({"": stored.members, **relative})
        store.set(metadata_key(path, V2_CONSOLIDATED), dump_json(document))
    hierarchy.forget()
    return len(nodes)


def drop_consolidated(
    store: Store, groups: Mapping[str, Documents], *, itself: str | None = None
) -> None:
    """Take away the consolidated metadata of groups, as nodes below them are about to change.

    Parameters
    ----------
    store
        Where they lie.
    groups
        Documents of the groups by their paths.
    itself
        Path of the node that changes, if it is there to stay.

    Raises
    ------
    StoreError
        If the store fails.
    """
    for path, documents in groups.items():
        members = documents.get(V3_DOCUMENT)
        if members is None:
            _drop_v2(store, path)
        elif members.get(MEMBER) is not None:
            _tell(path)
            store.set(metadata_key(path, V3_DOCUMENT), dump_json(without(members, (MEMBER,))))
    if itself is not None:
        _drop_v2(store, itself)


def _drop_v2(store: Store, path: str) -> None:
    key = metadata_key(path, V2_CONSOLIDATED)
    try:
        store.stat(key)
    except KeyNotFoundError:
        return
    _tell(path)
    store.delete(key)


def _tell(path: str) -> None:
    _log.warning(
        "the consolidated metadata of %r are taken away, as a node changes; "
        "`zarrfs consolidate` writes them anew",
        path or "/",
    )


def _documents_below(store: Store, path: str, zarr_format: int) -> Iterator[tuple[str, Documents]]:
    """Yield paths and documents of all nodes below a group."""
    todo = [path]
    while todo:
        group = todo.pop()
        for listed in store.list_dir(key_prefix(group)):
            if not listed.is_prefix:
                continue
            child = join(group, listed.name)
            stored = read_documents(store, child)
            if stored is None:
                if has_nodes_below(store, child):
                    raise NodeTypeError(
                        f"{child!r} is a plain directory with nodes in it; "
                        "`zarrfs create-group` makes it a group"
                    )
                continue
            if zarr_format_of(stored.members) != zarr_format:
                reason = f"is of another format than the group, which is of Zarr v{zarr_format}"
                raise NodeTypeError(f"{child!r} {reason}")
            yield child, own_documents(stored.members)
            if not is_array(stored.members):
                todo.append(child)
