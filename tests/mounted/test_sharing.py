"""Several readers at a time: each chunk is decoded once for all of them."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.mounted.conftest import GROUP
from tests.mounted.mounting import mounted, scripted
from tests.plain_arrays import sample, write_array

if TYPE_CHECKING:
    from pathlib import Path

# 16 MiB in 64 chunks: more than the kernel reads ahead, less than what may be kept.
BIG = sample(2048, 1024)
BIG_CHUNKS = (128, 256)
N_CHUNKS = 64


@pytest.fixture(scope="module")
def big_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the array ``big``."""
    folder = tmp_path_factory.mktemp("big").resolve() / "store.zarr"
    folder.mkdir()
    (folder / "zarr.json").write_bytes(GROUP)
    write_array(folder / "big", BIG, BIG_CHUNKS)
    return folder


@pytest.mark.parametrize("flags", [[], ["iflag=direct"]], ids=["cached", "direct"])
def test_four_programs_reading_one_file_share_each_chunk(
    big_store: Path, mountpoint: Path, flags: list[str]
) -> None:
    with mounted(big_store, mountpoint, ro=True, memory="64M") as mount:
        command = ["dd", f"if={mount.path}/bin/big.bin", "bs=128k", "status=none", *flags]
        readers = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(4)]
        with ThreadPoolExecutor(4) as pool:
            results = list(pool.map(lambda reader: reader.communicate()[0], readers))
        assert all(result == BIG.tobytes() for result in results)
        assert N_CHUNKS <= mount.stats()["chunks_decoded"] <= 1.1 * N_CHUNKS


def test_four_threads_with_a_descriptor_each_share_each_chunk(
    big_store: Path, mountpoint: Path
) -> None:
    with mounted(big_store, mountpoint, ro=True, memory="64M") as mount:

        def read_all(first: int) -> bytes:
            """Read the file, from a quarter of its own on and round."""
            opened = os.open(mount.path / "bin/big.bin", os.O_RDONLY)
            try:
                size = BIG.nbytes // 4
                parts = {
                    n % 4: b"".join(
                        os.pread(opened, 2**17, n % 4 * size + offset)
                        for offset in range(0, size, 2**17)
                    )
                    for n in range(first, first + 4)
                }
            finally:
                os.close(opened)
            return b"".join(parts[n] for n in range(4))

        with ThreadPoolExecutor(4) as pool:
            results = list(pool.map(read_all, range(4)))
        assert all(result == BIG.tobytes() for result in results)
        assert N_CHUNKS <= mount.stats()["chunks_decoded"] <= 1.1 * N_CHUNKS


def test_two_readers_of_one_range_at_a_time_decode_it_once(store: Path, mountpoint: Path) -> None:
    """Both wait for the same chunk, which hangs until both have asked."""
    expected = np.fromfile(store / "rows/c/3/0", "<f8", 16 * 512).tobytes()
    with scripted(store, mountpoint) as mount:
        mount.inject(hang="get", keys="rows/c/3/0")

        def read(name: str) -> bytes:
            opened = os.open(mount.path / name, os.O_RDONLY | os.O_DIRECT)
            try:
                return os.pread(opened, 1000, 3 * 2**16 + 500)
            finally:
                os.close(opened)

        with ThreadPoolExecutor(2) as pool:
            first = pool.submit(read, "bin/rows.bin")
            mount.wait_until_hanging(1)
            before = mount.counted("read")
            second = pool.submit(read, "bin/rows.bin")
            while mount.counted("read") < before + 2:  # our own read of the statistics is one
                pass
            mount.heal()
            assert first.result(60) == second.result(60) == expected[500:1500]
        assert mount.stats()["chunks_decoded"] == 1
        gets = [key for name, key in mount.tell("operations") if name == "get"]
        assert gets.count("rows/c/3/0") == 1
