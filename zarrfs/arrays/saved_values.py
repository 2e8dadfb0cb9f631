"""A value that is to be saved as an array of its own -> its elements and their type. Pure.

Without a data type NumPy finds one. Nested lists may change by that: texts lose their last NULs and
make texts of numbers among them, integers become floats. Then the user has to say what is meant.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from zarrfs.arrays.assignment import as_array
from zarrfs.errors import AssignmentError, MetadataError
from zarrfs.format.dtype_arguments import data_type_of

if TYPE_CHECKING:
    import numpy.typing as npt

_ADVICE = {
    datetime.datetime: '"datetime64[us]"',
    datetime.date: '"datetime64[D]"',
    datetime.timedelta: '"timedelta64[us]"',
}


def elements_of(
    value: object, dtype: Any, *, are_objects_known: bool = False
) -> tuple[npt.NDArray[Any], Any]:
    """Make an array of a value.

    Parameters
    ----------
    value
        An array, or what NumPy makes one of.
    dtype
        Data type that the user asked for; ``None`` for the value's own.
    are_objects_known
        Whether a codec tells what objects are, so that their type need not be found.

    Returns
    -------
    ndarray
        The elements, perhaps not of the data type yet.
    object
        Their data type, as `NewArray` takes it.

    Raises
    ------
    AssignmentError
        If the value is no array, or has elements that the data type lacks.
    MetadataError
        If the data type is none, or has to be given.
    """
    if dtype is not None:
        # Of objects only that they are objects counts here.
        return as_array(value, data_type_of(dtype, object_codec="json2")[0].dtype), dtype
    try:
        elements = np.asarray(value)
    except ValueError as error:
        raise AssignmentError(f"cannot make an array of the value: {error}") from error
    if elements.dtype.hasobject and elements.dtype.names is None:
        return elements, elements.dtype if are_objects_known else _type_of_objects(elements)
    if not hasattr(value, "__array__") and elements.dtype.kind in "USfc":
        _require_same(elements, value)
    return elements, elements.dtype


def _type_of_objects(elements: npt.NDArray[Any]) -> Any:
    if isinstance(elements.dtype, np.dtypes.StringDType):
        return elements.dtype
    kinds = {type(element) for element in elements.flat}
    if kinds in ({str}, {bytes}):
        return kinds.pop()
    named = " and ".join(sorted(kind.__name__ for kind in kinds)) or "unknown, as there are none"
    close = {_ADVICE[kind] for kind in kinds if kind in _ADVICE}
    advice = close.pop() if len(close) == 1 == len(kinds) else '"float64" or "string"'
    reason = f"has to be given: the elements are {named}; say for example dtype={advice}"
    raise MetadataError(reason, field="dtype")


def _require_same(elements: npt.NDArray[Any], value: Any) -> None:
    given = np.asarray(value, object)
    is_same = np.asarray(elements.astype(object) == given)
    if elements.dtype.kind in "fc":
        is_same |= given != given  # a NaN
    if is_same.all():
        return
    index = np.unravel_index(np.argmin(is_same), is_same.shape)
    reason = (
        f"has to be given: {elements.dtype}, which NumPy finds, would turn {given[index]!r} into"
    )
    raise MetadataError(f"{reason} {elements[index].item()!r}", field="dtype")
