"""Array metadata of Zarr v2 <-> v3, so that the chunks need not be touched.

Law: what one decodes from the stored chunks, the other decodes to the same array. Version 2 lets
every filter stand behind the array's byte order, where version 3 has three kinds of codecs in
order; codecs that the registry knows get its names there, the others are ``numcodecs.*``. What
cannot be carried is refused with the reason.

Spec: Zarr v2, "Metadata", `filters`, `compressor`; Zarr v3 core, "Codecs", and the registry.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from zarrfs.errors import UnsupportedError
from zarrfs.format.array_filters import ARRAY_FILTERS, ArrayFilter, Order, byte_orders
from zarrfs.format.documents import Json, is_integer, show
from zarrfs.format.dtypes import OBJECT_TYPES, DataType
from zarrfs.format.dtypes_v2 import serialise_v2_dtype
from zarrfs.format.dtypes_v3 import serialise_v3_dtype
from zarrfs.format.extensions import NUMCODECS, Extension
from zarrfs.format.metadata_v2 import DIMENSIONS_ATTRIBUTE, with_dimension_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from zarrfs.format.metadata import ArrayMetadata

__all__ = ["array_to_v2", "array_to_v3", "v2_codec_of", "v3_codec_of"]

_NUMBER_CODECS = frozenset({"pcodec", "zfpy"})
"""Compressors that v3 takes for array→bytes codecs."""

_UNCONFIGURED: list[tuple[str, dict[str, Json]]] = [
    ("crc32c", {}),
    ("crc32c", {"location": "end"}),
    ("vlen-bytes", {}),
    ("vlen-utf8", {}),
]
"""Codecs that v3 has too, with nothing to configure."""

_SHUFFLES = ("noshuffle", "shuffle", "bitshuffle")
_AUTOMATIC_SHUFFLE = -1
_MAX_TYPESIZE = 255
"""Blosc takes larger ones for 1, which is all that its header's byte can hold."""


def v3_codec_of(codec_id: str, configuration: Mapping[str, Json], itemsize: int) -> Extension:
    """Return the v3 name and configuration of a v2 codec that stands behind ``bytes``.

    Parameters
    ----------
    codec_id, configuration
        The codec in a v2 document, without ``id``.
    itemsize
        Bytes of an element of what the codec is given; 1 behind another codec.

    Returns
    -------
    Extension
        Under the registry's name where that has the codec and all its configuration, else
        ``numcodecs.<codec_id>``, configured as it was.
    """
    members = dict(configuration)
    found: dict[str, Json] | None = None
    if codec_id == "gzip" and members.keys() <= {"level"}:
        found = _within({"level": members.get("level", 1)}, level=(0, 9))
    elif codec_id == "zstd" and members.keys() <= {"level", "checksum"}:
        defaults = {"level": 0, "checksum": False}
        found = _within(defaults | members, level=(-131072, 22))
    elif codec_id == "blosc" and members.keys() <= {"cname", "clevel", "shuffle", "blocksize"}:
        found = _v3_blosc(members, itemsize)
    elif (codec_id, members) in _UNCONFIGURED:
        found = {}
    if found is None:
        return Extension(name=f"{NUMCODECS}{codec_id}", configuration=members)
    return Extension(name=codec_id, configuration=found)


def v2_codec_of(extension: Extension, field: str) -> Extension:
    """Return a v3 codec that stands behind the array→bytes codec as v2 has it, ``numcodecs.*``.

    Raises
    ------
    UnsupportedError
        If v2 does not have it; `field` is the member that holds it.
    """
    members = dict(extension.configuration)
    if extension.name == f"{NUMCODECS}shuffle" and members.get("elementsize") is None:
        reason = "is missing, and in Zarr v2 that is 4 whatever the array's elements are"
        raise _refused(reason, f"{field}.configuration.elementsize")
    if extension.name.startswith(NUMCODECS):
        return extension
    if extension.name == "zstd" and members.get("checksum") is False:
        del members["checksum"]  # which older readers of v2 do not know
    elif extension.name == "blosc":
        members.pop("typesize", None)  # the compressed data tell it
        if members.get("shuffle") in _SHUFFLES:
            members["shuffle"] = _SHUFFLES.index(members["shuffle"])
    elif extension.name not in ("gzip", "zstd", "crc32c"):
        raise _refused(f"Zarr v2 has no codec {show(extension.name)} here", field)
    return Extension(name=f"{NUMCODECS}{extension.name}", configuration=members)


