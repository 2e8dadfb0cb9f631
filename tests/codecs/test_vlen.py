from __future__ import annotations

from typing import Any, ClassVar

import numcodecs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contracts.codec_contract import CodecContract, build, same
from zarrfs.codecs.base import ChunkSpec
from zarrfs.codecs.pipeline import CodecPipeline, build_pipeline
from zarrfs.errors import CodecError, MetadataError, UnsupportedError
from zarrfs.format.extensions import parse_extensions

LITTLE = {"name": "bytes", "configuration": {"endian": "little"}}
NAMES = ["vlen-utf8", "vlen-bytes", "vlen-array", "zarrs.vlen_v2"]


def vlen(**changes: Any) -> dict[str, Any]:
    configuration = {
        "index_codecs": [LITTLE],
        "data_codecs": ["bytes"],
        "index_data_type": "uint64",
        "index_location": "start",
        **changes,
    }
    return {"name": "zarrs.vlen", "configuration": configuration}


COMPRESSED = vlen(
    index_codecs=[LITTLE, "zstd", "crc32c"],
    data_codecs=["bytes", "gzip"],
    index_data_type="uint32",
    index_location="end",
)


def objects(elements: list[Any], shape: tuple[int, ...] | None = None) -> Any:
    array = np.empty(len(elements), object)
    array[:] = elements
    return array if shape is None else array.reshape(shape)


def build_for(codec: Any, fill: str | bytes, shape: tuple[int, ...]) -> CodecPipeline:
    spec = ChunkSpec(shape=shape, dtype=np.dtype(object), fill_value=fill)
    return build_pipeline(parse_extensions([codec], "codecs"), spec)


class Texts(CodecContract):
    __test__ = False
    dtypes = ("O",)
    fill: ClassVar[str | bytes] = ""

    def array(self, shape: tuple[int, ...], dtype: np.dtype[Any], seed: int) -> Any:
        rng = np.random.default_rng(seed)
        size = int(np.prod(shape))
        texts = ["é" * int(n) for n in rng.integers(0, 5, size)]
        elements = texts if self.fill == "" else [text.encode("utf-16") for text in texts]
        return objects(elements, shape)

    def example(self, data: st.DataObject) -> tuple[CodecPipeline, Any]:
        shape = data.draw(self.shapes, "shape")
        array = self.array(shape, np.dtype(object), data.draw(st.integers(0, 2**32), "seed"))
        return build_for(self.codecs[0], self.fill, shape), array


class TestTexts(Texts):
    __test__ = True
    codecs = ("vlen-utf8",)


class TestBytes(Texts):
    __test__ = True
    codecs = ("vlen-bytes",)
    fill = b""


class TestTextsApart(Texts):
    __test__ = True
    codecs = (vlen(),)


class TestBytesApart(Texts):
    __test__ = True
    codecs = (COMPRESSED,)
    fill = b""


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("elements", [["a", "", "é"], [b"a", b"", b"\xff"]])
def test_layout_is_the_same_whatever_the_name(name: str, elements: list[Any]) -> None:
    array = objects(elements)
    is_text = isinstance(elements[0], str)
    pipeline = build_for(name, "" if is_text else b"", (3,))
    stored = pipeline.encode(array)
    assert stored == (numcodecs.VLenUTF8() if is_text else numcodecs.VLenBytes()).encode(array)
    assert same(pipeline.decode(stored), array)


def test_offsets_stand_apart_from_bytes() -> None:
    array = objects(["ab", "", "c"])
    stored = build_for(vlen(index_data_type="uint32"), "", (3,)).encode(array)
    index = np.array([0, 2, 2, 3], "<u4").tobytes()
    assert stored == b"\x10" + bytes(7) + index + b"abc"
    at_end = vlen(index_data_type="uint32", index_location="end")
    assert build_for(at_end, "", (3,)).encode(array) == b"abc" + index + b"\x10" + bytes(7)
    assert build_for(vlen(), "", (1,)).encode(objects([""])) == b"\x10" + bytes(23)


