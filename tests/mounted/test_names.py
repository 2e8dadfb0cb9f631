"""Directories, attributes and names of a mount, as programs see them."""

from __future__ import annotations

import ctypes
import errno
import os
import stat
from typing import TYPE_CHECKING

import pytest

from tests.mounted.conftest import GRID
from tests.mounted.mounting import mounted, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.mounted.mounting import Mounted


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mounted]:
    """A mount of 500 keys that the kernel asks about once, then believes for an hour."""
    folder = tmp_path_factory.mktemp("patient").resolve()
    (folder / "store").mkdir()
    for n in range(500):
        (folder / "store" / f"key{n:03}").write_bytes(b"x" * n)
    with mounted(folder / "store", folder / "mnt", ro=True, attr_timeout=3600) as made:
        yield made


def test_trees_are_listed(shared: Mounted) -> None:
    assert sorted(path.name for path in shared.path.iterdir()) == [
        "README.txt",
        "bin",
        "npy",
        "zarr",
    ]


def test_links_are_listed(shared: Mounted) -> None:
    lines = run("ls", "-ai", shared.path / "bin").stdout.split()
    inodes = dict(zip(lines[1::2], map(int, lines[::2]), strict=True))
    assert inodes[b"."] == (shared.path / "bin").stat().st_ino
    assert inodes[b".."] == shared.path.stat().st_ino
    assert inodes[b"grid.bin"] == (shared.path / "bin/grid.bin").stat().st_ino


def test_links_lead_where_they_should(shared: Mounted) -> None:
    assert (shared.path / "bin/.././zarr/./zarr.json").is_file()
    assert (shared.path / "bin/inner/..").stat().st_ino == (shared.path / "bin").stat().st_ino


def test_long_listing_has_every_name_once(patient: Mounted) -> None:
    names = sorted(path.name for path in (patient.path / "zarr").iterdir())
    assert names == [f"key{n:03}" for n in range(500)]


def test_listing_brings_the_attributes(patient: Mounted) -> None:
    with os.scandir(patient.path / "zarr") as entries:
        listed = list(entries)
    before = patient.counted("lookup")
    assert sum(entry.stat().st_size for entry in listed) == sum(range(500))
    # The log's own path is what is looked up meanwhile.
    assert patient.counted("lookup") - before <= 2


class Directory:
    """The directory functions of the C library, which Python does not have."""

    def __init__(self, path: Path) -> None:
        self.libc = ctypes.CDLL(None, use_errno=True)
        for name in ("opendir", "readdir"):
            getattr(self.libc, name).restype = ctypes.c_void_p
        self.libc.telldir.restype = ctypes.c_long
        self.stream = ctypes.c_void_p(self.libc.opendir(os.fsencode(path)))
        assert self.stream.value

    def read(self) -> bytes | None:
        entry = self.libc.readdir(self.stream)
        # struct dirent of Linux: 19 bytes before the name
        return ctypes.string_at(entry + 19) if entry else None

    def rest(self) -> list[bytes]:
        return list(iter(self.read, None))

    def tell(self) -> int:
        position: int = self.libc.telldir(self.stream)
        return position

    def seek(self, position: int) -> None:
        self.libc.seekdir(self.stream, ctypes.c_long(position))

    def rewind(self) -> None:
        self.libc.rewinddir(self.stream)

    def close(self) -> None:
        self.libc.closedir(self.stream)


def test_position_in_a_directory_can_be_returned_to(patient: Mounted) -> None:
    directory = Directory(patient.path / "zarr")
    for _ in range(100):
        directory.read()
    position = directory.tell()
    rest = directory.rest()
    assert len(rest) == 402
    directory.seek(position)
    assert directory.rest() == rest
    directory.close()


def test_rewound_directory_is_the_present_one(store: Path, mountpoint: Path) -> None:
    with mounted(store, mountpoint, ro=True, attr_timeout=0) as mount:
        directory = Directory(mount.path / "zarr/inner")
        before = directory.rest()
        (store / "inner/new").write_bytes(b"")
        assert directory.rest() == []
        directory.rewind()
        assert sorted(directory.rest()) == sorted([*before, b"new"])
        directory.close()


def test_name_may_have_255_bytes_and_no_more(shared: Mounted) -> None:
    for name, number in (("x" * 255, errno.ENOENT), ("x" * 256, errno.ENAMETOOLONG)):
        with pytest.raises(OSError, match=r"x{9}") as caught:
            (shared.path / name).stat()
        assert caught.value.errno == number