def array_to_v3(metadata: ArrayMetadata) -> ArrayMetadata:
    """Translate a v2 array's metadata to v3; v3 metadata are returned as they are.

    Order becomes ``transpose``, array filters stand before ``bytes``, the attribute with the
    dimensions' names becomes `dimension_names`, keys stay as they are (encoding ``v2``). Members
    of the documents that v2 does not know are left out, as v3 does not allow them.

    Raises
    ------
    UnsupportedError
        If v3 has no such data type, or no order of codecs that decodes the same chunks.
    """
    if metadata.zarr_format == 3:
        return metadata
    codecs = list(metadata.codecs)
    transpose = [codecs.pop(0)] if codecs[0].name == "transpose" else []
    if metadata.dtype.hasobject:
        if metadata.data_type.name not in OBJECT_TYPES:
            raise _refused(f"v3 has no data type for objects of {codecs[0].name}", "data_type")
        made, data_type, fill_value = _v3_objects(codecs), metadata.data_type, metadata.fill_value
    else:
        stored = _stored_dtype(metadata.dtype, codecs.pop(0))
        made = _v3_numbers(codecs, stored)
        serialise_v3_dtype(metadata.data_type)
        data_type, fill_value = _with_fields_in(metadata, "<")
    attributes = dict(metadata.attributes)
    if metadata.dimension_names is not None:
        attributes.pop(DIMENSIONS_ATTRIBUTE, None)
    return replace(
        metadata,
        zarr_format=3,
        data_type=data_type,
        fill_value=fill_value,
        codecs=(*transpose, *made),
        attributes=attributes,
        extra={},
    )


def array_to_v2(metadata: ArrayMetadata) -> ArrayMetadata:
    """Translate a v3 array's metadata to v2; v2 metadata are returned as they are.

    Raises
    ------
    UnsupportedError
        If v2 cannot hold it: shards, other codecs, grids, keys or data types than its own, a
        dimension without name.
    """
    if metadata.zarr_format == 2:
        return metadata
    if metadata.chunk_grid.chunk_shape is None:
        raise _refused("Zarr v2 has chunks of one shape only", "chunk_grid")
    if metadata.chunk_key_encoding.name != "v2":
        reason = "Zarr v2 has chunk keys of encoding 'v2' only, such as 0.1 or 0/1"
        raise _refused(reason, "chunk_key_encoding")
    serialise_v2_dtype(metadata.data_type)
    codecs = list(enumerate(metadata.codecs))
    made = _v2_transpose(codecs, metadata.ndim)
    data_type, fill_value = metadata.data_type, metadata.fill_value
    if metadata.dtype.hasobject:
        made += _v2_objects(codecs, metadata)
    else:
        order, filters = _v2_numbers(codecs, metadata.dtype)
        data_type, fill_value = _with_fields_in(metadata, order)
        made += [_bytes_codec(data_type.dtype, order), *filters]
    made += [v2_codec_of(codec, f"codecs[{i}]") for i, codec in codecs]
    converted = replace(
        metadata, zarr_format=2, data_type=data_type, fill_value=fill_value, codecs=tuple(made)
    )
    return replace(converted, attributes=with_dimension_names(converted))


# --- to v3 ------------------------------------------------------------------------------------


def _v3_blosc(members: dict[str, Json], itemsize: int) -> dict[str, Json] | None:
    found: dict[str, Json] = {"cname": "lz4", "clevel": 5, "shuffle": 1, "blocksize": 0} | members
    if found["shuffle"] == _AUTOMATIC_SHUFFLE:
        found["shuffle"] = 2 if itemsize == 1 else 1
    if _within(found, shuffle=(0, 2), clevel=(0, 9)) is None:
        return None
    found["shuffle"] = _SHUFFLES[found["shuffle"]]
    return found | {"typesize": itemsize if itemsize <= _MAX_TYPESIZE else 1}


def _within(members: dict[str, Json], **bounds: tuple[int, int]) -> dict[str, Json] | None:
    """Return members whose integers are within what the registry allows, else ``None``."""
    for name, (least, most) in bounds.items():
        if not is_integer(members[name]) or not least <= members[name] <= most:
            return None
    return members


def _v3_objects(codecs: list[Extension]) -> list[Extension]:
    for codec in codecs[1:]:
        _refuse_array_codec(codec)
    return [v3_codec_of(_id(codec), codec.configuration, 1) for codec in codecs]


def _v3_numbers(codecs: list[Extension], stored: np.dtype[Any]) -> list[Extension]:
    """Order the filters and the compressor of an array that v2 stores as `stored`."""
    made = []
    while codecs and _id(codecs[0]) in ARRAY_FILTERS:
        made.append(codecs[0])
        stored = ArrayFilter(_id(codecs[0]), codecs.pop(0).configuration, "filters").encoded(stored)
    itemsize = stored.itemsize
    if codecs and _id(codecs[0]) in _NUMBER_CODECS:
        if byte_orders(stored) == {">"}:
            reason = f"{_id(codecs[0])} of big-endian elements is nothing that v3 can say"
            raise _refused(reason, "compressor")
        made.append(codecs.pop(0))
        itemsize = 1
    else:
        made.append(_bytes_codec(stored, "".join(byte_orders(stored))))
    for codec in codecs:
        _refuse_array_codec(codec)
        made.append(v3_codec_of(_id(codec), codec.configuration, itemsize))
        itemsize = 1
    return made


