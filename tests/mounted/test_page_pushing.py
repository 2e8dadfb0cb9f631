"""Mounts whose read-ahead nobody has raised: more is put into the page cache than was asked for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.mounted.conftest import GROUP
from tests.mounted.mounting import mounted, scripted
from tests.plain_arrays import write_array
from tests.waiting import DEADLINE, wait_until
from zarrfs.mounts.detaching import detach

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy.typing as npt

    from tests.mounted.mounting import ScriptedMount

N_ROWS, N_COLUMNS = 512, 16384
"""32 MiB of ``int32``, in chunks of 1 MiB, two to a row: slabs of 8 MiB with this memory."""

MEMORY = 2**29
MIB = 2**20


def numbers(seed: int) -> npt.NDArray[np.int32]:
    """Elements that differ everywhere from those of any other seed."""
    return np.arange(N_ROWS * N_COLUMNS, dtype="int32").reshape(N_ROWS, N_COLUMNS) * 8 + seed


def put(store: Path, seed: int) -> None:
    write_array(store / "large", numbers(seed), (32, N_COLUMNS // 2))


@pytest.fixture
def store(tmp_path: Path) -> Path:
    folder = tmp_path.resolve() / "store.zarr"
    folder.mkdir()
    (folder / "zarr.json").write_bytes(GROUP)
    put(folder, 0)
    return folder


@pytest.fixture
def mount(store: Path, tmp_path: Path) -> Iterator[ScriptedMount]:
    with scripted(store, tmp_path / "mnt", memory=MEMORY, is_untuned=True) as made:
        yield made


def test_few_requests_are_left_of_a_file_read_through(mount: ScriptedMount) -> None:
    file = mount.path / "bin/large.bin"
    assert file.read_bytes() == numbers(0).tobytes()
    stats = mount.stats()
    assert stats["bytes_pushed"] > 0.8 * numbers(0).nbytes
    # Eight, were it not for the pushes.
    assert stats["requests"]["read"] <= 2 * numbers(0).nbytes / MIB


def test_elements_behind_a_header_are_pushed_too(mount: ScriptedMount) -> None:
    assert np.array_equal(np.load(mount.path / "npy/large.npy"), numbers(0))
    assert mount.stats()["bytes_pushed"] > 0.5 * numbers(0).nbytes


def test_mapped_file_read_in_order_is_pushed(mount: ScriptedMount) -> None:
    mapped = np.memmap(mount.path / "bin/large.bin", "<i4", "r", shape=(N_ROWS, N_COLUMNS))
    assert np.array_equal(mapped, numbers(0))
    assert mount.stats()["bytes_pushed"] > 0.5 * numbers(0).nbytes


READ = """
import sys, zlib
step = int(sys.argv[2])
with open(sys.argv[1], "rb", buffering=0) as file:
    file.seek(int(sys.argv[3]))
    while data := file.read(step):
        print(zlib.crc32(data))
"""


def test_readers_at_a_time_get_the_right_bytes(mount: ScriptedMount) -> None:
    import zlib

    data = numbers(0).tobytes()
    readers = [(step, start) for step in (2**20, 100_003) for start in (0, 5 * MIB + 77)] * 2
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", READ, mount.path / "bin/large.bin", str(step), str(start)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for step, start in readers
    ]
    for process, (step, start) in zip(processes, readers, strict=True):
        output, _ = process.communicate(timeout=DEADLINE)
        parts = [zlib.crc32(data[at : at + step]) for at in range(start, len(data), step)]
        assert [int(line) for line in output.split()] == parts
    assert mount.stats()["bytes_pushed"] > 0


def test_refresh_shows_new_bytes_whatever_is_being_pushed(
    mount: ScriptedMount, store: Path
) -> None:
    file = mount.path / "bin/large.bin"
    loop = 'while :; do cat "$0" >/dev/null; done'
    with subprocess.Popen(["sh", "-c", loop, file], start_new_session=True) as reader:
        try:
            wait_until(lambda: mount.stats()["bytes_pushed"])
            for seed in range(1, 7):
                put(store, seed)
                mount.tell("refresh")
                shown = np.fromfile(file, "<i4").reshape(N_ROWS, N_COLUMNS)
                assert np.array_equal(shown, numbers(seed))
        finally:
            os.killpg(reader.pid, signal.SIGKILL)
    assert mount.stats()["bytes_pushed"] > numbers(0).nbytes


def test_mount_ends_while_a_file_is_read(mount: ScriptedMount) -> None:
    loop = 'while cat "$0" >/dev/null 2>&1; do :; done'
    with subprocess.Popen(["sh", "-c", loop, mount.path / "bin/large.bin"]) as reader:
        wait_until(lambda: mount.stats()["bytes_pushed"])
        mount.process.send_signal(signal.SIGTERM)
        assert mount.process.wait(DEADLINE) == 0
        reader.wait(DEADLINE)


def test_mount_that_is_killed_lets_its_readers_go(mount: ScriptedMount) -> None:
    with subprocess.Popen(["cat", mount.path / "bin/large.bin"], stdout=subprocess.PIPE) as reader:
        assert reader.stdout
        assert reader.stdout.read(4 * MIB)
        mount.process.kill()
        reader.communicate(timeout=DEADLINE)
        assert reader.returncode != 0
    detach(str(mount.path))


def test_nothing_is_pushed_where_the_kernel_reads_ahead(store: Path, tmp_path: Path) -> None:
    with mounted(store, tmp_path / "mnt", ro=True) as mount:
        kernel = mount.stats()["kernel"]
        assert kernel["pages_pushed"] == (kernel.get("read_ahead_kb", 0) < 1024)
        assert (mount.path / "bin/large.bin").read_bytes() == numbers(0).tobytes()
        assert (mount.stats()["bytes_pushed"] > 0) == kernel["pages_pushed"]
