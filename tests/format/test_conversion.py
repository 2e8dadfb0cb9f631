from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zarrfs.codecs.base import ChunkSpec
from zarrfs.codecs.pipeline import CodecPipeline, build_pipeline
from zarrfs.errors import UnsupportedError
from zarrfs.format.chunk_grids import regular_grid
from zarrfs.format.conversion import array_to_v2, array_to_v3, v2_codec_of, v3_codec_of
from zarrfs.format.extensions import Extension
from zarrfs.format.key_encodings import SeparatedKeys
from zarrfs.format.metadata import ArrayMetadata
from zarrfs.format.metadata_v2 import parse_array
from zarrfs.format.metadata_v3 import parse_node

SHAPE = (3, 4)


def v2(**members: object) -> ArrayMetadata:
    zattrs: Any = members.pop("zattrs", None)
    zarray = {
        "zarr_format": 2,
        "shape": list(SHAPE),
        "chunks": list(SHAPE),
        "dtype": "<f4",
        "compressor": None,
        "fill_value": 0,
        "order": "C",
        "filters": None,
        **members,
    }
    return parse_array(zarray, zattrs)


def v3(*codecs: object, **members: object) -> ArrayMetadata:
    document = {
        "zarr_format": 3,
        "node_type": "array",
        "shape": list(SHAPE),
        "data_type": "float32",
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(SHAPE)}},
        "chunk_key_encoding": {"name": "v2", "configuration": {"separator": "/"}},
        "fill_value": 0,
        "codecs": list(codecs),
        **members,
    }
    node = parse_node(document)
    assert isinstance(node, ArrayMetadata)
    return node


def codec(name: str, **configuration: object) -> Extension:
    return Extension(name=name, configuration=configuration)


def document(name: str, **configuration: object) -> dict[str, object]:
    return {"name": name, "configuration": configuration}


LITTLE = codec("bytes", endian="little")
BIG = codec("bytes", endian="big")
TRANSPOSE = codec("transpose", order=[1, 0])
LITTLE_DOCUMENT = document("bytes", endian="little")
BIG_DOCUMENT = document("bytes", endian="big")


def pipeline(metadata: ArrayMetadata) -> CodecPipeline:
    spec = ChunkSpec(shape=SHAPE, dtype=metadata.dtype, fill_value=metadata.fill_value)
    return build_pipeline(metadata.codecs, spec)


# --- the law ------------------------------------------------------------------------------------

NUMBERS = ["<i4", ">i4", "<f8", ">f4", "|u1", "<i2"]
OTHERS = ["|b1", "|S3", "<U2", ">U2", "<M8[s]", ">m8[ms]", "<c8", "|V3"]
RECORDS = [[["a", "<i2"], ["b", "<f4"]], [["a", ">i2"], ["b", ">U2"], ["c", "|u1"]]]


def array_filters(dtype: Any) -> st.SearchStrategy[list[dict[str, object]]]:
    """Filters that lose nothing for small integers, which is what all elements are."""
    if dtype == "|b1":
        return st.sampled_from([[], [{"id": "packbits"}]])
    if dtype not in NUMBERS:
        return st.just([])
    order = ">" if dtype[0] == ">" else "<"
    delta = {"id": "delta", "dtype": dtype}
    wide = st.sampled_from([f"{order}i8", f"{order}f8", f"{order}i2"])
    astype = wide.map(lambda to: {"id": "astype", "decode_dtype": dtype, "encode_dtype": to})
    scale = wide.map(
        lambda to: {
            "id": "fixedscaleoffset", "scale": 1, "offset": 0, "dtype": dtype, "astype": to
        }
    )  # fmt: skip
    if dtype == "<f8":
        return st.sampled_from([[], [{"id": "bitround", "keepbits": 20}, delta]])
    swapped = {"id": "astype", "decode_dtype": dtype, "encode_dtype": ">i4"}
    return st.one_of(
        st.sampled_from([[], [delta], [swapped], [delta, swapped]]),
        astype.map(lambda item: [item]),
        scale.map(lambda item: [item, {"id": "delta", "dtype": item["astype"]}]),
    )