def test_missing_name_is_asked_for_once(patient: Mounted) -> None:
    path = patient.path / "zarr" / "nothing"
    assert not path.exists()
    before = patient.counted("lookup")
    for _ in range(10):
        assert not path.exists()
    assert patient.counted("lookup") == before


def test_file_is_no_directory_and_the_other_way_round(shared: Mounted) -> None:
    with pytest.raises(NotADirectoryError):
        (shared.path / "bin/grid.bin/x").stat()
    with pytest.raises(NotADirectoryError):
        list((shared.path / "bin/grid.bin").iterdir())
    with pytest.raises(IsADirectoryError):
        (shared.path / "bin").read_bytes()


def test_inodes_are_the_same_in_the_next_mount(store: Path, mountpoint: Path) -> None:
    def inodes() -> dict[str, int]:
        with mounted(store, mountpoint, ro=True):
            return {str(path): path.stat().st_ino for path in (mountpoint, *mountpoint.rglob("*"))}

    first = inodes()
    assert len(first) > 50
    assert len(set(first.values())) == len(first)
    assert inodes() == first


def test_attributes_are_sane(shared: Mounted) -> None:
    for path in (shared.path, *shared.path.rglob("*")):
        found = path.lstat()
        assert (found.st_uid, found.st_gid) == (os.getuid(), os.getgid())
        assert stat.S_IMODE(found.st_mode) == (0o555 if path.is_dir() else 0o444)
        assert found.st_atime_ns == found.st_mtime_ns == found.st_ctime_ns > 1e18
        assert found.st_nlink == 1
        assert found.st_blksize == 2**20
        assert found.st_dev == shared.path.stat().st_dev


def test_flat_file_is_as_new_as_its_metadata(shared: Mounted) -> None:
    metadata = shared.path.parent / "store.zarr/grid/zarr.json"
    assert (shared.path / "bin/grid.bin").stat().st_mtime_ns == metadata.stat().st_mtime_ns


@pytest.mark.parametrize(
    ("path", "mode", "allowed"),
    [
        ("bin", os.R_OK | os.X_OK, True),
        ("bin", os.W_OK, False),
        ("bin/grid.bin", os.R_OK, True),
        ("bin/grid.bin", os.W_OK, False),
        ("bin/grid.bin", os.X_OK, False),
        ("bin/grid.bin", os.F_OK, True),
        ("bin/none", os.F_OK, False),
    ],
)
def test_access(shared: Mounted, path: str, mode: int, allowed: bool) -> None:
    assert os.access(shared.path / path, mode) is allowed


def test_file_cannot_be_executed(shared: Mounted) -> None:
    with pytest.raises(PermissionError):
        run(shared.path / "README.txt")


def test_statfs(shared: Mounted) -> None:
    told = os.statvfs(shared.path)
    disk = os.statvfs(shared.path.parent)
    assert told.f_blocks * told.f_frsize == disk.f_blocks * disk.f_frsize
    assert told.f_namemax == 255
    assert told.f_flag & os.ST_RDONLY


def test_xattrs_describe_the_array(shared: Mounted) -> None:
    file = shared.path / "bin/grid.bin"
    found = {name: os.getxattr(file, name) for name in os.listxattr(file)}
    assert found == {
        "user.zarr.shape": ",".join(map(str, GRID.shape)).encode(),
        "user.zarr.dtype": b"<f8",
        "user.zarr.chunks": b"16,32,20",
        "user.zarr.order": b"C",
    }
    assert os.listxattr(shared.path) == []


@pytest.mark.parametrize("name", ["user.none", "security.capability", "system.posix_acl_access"])
def test_other_xattrs_do_not_exist(shared: Mounted, name: str) -> None:
    with pytest.raises(OSError, match=r"grid\.bin") as caught:
        os.getxattr(shared.path / "bin/grid.bin", name)
    assert caught.value.errno in {errno.ENODATA, errno.EOPNOTSUPP}


def test_control_files_open_by_name_and_are_for_the_owner(shared: Mounted) -> None:
    folder = shared.path / ".zarrfs"
    assert folder not in list(shared.path.iterdir())
    assert stat.S_IMODE(folder.stat().st_mode) == 0o500
    assert sorted(path.name for path in folder.iterdir()) == ["log", "stats.json", "version"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o400}
