"""What may stand where a document or a chunk should: no file, or one without end."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import zarrfs
from tests.refusals.refusal import GOOD, GROUP
from zarrfs.api.array import Array
from zarrfs.errors import ChunkError, MetadataError, StoreError, ZarrfsError

if TYPE_CHECKING:
    from collections.abc import Callable

    Place = Callable[[Path], object]

TERABYTE = 2**40
MOST_MEMORY = 200 * 2**20

ZEROS = [0, 0, 0, 0]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A group with the array ``a``, none of whose chunks is stored."""
    folder = tmp_path / "s.zarr"
    (folder / "a").mkdir(parents=True)
    (folder / "zarr.json").write_bytes(GROUP)
    (folder / "a/zarr.json").write_bytes(GOOD)
    return folder


def sparse(path: Path) -> None:
    """Make a file of a TiB that takes no room on the disk."""
    with path.open("wb") as file:
        file.truncate(TERABYTE)


def read(place: Path) -> object:
    array = zarrfs.open(place)
    assert isinstance(array, Array)
    return array[...].tolist()


def instead(path: Path, make: Place) -> None:
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    path.parent.mkdir(exist_ok=True)
    make(path)


LOOP: Place = lambda path: path.symlink_to(path.name)  # noqa: E731 (a table of them)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        pytest.param(LOOP, StoreError, "symbolic links", id="link to itself"),
        pytest.param(
            lambda path: path.symlink_to("gone"), StoreError, "leads nowhere", id="dead link"
        ),
        pytest.param(sparse, MetadataError, "zarrfs reads documents of up to", id="1 TiB"),
    ],
)
def test_a_document_that_cannot_be_read_is_an_error_that_names_it(
    store: Path, make: Place, error: type[ZarrfsError], words: str
) -> None:
    instead(store / "a/zarr.json", make)
    with pytest.raises(error, match=r"a/zarr\.json") as raised:
        read(store / "a")
    assert words in str(raised.value)
    assert str(raised.value).isprintable()


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir], ids=["pipe", "directory"])
def test_what_is_no_file_is_no_document(store: Path, make: Place) -> None:
    instead(store / "a/zarr.json", make)
    with pytest.raises(zarrfs.errors.NodeNotFoundError):
        read(store / "a")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        pytest.param(LOOP, "symbolic links", id="link to itself"),
        pytest.param(lambda path: path.symlink_to("gone"), "leads nowhere", id="dead link"),
        pytest.param(sparse, f"has {TERABYTE} bytes, more than the", id="1 TiB"),
    ],
)
def test_a_chunk_that_cannot_be_read_is_an_error_that_names_it(
    store: Path, make: Place, words: str
) -> None:
    instead(store / "a/c/0", make)
    for _ in range(2):
        with pytest.raises(ChunkError, match="'a/c/0'") as raised:
            read(store / "a")
        assert words in str(raised.value)


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir], ids=["pipe", "directory"])
def test_what_is_no_file_is_no_chunk(store: Path, make: Place) -> None:
    instead(store / "a/c/0", make)
    assert read(store / "a") == ZEROS


def test_what_may_not_be_read_is_an_error_that_says_so(store: Path) -> None:
    (store / "a/zarr.json").chmod(0)
    # Root may read everything by virtue of these capabilities.
    as_others = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    program = "import zarrfs, sys; zarrfs.open(sys.argv[1])"
    done = subprocess.run(
        [*(as_others if os.getuid() == 0 else ()), sys.executable, "-c", program, store / "a"],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    last = done.stderr.splitlines()[-1]
    assert last.startswith("zarrfs.errors.StorePermissionError: cannot get a/zarr.json in")


def test_a_folder_that_leads_back_to_itself_is_walked_once(store: Path) -> None:
    (store / "b").symlink_to(store)
    group = zarrfs.open_group(store)
    assert list(group) == ["a"]


# --- zip archives ---------------------------------------------------------------------------


def zipped(folder: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(folder / "s.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {"zarr.json": GROUP, **members}.items():
            archive.writestr(name, data)
    return folder / "s.zip"


def test_a_member_that_inflates_to_much_more_than_a_chunk_is_not_inflated(
    tmp_path: Path,
) -> None:
    archive = zipped(tmp_path, {"a/zarr.json": GOOD, "a/c/0": bytes(2**26)})
    with pytest.raises(ChunkError, match=f"has {2**26} bytes, more than the"):
        read(archive / "a")


def test_a_document_that_inflates_without_end_is_not_inflated(tmp_path: Path) -> None:
    archive = zipped(tmp_path, {"a/zarr.json": GOOD + bytes(2**26)})
    with pytest.raises(MetadataError, match="zarrfs reads documents of up to"):
        read(archive / "a")


def test_a_member_that_says_less_than_it_holds_is_damaged(
    tmp_path: Path,
) -> None:
    archive = zipped(tmp_path, {"a/zarr.json": GOOD, "a/c/0": bytes(2**26)})
    lying = archive.read_bytes().replace((2**26).to_bytes(4, "little"), (16).to_bytes(4, "little"))
    archive.write_bytes(lying)
    with pytest.raises(ChunkError, match="it is damaged: 16 bytes were promised"):
        read(archive / "a")


def test_members_that_overlap_are_read_each_for_itself(
    tmp_path: Path,
) -> None:
    """Two names of one member's bytes: the second one's checksum is not theirs."""
    archive = zipped(tmp_path, {"a/zarr.json": GOOD, "a/c/0": bytes(16), "b": b"1" * 16})
    data = archive.read_bytes()
    with zipfile.ZipFile(archive) as read_back:
        places = {one.filename: one.header_offset for one in read_back.infolist()}
    start = data.index(b"PK\x01\x02")
    offset = places["a/c/0"].to_bytes(4, "little")
    at = data.index(offset + b"a/c/0", start)
    archive.write_bytes(data[:at] + places["b"].to_bytes(4, "little") + data[at + 4 :])
    with pytest.raises(ChunkError, match="it is damaged: its CRC-32 is wrong"):
        read(archive / "a")
