"""What a user asks of a new array -> its metadata. Pure: nothing is stored.

The user speaks v3 (`codecs`) or v2 (`compressor`, `filters`, `order`), for either format: what is
said in the other's terms is translated (`zarrfs.format.conversion`), or refused if that format has
nothing of the kind. What is not said is chosen: chunks by `choose_chunk_shape`, codecs in
`zarrfs.arrays.new_codecs`.
"""

from __future__ import annotations

import difflib
import operator
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Literal, TypeGuard, cast

import numpy as np

from zarrfs.arrays.chunk_shapes import BYTES_OF_OBJECT, choose_chunk_shape
from zarrfs.arrays.memory import MACHINE_BYTES
from zarrfs.arrays.new_codecs import extension_of, v2_codec, v2_codecs, v3_codecs
from zarrfs.arrays.object_codecs import ArrayCodecs
from zarrfs.arrays.user_attributes import new_attributes
from zarrfs.errors import CodecError, MetadataError
from zarrfs.format.array_filters import ARRAY_FILTERS
from zarrfs.format.chunk_grids import parse_chunk_grid, parse_chunk_shape, parse_shape
from zarrfs.format.chunk_keys import parse_chunk_key_encoding
from zarrfs.format.conversion import array_to_v2, array_to_v3
from zarrfs.format.documents import Json, show
from zarrfs.format.dtype_arguments import data_type_of
from zarrfs.format.extensions import NUMCODECS, Extension, serialise_extension
from zarrfs.format.fill_arguments import fill_value_of
from zarrfs.format.fill_values import default_fill_value
from zarrfs.format.metadata import ArrayMetadata, GroupMetadata
from zarrfs.format.node_documents import serialise_documents

if TYPE_CHECKING:
    from zarrfs.arrays.new_codecs import Codec, Compressor
    from zarrfs.codecs.sharding import Pipeline
    from zarrfs.format.chunk_grids import ChunkGrid
    from zarrfs.format.dtypes import DataType
    from zarrfs.format.metadata import ZarrFormat

Lengths = int | Sequence[int | Sequence[int]]
"""Elements of chunks along each axis: one number for all axes, one for each, or those of every
chunk along an axis."""

MAX_TRIED = 2**24
"""Bytes of the largest chunk that is encoded and decoded for a trial, where filters are asked for:
some ten milliseconds."""

# The most that these take at once, in bytes (their own headers).
_MAX_INPUT = {"blosc": 2**31 - 17, "numcodecs.blosc": 2**31 - 17, "numcodecs.lz4": 0x7E000000}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewArray:
    """What a user may say of a new array; each is described at `zarrfs.create_array`."""

    shape: int | Sequence[int]
    dtype: Any
    zarr_format: ZarrFormat = 3
    chunks: Lengths | None = None
    shards: Lengths | None = None
    codecs: Sequence[Codec] | None = None
    compressor: Compressor | None = "auto"
    filters: Sequence[Compressor] | None = None
    order: Literal["C", "F"] = "C"
    fill_value: Any = None
    dimension_names: Sequence[str | None] | None = None
    attributes: Mapping[str, Json] | None = None
    chunk_key_encoding: Codec | None = None
    dimension_separator: Literal[".", "/"] | None = None


def parse_options(caller: str, options: Mapping[str, Any]) -> NewArray:
    """Take what a user says of a new array from keyword arguments.

    Raises
    ------
    TypeError
        As Python does of `caller`, if one is unknown, or shape or dtype are missing.
    """
    names = [field.name for field in fields(NewArray)]
    for name in options:
        if name not in names:
            close = difflib.get_close_matches(name, names, 1)
            advice = f"; did you mean {close[0]!r}?" if close else ""
            raise TypeError(f"{caller}() got an unexpected keyword argument {name!r}{advice}")
    for name in ("shape", "dtype"):
        if name not in options:
            raise TypeError(f"{caller}() missing required keyword argument: {name!r}")
    return NewArray(**options)


