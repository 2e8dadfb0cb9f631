"""Fill values and array content of every data type: any bits that the type allows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import ml_dtypes
import numpy as np
from hypothesis import strategies as st

from tests.interop.data_types import is_small

if TYPE_CHECKING:
    import numpy.typing as npt
    from hypothesis.strategies import SearchStrategy

# With characters of one to four bytes in UTF-8, and the null that fixed-length strings end with.
_CHARACTERS = "\0 aZé世🚀\U0010ffff"
_TEXTS = ("", "a", "hello", "世界", "🚀🎉", "Ñoño", "x" * 40, "a\0b")
_SPECIAL_FLOATS = (0.0, -0.0, 1.5, -2.0, math.nan, -math.nan, math.inf, -math.inf)


def fill_values(dtype: np.dtype[Any], *, is_tame: bool) -> SearchStrategy[Any]:
    """Draw an element: special ones often, else any."""
    seeds = st.integers(0, 2**16)
    if is_tame:
        return seeds.map(lambda seed: content((), dtype, seed, is_tame=True)[()])
    some = seeds.map(lambda seed: content((), dtype, seed, is_tame=False)[()])
    if dtype.hasobject:
        return some
    special = st.just(np.zeros((), dtype)[()])
    if dtype.kind in "iu" and not is_small(dtype):
        limits = np.iinfo(dtype)
        special |= st.sampled_from([limits.min, limits.max]).map(dtype.type)
    elif dtype.kind == "f" and not is_small(dtype):
        special = st.sampled_from(_SPECIAL_FLOATS).map(dtype.type)
    elif dtype.kind == "c":
        parts = st.sampled_from(_SPECIAL_FLOATS)
        special = st.builds(complex, parts, parts).map(dtype.type)
    elif dtype.kind in "mM":
        special |= st.just(np.array("NaT", dtype)[()])
    return special | some


def content(
    shape: tuple[int, ...], dtype: np.dtype[Any], seed: int, *, is_tame: bool
) -> npt.NDArray[Any]:
    """Make an array of random elements.

    Parameters
    ----------
    shape
        In elements.
    dtype
        Any type of a fixed size; ``StringDType`` for text, ``object`` for bytes of any length.
    seed
        The same seed makes the same array.
    is_tame
        Only numbers from 0 to 99.5 in steps of a half, which codecs can do arithmetic with.
        Otherwise any bits: infinities, NaN with every payload, "not a time".
    """
    rng = np.random.default_rng(seed)
    size = math.prod(shape)
    return _elements(size, dtype, rng, is_tame=is_tame).reshape(shape)


def _elements(
    size: int, dtype: np.dtype[Any], rng: np.random.Generator, *, is_tame: bool
) -> npt.NDArray[Any]:
    if dtype.names:
        record = np.zeros(size, dtype)
        for name in dtype.names:
            base, shape = dtype[name].base, dtype[name].shape
            field = _elements(size * math.prod(shape), base, rng, is_tame=is_tame)
            record[name] = field.reshape(size, *shape)
        return record
    if dtype.kind == "T":
        return rng.choice(np.array(_TEXTS, dtype), size)
    if dtype.kind == "O":
        texts = np.empty(len(_TEXTS), object)
        texts[:] = [text.encode() for text in _TEXTS]
        return rng.choice(texts, size)
    if dtype.kind == "b":
        return rng.integers(0, 2, size).astype(dtype)
    if dtype.kind == "U":
        codes = np.array([ord(character) for character in _CHARACTERS], "u4")
        characters = rng.choice(codes, (size, dtype.itemsize // 4))
        return characters.astype(f"{dtype.byteorder}u4").view(dtype).ravel()
    if is_small(dtype) and not is_tame:
        return _small_numbers(size, dtype, rng)
    if is_tame or (dtype.kind in "iuf" and rng.random() < 0.3):
        return (rng.integers(0, 200, size) / 2).astype(dtype)
    return np.frombuffer(rng.bytes(size * dtype.itemsize), dtype).copy()


def _small_numbers(size: int, dtype: np.dtype[Any], rng: np.random.Generator) -> npt.NDArray[Any]:
    """Any bits that numbers of ml_dtypes have, which may be fewer than those of their bytes."""
    if dtype.name.startswith(("int", "uint")):
        n_bits = int(dtype.name[-1])
        least = -(2 ** (n_bits - 1)) if dtype.name.startswith("int") else 0
        return rng.integers(least, least + 2**n_bits, size).astype(dtype)
    carrier = np.dtype(f"u{dtype.itemsize}")
    n_bits = int(ml_dtypes.finfo(dtype).bits)  # type: ignore[no-untyped-call]  # has no types
    bits = rng.integers(0, 2**n_bits, size)
    return bits.astype(carrier).view(dtype)
