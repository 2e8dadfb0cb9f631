"""A flat file read whole through the mount, against libraries that read the array to memory."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import tensorstore
import zarr
from zarr.codecs import BloscCodec

from benchmarks.rounds import Contender, Workload

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy.typing as npt

SHAPE = (512, 512, 256)
CHUNKS = (64, 64, 64)
ZARRFS = (sys.executable, "-m", "zarrfs")


def microscope_image(shape: tuple[int, int, int]) -> npt.NDArray[np.uint16]:
    """Blobs on a dark ground with shot noise: compresses about as well as the real thing."""
    z, y, x = np.ogrid[tuple(slice(0.0, n) for n in shape)]
    blobs = np.sin(z * 0.021) * np.cos(y * 0.013) + np.sin(x * 0.017 + y * 0.007) * np.cos(
        z * 0.011
    )
    light = np.clip(blobs, 0, None) ** 2 * 900 + 110
    noise = np.sqrt(light) * np.random.default_rng(7).standard_normal(shape)
    image: npt.NDArray[np.uint16] = np.clip(light + noise, 0, 65535).astype(np.uint16)
    return image


def write_array(path: Path) -> int:
    """Write the array that is read, 16-bit in chunks of 512 KiB; return its bytes."""
    codec = BloscCodec(cname="lz4", clevel=5, shuffle="shuffle", typesize=2)
    array = zarr.create_array(
        path, shape=SHAPE, chunks=CHUNKS, dtype="uint16", compressors=[codec], zarr_format=3
    )
    array[:] = microscope_image(SHAPE)
    return array.nbytes


def drop_pages(file: Path) -> None:
    """Make the kernel forget what it holds of a file."""
    with file.open("rb") as opened:
        os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def read_with_dd(file: Path) -> None:
    """Read a file to its end, in reads of 1 MiB."""
    subprocess.run(["dd", f"if={file}", "of=/dev/null", "bs=1M", "status=none"], check=True)


def read_with_tensorstore(array: Path) -> npt.NDArray[np.uint16]:
    """Open an array and read all of it."""
    spec = {"driver": "zarr3", "kvstore": {"driver": "file", "path": f"{array}/"}}
    data: npt.NDArray[np.uint16] = tensorstore.open(spec, read=True).result().read().result()
    return data


@contextlib.contextmanager
def mounted(store: Path, mount_point: Path) -> Iterator[int]:
    """Mount a store read-only for as long as the block runs, and give the daemon's process id."""
    mount_point.mkdir()
    subprocess.run([*ZARRFS, "mount", str(store), str(mount_point), "-o", "ro"], check=True)
    try:
        listed = subprocess.run([*ZARRFS, "list", "--json"], check=True, capture_output=True)
        pids = [
            each["pid"]
            for each in json.loads(listed.stdout)
            if each["mountpoint"] == str(mount_point)
        ]
        yield int(pids[0])
    finally:
        subprocess.run([*ZARRFS, "umount", str(mount_point)], check=True)


@contextlib.contextmanager
def whole_file(directory: Path) -> Iterator[Workload]:
    """Read 128 MiB of blosc-lz4 chunks: `dd` of the flat file, tensorstore, zarr-python."""
    store = directory / "bench.zarr"
    array = store / "image"
    zarr.create_group(store)
    nbytes = write_array(array)
    with mounted(store, directory / "mnt") as daemon:
        file = directory / "mnt/bin/image.bin"
        if file.read_bytes() != read_with_tensorstore(array).tobytes():
            raise RuntimeError("the mount shows other bytes than tensorstore reads")
        yield Workload(
            title=f"Whole array: {nbytes >> 20} MiB, uint16, chunks {CHUNKS}, blosc-lz4",
            nbytes=nbytes,
            contenders=[
                Contender(
                    name="zarrfs",
                    prepare=lambda: drop_pages(file),
                    run=lambda: read_with_dd(file),
                ),
                Contender(name="tensorstore", run=lambda: read_with_tensorstore(array)),
                Contender(name="zarr-python", run=lambda: zarr.open_array(array, mode="r")[...]),
            ],
            daemons=[daemon],
        )
