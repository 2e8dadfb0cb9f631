"""``zarrfs create``: what it makes of its options, of wrong ones, and of being stopped."""

from __future__ import annotations

import fcntl
import json
import signal
import subprocess
import sys
import termios
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import zarrfs as api
from tests.cli.terminal import run_on_terminal
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    Program = Callable[..., tuple[int, str, str]]

DATA = np.arange(1, 61, dtype="i4").reshape(6, 10)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return str(tmp_path / "d.zarr" / "a" / "t")


# --- options ------------------------------------------------------------------------------------


def test_an_array_with_all_options(zarrfs: Program, url: str) -> None:
    code, output, messages = zarrfs(
        "create", url, "--shape", "100,90", "--dtype", ">f4", "--chunks", "10,30",
        "--shards", "50,90", "--codec", "zstd:level=5", "--codec", "crc32c", "--fill-value", "NaN",
        "--dimension-names", "y,", "--attributes", '{"units": "K"}', "--order", "F",
    )  # fmt: skip
    array = api.open_array(url)
    assert (code, messages) == (0, "")
    assert output == (
        "created array /a/t: float32 (100, 90), chunks of (10, 30) in shards of (50, 90)\n"
    )
    assert (array.shape, array.chunks, array.shards) == ((100, 90), (10, 30), (50, 90))
    assert (array.dimension_names, dict(array.attributes)) == (("y", None), {"units": "K"})
    assert str(array.fill_value) == "nan"
    [sharding] = array.codecs
    inner = sharding.configuration["codecs"]
    assert [codec["name"] for codec in inner] == ["transpose", "bytes", "zstd", "crc32c"]
    assert inner[1]["configuration"] == {"endian": "big"}


def test_what_is_not_said_is_chosen(zarrfs: Program, url: str) -> None:
    assert zarrfs("create", url, "--shape", "1000,1000", "--dtype", "float64")[0] == 0
    array = api.open_array(url)
    assert (array.zarr_format, array.shards, array.fill_value) == (3, None, 0)
    assert array.chunks == (250, 500)
    assert [codec.name for codec in array.codecs] == ["bytes", "zstd"]


def test_groups_above_are_created(zarrfs: Program, url: str, tmp_path: Path) -> None:
    assert zarrfs("create", url, "--shape", "1", "--dtype", "u1")[0] == 0
    assert isinstance(api.open(tmp_path / "d.zarr" / "a"), api.Group)
    assert (tmp_path / "d.zarr" / "zarr.json").exists()


def test_v2_with_filters_and_compressor(zarrfs: Program, url: str, tmp_path: Path) -> None:
    code, _, _ = zarrfs(
        "create", url, "--shape", "10", "--dtype", "<i4", "--zarr-format", "2",
        "--filter", "delta:dtype=<i4", "--codec", "blosc:cname=lz4,clevel=3",
    )  # fmt: skip
    document = json.loads((tmp_path / "d.zarr/a/t/.zarray").read_text())
    assert code == 0
    assert [step["id"] for step in document["filters"]] == ["delta"]
    assert (document["compressor"]["id"], document["compressor"]["cname"]) == ("blosc", "lz4")


