"""What people do with files: each program gets the bytes of the array."""

from __future__ import annotations

import hashlib
import os
import subprocess
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.mounted.conftest import GRID
from tests.mounted.mounting import run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.mounted.mounting import Mounted

BYTES = GRID.tobytes()


@pytest.fixture
def file(shared: Mounted) -> Path:
    """The flat file of `GRID`."""
    return shared.path / "bin/grid.bin"


@pytest.mark.parametrize(
    "options",
    [[], ["--sparse=always"], ["--reflink=auto"], ["-a"], ["--preserve=all"]],
    ids=" ".join,
)
def test_cp(file: Path, tmp_path: Path, options: list[str]) -> None:
    run("cp", *options, file, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == BYTES


def test_cp_of_a_tree(shared: Mounted, tmp_path: Path) -> None:
    run("cp", "-r", shared.path / "bin", tmp_path / "copy")
    assert (tmp_path / "copy/grid.bin").read_bytes() == BYTES
    assert (tmp_path / "copy/inner/small.bin").read_bytes() == np.arange(6, dtype="<i2").tobytes()


@pytest.mark.parametrize("options", [[], ["-S"], ["-S", "--hole-detection=seek"]], ids=" ".join)
def test_tar_round_trip(file: Path, tmp_path: Path, options: list[str]) -> None:
    archive = tmp_path / "archive.tar"
    run("tar", "-c", *options, "-f", archive, "-C", file.parent, file.name)
    run("tar", "-x", "-f", archive, "-C", tmp_path)
    assert (tmp_path / file.name).read_bytes() == BYTES


def test_rsync_copies_and_then_has_nothing_to_do(shared: Mounted, tmp_path: Path) -> None:
    command = ("rsync", "-a", "--itemize-changes", f"{shared.path}/bin/", tmp_path / "copy")
    assert b"grid.bin" in run(*command).stdout
    assert (tmp_path / "copy/grid.bin").read_bytes() == BYTES
    assert run(*command).stdout == b""
    assert run(*command, "--checksum").stdout == b""


@pytest.mark.parametrize("name", ["md5", "sha256"])
def test_sum(file: Path, name: str) -> None:
    assert (
        run(f"{name}sum", file).stdout.split()[0].decode() == hashlib.new(name, BYTES).hexdigest()
    )


@pytest.mark.parametrize(
    ("block", "skip", "count", "flags"),
    [
        (1, 12345, 100, ""),
        (777, 3, 50, ""),
        (4096, 5, 7, ""),
        (100_003, 1, 9, ""),
        (4096, 5, 7, "direct"),
        (12345, 5, 7, "direct"),
        (2**20, 0, 1, "fullblock"),
        (8, 1001, 4, "skip_bytes"),
    ],
)
def test_dd(file: Path, block: int, skip: int, count: int, flags: str) -> None:
    options = [f"iflag={flags}"] if flags else []
    command = ["dd", f"if={file}", f"bs={block}", f"skip={skip}", f"count={count}", "status=none"]
    first = skip if flags == "skip_bytes" else skip * block
    assert run(*command, *options).stdout == BYTES[first : first + block * count]


def test_split_and_cat(file: Path, tmp_path: Path) -> None:
    run("split", "-b", "100003", file, tmp_path / "part.")
    parts = sorted(tmp_path.glob("part.*"))
    assert len(parts) == -(-len(BYTES) // 100_003)
    assert run("cat", *parts).stdout == BYTES


def test_split_by_number(file: Path, tmp_path: Path) -> None:
    """It seeks to its piece."""
    assert (
        run("split", "-n", "3/7", file).stdout == BYTES[len(BYTES) // 7 * 2 : len(BYTES) // 7 * 3]
    )


def test_cmp_finds_no_difference(file: Path, tmp_path: Path) -> None:
    (tmp_path / "copy").write_bytes(BYTES)
    run("cmp", file, tmp_path / "copy")


def test_head_and_tail(file: Path) -> None:
    assert run("head", "-c", "1001", file).stdout == BYTES[:1001]
    assert run("tail", "-c", "1001", file).stdout == BYTES[-1001:]
    assert run("tail", "-c", "+1001", file).stdout == BYTES[1000:]


def test_wc_counts_all(file: Path) -> None:
    assert run("wc", "-c", file).stdout.split()[0] == b"%d" % len(BYTES)


def test_od_skips(file: Path) -> None:
    done = run("od", "-A", "n", "-t", "f8", "-j", "8000", "-N", "8", file)
    assert float(done.stdout) == GRID.reshape(-1)[1000]


def test_du_counts_next_to_nothing(shared: Mounted) -> None:
    assert int(run("du", "-s", "--block-size=1", shared.path / "bin").stdout.split()[0]) < 2**15
    apparent = run("du", "-s", "--apparent-size", "--block-size=1", shared.path / "bin/grid.bin")
    assert int(apparent.stdout.split()[0]) == len(BYTES)


def test_find_descends_everywhere(shared: Mounted) -> None:
    found = run("find", shared.path / "bin", "-type", "f", "-name", "*.bin").stdout.split()
    names = {os.path.relpath(os.fsdecode(path), shared.path / "bin") for path in found}
    assert names == {"empty.bin", "grid.bin", "rows.bin", "scalar.bin", "inner/small.bin"}


def test_df_shows_room(shared: Mounted) -> None:
    fields = run("df", "--output=size,target", "-B1", shared.path).stdout.splitlines()[1].split()
    assert int(fields[0]) > 0
    assert fields[1] == os.fsencode(shared.path)


def test_grep_reads_a_binary_file(file: Path) -> None:
    done = subprocess.run(
        ["grep", "-c", "--binary-files=text", "x", file],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode in {0, 1}
    assert int(done.stdout) == sum(b"x" in line for line in BYTES.split(b"\n"))
