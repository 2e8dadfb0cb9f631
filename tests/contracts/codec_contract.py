"""The laws of `zarrfs.codecs`, for every codec: inherit the class, say which codecs to try."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zarrfs.codecs.base import Array, Buffer, ChunkSpec
from zarrfs.codecs.pipeline import CodecPipeline, build_pipeline
from zarrfs.errors import CodecError
from zarrfs.format.extensions import parse_extensions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hypothesis.strategies import SearchStrategy

NUMBERS = ("bool", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", "c8", "c16")
OTHERS = ("M8[s]", "m8[25ns]", "S3", "U2", "V5")

SHAPES = st.lists(st.integers(1, 5), max_size=3).map(tuple)
SHAPES_WITH_EMPTY = st.lists(st.integers(0, 4), max_size=3).map(tuple)

# Every codec inherits these methods, so each has a third of the usual examples.
inherited = settings(
    max_examples=max(settings.default.max_examples // 3, 10) if settings.default else 10,
    suppress_health_check=[HealthCheck.differing_executors, HealthCheck.too_slow],
)


def build(
    codecs: Sequence[Any], shape: tuple[int, ...], dtype: Any, fill: Any = None
) -> CodecPipeline:
    """Build a pipeline from the JSON of its codecs."""
    dtype = np.dtype(dtype)
    element = np.zeros((), dtype)
    if fill is not None:
        element[()] = fill
    spec = ChunkSpec(shape=shape, dtype=dtype, fill_value=element[()])
    return build_pipeline(parse_extensions(list(codecs), "codecs"), spec)


def random_array(shape: tuple[int, ...], dtype: np.dtype[Any], seed: int) -> Array:
    """Return an array of random bytes, few of which are distinct if the seed is even."""
    rng = np.random.default_rng(seed)
    n_bytes = int(np.prod(shape)) * dtype.itemsize
    raw = rng.integers(0, 3 if seed % 2 == 0 else 256, n_bytes, np.uint8)
    if dtype == np.bool_:
        raw &= 1
    if dtype.kind == "U":  # only what is a code point can be a Python string
        points = np.dtype("u4").newbyteorder(dtype.byteorder)
        raw = (raw.view("u4") % 0x110000).astype(points).view(np.uint8)
    return np.ndarray(shape, dtype, buffer=raw.tobytes())


def same(a: Array, b: Array) -> bool:
    """Whether two arrays are equal to the last bit, or hold equal objects."""
    if (a.shape, a.dtype) != (b.shape, b.dtype):
        return False
    if a.dtype.hasobject:
        pairs = zip(a.flat, b.flat, strict=True)
        return all(type(x) is type(y) and np.array_equal(x, y) for x, y in pairs)
    return a.tobytes() == b.tobytes()


class CodecContract:
    """What holds for every codec. Its tests make pipelines of `codecs`."""

    codecs: ClassVar[Sequence[Any]]
    """Codecs of the pipeline, as in a metadata document."""

    dtypes: ClassVar[Sequence[Any]] = NUMBERS
    shapes: ClassVar[SearchStrategy[tuple[int, ...]]] = SHAPES_WITH_EMPTY

    detects_damage: ClassVar[bool] = False
    """Any other bytes than the encoded ones are refused."""

    def array(self, shape: tuple[int, ...], dtype: np.dtype[Any], seed: int) -> Array:
        """Return an array that the codecs can encode without loss."""
        return random_array(shape, dtype, seed)

    def example(self, data: st.DataObject) -> tuple[CodecPipeline, Array]:
        """Draw a pipeline and a chunk for it."""
        shape, dtype, seed = data.draw(self.chunks(), "shape, dtype, seed")
        array = self.array(shape, dtype, seed)
        return build(self.codecs, array.shape, dtype), array

    @classmethod
    @functools.cache
    def chunks(cls) -> SearchStrategy[tuple[tuple[int, ...], np.dtype[Any], int]]:
        """Draw shape, type and seed of a chunk, at once: each draw by itself costs 0.1 ms."""
        dtypes = [np.dtype(dtype) for dtype in cls.dtypes]
        return st.tuples(cls.shapes, st.sampled_from(dtypes), st.integers(0, 2**32))

    def expect_refused_or_whole(self, pipeline: CodecPipeline, damaged: Buffer) -> None:
        """Decode bytes that nobody encoded: an error, or at least an array of the right size."""
        try:
            array = pipeline.decode(damaged)
        except CodecError:
            return
        assert not self.detects_damage
        assert (array.shape, array.dtype) == (pipeline.spec.shape, pipeline.spec.dtype)

    @inherited
    @given(st.data())
    def test_decoding_gives_back_what_was_encoded(self, data: st.DataObject) -> None:
        pipeline, array = self.example(data)
        encoded = pipeline.encode(array)
        assert same(pipeline.decode(encoded), array)
        assert pipeline.encoded_nbytes in (None, len(encoded))

    @inherited
    @given(st.data())
    def test_memory_order_of_an_array_does_not_matter(self, data: st.DataObject) -> None:
        pipeline, array = self.example(data)
        fortran = np.asfortranarray(array) if array.ndim else array
        assert same(pipeline.decode(pipeline.encode(fortran)), array)

    @inherited
    @given(st.data(), st.integers(-3, 100), st.sampled_from([bytes, bytearray, memoryview]))
    def test_kind_of_buffer_and_scratch_do_not_matter(
        self, data: st.DataObject, spare: int, kind: type[Any]
    ) -> None:
        pipeline, array = self.example(data)
        encoded = bytes(pipeline.encode(array))
        scratch = memoryview(bytearray(b"\xaa" * max(pipeline.spec.nbytes + spare, 0)))
        given_data = kind(encoded)
        assert same(pipeline.decode(given_data, scratch), array)
        assert bytes(given_data) == encoded

    @inherited
    @given(st.data())
    def test_bytes_cut_short_are_refused_or_fill_the_chunk(self, data: st.DataObject) -> None:
        pipeline, array = self.example(data)
        encoded = pipeline.encode(array)
        if encoded:
            size = data.draw(st.integers(0, len(encoded) - 1), "size")
            self.expect_refused_or_whole(pipeline, encoded[:size])

    @inherited
    @given(st.data(), st.binary(min_size=1, max_size=40))
    def test_bytes_with_more_behind_them_are_refused_or_ignored(
        self, data: st.DataObject, rest: bytes
    ) -> None:
        pipeline, array = self.example(data)
        self.expect_refused_or_whole(pipeline, bytes(pipeline.encode(array)) + rest)

    @inherited
    @given(st.data())
    def test_changed_bytes_are_refused_or_fill_the_chunk(self, data: st.DataObject) -> None:
        pipeline, array = self.example(data)
        encoded = bytearray(pipeline.encode(array))
        if encoded:
            place = data.draw(st.integers(0, len(encoded) - 1), "place")
            encoded[place] ^= data.draw(st.integers(1, 255), "change")
            self.expect_refused_or_whole(pipeline, encoded)

    @inherited
    @given(st.data(), st.binary(max_size=80))
    def test_garbage_is_refused_or_fills_the_chunk(
        self, data: st.DataObject, garbage: bytes
    ) -> None:
        pipeline, array = self.example(data)
        if garbage != pipeline.encode(array):
            self.expect_refused_or_whole(pipeline, garbage)
