"""What one program reads against what another one does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

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
