"""The promises of a read-only mount, by their numbers in the contract: docs/reference.

Each is tested once here, as a user would see it; `test_faults`, `test_hanging`, `test_memory` and
`test_read_only` go into the details of 1, 12, 14 and 11.
"""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

import zarrfs
from tests.mounted.conftest import GRID, ROW_CHUNK_BYTES, ROWS
from tests.mounted.mounting import mounted, run, scripted
from tests.plain_arrays import sample, write_array
from tests.waiting import wait_until
from zarrfs.mounts.mountinfo import mounted_at
from zarrfs.mounts.state import find_daemon

if TYPE_CHECKING:
    from tests.mounted.mounting import Mounted

LONG = 3600
"""Seconds for which the kernel believes what it was told, where no test waits for it to end."""


def replace_file(path: Path, data: bytes) -> None:
    """Replace a file whole, as a store does."""
    new = path.with_name(f"{path.name}.new")
    new.write_bytes(data)
    new.replace(path)


def refresh(mount: Mounted, *arguments: str) -> None:
    """Run ``zarrfs refresh``."""
    run(sys.executable, "-m", "zarrfs", "refresh", mount.path, *arguments)


# --- 1 ------------------------------------------------------------------------------------------


def test_1_any_byte_range_is_that_of_the_decoded_array(store: Path, mountpoint: Path) -> None:
    (store / "grid/c/1/1/1").unlink()
    expected = GRID.copy()
    expected[16:32, 32:64, 20:40] = 0  # never written: the fill value
    chance = random.Random(1)
    with mounted(store, mountpoint, ro=True) as mount:
        with (mount.path / "bin/grid.bin").open("rb", buffering=0) as file:
            for _ in range(300):
                offset, size = chance.randrange(GRID.nbytes), int(2 ** chance.uniform(0, 17))
                data = os.pread(file.fileno(), size, offset)
                assert data == expected.tobytes()[offset : offset + size]
        header = (mount.path / "npy/grid.npy").read_bytes()[: -GRID.nbytes]
        assert (mount.path / "npy/grid.npy").read_bytes() == header + expected.tobytes()
        np.testing.assert_array_equal(np.load(mount.path / "npy/grid.npy"), expected)


