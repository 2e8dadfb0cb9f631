"""A selection of an array -> its elements: each chunk is copied to its place as it is decoded."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from zarrfs.arrays.chunk_source import ChunkSource
    from zarrfs.arrays.indexing import SelectedPart, Selection
    from zarrfs.arrays.regions import Coords
    from zarrfs.errors import ChunkError


def read_selection(source: ChunkSource, selection: Selection) -> npt.NDArray[Any]:
    """Read selected elements; waits for them.

    Returns
    -------
    ndarray
        Of the selection's `shape`.

    Raises
    ------
    ChunkError
        If a chunk cannot be had.
    """
    result: npt.NDArray[Any] = np.empty(selection.full_shape, source.reader.spec.dtype)
    parts = {part.coords: part for part in selection.parts(source.reader.grid)}
    _Reading(source, result, parts).wait()
    return result.reshape(selection.shape)


class _Reading:
    """A selection on its way."""

    def __init__(
        self, source: ChunkSource, result: npt.NDArray[Any], parts: dict[Coords, SelectedPart]
    ) -> None:
        self._fill_value = source.reader.spec.fill_value
        self._result = result
        self._parts = parts
        self._n_missing = len(parts)
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._error: ChunkError | None = None
        if parts:
            source.request(list(parts), self._receive, keep=False, urgent=False)
        else:
            self._done.set()

    def wait(self) -> None:
        """Return when all is there; raise the first error, once no thread writes any more."""
        self._done.wait()
        if self._error is not None:
            raise self._error

    def _receive(
        self, coords: Coords, chunk: npt.NDArray[Any] | None, error: ChunkError | None
    ) -> None:
        part = self._parts[coords]
        if error is not None:
            self._error = error
        elif chunk is None:
            self._result[part.in_result] = self._fill_value
        else:
            self._result[part.in_result] = chunk[part.in_chunk]
        with self._lock:
            self._n_missing -= 1
            if self._n_missing:
                return
        self._done.set()