BYTES_CODECS: list[dict[str, object]] = [
    {"id": "zlib", "level": 1},
    {"id": "zstd", "level": 3},
    {"id": "zstd", "level": 3, "checksum": True},
    {"id": "gzip", "level": 5},
    {"id": "blosc", "cname": "lz4", "clevel": 5, "shuffle": -1, "blocksize": 0},
    {"id": "blosc", "cname": "zstd", "clevel": 2, "shuffle": 2},
    {"id": "lz4"},
    {"id": "crc32c"},
    {"id": "crc32"},
    {"id": "shuffle", "elementsize": 1},
]


@st.composite
def v2_arrays(draw: st.DrawFn) -> ArrayMetadata:
    dtype = draw(st.sampled_from([*NUMBERS, *NUMBERS, *OTHERS, *RECORDS]))
    behind = draw(st.lists(st.sampled_from(BYTES_CODECS), max_size=3))
    return v2(
        dtype=dtype,
        order=draw(st.sampled_from("CF")),
        filters=[*draw(array_filters(dtype)), *behind],
        compressor=draw(st.sampled_from([None, *BYTES_CODECS])),
        fill_value=None,
        dimension_separator=draw(st.sampled_from("./")),
        zattrs=draw(st.sampled_from([None, {"a": 1}, {"_ARRAY_DIMENSIONS": ["y", "x"]}])),
    )


def elements(metadata: ArrayMetadata) -> np.ndarray[Any, Any]:
    numbers = np.arange(12, dtype="u1").reshape(SHAPE) % 5
    dtype = metadata.dtype
    if dtype.names is not None:
        array = np.zeros(SHAPE, dtype)
        for name in dtype.names:
            array[name] = numbers
        return array
    if dtype.kind == "V":
        return np.frombuffer(bytes(range(12 * dtype.itemsize)), dtype).reshape(SHAPE)
    return numbers.astype(dtype)


@given(v2_arrays())
def test_both_formats_decode_the_same_chunks_to_the_same_array(metadata: ArrayMetadata) -> None:
    converted = array_to_v3(metadata)
    assert converted.zarr_format == 3
    array = elements(metadata)
    stored = pipeline(metadata).encode(array)
    assert stored is not None
    np.testing.assert_array_equal(pipeline(converted).decode(stored), array)
    back = array_to_v2(converted)
    np.testing.assert_array_equal(pipeline(back).decode(stored), array)
    encoded_by_v3 = pipeline(converted).encode(array.astype(converted.dtype))
    assert encoded_by_v3 is not None
    np.testing.assert_array_equal(pipeline(back).decode(encoded_by_v3), array)


@given(v2_arrays())
def test_a_way_to_v3_and_back_loses_nothing(metadata: ArrayMetadata) -> None:
    back = array_to_v2(array_to_v3(metadata))
    for name in ("zarr_format", "chunk_grid", "chunk_key_encoding", "attributes"):
        assert getattr(back, name) == getattr(metadata, name)
    assert back.data_type == metadata.data_type
    assert np.array(back.fill_value).tobytes() == np.array(metadata.fill_value).tobytes()
    assert back.dimension_names == metadata.dimension_names
    assert array_to_v2(array_to_v3(back)).codecs == back.codecs


@pytest.mark.parametrize("codec_id", ["vlen-utf8", "vlen-bytes"])
def test_elements_without_fixed_size_are_decoded_by_both(codec_id: str) -> None:
    metadata = v2(dtype="|O", filters=[{"id": codec_id}], compressor={"id": "zstd", "level": 1})
    converted = array_to_v3(metadata)
    assert [step.name for step in converted.codecs] == [codec_id, "zstd"]
    array = np.empty(SHAPE, object)
    array[...] = "é" if codec_id == "vlen-utf8" else b"\xff\0"
    stored = pipeline(metadata).encode(array)
    assert stored is not None
    for other in (converted, array_to_v2(converted)):
        np.testing.assert_array_equal(pipeline(other).decode(stored), array)
    assert array_to_v2(converted) == metadata