def new_metadata(wanted: NewArray) -> ArrayMetadata:
    """Make the metadata of a new array.

    Raises
    ------
    MetadataError
        If something is not as it must be, or does not go with something else; its `field` is what
        the user gave.
    UnsupportedError
        If the format or zarrfs does not have what is asked for.
    """
    _check_format(wanted.zarr_format)
    for field, given in (("codecs", wanted.codecs), ("filters", wanted.filters)):
        if given is not None and not _is_list(given):
            raise MetadataError(f"must be a list of codecs, not {show(given)}", field=field)
    is_of_codecs = wanted.codecs is not None
    if is_of_codecs and (wanted.compressor not in ("auto", None) or wanted.filters):
        raise MetadataError("go without compressor and filters: give either", field="codecs")
    shape = parse_new_shape(wanted.shape)
    steps = [v2_codec(step, f"filters[{i}]") for i, step in enumerate(wanted.filters or ())]
    data_type, byte_order = data_type_of(
        wanted.dtype,
        object_codec=steps[0].name.removeprefix("numcodecs.") if steps else None,
    )
    metadata = ArrayMetadata(
        zarr_format=3 if is_of_codecs else 2,
        data_type=data_type,
        chunk_grid=_chunk_grid(wanted, shape, data_type),
        chunk_key_encoding=_chunk_key_encoding(wanted, len(shape)),
        fill_value=default_fill_value(data_type)
        if wanted.fill_value is None
        else fill_value_of(wanted.fill_value, data_type),
        codecs=v2_codecs(wanted.compressor, steps, data_type, byte_order)
        if wanted.codecs is None
        else v3_codecs(wanted.codecs, data_type, byte_order),
        attributes=new_attributes(wanted.attributes),
        dimension_names=_dimension_names(wanted.dimension_names, len(shape)),
    )
    if wanted.order == "F" and len(shape) > 1:
        backwards = {"order": list(reversed(range(len(shape))))}
        transpose = Extension(name="transpose", configuration=backwards)
        metadata = replace(metadata, codecs=(transpose, *metadata.codecs))
    elif wanted.order not in ("C", "F"):
        raise MetadataError(f'must be "C" or "F", not {show(wanted.order)}', field="order")
    metadata = array_to_v3(metadata) if wanted.zarr_format == 3 else array_to_v2(metadata)
    has_filters = any(c.name.removeprefix(NUMCODECS) in ARRAY_FILTERS for c in metadata.codecs)
    if wanted.shards is not None:
        metadata = _sharded(metadata, wanted, shape)
    _check(metadata, has_filters=has_filters)
    return metadata


def parse_new_shape(value: object, *, ndim: int | None = None) -> tuple[int, ...]:
    """Understand a shape that a user gives: one number, or one for each of `ndim` dimensions.

    Raises
    ------
    MetadataError
        If it is no shape, or of another number of dimensions.
    """
    shape = parse_shape(_integers(value, "shape"))
    if ndim is not None and len(shape) != ndim:
        reason = f"must have {ndim} numbers, as the array has dimensions, not {len(shape)}"
        raise MetadataError(reason, field="shape")
    return shape


def group_metadata(zarr_format: ZarrFormat, attributes: object) -> GroupMetadata:
    """Make the metadata of a new group.

    Raises
    ------
    MetadataError
        If the format is none, or as `new_attributes`.
    """
    _check_format(zarr_format)
    return GroupMetadata(zarr_format=zarr_format, attributes=new_attributes(attributes))


def _check_format(zarr_format: object) -> None:
    if zarr_format not in (2, 3):
        raise MetadataError(f"must be 2 or 3, not {show(zarr_format)}", field="zarr_format")


def _check(metadata: ArrayMetadata, *, has_filters: bool) -> None:
    """Refuse what could be stored, but not be read or written."""
    largest = ArrayCodecs(metadata).largest
    nbytes = largest.chunk.spec.nbytes
    too_large = f"bytes each, more than the memory of this machine, {MACHINE_BYTES}; choose"
    if nbytes > MACHINE_BYTES:
        raise MetadataError(f"have {nbytes} {too_large} smaller ones", field="chunks")
    for level in largest.levels:
        if level.index_nbytes > MACHINE_BYTES:
            reason = f"have an index of {level.index_nbytes} {too_large}"
            raise MetadataError(f"{reason} smaller ones, or larger chunks", field="shards")
    for codec in metadata.codecs:
        most = _MAX_INPUT.get(codec.name, nbytes)
        if nbytes > most:
            reason = f"have {nbytes} bytes each, and {codec.name!r} takes no more than {most}"
            raise MetadataError(f"{reason}; choose smaller ones, or another codec", field="chunks")
    if has_filters and nbytes <= MAX_TRIED and not metadata.dtype.hasobject:
        _try(largest.chunk)
    serialise_documents(metadata)  # before any folder is made: the format may not have it


