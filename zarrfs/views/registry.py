"""The file formats that a mount can show; the one table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zarrfs.views.bin import bin_segments, sidecar_segments
from zarrfs.views.npy import npy_segments

if TYPE_CHECKING:
    from collections.abc import Callable

    from zarrfs.views.description import ArrayDescription
    from zarrfs.views.segments import Segments


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewFile:
    """One file that a format makes of an array."""

    suffix: str
    """What its name ends in, with the dot."""

    lay_out: Callable[[ArrayDescription], Segments]
    """Raises `ViewError` if the format cannot show the array."""

    is_text: bool = False
    """It is generated whole from the metadata, and never written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewFormat:
    """A tree of a mount."""

    name: str
    """Name of the tree."""

    summary: str
    """What its files are, in a line."""

    files: tuple[ViewFile, ...]
    """The first one is the array; the others stand beside it."""


FORMATS = {
    view.name: view
    for view in (
        ViewFormat(
            name="bin",
            summary="arrays as their elements in C order; NAME.json says shape and type",
            files=(
                ViewFile(suffix=".bin", lay_out=bin_segments),
                ViewFile(suffix=".json", lay_out=sidecar_segments, is_text=True),
            ),
        ),
        ViewFormat(
            name="npy",
            summary="arrays as NumPy files, for np.load(..., mmap_mode='r')",
            files=(ViewFile(suffix=".npy", lay_out=npy_segments),),
        ),
    )
}
