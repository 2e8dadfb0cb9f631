"""The laws of `zarrfs.views`, for every file format: inherit the class, say how to read it back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contracts.codec_contract import random_array, same
from zarrfs.errors import ViewError
from zarrfs.flat.element_order import flat_dtype
from zarrfs.format.metadata_v2 import parse_array
from zarrfs.views.description import ArrayDescription
from zarrfs.views.segments import MAX_FILE_BYTES, FlatSpan, Header

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hypothesis.strategies import SearchStrategy

    from zarrfs.codecs.base import Array
    from zarrfs.flat.element_order import Endian
    from zarrfs.format.documents import Json
    from zarrfs.views.registry import ViewFormat
    from zarrfs.views.segments import Segments

NUMBERS = ("b1", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", "c8", "c16")
OTHERS: tuple[Any, ...] = (
    "M8[s]",
    "M8",
    "m8[25ns]",
    "S3",
    "U2",
    "V5",
    [("x", "<f4"), ("y", "<i2")],
    [("é", "u1"), ("box", [("a", "<i8"), ("b", "S3")]), ("grid", "<f2", (2, 3))],
    [("时间", "<M8[ms]")],
)

SHAPES = st.lists(st.integers(0, 4), max_size=4).map(tuple)
HUGE = ((2**40,), (10**6, 10**6), (1, 2**50, 1))
"""Shapes in elements of arrays that nobody could hold in memory."""

inherited = settings(
    max_examples=max(settings.default.max_examples // 2, 10) if settings.default else 10,
    suppress_health_check=[HealthCheck.differing_executors],
)


def describe(
    dtype: Any,
    shape: Sequence[int],
    *,
    endian: Endian = "little",
    fill_value: Json = None,
    attributes: Mapping[str, Json] | None = None,
    chunks: Sequence[int] | None = None,
) -> ArrayDescription:
    """Describe an array of a NumPy type as its flat file has it."""
    dtype = np.dtype(dtype)
    descr = dtype.descr if dtype.names else dtype.newbyteorder("<").str
    document = {
        "zarr_format": 2,
        "shape": list(shape),
        "chunks": [max(n, 1) for n in shape] if chunks is None else list(chunks),
        "dtype": _lists(descr),
        "compressor": None,
        "filters": None,
        "fill_value": fill_value,
        "order": "C",
    }
    metadata = parse_array(document, dict(attributes or {}))
    chunk_shape = metadata.chunk_grid.chunk_shape
    assert chunk_shape is not None
    return ArrayDescription(
        metadata=metadata,
        dtype=flat_dtype(metadata, endian),
        chunk_shape=chunk_shape,
        shard_shape=None,
    )


def _lists(value: Any) -> Any:
    return [_lists(item) for item in value] if isinstance(value, list | tuple) else value


def read(segments: Segments, flat: bytes, offset: int = 0, size: int | None = None) -> bytes:
    """Read a span of a file whose flat file is known."""
    parts = []
    for segment in segments.cut(offset, segments.size if size is None else size):
        assert segment.size > 0
        if isinstance(segment, FlatSpan):
            part = flat[segment.offset : segment.offset + segment.size]
        else:
            part = segment.data if isinstance(segment, Header) else bytes(segment.size)
        assert len(part) == segment.size
        parts.append(part)
    return b"".join(parts)


class ViewContract(ABC):
    """What holds for every file format. Its tests lay out arrays of `dtypes` and `shapes`."""

    view: ClassVar[ViewFormat]

    dtypes: ClassVar[Sequence[Any]] = NUMBERS
    """Types that the format can show."""

    shapes: ClassVar[SearchStrategy[tuple[int, ...]]] = SHAPES
    """Shapes that the format can show."""

    huge: ClassVar[Sequence[tuple[int, ...]]] = HUGE
    """Shapes of huge arrays that it can show."""

    endians: ClassVar[Sequence[Endian]] = ("little", "big", "stored")

    unsupported: ClassVar[Sequence[tuple[Any, tuple[int, ...]]]] = ()
    """Type and shape of arrays that the format cannot show, large ones apart."""

    max_header_bytes: ClassVar[int] = 64 * 1024
    """All bytes that are not the array's, of an array with few attributes."""

    @abstractmethod
    def read_back(self, files: Mapping[str, bytes], array: ArrayDescription) -> Array:
        """Read files, by their suffix, with a program that knows the format."""

    def example(self, data: st.DataObject) -> tuple[ArrayDescription, Array]:
        """Draw an array and its description."""
        shape = data.draw(self.shapes, "shape")
        described = describe(
            data.draw(st.sampled_from(list(self.dtypes)), "dtype"),
            shape,
            endian=data.draw(st.sampled_from(list(self.endians)), "endian"),
        )
        seed = data.draw(st.integers(0, 2**32), "seed")
        if described.dtype.hasobject or described.dtype.kind in "SUV" or described.dtype.names:
            seed = 0  # few distinct bytes: each must be a valid character
        array = random_array(shape, described.dtype, seed)
        return described, array

    @inherited
    @given(st.data())
    def test_a_program_reads_back_the_array(self, data: st.DataObject) -> None:
        described, array = self.example(data)
        flat = array.tobytes()
        files = {file.suffix: read(file.lay_out(described), flat) for file in self.view.files}
        assert same(self.read_back(files, described), array)

    @inherited
    @given(st.data())
    def test_any_span_is_that_part_of_the_whole(self, data: st.DataObject) -> None:
        described, array = self.example(data)
        flat = array.tobytes()
        for file in self.view.files:
            segments = file.lay_out(described)
            whole = read(segments, flat)
            assert len(whole) == segments.size
            offset = data.draw(st.integers(0, len(whole) + 3), "offset")
            size = data.draw(st.integers(0, len(whole) + 3), "size")
            assert read(segments, flat, offset, size) == whole[offset : offset + size]

    def test_a_header_is_made_of_metadata_alone_however_large_the_array(self) -> None:
        for shape in self.huge:
            described = describe(self.dtypes[0], shape, chunks=[1] * len(shape))
            for file in self.view.files:
                segments = file.lay_out(described)
                own = sum(
                    segment.size
                    for segment in segments.cut(0, segments.size)
                    if not isinstance(segment, FlatSpan)
                )
                assert own <= self.max_header_bytes
                assert file.is_text == (own == segments.size)

    def test_no_file_is_larger_than_a_file_can_be(self) -> None:
        shape = (2**32, 2**31)
        described = describe(self.dtypes[0], shape, chunks=(1, 1))
        assert described.nbytes > MAX_FILE_BYTES
        with pytest.raises(ViewError):
            self.view.files[0].lay_out(described)

    def test_arrays_that_the_format_cannot_show_are_refused(self) -> None:
        for dtype, shape in self.unsupported:
            described = describe(dtype, shape)
            with pytest.raises(ViewError, match=r"\w"):
                self.view.files[0].lay_out(described)

    def test_suffixes_are_distinct_and_begin_with_a_dot(self) -> None:
        suffixes = [file.suffix for file in self.view.files]
        assert len(set(suffixes)) == len(suffixes)
        assert all(suffix.startswith(".") and len(suffix) > 1 for suffix in suffixes)
        assert all(not a.endswith(b) for a in suffixes for b in suffixes if a != b)