def _try(pipeline: Pipeline) -> None:
    """Encode and decode a chunk: filters of numcodecs do not say which elements they take.

    ``delta`` takes times, and fails when it is to decode them.
    """
    spec = pipeline.spec
    try:
        with np.errstate(all="ignore"):
            pipeline.decode(pipeline.encode(np.zeros(spec.shape, spec.dtype)))
    except CodecError as error:
        reason = f"{error.codec} does not take elements of type {spec.dtype}: {error.reason}"
        raise MetadataError(reason, field="filters") from error


# --- shape, chunks, keys ----------------------------------------------------------------------


def _chunk_grid(wanted: NewArray, shape: tuple[int, ...], data_type: DataType) -> ChunkGrid:
    if wanted.chunks is not None:
        return _grid(wanted.chunks, shape, "chunks")
    if wanted.shards is not None:
        raise MetadataError("shards need chunks, which divide them", field="shards")
    dtype = data_type.dtype
    itemsize = BYTES_OF_OBJECT if dtype.hasobject else dtype.itemsize
    return _grid(choose_chunk_shape(shape, itemsize), shape, "chunks")


def _grid(lengths: Lengths, shape: tuple[int, ...], field: str) -> ChunkGrid:
    along = list(lengths) if _is_list(lengths) else [lengths] * len(shape)
    if any(map(_is_list, along)):
        shapes = [_integers(n, field) if _is_list(n) else n for n in along]
        configuration = {"kind": "inline", "chunk_shapes": shapes}
        rectilinear = Extension(name="rectilinear", configuration=configuration)
        return parse_chunk_grid(rectilinear, shape, field)
    return parse_chunk_shape(_integers(along, field), shape, field)


def _sharded(metadata: ArrayMetadata, wanted: NewArray, shape: tuple[int, ...]) -> ArrayMetadata:
    if metadata.zarr_format == 2:
        raise MetadataError("are of Zarr v3 only", field="shards")
    inner = metadata.chunk_grid.chunk_shape
    if inner is None:
        raise MetadataError("inside shards must all be equal", field="chunks")
    configuration: dict[str, Json] = {
        "chunk_shape": list(inner),
        "codecs": [serialise_extension(codec) for codec in metadata.codecs],
        "index_codecs": [
            {"name": "bytes", "configuration": {"endian": "little"}},
            {"name": "crc32c"},
        ],
        "index_location": "end",
    }
    sharding = Extension(name="sharding_indexed", configuration=configuration)
    grid = _grid(cast("Lengths", wanted.shards), shape, "shards")
    shard = grid.largest_shape
    if any(whole % n for whole, n in zip(shard, inner, strict=True)):
        reason = f"of shape {list(inner)} do not divide the shards, {list(shard)}"
        raise MetadataError(reason, field="chunks")
    return replace(metadata, chunk_grid=grid, codecs=(sharding,))


def _chunk_key_encoding(wanted: NewArray, ndim: int) -> Any:
    given = wanted.chunk_key_encoding
    if given is not None and wanted.dimension_separator is not None:
        raise MetadataError("goes without chunk_key_encoding", field="dimension_separator")
    extension = Extension(name="v2" if wanted.zarr_format == 2 else "default")
    if given is not None:
        extension = extension_of(given, "chunk_key_encoding")
    elif wanted.dimension_separator is not None:
        separator = {"separator": wanted.dimension_separator}
        extension = replace(extension, configuration=separator)
    return parse_chunk_key_encoding(extension, ndim, "chunk_key_encoding")


def _dimension_names(
    names: Sequence[str | None] | None, ndim: int
) -> tuple[str | None, ...] | None:
    if names is None:
        return None
    are_names = _is_list(names) and all(n is None or isinstance(n, str) for n in names)
    if not are_names or len(names) != ndim:
        reason = f"must be {ndim} strings, or None for a dimension without, not {show(names)}"
        raise MetadataError(reason, field="dimension_names")
    return tuple(names)


def _integers(value: object, field: str) -> list[int]:
    try:
        return [_integer(n) for n in (value if _is_list(value) else [value])]
    except TypeError:
        raise MetadataError(f"must be whole numbers, not {show(value)}", field=field) from None


def _integer(value: Any) -> int:
    if isinstance(value, bool):  # an int to Python, but nobody's length
        raise TypeError
    return operator.index(value)


def _is_list(value: object) -> TypeGuard[Iterable[Any]]:
    """Whether a value holds others one after the other; text, and what has no order, does not."""
    if isinstance(value, np.ndarray):
        return value.ndim > 0
    return isinstance(value, Iterable) and not isinstance(value, str | bytes | Set | Mapping)
