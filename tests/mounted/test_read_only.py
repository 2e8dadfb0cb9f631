"""Semantic 11: on a read-only mount every write is EROFS, and nothing changes."""

from __future__ import annotations

import errno
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.mounted.conftest import fill_store
from tests.mounted.mounting import mounted, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.mounted.mounting import Mounted

Call = "Callable[[Path], object]"

CALLS: dict[str, Callable[[Path], object]] = {
    "open for writing": lambda top: os.open(top / "bin/rows.bin", os.O_WRONLY),
    "open for both": lambda top: os.open(top / "bin/rows.bin", os.O_RDWR),
    "open for appending": lambda top: os.open(top / "bin/rows.bin", os.O_WRONLY | os.O_APPEND),
    "open raw key": lambda top: os.open(top / "zarr/zarr.json", os.O_RDWR),
    "open text": lambda top: os.open(top / "README.txt", os.O_RDWR),
    "open control file": lambda top: os.open(top / ".zarrfs/log", os.O_RDWR),
    "O_TRUNC": lambda top: os.open(top / "bin/rows.bin", os.O_WRONLY | os.O_TRUNC),
    "O_TRUNC for reading": lambda top: os.open(top / "bin/rows.bin", os.O_RDONLY | os.O_TRUNC),
    "O_CREAT": lambda top: os.open(top / "bin/new", os.O_CREAT | os.O_WRONLY),
    "O_CREAT for reading": lambda top: os.open(top / "zarr/new", os.O_CREAT | os.O_RDONLY),
    "truncate": lambda top: os.truncate(top / "bin/rows.bin", 5),
    "truncate to the same size": lambda top: os.truncate(
        top / "bin/rows.bin", (top / "bin/rows.bin").stat().st_size
    ),
    "mkdir": lambda top: (top / "bin/new").mkdir(),
    "mkdir at the top": lambda top: (top / "new").mkdir(),
    "rmdir": lambda top: (top / "bin/inner").rmdir(),
    "unlink": lambda top: (top / "bin/rows.bin").unlink(),
    "unlink raw key": lambda top: (top / "zarr/zarr.json").unlink(),
    "rename": lambda top: (top / "bin/rows.bin").rename(top / "bin/new"),
    "link": lambda top: os.link(top / "bin/rows.bin", top / "bin/new"),
    "symlink": lambda top: (top / "bin/new").symlink_to("rows.bin"),
    "mknod": lambda top: os.mknod(top / "bin/new"),
    "mkfifo": lambda top: os.mkfifo(top / "bin/new"),
    "chmod": lambda top: (top / "bin/rows.bin").chmod(0o600),
    "chown": lambda top: os.chown(top / "bin/rows.bin", os.getuid(), os.getgid()),
    "utime": lambda top: os.utime(top / "bin/rows.bin", (1, 1)),
    "touch": lambda top: os.utime(top / "bin/rows.bin"),
    "setxattr": lambda top: os.setxattr(top / "bin/rows.bin", "user.x", b"y"),
    "removexattr": lambda top: os.removexattr(top / "bin/rows.bin", "user.zarr.shape"),
}


@pytest.fixture(scope="module")
def remounted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mounted]:
    """A mount of which the kernel thinks that it can be written."""
    folder = tmp_path_factory.mktemp("remounted").resolve()
    with mounted(fill_store(folder / "store.zarr"), folder / "mnt", ro=True) as made:
        run("mount", "-i", "-o", "remount,rw", made.path)
        assert not os.statvfs(made.path).f_flag & os.ST_RDONLY
        yield made


def snapshot(folder: Path) -> dict[str, bytes | None]:
    """All that is in a folder."""
    return {str(p): p.read_bytes() if p.is_file() else None for p in sorted(folder.rglob("*"))}


@pytest.mark.parametrize("call", CALLS)
def test_call_that_would_write_is_refused(shared: Mounted, call: str) -> None:
    store = snapshot(shared.path.parent / "store.zarr")
    with pytest.raises(OSError, match="Read-only file system") as caught:
        CALLS[call](shared.path)
    assert caught.value.errno == errno.EROFS
    assert snapshot(shared.path.parent / "store.zarr") == store


@pytest.mark.skipif(os.getuid() != 0, reason="only root can remount")
@pytest.mark.parametrize("call", CALLS)
def test_call_is_refused_too_if_the_kernel_lets_it_through(remounted: Mounted, call: str) -> None:
    """`mount -o remount,rw` changes what the kernel thinks, not what the mount is."""
    with pytest.raises(OSError, match="Read-only file system") as caught:
        CALLS[call](remounted.path)
    assert caught.value.errno == errno.EROFS


def test_creating_what_is_there_opens_it_for_reading(shared: Mounted) -> None:
    opened = os.open(shared.path / "README.txt", os.O_CREAT | os.O_RDONLY)
    assert os.read(opened, 4) == b"This"
    os.close(opened)


def test_shell_says_so(shared: Mounted) -> None:
    done = subprocess.run(
        ["sh", "-c", f"echo x > {shared.path}/bin/rows.bin"],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert b"Read-only file system" in done.stderr
