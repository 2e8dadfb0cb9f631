"""Arrays and groups that are new to a store: where they may be, what goes there in which order.

Groups come before what lies in them, an array's documents after the chunks that it is created
with. Creating is safe where the store can test and set: of two processes one wins, the other is
told (`zarrfs.arrays.claims`).
"""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

from zarrfs.arrays.claims import CLAIM, claim, is_abandoned
from zarrfs.arrays.consolidation import drop_consolidated
from zarrfs.arrays.node_reading import StoredDocuments, read_documents
from zarrfs.arrays.node_writing import delete_keys, documents_at, dumped, has_keys, new_node
from zarrfs.arrays.nodes import ArrayNode, GroupNode
from zarrfs.errors import NodeExistsError, NodeNameError, NodeTypeError, ReadOnlyError, StoreError
from zarrfs.format.metadata import GroupMetadata
from zarrfs.format.node_documents import Documents, is_array, serialise_documents, zarr_format_of
from zarrfs.format.node_keys import ancestors, metadata_key, node_name_fault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from zarrfs.arrays.hierarchy import Hierarchy
    from zarrfs.format.metadata import ArrayMetadata, ZarrFormat
    from zarrfs.stores.base import Store

_log = logging.getLogger(__name__)


def create_array(
    hierarchy: Hierarchy,
    path: str,
    metadata: ArrayMetadata,
    *,
    overwrite: bool = False,
    fill: Callable[[ArrayNode], None] | None = None,
) -> ArrayNode:
    """Create an array; missing groups above it are created too, in its format.

    Parameters
    ----------
    hierarchy
        Where.
    path
        Its node path, ``""`` for the root.
    metadata
        What to create.
    overwrite
        Deletes what is at `path` first, all nodes and chunks below it included.
    fill
        Stores chunks of the array when its place is ready. Its documents follow when this has
        returned, so that an array is seen whole or not at all. If it fails, what it has stored is
        deleted; what a process stored that was killed is deleted by the next one that creates
        something there.

    Raises
    ------
    NodeExistsError
        If there is a node already, or other keys, and `overwrite` is not given; or if another
        process is about to create one. A plain directory at the root of a store is never deleted.
    NodeNameError
        If a part of the path is no name for a node.
    NodeTypeError
        If an array, or a group of the other format, lies above it.
    MetadataError
        If the metadata cannot be written, or a document above cannot be read.
    StoreError
        If the store fails; ``ReadOnlyError`` if it cannot be written.
    """
    node = _create(hierarchy, path, serialise_documents(metadata), overwrite=overwrite, fill=fill)
    assert isinstance(node, ArrayNode)
    return node


def create_group(
    hierarchy: Hierarchy, path: str, metadata: GroupMetadata, *, overwrite: bool = False
) -> GroupNode:
    """Create a group; see `create_array`. A plain directory becomes one, and keeps what is in it.

    Raises
    ------
    NodeExistsError, NodeNameError, NodeTypeError, MetadataError, StoreError
        As `create_array`.
    """
    node = _create(hierarchy, path, serialise_documents(metadata), overwrite=overwrite)
    assert isinstance(node, GroupNode)
    return node


def _create(
    hierarchy: Hierarchy,
    path: str,
    documents: Documents,
    *,
    overwrite: bool,
    fill: Callable[[ArrayNode], None] | None = None,
) -> ArrayNode | GroupNode:
    data = dumped(documents)
    node = new_node(path, documents, data)
    store, zarr_format = hierarchy.store, zarr_format_of(documents)
    if not store.capabilities.writable:
        raise ReadOnlyError("set", path, "the store is read-only", store=store.url)
    for name in path.split("/") if path else ():
        fault = node_name_fault(name, zarr_format)
        if fault is not None:
            raise NodeNameError(f"no node can be created at {path!r}: {fault}")
    groups = {above: read_documents(store, above) for above in ancestors(path)}
    for above, found in groups.items():
        _check_above(above, found, path, zarr_format)
    is_taken = has_keys(store, path)
    is_left = is_taken and is_abandoned(store, path) and not documents_at(store, path)
    if is_taken and not is_left:
        _check_free(store, path, wants_array=is_array(documents), overwrite=overwrite)
    is_claimed = is_taken or fill is not None
    with claim(store, path) if is_claimed else contextlib.nullcontext():
        if is_claimed and not overwrite and documents_at(store, path):
            raise _taken(path)  # another process was faster
        drop_consolidated(store, {above: found.members for above, found in groups.items() if found})
        if is_claimed and (overwrite or is_left):
            delete_keys(store, path, but_for=metadata_key(path, CLAIM))
        group = GroupMetadata(zarr_format=zarr_format, attributes={})
        for above in (above for above, found in groups.items() if found is None):
            if not _store_new(store, above, dumped(serialise_documents(group))):
                # Another process was faster.
                _check_above(above, read_documents(store, above), path, zarr_format)
        if fill is not None and isinstance(node, ArrayNode):
            is_stored = _store_filled(store, node, data, fill)
        else:
            is_stored = _store_new(store, path, data)
        if not is_stored:
            raise _taken(path)
    hierarchy.forget()
    return node


def _store_filled(
    store: Store, node: ArrayNode, data: Mapping[str, bytes], fill: Callable[[ArrayNode], None]
) -> bool:
    """Store the chunks of an array, then its documents; nothing else lies there yet."""
    try:
        fill(node)
        return _store_new(store, node.path, data)
    except BaseException:  # an interrupt too
        _delete_leftovers(store, node.path)
        raise


def _check_above(
    above: str, found: StoredDocuments | None, path: str, zarr_format: ZarrFormat
) -> None:
    """Refuse to create a node below an array, or below a group of the other format."""
    if found is None:
        return
    refused = f"no node can be created at {path!r}: {above or '/'!r} is"
    if is_array(found.members):
        raise NodeTypeError(f"{refused} an array, and nodes lie in groups")
    there = zarr_format_of(found.members)
    if there != zarr_format:
        reason = f"a group of Zarr v{there}, and no place for one of v{zarr_format}"
        raise NodeTypeError(f"{refused} {reason} (zarr_format={there})")


def _check_free(store: Store, path: str, *, wants_array: bool, overwrite: bool) -> None:
    """Refuse to create a node where keys are, unless they may be deleted or can stay."""
    has_documents = documents_at(store, path)
    if overwrite and (has_documents or path):
        return
    if has_documents:
        raise _taken(path)
    if wants_array or overwrite:
        reason = "there are keys that belong to no node; delete them, or choose another place"
        raise NodeExistsError(f"no array can be created at {path or '/'!r}: {reason}")


def _taken(path: str) -> NodeExistsError:
    return NodeExistsError(f"there is an array or group at {path or '/'!r}; overwrite replaces it")


def _store_new(store: Store, path: str, data: Mapping[str, bytes]) -> bool:
    """Store the documents of a node; whether no other process was faster, if that can be told."""
    (main, first), *others = data.items()  # the one that makes it a node
    if not store.capabilities.conditional:
        store.set(metadata_key(path, main), first)
    elif not store.set_new(metadata_key(path, main), first):
        return False
    for name, document in others:
        store.set(metadata_key(path, name), document)
    return True


def _delete_leftovers(store: Store, path: str) -> None:
    try:
        if not documents_at(store, path):  # else somebody has created a node here meanwhile
            delete_keys(store, path, but_for=metadata_key(path, CLAIM))
    except (StoreError, NodeExistsError) as error:
        _log.warning("what was stored of %r so far could not be deleted: %s", path or "/", error)