def test_overwriting_is_asked_for(zarrfs: Program, url: str) -> None:
    assert zarrfs("create", url, "--shape", "1", "--dtype", "u1")[0] == 0
    code, _, message = zarrfs("create", url, "--shape", "2", "--dtype", "u1")
    assert (code, message.count("\n")) == (1, 1)
    assert "overwrite" in message
    assert api.open_array(url).shape == (1,)
    assert zarrfs("create", url, "--shape", "2", "--dtype", "u1", "--overwrite")[0] == 0
    assert api.open_array(url).shape == (2,)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ([], "--shape is needed"),
        (["--shape", "3"], "--dtype is needed"),
        (["--shape", "3x3", "--dtype", "u1"], "--shape '3x3': '3x3' is no length"),
        (["--shape", "-1", "--dtype", "u1"], "'-1' is no length"),
        (["--shape", "1e3", "--dtype", "u1"], "'1e3' is no length"),
        (["--shape", "", "--dtype", "u1"], "no lengths"),
        (["--shape", "1" + "0" * 30, "--dtype", "u1"], "is not within 0 and 9223372036854775807"),
        (["--shape", "3", "--dtype", "flaot32"], "did you mean float32 or"),
        (["--shape", "3", "--dtype", "u1", "--chunks", "2,2"], "--chunks: has 2 dimensions"),
        (
            ["--shape", "9", "--dtype", "u1", "--chunks", "2", "--shards", "3"],
            "--chunks: of shape [2] do not",
        ),
        (["--shape", "9", "--dtype", "u1", "--shards", "3"], "--shards: "),
        (["--shape", "3", "--dtype", "u1", "--codec", "zstdd"], "did you mean 'zstd'"),
        (["--shape", "3", "--dtype", "u1", "--codec", "zstd:level=99"], "--codec: zstd.level: "),
        (["--shape", "3", "--dtype", "u1", "--fill-value", "256"], "--fill-value: must be"),
        (
            ["--shape", "3", "--dtype", "u1", "--attributes", "[]"],
            "--attributes []: must be a JSON",
        ),
        (["--shape", "3", "--dtype", "u1", "--dimension-names", "y,x"], "--dimension-names: "),
        (["--shape", "3", "--dtype", "u1", "-o", "colour=red"], "colour"),
    ],
)
def test_wrong_values_are_told_in_one_line(
    arguments: list[str], part: str, zarrfs: Program, url: str, tmp_path: Path
) -> None:
    code, output, message = zarrfs("create", url, *arguments)
    assert (code, output, message.count("\n")) == (2, "", 1)
    assert message.startswith("zarrfs: ")
    assert part in message
    assert not (tmp_path / "d.zarr").exists()


def test_an_array_is_no_place_for_another(zarrfs: Program, url: str) -> None:
    zarrfs("create", url, "--shape", "1", "--dtype", "u1")
    code, _, message = zarrfs("create", f"{url}/sub", "--shape", "1", "--dtype", "u1")
    assert (code, message.count("\n")) == (1, 1)
    assert "'a/t' is an array" in message


# --- from a file --------------------------------------------------------------------------------