@pytest.mark.parametrize("codec", [*NAMES, vlen()])
@pytest.mark.parametrize(
    ("fill", "element", "match"),
    [
        ("", None, "an element is a NoneType, not str"),
        ("", 0, "an element is a int, not str"),
        (b"", "a", "an element is a str, not bytes"),
    ],
)
def test_other_elements_are_refused(codec: Any, fill: Any, element: object, match: str) -> None:
    with pytest.raises(CodecError, match=match):
        build_for(codec, fill, (1,)).encode(objects([element]))


@pytest.mark.parametrize(
    ("stored", "match"),
    [
        (b"\x02", "hold no length of the offsets"),
        (b"\x11" + bytes(7 + 16), "the offsets shall have 17 bytes of 16"),
        (b"\x10" + bytes(7) + np.array([1, 2], "<u8").tobytes() + b"ab", "do not increase from 0"),
        (b"\x10" + bytes(7) + np.array([0, 2**40], "<u8").tobytes(), "declare 1099511627776 byte"),
        (b"\x10" + bytes(7) + np.array([0, 2**64 - 1], "<u8").tobytes(), "declare 18446744073"),
        (b"\x10" + bytes(7) + np.array([0, 3], "<u8").tobytes() + b"ab", "it was given 2 bytes"),
        (b"\x10" + bytes(7) + np.array([0, 1], "<u8").tobytes() + b"\xff", "can't decode byte"),
    ],
)
def test_offsets_that_cannot_be_are_refused(stored: bytes, match: str) -> None:
    with pytest.raises(CodecError, match=match):
        build_for(vlen(), "", (1,)).decode(stored)


def test_offsets_that_decrease_are_refused() -> None:
    stored = b"\x18" + bytes(7) + np.array([0, 2, 1], "<u8").tobytes() + b"a"
    with pytest.raises(CodecError, match="do not increase from 0"):
        build_for(vlen(), b"", (2,)).decode(stored)


@given(st.sampled_from(NAMES), st.integers(0, 2**32 - 1))
def test_number_of_elements_is_checked_before_memory_is_taken(name: str, n: int) -> None:
    pipeline = build_for(name, "", (3,))
    if n != 3:
        with pytest.raises(CodecError, match=f"the data hold {n} elements, not 3"):
            pipeline.decode(n.to_bytes(4, "little") + bytes(8))


def test_offsets_too_large_for_their_type_are_refused() -> None:
    pipeline = build_for(vlen(index_data_type="uint32"), b"", (2,))

    class Long(bytes):
        def __len__(self) -> int:
            return 2**32

    with pytest.raises(CodecError, match="too many for uint32 offsets"):
        pipeline.encode(objects([Long(b"a"), b""]))


@pytest.mark.parametrize("name", NAMES)
def test_elements_of_fixed_size_are_refused(name: str) -> None:
    with pytest.raises(MetadataError, match=f"codecs.{name}: encodes texts or bytes of variable"):
        build([name], (2,), "U3")


@pytest.mark.parametrize(
    ("codec", "error", "match"),
    [
        ({"name": "vlen-utf8", "configuration": {"x": 1}}, UnsupportedError, "vlen-utf8.x: is unk"),
        (vlen(x=1), UnsupportedError, "codecs.zarrs.vlen.x: is unknown"),
        (vlen(index_data_type="int8"), MetadataError, "zarrs.vlen.index_data_type: must be"),
        (vlen(index_location="middle"), MetadataError, "zarrs.vlen.index_location: must be"),
        (vlen(index_codecs=[]), MetadataError, "no codec makes bytes of the array"),
        (vlen(data_codecs=["zstd"]), MetadataError, "'zstd' encodes bytes"),
        ({"name": "zarrs.vlen"}, MetadataError, "zarrs.vlen.index_data_type: is missing"),
    ],
)
def test_wrong_configuration_is_refused(codec: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        build_for(codec, "", (2,))
