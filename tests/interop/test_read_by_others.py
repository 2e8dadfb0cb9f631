"""Whatever zarrfs writes, in any number of steps, other programs read the same, and zarr-lint and
the registry's schemas find nothing wrong with.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pytest
from hypothesis import assume, given, reject
from hypothesis import strategies as st

import zarrfs
from tests.interop.all_programs import PROGRAMS
from tests.interop.cases import CASES
from tests.interop.comparing import assert_same_bits
from tests.interop.elements import content
from tests.interop.linting import findings
from tests.interop.strategies import ArrayV2, ArrayV3, v2_arrays, v3_arrays
from zarrfs.errors import UnsupportedError

if TYPE_CHECKING:
    import numpy.typing as npt
    from hypothesis.strategies import DataObject

    from tests.interop.data_types import DataType
    from tests.interop.programs import Program

pytestmark = [
    pytest.mark.filterwarnings("ignore::zarr.errors.UnstableSpecificationWarning"),
    pytest.mark.filterwarnings(
        "ignore:Combining a `sharding_indexed` codec:zarr.errors.ZarrUserWarning"
    ),
    pytest.mark.filterwarnings(
        "ignore:Numcodecs codecs are not in the Zarr version 3:zarr.errors.ZarrUserWarning"
    ),
]


@pytest.mark.parametrize("name", PROGRAMS)
@given(data=st.data())
def test_v3_arrays(name: str, data: DataObject) -> None:
    program = PROGRAMS[name]
    check(program, data.draw(v3_arrays(v3_types(program), program.support), label="array"), data)


@pytest.mark.parametrize("name", PROGRAMS)
@given(data=st.data())
def test_v2_arrays(name: str, data: DataObject) -> None:
    program = PROGRAMS[name]
    check(program, data.draw(v2_arrays(program.v2_types, program.support), label="array"), data)


@pytest.mark.parametrize("name", ["zarr-python", "zarrs"])
@given(data=st.data())
def test_v3_arrays_in_terms_of_v2(name: str, data: DataObject) -> None:
    program = PROGRAMS[name]
    arrays = v2_arrays(v3_types(program), program.support, zarr_format=3)
    array = data.draw(arrays, label="array")
    is_text, support = array.data_type.dtype.hasobject, program.support
    may_transpose = support.transposed_texts if is_text else support.transposed_filters
    assume(array.order == "C" or not array.filters or may_transpose)
    options: dict[str, Any] = {"zarr_format": 3}
    if data.draw(st.booleans(), label="shards") and array.shape:
        factors = [data.draw(st.integers(1, 3), label="factor") for _ in array.chunks]
        options["shards"] = [n * k for n, k in zip(array.chunks, factors, strict=True)]
    check(program, array, data, **options)


def v3_types(program: Program) -> list[DataType]:
    # zarr-python 3.1 has no "struct" and no raw bits, which newer names of the registry are.
    return [t for t in program.v3_types if program.name != "zarr-python" or t.dtype.kind != "V"]


def check(program: Program, array: ArrayV2 | ArrayV3, data: DataObject, **options: Any) -> None:
    """Create an array, change it in a few steps, and compare what all see with NumPy's."""
    dtype = array.data_type.dtype
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder) / "x.zarr"
        z = create(directory, array, **options)
        model: npt.NDArray[Any] = np.full(array.shape, array.fill_value, dtype)
        for _ in range(data.draw(st.integers(1, 4), label="steps")):
            step = data.draw(st.sampled_from([write, write, write, resize, append]))
            model = step(z, model, array, data)
            assert z.shape == model.shape
        read_again = zarrfs.open_array(directory)[...]
        theirs = program.read(directory, dtype)
        assert_same_bits(read_again, theirs)
        assert_same_bits(z[...], read_again)
        if not array.is_tame:
            assert_same_bits(theirs, model)
        assert findings(directory) == []
    CASES["read by others"] += 1


def create(
    directory: Path, array: ArrayV2 | ArrayV3, zarr_format: Literal[2, 3] = 2, **options: Any
) -> zarrfs.Array:
    """Create an array from arguments in the terms of its format; v2's for v3 as well."""
    dtype = array.data_type.dtype
    is_named = isinstance(array, ArrayV3) or zarr_format == 3 or dtype.kind in "OT"
    common: dict[str, Any] = {
        "shape": array.shape,
        "dtype": array.data_type.name if is_named else dtype,
        "fill_value": array.fill_value,
        "write_empty_chunks": array.stores_empty_chunks,
    }
    if isinstance(array, ArrayV3):
        return zarrfs.create_array(
            directory,
            chunks=array.chunk_shape,
            codecs=array.codecs,
            chunk_key_encoding=array.chunk_key_encoding,
            dimension_names=array.dimension_names,
            **common,
        )
    try:
        return zarrfs.create_array(
            directory,
            zarr_format=zarr_format,
            chunks=array.chunks,
            filters=array.filters,
            compressor=array.compressor,
            order=array.order,
            dimension_separator=array.dimension_separator,
            **common,
            **options,
        )
    except UnsupportedError as error:
        if "no form for a NaN of other bits" in str(error):
            reject()
        raise


def elements(
    shape: tuple[int, ...], array: ArrayV2 | ArrayV3, data: DataObject
) -> npt.NDArray[Any]:
    """Random elements, or all the fill value."""
    dtype = array.data_type.dtype
    if data.draw(st.sampled_from([False, False, True]), label="fill value"):
        return np.full(shape, array.fill_value, dtype)
    seed = data.draw(st.integers(0, 2**16), label="seed")
    return content(shape, dtype, seed, is_tame=array.is_tame)


def write(
    z: zarrfs.Array, model: npt.NDArray[Any], array: ArrayV2 | ArrayV3, data: DataObject
) -> npt.NDArray[Any]:
    region = tuple(data.draw(slices(n), label="region") for n in model.shape)
    values = elements(np.shape(model[region]), array, data)
    z[region] = values
    model[region] = values
    return model


def resize(
    z: zarrfs.Array, model: npt.NDArray[Any], array: ArrayV2 | ArrayV3, data: DataObject
) -> npt.NDArray[Any]:
    shape = tuple(data.draw(st.integers(0, n + 5), label="length") for n in model.shape)
    resized: npt.NDArray[Any] = np.full(shape, array.fill_value, model.dtype)
    kept = tuple(slice(0, min(a, b)) for a, b in zip(shape, model.shape, strict=True))
    resized[kept] = model[kept]
    z.resize(shape)
    return resized


def append(
    z: zarrfs.Array, model: npt.NDArray[Any], array: ArrayV2 | ArrayV3, data: DataObject
) -> npt.NDArray[Any]:
    if not model.ndim:
        return model
    axis = data.draw(st.integers(-model.ndim, model.ndim - 1), label="axis")
    shape = list(model.shape)
    shape[axis] = data.draw(st.integers(0, 5), label="length")
    values = elements(tuple(shape), array, data)
    longer = np.concatenate([model, values], axis=axis)
    assert z.append(values, axis=axis) == longer.shape
    return longer


@st.composite
def slices(draw: st.DrawFn, length: int) -> slice:
    """Slices with steps, both ways."""
    ends = st.integers(0, length)
    start, stop = draw(ends), draw(ends)
    step = draw(st.sampled_from([1, 1, 1, 2, 3]))
    if draw(st.sampled_from([False, False, False, True])) and length:
        return slice(max(start, stop) - 1 if max(start, stop) else None, None, -step)
    return slice(min(start, stop), max(start, stop), step)