@pytest.mark.parametrize("codec_id", ["zfpy", "pcodec"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_compressors_of_numbers_are_decoded_by_both(codec_id: str, order: str) -> None:
    pytest.importorskip(codec_id)
    compressor = {"id": codec_id} | ({"mode": 4, "tolerance": 0.0} if codec_id == "zfpy" else {})
    metadata = v2(dtype="<f8", compressor=compressor, order=order)
    converted = array_to_v3(metadata)
    assert [step.name for step in converted.codecs][-1] == f"numcodecs.{codec_id}"
    assert not any(step.name == "bytes" for step in converted.codecs)
    stored = pipeline(metadata).encode(elements(metadata))
    assert stored is not None
    expected = pipeline(metadata).decode(stored)
    for other in (converted, array_to_v2(converted)):
        np.testing.assert_array_equal(pipeline(other).decode(stored), expected)
    assert array_to_v2(converted) == metadata


# --- codecs by name -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("codec_id", "configuration", "expected"),
    [
        ("gzip", {"level": 5}, codec("gzip", level=5)),
        ("gzip", {}, codec("gzip", level=1)),
        ("gzip", {"level": -1}, codec("numcodecs.gzip", level=-1)),
        ("zstd", {"level": 3}, codec("zstd", level=3, checksum=False)),
        ("zstd", {"level": 3, "new": 1}, codec("numcodecs.zstd", level=3, new=1)),
        ("zlib", {"level": 3}, codec("numcodecs.zlib", level=3)),
        ("crc32c", {}, codec("crc32c")),
        ("crc32c", {"location": "end"}, codec("crc32c")),
        ("crc32c", {"location": "start"}, codec("numcodecs.crc32c", location="start")),
        ("vlen-utf8", {}, codec("vlen-utf8")),
        ("mine", {"a": 1}, codec("numcodecs.mine", a=1)),
    ],
)
def test_v3_name_of_a_v2_codec(
    codec_id: str, configuration: dict[str, object], expected: Extension
) -> None:
    assert v3_codec_of(codec_id, configuration, 4) == expected


@pytest.mark.parametrize(
    ("shuffle", "itemsize", "expected"),
    [(0, 4, "noshuffle"), (1, 4, "shuffle"), (2, 4, "bitshuffle"), (-1, 4, "shuffle"),
     (-1, 1, "bitshuffle")],
)  # fmt: skip
def test_blosc_is_told_how_to_shuffle(shuffle: int, itemsize: int, expected: str) -> None:
    members = {"cname": "zstd", "clevel": 3, "shuffle": shuffle, "blocksize": 0}
    assert v3_codec_of("blosc", members, itemsize) == codec(
        "blosc", cname="zstd", clevel=3, shuffle=expected, blocksize=0, typesize=itemsize
    )


def test_blosc_takes_elements_that_are_too_long_for_bytes() -> None:
    assert v3_codec_of("blosc", {}, 256).configuration["typesize"] == 1
    assert v3_codec_of("blosc", {}, 255).configuration["typesize"] == 255


def test_blosc_that_v3_cannot_say_keeps_its_v2_configuration() -> None:
    assert v3_codec_of("blosc", {"shuffle": 7}, 4) == codec("numcodecs.blosc", shuffle=7)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (codec("zstd", level=1, checksum=False), codec("numcodecs.zstd", level=1)),
        (codec("zstd", level=1, checksum=True), codec("numcodecs.zstd", level=1, checksum=True)),
        (codec("gzip", level=1), codec("numcodecs.gzip", level=1)),
        (codec("crc32c"), codec("numcodecs.crc32c")),
        (codec("blosc", shuffle="bitshuffle", typesize=4), codec("numcodecs.blosc", shuffle=2)),
        (codec("blosc", cname="lz4"), codec("numcodecs.blosc", cname="lz4")),
        (codec("numcodecs.lz4"), codec("numcodecs.lz4")),
    ],
)
def test_v2_codec_of_a_v3_name(given: Extension, expected: Extension) -> None:
    assert v2_codec_of(given, "codecs[1]") == expected


# --- to v3 ----------------------------------------------------------------------------------------


def test_order_filters_byte_order_and_compressor_stand_in_the_order_of_v3() -> None:
    delta = {"id": "delta", "dtype": ">i4", "astype": ">i2"}
    metadata = v2(
        dtype=">i4",
        order="F",
        filters=[delta, {"id": "shuffle", "elementsize": 2}],
        compressor={"id": "blosc"},
    )
    assert array_to_v3(metadata).codecs == (
        TRANSPOSE,
        codec("numcodecs.delta", dtype=">i4", astype=">i2"),
        BIG,
        codec("numcodecs.shuffle", elementsize=2),
        codec("blosc", cname="lz4", clevel=5, shuffle="shuffle", blocksize=0, typesize=1),
    )


