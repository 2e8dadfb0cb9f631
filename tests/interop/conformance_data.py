"""`expected.json` and the sets that it tells about, unpacked: third-party arrays as values."""

from __future__ import annotations

import hashlib
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

DATA = Path(__file__).parents[1] / "data"

ARCHIVES = ("zarrita_js", "zarr_python_v2_fixture")

STORES_IN_DIRECTORIES = ("zarrita_js/fixtures", "zarr_python_v2_fixture/fixture")
"""What is mounted of sets that are directories; a zip is a store of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What `expected.json` says of one array; see tests/data/README.md."""

    name: str
    """The key, for messages."""
    store: str
    """Path of its store below the root of the unpacked data."""
    path: str
    """Path of the array in the store."""
    zarr_format: int
    shape: tuple[int, ...] | None
    dtype: np.dtype[Any] | None
    """In native byte order, ``object`` for strings of any length; ``None`` without a hash."""
    sha256: str | None

    @property
    def location(self) -> str:
        """Path of the array below the root of the unpacked data."""
        return f"{self.store}/{self.path}"

    @property
    def has_fixed_size(self) -> bool:
        """Whether an element has a number of bytes, so that flat files can show the array."""
        return not ((self.dtype is not None and self.dtype.hasobject) or "json2" in self.path)


def read_expected() -> list[Expected]:
    """Read `expected.json`."""
    items = json.loads((DATA / "expected.json").read_text("utf-8")).items()
    return [_parse(name, members) for name, members in items]


def unpack(root: Path) -> None:
    """Put all sets below a directory, under the paths that `expected.json` has."""
    (root / "pizzarr").symlink_to(DATA / "bcsd")
    for archive in ARCHIVES:
        with tarfile.open(DATA / f"{archive}.tar.gz") as tar:
            # Python before 3.11.4 has no filters, 3.12 warns without one; the archives are ours.
            tar.extraction_filter = getattr(tarfile, "fully_trusted_filter", None)
            tar.extractall(root)


def sha256(array: npt.NDArray[Any]) -> str:
    """Hash the content of an array as `expected.json` has it."""
    if array.dtype.hasobject:
        data = json.dumps(array.ravel().tolist(), ensure_ascii=False).encode()
    else:
        data = array.astype(array.dtype.newbyteorder("<")).tobytes()
    return hashlib.sha256(data).hexdigest()


def _parse(name: str, members: dict[str, Any]) -> Expected:
    place = name.rpartition(" [")[0].rstrip("/")
    store, is_zip, path = place.partition("!")
    if not is_zip:
        store = next(head for head in STORES_IN_DIRECTORIES if place.startswith(f"{head}/"))
        path = place.removeprefix(f"{store}/")
    return Expected(
        name=name,
        store=store,
        path=path,
        zarr_format=members["format"],
        shape=tuple(members["shape"]) if "shape" in members else None,
        dtype=_parse_dtype(members["dtype"]) if "dtype" in members else None,
        sha256=members.get("sha256"),
    )


def _parse_dtype(text: str) -> np.dtype[Any]:
    return np.dtype(object if text == "StringDType()" else text).newbyteorder("=")