def test_from_npy(zarrfs: Program, url: str, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", DATA)
    code, output, messages = zarrfs("create", url, "--from", tmp_path / "x.npy")
    assert (code, messages) == (0, f"zarrfs: writing {url}: 100 % (240 bytes of 240 bytes)\n")
    assert output == "created array /a/t: int32 (6, 10), chunks of (6, 10)\n"
    np.testing.assert_array_equal(api.load(url), DATA)


def test_from_npy_as_another_type(zarrfs: Program, url: str, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.asfortranarray(DATA.astype(">f8")))
    assert zarrfs("create", url, "--from", tmp_path / "x.npy", "--dtype", "float32")[0] == 0
    assert api.open_array(url).dtype == np.float32
    np.testing.assert_array_equal(api.load(url), DATA)


def test_from_big_endian_npy(zarrfs: Program, url: str, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", DATA.astype(">i4"))
    assert zarrfs("create", url, "--from", tmp_path / "x.npy")[0] == 0
    assert api.open_array(url).codecs[0].configuration == {"endian": "little"}
    np.testing.assert_array_equal(api.load(url), DATA)


def test_npy_of_elements_that_zarr_does_not_have(zarrfs: Program, url: str, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros(3, np.longdouble))
    code, _, message = zarrfs("create", url, "--from", tmp_path / "x.npy")
    assert (code, message.count("\n")) == (2, 1)
    assert "cannot be stored" in message


def test_from_flat_file(zarrfs: Program, url: str, tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_bytes(DATA.tobytes())
    code, _, _ = zarrfs(
        "create", url, "--shape", "6,10", "--dtype", ">i4", "--from", tmp_path / "x.bin"
    )
    assert code == 0
    np.testing.assert_array_equal(api.load(url), DATA)


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("x.bin", "has 240 bytes, but the array takes 244"),
        ("none", "cannot be opened"),
        (".", "is a directory"),
    ],
)
def test_file_that_does_not_fit_is_a_failure(
    name: str, part: str, zarrfs: Program, url: str, tmp_path: Path
) -> None:
    (tmp_path / "x.bin").write_bytes(DATA.tobytes())
    code, output, message = zarrfs(
        "create", url, "--shape", "61", "--dtype", "i4", "--from", tmp_path / name
    )
    assert (code, output, message.count("\n")) == (1, "", 1)
    assert part in message
    assert not (tmp_path / "d.zarr").exists()


# --- as a process -------------------------------------------------------------------------------

ROWS, ROW_BYTES = 40, 2**20
"""More than is read at a time, in chunks of a row each."""


def start(url: str, *more: str, **options: Any) -> subprocess.Popen[bytes]:
    arguments = ["--shape", f"{ROWS},{ROW_BYTES}", "--dtype", "u1", "--chunks", f"1,{ROW_BYTES}"]
    command = [sys.executable, "-m", "zarrfs", "create", url, "--from", "-", "--codec", "none"]
    return subprocess.Popen(
        [*command, *arguments, *more], stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options
    )


def write_most(process: subprocess.Popen[bytes], chunks: Path) -> None:
    """Give all but the last row; return when chunks are stored, and it waits for more."""
    pipe = process.stdin
    assert pipe
    pipe.write(b"\1" * (ROWS - 1) * ROW_BYTES)
    pipe.flush()
    status = Path(f"/proc/{process.pid}/stat")

    def waits() -> bool:
        n_left = fcntl.ioctl(pipe, termios.FIONREAD, bytes(4))
        return not any(n_left) and status.read_text().rpartition(")")[2].split()[0] == "S"

    wait_until(chunks.exists)
    wait_until(waits)


def test_from_standard_input(url: str) -> None:
    with start(url, stderr=subprocess.PIPE) as process:
        _, messages = process.communicate(b"\1" * ROWS * ROW_BYTES, timeout=60)
    assert process.returncode == 0
    assert messages.endswith(b"100 % (40.0 MiB of 40.0 MiB)\n")
    assert (api.load(url) == 1).all()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_deletes_what_was_written(
    url: str, tmp_path: Path, number: signal.Signals
) -> None:
    with start(url, stderr=subprocess.PIPE) as process:
        write_most(process, tmp_path / "d.zarr/a/t/c")
        process.send_signal(number)
        assert process.stderr
        messages = process.stderr.read()
    assert process.returncode == 130
    assert messages == f"zarrfs: interrupted: what was written of {url} is deleted again\n".encode()
    assert not (tmp_path / "d.zarr/a/t").exists()
    assert list(api.open_group(tmp_path / "d.zarr/a")) == []


def test_after_a_kill_there_is_no_array_and_it_can_be_created(
    zarrfs: Program, url: str, tmp_path: Path
) -> None:
    with start(url, stderr=subprocess.PIPE) as process:
        write_most(process, tmp_path / "d.zarr/a/t/c")
        process.kill()
    assert zarrfs("info", url)[0] == 1
    assert zarrfs("create", url, "--shape", "3", "--dtype", "u1")[0] == 0
    assert api.load(url).tolist() == [0, 0, 0]
    assert [path.name for path in (tmp_path / "d.zarr/a/t").iterdir()] == ["zarr.json"]


def test_of_two_that_fill_one_place_the_second_is_told(
    zarrfs: Program, url: str, tmp_path: Path
) -> None:
    with start(url, stderr=subprocess.PIPE) as process:
        write_most(process, tmp_path / "d.zarr/a/t/c")
        np.save(tmp_path / "x.npy", DATA)
        for more in ([], ["--overwrite"], ["--overwrite", "--from", str(tmp_path / "x.npy")]):
            code, _, message = zarrfs("create", url, "--shape", "6,10", "--dtype", "i4", *more)
            assert code == 1
            assert f"process {process.pid} of host" in message
        process.communicate(b"\1" * ROW_BYTES, timeout=60)
    assert process.returncode == 0
    assert (api.load(url) == 1).all()


def test_a_terminal_shows_a_bar(url: str, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", DATA)
    command = [sys.executable, "-m", "zarrfs", "create", url, "--from", str(tmp_path / "x.npy")]
    code, output = run_on_terminal(command, "stderr")
    assert code == 0
    assert f"writing {url}  [####################################]  100%".encode() in output
