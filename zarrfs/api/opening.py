"""URL -> array or group."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from zarrfs.api.array import Array
from zarrfs.api.group import Group, open_found
from zarrfs.api.process_engine import process_engine
from zarrfs.arrays.hierarchy import Hierarchy, PrefixNode
from zarrfs.arrays.locating import locate
from zarrfs.errors import (
    MetadataError,
    NodeNotFoundError,
    NodeTypeError,
    ReadOnlyError,
    StoreNotFoundError,
    UrlError,
    UsageError,
)
from zarrfs.stores.redaction import redact
from zarrfs.stores.urls import open_store

if TYPE_CHECKING:
    from zarrfs.arrays.hierarchy import Node

Mode = Literal["r", "r+"]


def open_hierarchy(
    url: str | os.PathLike[str],
    storage_options: Mapping[str, str] | None = None,
    *,
    create: bool = False,
) -> tuple[Hierarchy, str]:
    """Open the store of a URL; return its hierarchy and the path of the node that is meant.

    `create` makes the store's directory if it is not there. A zip made from the parent directory
    holds its store in one folder: that folder is meant, as long as the root of the zip is no node
    itself.
    """
    _check_arguments(url, storage_options)
    store_url, path = locate(url)
    try:
        hierarchy = Hierarchy(open_store(store_url, options=storage_options, create=create))
    except StoreNotFoundError as error:
        if not (create and store_url.lower().endswith(".zip")):
            raise
        reason = "zip files are only read; create a directory, and pack it"
        raise ReadOnlyError("open", "", reason, store=error.store) from error
    if not path and store_url.lower().endswith(".zip"):
        root = hierarchy.node("")
        children = list(hierarchy.children("")) if isinstance(root, PrefixNode) else []
        if len(children) == 1:
            path = children[0].path
    return hierarchy, path


def _check_arguments(url: object, storage_options: object) -> None:
    is_path = isinstance(url, str | os.PathLike) and isinstance(os.fspath(url), str)
    if not is_path:
        raise UrlError(f"a path or URL must be a str or a pathlib.Path, not {url!r}")
    if not isinstance(storage_options, Mapping | None):
        reason = 'must be a mapping, such as {"option": "value"}'
        raise UrlError(f"storage_options {reason}, not {storage_options!r}")


def find_node(
    url: str | os.PathLike[str],
    storage_options: Mapping[str, str] | None = None,
    *,
    allow_empty: bool = False,
) -> tuple[Hierarchy, Node]:
    """Open the store of a URL, and return its hierarchy and the node that is meant.

    Raises
    ------
    NodeNotFoundError
        If there is no Zarr node; `allow_empty` allows for a root without nodes below it.
    StoreError
        If the store cannot be read.
    """
    hierarchy, path = open_hierarchy(url, storage_options)
    try:
        node = hierarchy.node(path)
    except NodeNotFoundError:
        raise NodeNotFoundError(redact(str(url))) from None
    may_be_empty = allow_empty or not isinstance(node, PrefixNode)
    if not may_be_empty and next(hierarchy.children(path), None) is None:
        raise NodeNotFoundError(redact(str(url)), "and none below it")
    return hierarchy, node


def open_any(
    url: str | os.PathLike[str],
    *,
    mode: Mode = "r+",
    write_empty_chunks: bool = False,
    storage_options: Mapping[str, str] | None = None,
) -> Array | Group:
    """Open the array or group at a URL or path.

    Parameters
    ----------
    url
        Path or URL of a store, with the path of a node inside it if that is not the root:
        ``data.zarr/t2m``, ``x.zip/a/b``, ``memory://name/a``.
    mode
        ``"r+"`` to read, and to write where the store can be written; ``"r"`` refuses to write.
    write_empty_chunks
        Whether chunks that hold only the fill value are stored; otherwise they are deleted, and
        read as what they are all the same.
    storage_options
        Options of the store.

    Returns
    -------
    Array or Group
        A plain directory that has Zarr nodes below it is a group without attributes.

    Raises
    ------
    UrlError
        If the URL is not understood.
    NodeNotFoundError
        If there is no Zarr node.
    MetadataError
        If its metadata is malformed; `UnsupportedError` if it uses what zarrfs does not have.
    UsageError
        If there is no such mode.
    StoreError
        If the store cannot be read.
    """
    if mode not in ("r", "r+"):
        raise UsageError(f"mode must be 'r' or 'r+', not {mode!r}; create_array creates arrays")
    hierarchy, node = find_node(url, storage_options)
    try:
        return open_found(
            hierarchy,
            node,
            process_engine(),
            read_only=mode == "r",
            write_empty_chunks=write_empty_chunks,
        )
    except MetadataError as error:
        raise error.at(f"{hierarchy.store.url}/{error.key or ''}") from error


def open_array(
    url: str | os.PathLike[str],
    *,
    mode: Mode = "r+",
    write_empty_chunks: bool = False,
    storage_options: Mapping[str, str] | None = None,
) -> Array:
    """Open the array at a URL or path; see `zarrfs.open`.

    Raises
    ------
    NodeTypeError
        If it is a group.
    """
    opened = open_any(
        url, mode=mode, write_empty_chunks=write_empty_chunks, storage_options=storage_options
    )
    if isinstance(opened, Group):
        raise NodeTypeError(f"{redact(str(url))} is a group, not an array; use open_group")
    return opened


def open_group(
    url: str | os.PathLike[str],
    *,
    mode: Mode = "r+",
    storage_options: Mapping[str, str] | None = None,
) -> Group:
    """Open the group at a URL or path; see `zarrfs.open`.

    Raises
    ------
    NodeTypeError
        If it is an array.
    """
    opened = open_any(url, mode=mode, storage_options=storage_options)
    if isinstance(opened, Array):
        raise NodeTypeError(f"{redact(str(url))} is an array, not a group; use open_array")
    return opened