def _refuse_array_codec(codec: Extension) -> None:
    if _id(codec) in _NUMBER_CODECS or _id(codec) in ARRAY_FILTERS:
        reason = f"{_id(codec)} encodes arrays in v3, and cannot stand behind codecs of bytes"
        raise _refused(reason, "filters")


def _stored_dtype(dtype: np.dtype[Any], codec: Extension) -> np.dtype[Any]:
    """Type of the elements as the ``bytes`` codec of v2 metadata leaves them."""
    return dtype.newbyteorder(">") if codec.configuration.get("endian") == "big" else dtype


# --- to v2 ------------------------------------------------------------------------------------


def _v2_transpose(codecs: list[tuple[int, Extension]], ndim: int) -> list[Extension]:
    """Take ``transpose`` off the codecs; v2 has it where it reverses the dimensions."""
    if not codecs or codecs[0][1].name != "transpose":
        return []
    _, codec = codecs.pop(0)
    axes = list(range(ndim))
    order = codec.configuration.get("order")
    if order in ("C", axes):
        return []
    if order not in ("F", axes[::-1]):
        reason = f"Zarr v2 has dimensions in order or reversed, not {show(order)}"
        raise _refused(reason, "codecs[0].configuration.order")
    return [Extension(name="transpose", configuration={"order": axes[::-1]})]


def _v2_objects(
    codecs: list[tuple[int, Extension]], metadata: ArrayMetadata
) -> Iterable[Extension]:
    """Take the array→bytes codec of elements without fixed size off the codecs."""
    i, codec = codecs.pop(0) if codecs else (0, Extension(name=""))
    codec_id = _id(codec)
    if codec_id != OBJECT_TYPES.get(metadata.data_type.name):
        reason = f"Zarr v2 has no codec {show(codec.name)} for {metadata.data_type.name}"
        raise _refused(reason, f"codecs[{i}]")
    return [Extension(name=f"{NUMCODECS}{codec_id}")]


def _v2_numbers(
    codecs: list[tuple[int, Extension]], dtype: np.dtype[Any]
) -> tuple[Order, list[Extension]]:
    """Take array→array and array→bytes codecs off the codecs.

    Returns
    -------
    str
        Byte order of the array: that of its stored elements, as v2 filters keep it.
    list of Extension
        Filters and compressor as v2 has them.
    """
    filters = []
    while codecs and _id(codecs[0][1]) in ARRAY_FILTERS:
        i, codec = codecs.pop(0)
        filters.append(ArrayFilter(_id(codec), codec.configuration, f"codecs[{i}]"))
    if not codecs:
        raise _refused("Zarr v2 needs a codec that makes bytes of elements", "codecs")
    i, codec = codecs[0]
    order: Order = "<"
    numbers = []
    if _id(codec) in _NUMBER_CODECS and codec.name.startswith(NUMCODECS):
        numbers = [codecs.pop(0)[1]]
    elif codec.name in ("bytes", "endian"):
        codecs.pop(0)
        order = ">" if codec.configuration.get("endian") == "big" else "<"
    else:
        raise _refused(f"Zarr v2 has no codec {show(codec.name)} here", f"codecs[{i}]")
    stored, made = dtype.newbyteorder(order), []
    for item in filters:
        made.append(item.spelled_out(stored, order))
        stored = ArrayFilter(item.id, made[-1].configuration, item.field).encoded(stored)
    return order, made + numbers


# --- types of elements --------------------------------------------------------------------------


def _with_fields_in(metadata: ArrayMetadata, order: Order) -> tuple[DataType, object]:
    """Return data type and fill value, the fields of a record in one byte order.

    v2 has an order in each field. v3 declares none, and stores all in the one of ``bytes``.
    """
    data_type = metadata.data_type
    if data_type.name != "struct":
        return data_type, metadata.fill_value
    data_type = data_type.in_byte_order(order)
    return data_type, np.array(metadata.fill_value).astype(data_type.dtype)[()]


def _bytes_codec(dtype: np.dtype[Any], order: str) -> Extension:
    """Return ``bytes`` for elements that are stored in an order, ``""`` if they have none."""
    if len(order) > 1:
        raise _refused("v3 has one byte order for all fields of a record", "dtype")
    if not byte_orders(dtype):
        return Extension(name="bytes")
    endian = "big" if order == ">" else "little"
    return Extension(name="bytes", configuration={"endian": endian})


def _id(codec: Extension) -> str:
    return codec.name.removeprefix(NUMCODECS)


def _refused(reason: str, field: str) -> UnsupportedError:
    return UnsupportedError(reason, field=field)