def test_names_of_dimensions_leave_the_attributes_and_come_back() -> None:
    attributes = {"_ARRAY_DIMENSIONS": ["y", "x"], "units": "K"}
    metadata = v2(zattrs=attributes)
    converted = array_to_v3(metadata)
    assert converted.dimension_names == ("y", "x")
    assert converted.attributes == {"units": "K"}
    assert array_to_v2(converted).attributes == {"units": "K", "_ARRAY_DIMENSIONS": ["y", "x"]}


def test_attribute_that_names_no_dimensions_stays() -> None:
    attributes = {"_ARRAY_DIMENSIONS": ["x"]}
    assert array_to_v3(v2(zattrs=attributes)).attributes == attributes


def test_keys_stay_as_they_are() -> None:
    converted = array_to_v3(v2(dimension_separator="/"))
    assert converted.chunk_key_encoding == SeparatedKeys("v2", "/")


def test_unknown_members_of_v2_are_left_out_and_those_of_v3_carried() -> None:
    assert array_to_v3(v2(note="x")).extra == {}
    extra = {"must_understand": False}
    assert array_to_v2(v3(LITTLE_DOCUMENT, note=extra)).extra == {"note": extra}


def test_metadata_of_the_format_asked_for_are_returned_as_they_are() -> None:
    old, new = v2(), v3("sharding_indexed")
    assert array_to_v2(old) is old
    assert array_to_v3(new) is new


DELTA = {"id": "delta", "dtype": "<f4"}


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"dtype": "|O", "filters": [{"id": "json2"}]}, "v3 has no data type for objects of "),
        ({"filters": [{"id": "shuffle"}, DELTA]}, "delta encodes arrays in v3, and cannot stand"),
        ({"filters": [{"id": "shuffle"}], "compressor": {"id": "zfpy"}}, "zfpy encodes arrays"),
        (
            {"dtype": "|O", "filters": [{"id": "vlen-utf8"}, DELTA]},
            "delta encodes arrays in v3",
        ),
        ({"dtype": ">f4", "compressor": {"id": "zfpy"}}, "zfpy of big-endian elements"),
        ({"dtype": ">f4", "filters": [DELTA]}, "delta takes elements <f4 for >f4, not so in v3"),
        ({"filters": [{"id": "delta", "dtype": "|u1"}]}, "delta takes elements |u1 for <f4"),
        ({"filters": [{"id": "delta", "dtype": "q9"}]}, 'delta: dtype: "q9" is no type'),
        ({"filters": [{"id": "delta", "dtype": 3}]}, "delta: dtype: 3 is no type"),
        ({"filters": [{"id": "delta", "dtype": "|O"}]}, 'delta: dtype: "|O" is no type'),
        ({"dtype": [["a", "<i2"], ["b", ">i2"]], "fill_value": None}, "v3 has one byte order for "),
        (
            {"dtype": [["a", "<i2", [2]]], "fill_value": None},
            "Zarr v3 has no records with fields that are small arrays",
        ),
        (
            {"dtype": [["s", [["a", "<i2", [2]]]]], "fill_value": None},
            "Zarr v3 has no records with fields that are small arrays",
        ),
    ],
)
def test_what_v3_cannot_hold_is_refused(members: dict[str, object], message: str) -> None:
    with pytest.raises(UnsupportedError) as error:
        array_to_v3(v2(**members))
    assert error.value.reason.startswith(message)


# --- to v2 ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["F", [1, 0]])
def test_reversed_dimensions_are_order_f(order: object) -> None:
    assert array_to_v2(v3(document("transpose", order=order), LITTLE_DOCUMENT)).codecs == (
        TRANSPOSE,
        LITTLE,
    )


@pytest.mark.parametrize("order", ["C", [0, 1]])
def test_dimensions_in_order_are_order_c(order: object) -> None:
    transpose = document("transpose", order=order)
    assert array_to_v2(v3(transpose, LITTLE_DOCUMENT)).codecs == (LITTLE,)


