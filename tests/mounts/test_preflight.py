"""What is checked before a mount is made."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

import pytest

from tests.mounts.namespaces import run_in_namespace
from zarrfs.errors import MountError
from zarrfs.mounts.config import MountConfig
from zarrfs.mounts.preflight import check_overlap, claim

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("store", "mountpoint"),
    [
        ("/data/x.zarr", "/data/x.zarr"),
        ("/data/x.zarr", "/data/x.zarr/mnt"),
        ("/data/x.zarr", "/data"),
        ("/data/../data/x.zarr", "/data/x.zarr/mnt"),
        ("/data/x.zip", "/data"),
        ("fault+/data/x.zarr", "/data/x.zarr/mnt"),
        ("file:///data/my%20x.zarr", "/data/my x.zarr/mnt"),
        ("fault+file:///data/x.zarr?hang=get", "/data/x.zarr/mnt"),
        ("zip:///data/x", "/data"),
    ],
)
def test_store_and_mount_point_must_not_lie_in_each_other(store: str, mountpoint: str) -> None:
    with pytest.raises(MountError, match="lie one in the other"):
        check_overlap(store, mountpoint)


@pytest.mark.parametrize(
    ("store", "mountpoint"),
    [
        ("/data/x.zarr", "/data/x"),
        ("/data/x", "/data/x.zarr"),
        ("/data/x.zarr", "/mnt/data/x.zarr"),
        ("memory://data", "/data"),
        ("s3://data/x", "/data"),
    ],
)
def test_neighbours_do_not_overlap(store: str, mountpoint: str) -> None:
    check_overlap(store, mountpoint)


def test_links_are_followed_before_they_are_compared(tmp_path: Path) -> None:
    real = tmp_path.resolve() / "real"
    real.mkdir()
    (tmp_path / "link").symlink_to(real)
    with pytest.raises(MountError, match="lie one in the other"):
        check_overlap(str(tmp_path / "link"), str(real / "mnt"))


@pytest.mark.mounted
def test_mount_point_that_another_process_is_about_to_use(mountpoint: Path) -> None:
    config = MountConfig(store="x", mountpoint=str(mountpoint))
    descriptor = os.open(mountpoint, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with pytest.raises(MountError, match="being mounted by another process"), claim(config):
        pass
    os.close(descriptor)
    with claim(config):
        pass


# A file system of somebody else, killed.
FOREIGN = """
$PYTHON - "$SCRATCH/mnt" <<'END' & foreign=$!
import pyfuse3, sys, trio
pyfuse3.init(pyfuse3.Operations(), sys.argv[1], {"subtype=other", "fsname=theirs"})
trio.run(pyfuse3.main)
END
until grep -q "$SCRATCH/mnt" /proc/self/mountinfo; do sleep 0.02; done
kill -KILL $foreign; wait $foreign 2> /dev/null || true
"""


@pytest.mark.mounted
def test_dead_mount_of_another_program_is_left_to_its_owner(scratch: Path) -> None:
    script = f"""{FOREIGN}
    zarrfs mount "$DATA" "$SCRATCH/mnt" || echo "mount $?"
    zarrfs umount "$SCRATCH/mnt" || echo "umount $?"
    grep -c "$SCRATCH/mnt" /proc/self/mountinfo
    """
    done = run_in_namespace(script, scratch)
    assert done.stdout == "mount 32\numount 32\n1\n"
    assert f"a dead mount of another program is on {scratch}/mnt" in done.stderr
    assert "type fuse.other" in done.stderr


# What systemd does for an .automount unit; here nobody ever answers who looks into it.
AUTOMOUNTER = """
setsid --fork $PYTHON - "$SCRATCH/mnt" <<'END'
import os, subprocess, sys
from pathlib import Path
reader, writer = os.pipe()
options = f"fd={writer},pgrp={os.getpgrp()},minproto=5,maxproto=5,direct"
command = ["mount", "-t", "autofs", "-o", options, "test", sys.argv[1]]
subprocess.run(command, pass_fds=[writer], check=True)
os.close(writer)
if os.read(reader, 1000):
    Path(sys.argv[1] + ".triggered").touch()
END
until grep -q "$SCRATCH/mnt.*autofs" /proc/self/mountinfo; do sleep 0.02; done
"""


@pytest.mark.mounted
def test_automount_point_is_mounted_on_without_looking_into_it(scratch: Path) -> None:
    script = f"""{AUTOMOUNTER}
    zarrfs mount "$DATA" "$SCRATCH/mnt" -o ro
    ls "$SCRATCH/mnt"
    zarrfs list | grep "$SCRATCH/mnt"
    zarrfs umount "$SCRATCH/mnt"
    umount "$SCRATCH/mnt"
    ls "$SCRATCH"
    """
    done = run_in_namespace(script, scratch)
    assert (done.returncode, done.stderr) == (0, "")
    assert "README.txt" in done.stdout
    assert "healthy" in done.stdout
    assert done.stdout.endswith("\nmnt\nrun\n")
