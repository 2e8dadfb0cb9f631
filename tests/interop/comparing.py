"""What one program reads against what another one does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tests.interop.data_types import is_small

if TYPE_CHECKING:
    import numpy.typing as npt


def assert_same_bits(read: npt.NDArray[Any], expected: npt.NDArray[Any]) -> None:
    read, expected = np.asarray(read), np.asarray(expected)
    assert read.shape == expected.shape
    if read.dtype.hasobject or expected.dtype.hasobject:
        assert read.tolist() == expected.tolist()
    elif read.dtype.names:
        for name in read.dtype.names:
            assert_same_bits(read[name], expected[name])
    else:
        assert read.tobytes() == expected.astype(read.dtype).tobytes()


def assert_equal(read: npt.NDArray[Any], written: npt.NDArray[Any]) -> None:
    """Compare by value: chunks that only equal the fill value need not be stored."""
    read, written = np.asarray(read), np.asarray(written)
    if read.dtype.names:
        for name in read.dtype.names:
            assert_equal(read[name], written[name])
    elif read.dtype.hasobject:
        assert read.tolist() == written.tolist()
    elif is_small(read.dtype):
        with np.errstate(invalid="ignore"):  # signalling NaNs
            np.testing.assert_array_equal(read.astype("f8"), written.astype("f8"))
    else:
        np.testing.assert_array_equal(read, written)