def test_types_that_v3_leaves_out_of_filters_are_spelled_out() -> None:
    scale = document("numcodecs.fixedscaleoffset", scale=10, offset=0, astype="<i2")
    assert array_to_v2(v3(scale, "numcodecs.delta", BIG_DOCUMENT)).codecs == (
        BIG,
        codec("numcodecs.fixedscaleoffset", scale=10, offset=0, dtype=">f4", astype=">i2"),
        codec("numcodecs.delta", dtype=">i2", astype=">i2"),
    )


def test_bits_are_rounded_before_bytes_are_made() -> None:
    metadata = v2(filters=[{"id": "bitround", "keepbits": 3}])
    converted = array_to_v3(metadata)
    assert converted.codecs == (codec("numcodecs.bitround", keepbits=3), LITTLE)
    assert array_to_v2(converted) == metadata


def test_packed_bits_have_no_byte_order() -> None:
    metadata = v2(dtype="|b1", filters=[{"id": "packbits"}], compressor={"id": "blosc"})
    packbits, laid_out, blosc = array_to_v3(metadata).codecs
    assert (packbits, laid_out) == (codec("numcodecs.packbits"), codec("bytes"))
    assert blosc.configuration["typesize"] == 1


@pytest.mark.parametrize("name", ["bytes", "endian"])
def test_byte_order_of_records_goes_to_their_fields(name: str) -> None:
    struct = document("struct", fields=[{"name": "a", "data_type": "int16"}])
    converted = array_to_v2(
        v3(document(name, endian="big"), data_type=struct, fill_value={"a": 258})
    )
    assert converted.codecs == (codec("bytes", endian="big"),)
    assert converted.dtype == np.dtype([("a", ">i2")])
    assert np.array(converted.fill_value).tobytes() == b"\1\2"


SHARD = document("sharding_indexed", chunk_shape=[1, 1], codecs=["bytes"], index_codecs=["bytes"])


@pytest.mark.parametrize(
    ("codecs", "members", "field"),
    [
        ([SHARD], {}, "codecs[0]"),
        ([document("cast_value", data_type="int8"), "bytes"], {}, "codecs[0]"),
        ([LITTLE_DOCUMENT, "gdeflate"], {}, "codecs[1]"),
        ([LITTLE_DOCUMENT, "numcodecs.shuffle"], {}, "codecs[1].configuration.elementsize"),
        ([document("transpose", order=[1, 0])], {}, "codecs"),
        (["bytes"], {"data_type": "string", "fill_value": ""}, "codecs[0]"),
        (
            [document("transpose", order=[1, 0])],
            {"data_type": "string", "fill_value": ""},
            "codecs[0]",
        ),
        ([LITTLE_DOCUMENT], {"chunk_key_encoding": "default"}, "chunk_key_encoding"),
        ([LITTLE_DOCUMENT], {"dimension_names": ["y", None]}, "dimension_names"),
        (
            [LITTLE_DOCUMENT],
            {
                "chunk_grid": document(
                    "rectilinear", kind="inline", chunk_shapes=[[1, 2], [4]]
                )
            },
            "chunk_grid",
        ),
    ],
)  # fmt: skip
def test_what_v2_cannot_hold_is_refused(
    codecs: list[object], members: dict[str, object], field: str
) -> None:
    with pytest.raises(UnsupportedError) as error:
        array_to_v2(v3(*codecs, **members))
    assert error.value.field == field


@pytest.mark.parametrize("shape", [(), (3,), (2, 3, 4)])
def test_transposition_of_any_number_of_dimensions(shape: tuple[int, ...]) -> None:
    axes = list(range(len(shape)))
    metadata = replace(
        v3(LITTLE_DOCUMENT),
        chunk_grid=regular_grid(shape, shape),
        codecs=(codec("transpose", order=axes[::-1]), LITTLE),
    )
    expected = (codec("transpose", order=axes[::-1]), LITTLE) if len(shape) > 1 else (LITTLE,)
    assert array_to_v2(metadata).codecs == expected


def test_transposition_that_is_no_reversal_is_refused() -> None:
    metadata = replace(
        v3(LITTLE_DOCUMENT),
        chunk_grid=regular_grid((2, 3, 4), (2, 3, 4)),
        codecs=(codec("transpose", order=[1, 0, 2]), LITTLE),
    )
    with pytest.raises(UnsupportedError, match=r"^codecs\[0\]\.configuration\.order: Zarr v2 has"):
        array_to_v2(metadata)
