"""New arrays and groups at a URL; whole NumPy arrays stored and loaded in one call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from zarrfs.api.group import new_array, new_group
from zarrfs.api.opening import open_array, open_hierarchy
from zarrfs.api.process_engine import process_engine
from zarrfs.arrays.assignment import new_elements
from zarrfs.arrays.indexing import parse_selection
from zarrfs.arrays.new_arrays import NewArray, group_metadata, new_metadata, parse_options
from zarrfs.arrays.saved_values import elements_of

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from zarrfs.api.array import Array
    from zarrfs.api.group import Group
    from zarrfs.arrays.new_arrays import Lengths
    from zarrfs.arrays.new_codecs import Codec, Compressor
    from zarrfs.format.metadata import ZarrFormat


def create_array(
    url: str | os.PathLike[str],
    *,
    shape: int | Sequence[int],
    dtype: Any,
    chunks: Lengths | None = None,
    codecs: Sequence[Codec] | None = None,
    zarr_format: ZarrFormat = 3,
    shards: Lengths | None = None,
    fill_value: Any = None,
    dimension_names: Sequence[str | None] | None = None,
    attributes: Mapping[str, Any] | None = None,
    overwrite: bool = False,
    compressor: Compressor | None = "auto",
    filters: Sequence[Compressor] | None = None,
    order: Literal["C", "F"] = "C",
    chunk_key_encoding: Codec | None = None,
    dimension_separator: Literal[".", "/"] | None = None,
    write_empty_chunks: bool = False,
    storage_options: Mapping[str, str] | None = None,
) -> Array:
    """Create an array; nothing is stored but its metadata.

    Parameters
    ----------
    url
        Path or URL, ``data.zarr/ocean/t``. The store begins at the topmost directory on the way
        that is a Zarr node, else at the first whose name ends in ``.zarr``, else the path itself
        is one; groups that are missing in it are created.
    shape
        Elements along each dimension.
    dtype
        What `numpy.dtype` takes, the name of a Zarr data type (``"bfloat16"``, ``"string"``), or
        its JSON object. A byte order is how elements are stored; in memory it is the machine's.
    chunks
        Elements of a chunk along each dimension, one number for all, or for a rectilinear grid
        the lengths of all chunks along a dimension. Chosen if not given: about 1 MiB, the rule is
        that of `zarrfs.arrays.chunk_shapes`.
    codecs
        As in a v3 document, names or objects; what they leave out of byte order and compressors'
        options is completed.
    zarr_format
        3 or 2. Codecs in terms of the other one are translated.
    shards
        Elements of a shard, as `chunks`; chunks lie inside shards then.
    fill_value
        Element that was never written; the type's zero if not given.
    dimension_names
        A name, or ``None``, for each dimension.
    attributes
        User attributes, anything that JSON can hold.
    overwrite
        Deletes what is there, arrays and groups below it included.
    compressor, filters
        As in a v2 document: objects with ``id``, or numcodecs' own; in place of `codecs`.
        ``"auto"`` is zstd, level 1; ``None`` none.
    order
        ``"F"`` stores elements of a chunk in column-major order.
    chunk_key_encoding, dimension_separator
        How keys of chunks are written: ``"default"``, ``"v2"`` or an object as in a v3 document; or
        just what stands between numbers. v2 writes ``0.1`` unless told otherwise, v3 ``c/0/1``.
    write_empty_chunks
        Whether chunks that hold only the fill value are stored.
    storage_options
        Options of the store.

    Raises
    ------
    NodeExistsError
        If there is something already, and `overwrite` is not given.
    NodeNameError, NodeTypeError
        If a node cannot have that name, or cannot lie where it is to.
    MetadataError
        If an argument is not as it must be, which its `field` names; `UnsupportedError` if the
        format or zarrfs does not have what is asked for.
    UrlError
        If the URL is not understood.
    StoreError
        If the store fails; `ReadOnlyError` if it cannot be written.
    """
    wanted = NewArray(
        shape=shape,
        dtype=dtype,
        zarr_format=zarr_format,
        chunks=chunks,
        shards=shards,
        codecs=codecs,
        compressor=compressor,
        filters=filters,
        order=order,
        fill_value=fill_value,
        dimension_names=dimension_names,
        attributes=attributes,
        chunk_key_encoding=chunk_key_encoding,
        dimension_separator=dimension_separator,
    )
    metadata = new_metadata(wanted)  # before the store's directory is made: it may be refused
    hierarchy, path = open_hierarchy(url, storage_options, create=True)
    return new_array(
        hierarchy,
        path,
        metadata,
        process_engine(),
        overwrite=overwrite,
        write_empty_chunks=write_empty_chunks,
    )


def create_group(
    url: str | os.PathLike[str],
    *,
    attributes: Mapping[str, Any] | None = None,
    zarr_format: ZarrFormat = 3,
    overwrite: bool = False,
    storage_options: Mapping[str, str] | None = None,
) -> Group:
    """Create a group, and those above it that are missing; see `zarrfs.create_array`.

    A plain directory becomes a group, and keeps what is in it.

    Raises
    ------
    NodeExistsError, NodeNameError, NodeTypeError, MetadataError, UrlError, StoreError
        As `zarrfs.create_array`.
    """
    metadata = group_metadata(zarr_format, attributes)
    hierarchy, path = open_hierarchy(url, storage_options, create=True)
    return new_group(hierarchy, path, metadata, process_engine(), overwrite=overwrite)


def save(
    url: str | os.PathLike[str],
    array: npt.ArrayLike,
    *,
    overwrite: bool = False,
    write_empty_chunks: bool = False,
    storage_options: Mapping[str, str] | None = None,
    **options: Any,
) -> Array:
    """Create an array with all of its elements; nobody sees it before they are stored.

    Parameters
    ----------
    url
        As of `zarrfs.create_array`.
    array
        What `numpy.asarray` takes. The data type is the one that NumPy finds, unless `dtype` is
        given; what that would change (a number among texts) is refused. Objects must all be
        ``str``, or all ``bytes``.
    overwrite, write_empty_chunks, storage_options, options
        As of `zarrfs.create_array`.

    Raises
    ------
    NodeExistsError
        If there is something already; ``overwrite=True`` replaces it.
    ZarrfsError
        As `zarrfs.create_array`, and as writing to an array raises. Nothing is left of it.
    """
    has_filters = bool(options.get("filters"))
    elements, dtype = elements_of(array, options.get("dtype"), are_objects_known=has_filters)
    wanted = parse_options("save", {"shape": elements.shape, **options, "dtype": dtype})
    metadata = new_metadata(wanted)
    # Before anything is deleted: it may not fit.
    values = new_elements(elements, metadata.dtype, parse_selection(..., metadata.shape))
    hierarchy, path = open_hierarchy(url, storage_options, create=True)
    return new_array(
        hierarchy,
        path,
        metadata,
        process_engine(),
        overwrite=overwrite,
        write_empty_chunks=write_empty_chunks,
        fill=lambda created: created.__setitem__(..., values),
    )


def load(
    url: str | os.PathLike[str], *, storage_options: Mapping[str, str] | None = None
) -> npt.NDArray[Any]:
    """Read a whole array.

    Raises
    ------
    ZarrfsError
        As `zarrfs.open_array`, and as reading an array raises.
    """
    array = open_array(url, mode="r", storage_options=storage_options)
    return np.asarray(array[...], array.dtype)
