"""Arrays read and written in process, against zarr-python and tensorstore.

Everyone does the same work on stores of the same layout: v3, little-endian, no checksums.
"""

from __future__ import annotations

import contextlib
import functools
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorstore
import zarr

import zarrfs
from benchmarks.rounds import Contender, Workload
from benchmarks.whole_file import microscope_image, read_with_tensorstore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import numpy.typing as npt

SHAPE = (1024, 1024, 512)
"""1 GiB of 16-bit integers."""

CHUNKS = (64, 128, 128)
"""2 MiB."""

SMALL_SHAPE = (64, 1024, 1024)
"""128 MiB of them."""

SMALL_CHUNKS = (1, 64, 128)
"""16 KiB."""

N_ARRAYS = 1000
CODECS: dict[str, list[dict[str, Any]]] = {
    "none": [],
    "lz4": [
        {
            "name": "blosc",
            "configuration": {
                "cname": "lz4",
                "clevel": 5,
                "shuffle": "shuffle",
                "typesize": 2,
                "blocksize": 0,
            },
        }
    ],
    "zstd": [{"name": "zstd", "configuration": {"level": 1, "checksum": False}}],
}
"""What compresses chunks: nothing, blosc with lz4 (zarr-python 2's default), zstd's level 1."""


def image(shape: tuple[int, int, int]) -> npt.NDArray[np.uint16]:
    """Return the picture of `microscope_image`, its planes repeated to fill a shape."""
    part = microscope_image((min(shape[0], 64), shape[1], shape[2]))
    return np.concatenate([part] * (shape[0] // len(part)))


def create_with_zarrfs(
    path: Path, data: npt.NDArray[Any], chunks: tuple[int, ...], codec: str
) -> zarrfs.Array:
    """Create an array and fill it."""
    array = zarrfs.create_array(
        str(path),
        shape=data.shape,
        chunks=chunks,
        dtype=data.dtype,
        codecs=["bytes", *CODECS[codec]],
        overwrite=True,
    )
    array[...] = data
    return array


def create_with_zarr_python(
    path: Path, data: npt.NDArray[Any], chunks: tuple[int, ...], codec: str
) -> None:
    """Create an array and fill it."""
    array = zarr.create_array(
        path,
        shape=data.shape,
        chunks=chunks,
        dtype=data.dtype,
        compressors=CODECS[codec] or None,
        overwrite=True,
    )
    array[...] = data


def create_with_tensorstore(
    path: Path, data: npt.NDArray[Any], chunks: tuple[int, ...], codec: str
) -> None:
    """Create an array and fill it."""
    spec = {
        "driver": "zarr3",
        "kvstore": {"driver": "file", "path": f"{path}/"},
        "metadata": {
            "shape": data.shape,
            "data_type": data.dtype.name,
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": chunks}},
            "codecs": [
                {"name": "bytes", "configuration": {"endian": "little"}},
                *CODECS[codec],
            ],
        },
        "create": True,
        "delete_existing": True,
    }
    tensorstore.open(spec).result().write(data).result()


CREATORS: dict[str, Callable[[Path, npt.NDArray[Any], tuple[int, ...], str], object]] = {
    "zarrfs": create_with_zarrfs,
    "zarr-python": create_with_zarr_python,
    "tensorstore": create_with_tensorstore,
}

READERS: dict[str, Callable[[Path], object]] = {
    "zarrfs": lambda path: zarrfs.open_array(path)[...],
    "zarr-python": lambda path: zarr.open_array(path, mode="r")[...],
    "tensorstore": read_with_tensorstore,
}


@contextlib.contextmanager
def reading(
    directory: Path, shape: tuple[int, int, int], chunks: tuple[int, int, int], codec: str
) -> Iterator[Workload]:
    """Open an array and read all of it to memory."""
    data = image(shape)
    path = directory / "read.zarr"
    create_with_zarr_python(path, data, chunks, codec)
    for name, read in READERS.items():
        if not np.array_equal(np.asarray(read(path)), data):
            raise RuntimeError(f"{name} reads other elements than were written")
    yield Workload(
        title=f"Read in process: {_size(data.nbytes)}, uint16, chunks {chunks}, codec {codec}",
        nbytes=data.nbytes,
        contenders=[
            Contender(name=name, run=functools.partial(read, path))
            for name, read in READERS.items()
        ],
    )


@contextlib.contextmanager
def writing(
    directory: Path, shape: tuple[int, int, int], chunks: tuple[int, int, int], codec: str
) -> Iterator[Workload]:
    """Create an array and fill it from memory."""
    data = image(shape)
    paths = {name: directory / f"{name}.zarr" for name in CREATORS}
    for name, create in CREATORS.items():
        create(paths[name], data, chunks, codec)
        if not np.array_equal(read_with_tensorstore(paths[name]), data):
            raise RuntimeError(f"tensorstore reads other elements than {name} has written")
    yield Workload(
        title=f"Write in process: {_size(data.nbytes)}, uint16, chunks {chunks}, codec {codec}",
        nbytes=data.nbytes,
        contenders=[
            Contender(
                name=name,
                # The old objects are removed beforehand: only writing is measured.
                prepare=functools.partial(shutil.rmtree, paths[name], ignore_errors=True),
                run=functools.partial(create, paths[name], data, chunks, codec),
            )
            for name, create in CREATORS.items()
        ],
    )


def build_with_zarrfs(path: Path) -> None:
    """Create a group of many arrays, then open each of them."""
    group = zarrfs.create_group(path)
    for i in range(N_ARRAYS):
        group.create_array(f"a{i:03}", shape=(100, 100), chunks=(10, 10), dtype="float32")
    nodes = (node for _, node in zarrfs.open_group(path).items())
    _expect_all(sum(node.size for node in nodes if isinstance(node, zarrfs.Array)))


def build_with_zarr_python(path: Path) -> None:
    """Create a group of many arrays, then open each of them."""
    group = zarr.create_group(path)
    for i in range(N_ARRAYS):
        group.create_array(f"a{i:03}", shape=(100, 100), chunks=(10, 10), dtype="float32")
    _expect_all(sum(array.size for _, array in zarr.open_group(path, mode="r").arrays()))


def _expect_all(n_elements: int) -> None:
    if n_elements != N_ARRAYS * 100 * 100:
        raise RuntimeError(f"{n_elements} elements were found")


@contextlib.contextmanager
def hierarchy(directory: Path) -> Iterator[Workload]:
    """Create a group of 1,000 arrays and open all of them: documents only, no chunks."""
    builders: dict[str, Callable[[Path], None]] = {
        "zarrfs": build_with_zarrfs,
        "zarr-python": build_with_zarr_python,
    }
    yield Workload(
        title=f"Create a group of {N_ARRAYS} arrays, then open each",
        nbytes=0,
        contenders=[
            Contender(
                name=name,
                prepare=functools.partial(
                    shutil.rmtree, directory / f"{name}.zarr", ignore_errors=True
                ),
                run=functools.partial(build, directory / f"{name}.zarr"),
            )
            for name, build in builders.items()
        ],
    )


def _size(nbytes: int) -> str:
    return f"{nbytes >> 20} MiB"