def test_1_a_bad_chunk_is_eio_for_its_bytes_never_zeros(store: Path, mountpoint: Path) -> None:
    replace_file(store / "rows/c/15/0", bytes(ROW_CHUNK_BYTES + 4))
    with mounted(store, mountpoint, ro=True, attr_timeout=LONG) as mount:
        mount.expect_log("ERROR .*'rows', object 'rows/c/15/0': .*crc32c", times=1)
        target = mount.path.parent / "copy"
        done = subprocess.run(
            ["dd", f"if={mount.path}/bin/rows.bin", f"of={target}", "bs=1M"],
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 1
        assert b"Input/output error" in done.stderr
        assert target.read_bytes() == ROWS.tobytes()[: 15 * ROW_CHUNK_BYTES]


# --- 10 -----------------------------------------------------------------------------------------


def test_10_a_resize_is_seen_after_attr_timeout(store: Path, mountpoint: Path) -> None:
    with mounted(store, mountpoint, ro=True, attr_timeout=1) as mount:
        path = mount.path / "bin/rows.bin"
        assert path.read_bytes() == ROWS.tobytes()
        larger = np.concatenate([ROWS, sample(32, 512)])
        write_array(store / "rows", larger, (16, 512), checksum=True)
        wait_until(lambda: path.stat().st_size == larger.nbytes)
        assert path.read_bytes() == larger.tobytes()
        np.testing.assert_array_equal(np.load(mount.path / "npy/rows.npy"), larger)


def test_10_an_open_file_grows_and_shrinks_with_its_array(store: Path, mountpoint: Path) -> None:
    with (
        mounted(store, mountpoint, ro=True, attr_timeout=1) as mount,
        (mount.path / "bin/rows.bin").open("rb", buffering=0) as file,
    ):
        for n_rows in (288, 128, 256):
            data = np.resize(ROWS, (n_rows, 512))
            write_array(store / "rows", data, (16, 512), checksum=True)
            wait_until(lambda: os.fstat(file.fileno()).st_size == data.nbytes)  # noqa: B023
            tail = os.pread(file.fileno(), 2**20, data.nbytes - 4096)
            assert tail == data.tobytes()[-4096:]


def test_10_arrays_that_come_and_go_are_seen_after_attr_timeout(
    store: Path, mountpoint: Path
) -> None:
    with mounted(store, mountpoint, ro=True, attr_timeout=1) as mount:
        new, old = mount.path / "bin/new.bin", mount.path / "bin/rows.bin"
        assert not new.exists()
        assert old.exists()
        data = sample(4, 4)
        write_array(store / "new", data, (2, 4))
        shutil.rmtree(store / "rows")
        wait_until(new.exists)
        wait_until(lambda: not old.exists())
        assert new.read_bytes() == data.tobytes()
        names = {path.name for path in (mount.path / "bin").iterdir()}
        assert "new.bin" in names
        assert "rows.bin" not in names


def test_10_a_removed_array_is_an_error_in_an_open_file_not_zeros(
    store: Path, mountpoint: Path
) -> None:
    with mounted(store, mountpoint, ro=True, attr_timeout=1) as mount:
        mount.allow_log("ERROR .*rows")  # unless the kernel has noticed by itself
        path = mount.path / "bin/rows.bin"
        opened = os.open(path, os.O_RDONLY | os.O_DIRECT)
        assert os.pread(opened, 8, 0) == ROWS.tobytes()[:8]
        shutil.rmtree(store / "rows")
        wait_until(lambda: not path.exists())
        with pytest.raises(OSError, match=r"Input/output error|No such file"):
            os.pread(opened, 8, 2**16)
        os.close(opened)


def test_10_changed_attributes_are_seen_after_attr_timeout(store: Path, mountpoint: Path) -> None:
    with mounted(store, mountpoint, ro=True, attr_timeout=1) as mount:
        sidecar = mount.path / "bin/rows.json"
        assert json.loads(sidecar.read_bytes())["attributes"] == {}
        document = json.loads((store / "rows/zarr.json").read_bytes())
        document["attributes"] = {"units": "K"}
        replace_file(store / "rows/zarr.json", json.dumps(document).encode())
        wait_until(lambda: json.loads(sidecar.read_bytes())["attributes"] == {"units": "K"})


def test_10_chunk_data_is_seen_at_the_next_open_after_attr_timeout(
    store: Path, mountpoint: Path
) -> None:
    with mounted(store, mountpoint, ro=True, attr_timeout=1) as mount:
        path, npy = mount.path / "bin/rows.bin", mount.path / "npy/rows.npy"
        assert path.read_bytes() == ROWS.tobytes()
        np.testing.assert_array_equal(np.load(npy), ROWS)
        changed = ROWS.copy()
        changed[:16] += 1
        write_array(store / "rows", changed, (16, 512), checksum=True)
        wait_until(lambda: path.read_bytes() == changed.tobytes())
        # The other view has its own pages in the kernel.
        wait_until(lambda: np.array_equal(np.load(npy), changed))


def test_10_a_chunk_that_was_missing_is_seen_too(store: Path, mountpoint: Path) -> None:
    chunk = store / "rows/c/3/0"
    data = chunk.read_bytes()
    chunk.unlink()
    with mounted(store, mountpoint, ro=True, attr_timeout=1) as mount:
        path = mount.path / "bin/rows.bin"
        assert path.read_bytes() != ROWS.tobytes()
        replace_file(chunk, data)
        wait_until(lambda: path.read_bytes() == ROWS.tobytes())


def test_10_raw_keys_change_after_attr_timeout(store: Path, mountpoint: Path) -> None:
    with mounted(store, mountpoint, ro=True, attr_timeout=1) as mount:
        path = mount.path / "zarr/rows/c/0/0"
        assert len(path.read_bytes()) == ROW_CHUNK_BYTES + 4
        replace_file(store / "rows/c/0/0", b"other")
        wait_until(lambda: path.read_bytes() == b"other")


@pytest.mark.parametrize(
    "argument", [[], ["rows"], ["bin/rows.bin"], ["{mount}/bin/rows.bin"]], ids=" ".join
)
def test_10_refresh_shows_changes_at_once(
    store: Path, mountpoint: Path, argument: list[str]
) -> None:
    with mounted(store, mountpoint, ro=True, attr_timeout=LONG) as mount:
        path = mount.path / "bin/rows.bin"
        assert path.read_bytes() == ROWS.tobytes()
        changed = ROWS + 1
        write_array(store / "rows", changed, (16, 512), checksum=True)
        assert path.read_bytes() == ROWS.tobytes()
        refresh(mount, *(part.format(mount=mount.path) for part in argument))
        assert path.read_bytes() == changed.tobytes()


def test_10_refresh_shows_what_has_come_and_gone_at_once(store: Path, mountpoint: Path) -> None:
    with mounted(store, mountpoint, ro=True, attr_timeout=LONG) as mount:
        new, old = mount.path / "bin/new.bin", mount.path / "bin/rows.bin"
        assert not new.exists()
        assert old.stat().st_size == ROWS.nbytes
        write_array(store / "new", sample(4, 4), (2, 4))
        shutil.rmtree(store / "rows")
        assert not new.exists()
        assert old.stat().st_size == ROWS.nbytes
        refresh(mount)
        assert new.stat().st_size == 128
        assert not old.exists()


def test_10_refresh_shows_a_resize_at_once_in_an_open_file(store: Path, mountpoint: Path) -> None:
    with (
        mounted(store, mountpoint, ro=True, attr_timeout=LONG) as mount,
        (mount.path / "bin/rows.bin").open("rb") as file,
    ):
        write_array(store / "rows", ROWS[:128], (16, 512), checksum=True)
        assert os.fstat(file.fileno()).st_size == ROWS.nbytes
        refresh(mount)
        assert os.fstat(file.fileno()).st_size == ROWS.nbytes // 2


def test_10_attr_timeout_0_always_asks(store: Path, mountpoint: Path) -> None:
    with mounted(store, mountpoint, ro=True, attr_timeout=0) as mount:
        path, new = mount.path / "bin/rows.bin", mount.path / "bin/new.bin"
        assert not new.exists()
        assert path.read_bytes() == ROWS.tobytes()
        write_array(store / "new", sample(4, 4), (2, 4))
        write_array(store / "rows", ROWS[:128], (16, 512), checksum=True)
        assert new.stat().st_size == 128
        assert path.read_bytes() == ROWS[:128].tobytes()


@pytest.mark.parametrize(("keep_cache", "is_asked"), [(True, False), (False, True)])
def test_10_pages_are_kept_from_open_to_open_or_not(
    store: Path, mountpoint: Path, keep_cache: bool, is_asked: bool
) -> None:
    with mounted(store, mountpoint, ro=True, attr_timeout=LONG, keep_cache=keep_cache) as mount:
        path = mount.path / "bin/rows.bin"
        path.read_bytes()
        path.read_bytes()  # from here on the kernel knows that it may keep them
        served = mount.stats()["bytes_served"]
        path.read_bytes()
        assert (mount.stats()["bytes_served"] - served > ROWS.nbytes) is is_asked


# --- 11 -----------------------------------------------------------------------------------------


def test_11_every_mount_of_this_version_is_read_only_and_says_so(
    store: Path, mountpoint: Path
) -> None:
    command = [sys.executable, "-m", "zarrfs", "mount", str(store), str(mountpoint)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    try:
        assert done.returncode == 0
        assert "read-only" in done.stderr
        with pytest.raises(OSError, match="Read-only file system") as caught:
            (mountpoint / "bin/rows.bin").open("r+b")
        assert caught.value.errno == errno.EROFS
    finally:
        zarrfs.unmount(mountpoint)


# --- 12 -----------------------------------------------------------------------------------------


def test_12_every_request_ends_and_the_mount_is_taken_away(store: Path, mountpoint: Path) -> None:
    url = f"fault+{store}?hang=get&keys=*/c/*"
    with mounted(url, mountpoint, ro=True, timeout=2) as mount:
        mount.expect_log("ERROR .*no data within 2 s")
        names = ["bin/rows.bin", "npy/rows.npy", "bin/grid.bin", "zarr/grid/c/0/0/0"]

        def read(name: str) -> int:
            try:
                (mount.path / name).read_bytes()
            except OSError as error:
                return error.errno or 0
            return 0

        started = time.monotonic()
        with ThreadPoolExecutor(len(names)) as pool:
            assert list(pool.map(read, names)) == [errno.EIO] * len(names)
        assert time.monotonic() - started >= 2
        mount.judge_log()
        zarrfs.unmount(mountpoint)
    assert mounted_at(str(mountpoint)) is None


# --- 13 -----------------------------------------------------------------------------------------


def test_13_one_wrong_array_never_takes_the_mount_down(store: Path, mountpoint: Path) -> None:
    with scripted(store, mountpoint, attr_timeout=0) as mount:
        mount.expect_log(".")
        mount.tell("misprogram", keys="rows/*")
        for request in (
            lambda: (mount.path / "zarr/rows/zarr.json").stat(),
            lambda: (mount.path / "bin/rows.bin").read_bytes(),
            lambda: list((mount.path / "zarr/rows/c/0").iterdir()),
        ):
            for _ in range(3):
                with pytest.raises(OSError, match="Input/output error"):
                    request()
        assert "Traceback" in mount.log()
        assert mount.stats()["errors"] > 0
        assert (mount.path / "bin/grid.bin").read_bytes() == GRID.tobytes()
        mount.heal()
        assert (mount.path / "bin/rows.bin").read_bytes() == ROWS.tobytes()


def test_13_damaged_metadata_leaves_the_rest_alone(store: Path, mountpoint: Path) -> None:
    (store / "rows/zarr.json").write_bytes(b'{"zarr_format": 3, "node_type": "array"')
    with mounted(store, mountpoint, ro=True) as mount:
        names = {path.name for path in (mount.path / "bin").iterdir()}
        assert "rows.bin" not in names
        assert (mount.path / "bin/grid.bin").read_bytes() == GRID.tobytes()
        assert (mount.path / "zarr/rows/zarr.json").stat().st_size == 39
        assert "rows" in (mount.path / "README.txt").read_text()


# --- 14 -----------------------------------------------------------------------------------------


def test_14_memory_stays_within_the_limit_and_all_readers_finish(
    store: Path, mountpoint: Path
) -> None:
    with mounted(store, mountpoint, ro=True, memory="16M") as mount:
        paths = [mount.path / name for name in ("bin/rows.bin", "bin/grid.bin")] * 8
        with ThreadPoolExecutor(len(paths)) as pool:
            data = list(pool.map(Path.read_bytes, paths))
        assert data == [ROWS.tobytes(), GRID.tobytes()] * 8
        memory = mount.stats()["memory"]
        assert memory["peak"] <= memory["limit"] == 16 * 2**20


# --- 15 -----------------------------------------------------------------------------------------

SECRET = "hunter22-do-not-tell"

# A store of another package, that takes credentials and is careless with them: imported by each
# interpreter that has its folder on the path.
PLUG_IN = f"""
import zarrfs
from zarrfs.errors import StoreError
from zarrfs.stores.memory import MemoryStore

class VaultStore(MemoryStore):
    def __init__(self, place):
        assert place == "alice:{SECRET}@host"
        super().__init__()
        super().set("zarr.json", b'{{"zarr_format": 3, "node_type": "group"}}')
        super().set("key", b"value")

    @property
    def url(self):
        return "vault://host"

    def get(self, key, byte_range=None):
        if key == "key":
            raise StoreError("get", key, "401 for vault://alice:{SECRET}@host", store=self.url)
        return super().get(key, byte_range)

zarrfs.register_store("vault", VaultStore)
"""


def test_15_credentials_show_nowhere_while_mounted(
    mountpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "plug_in").mkdir()
    (tmp_path / "plug_in/sitecustomize.py").write_text(PLUG_IN)
    path = os.pathsep.join([str(tmp_path / "plug_in"), str(Path(__file__).parents[2])])
    monkeypatch.setenv("PYTHONPATH", path)
    with mounted(f"vault://alice:{SECRET}@host", mountpoint, ro=True, debug=True) as mount:
        mount.expect_log(r"ERROR .*401 for vault://\S*\*\*\*\S*@host")
        with pytest.raises(OSError, match="Input/output error"):
            (mount.path / "zarr/key").read_bytes()
        found = find_daemon(str(mountpoint))
        assert found is not None
        process = Path(f"/proc/{mount.pid}")
        places = {
            "ps": run("ps", "-eww", "-o", "args").stdout,
            "arguments": (process / "cmdline").read_bytes(),
            "environment": (process / "environ").read_bytes(),
            "mount table": Path("/proc/self/mountinfo").read_bytes(),
            "list": run(sys.executable, "-m", "zarrfs", "list", "--json").stdout,
            "log": mount.log().encode(),
            "stats.json": (mount.path / ".zarrfs/stats.json").read_bytes(),
            "README.txt": (mount.path / "README.txt").read_bytes(),
        }
        files = {path.name: path.read_bytes() for path in found[0].path.iterdir() if path.is_file()}
        assert all(places.values())
        assert "record.json" in files
        told = {name for name, text in (places | files).items() if SECRET.encode() in text}
        assert told == set()


@pytest.mark.parametrize(
    "arguments",
    [
        [f"file:///nowhere?secret_key={SECRET}"],
        [f"s4://alice:{SECRET}@host/bucket"],
        ["/nowhere", "-o", f"secret_key={SECRET}"],
        [f"fault+/nowhere?password={SECRET}"],
        [f"memory://alice:{SECRET}@host"],
        ["memory://name", "-o", f"token={SECRET}"],
    ],
)
@pytest.mark.parametrize("debug", [[], ["--debug"]], ids=["plain", "debug"])
def test_15_credentials_are_in_no_error(
    mountpoint: Path, arguments: list[str], debug: list[str]
) -> None:
    store, *options = arguments
    command = [sys.executable, "-m", "zarrfs", *debug, "mount", store, str(mountpoint), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    assert done.stderr
    assert SECRET not in done.stdout + done.stderr
