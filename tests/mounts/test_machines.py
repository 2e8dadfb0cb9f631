"""Machines and users that cannot mount, or not everything: each gets one clear line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.mounts.namespaces import FUSE_FOR_ALL, FUSECTL, NO_FUSECTL, NOBODY, run_in_namespace

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

pytestmark = pytest.mark.mounted

NO_DEVICE = 'mkdir "$SCRATCH/dev"; mount --bind "$SCRATCH/dev" /dev'
CLOSED_DEVICE = """
mkdir "$SCRATCH/dev"; mount -t tmpfs -o dev tmpfs "$SCRATCH/dev"
mknod -m 600 "$SCRATCH/dev/fuse" c 10 229; mount --bind "$SCRATCH/dev/fuse" /dev/fuse
"""
NO_FUSERMOUNT = 'mount --bind /dev/null "$(command -v fusermount3)"'
EMPTY_FUSE_CONF = "mount --bind /dev/null /etc/fuse.conf"
MOUNT = 'zarrfs mount "$DATA" "$SCRATCH/mnt" -o ro'


def assert_refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode == 32, done.stderr
    assert done.stderr.startswith("zarrfs: ")
    assert done.stderr.count("\n") == 1
    for word in words:
        assert word in done.stderr


@pytest.mark.parametrize("user", [0, NOBODY])
def test_no_device(scratch: Path, user: int) -> None:
    done = run_in_namespace(MOUNT, scratch, prepare=NO_DEVICE, user=user)
    assert_refused(done, "/dev/fuse is missing", "modprobe fuse")


def test_device_closed_to_the_user(scratch: Path) -> None:
    done = run_in_namespace(MOUNT, scratch, prepare=CLOSED_DEVICE, user=NOBODY)
    assert_refused(done, "/dev/fuse may not be opened", "sudo chmod 666 /dev/fuse")


def test_no_fusermount_for_a_user(scratch: Path) -> None:
    prepare = FUSE_FOR_ALL + NO_FUSERMOUNT
    done = run_in_namespace(MOUNT, scratch, prepare=prepare, user=NOBODY)
    assert_refused(done, "fusermount3", "install")


def test_root_needs_no_fusermount(scratch: Path) -> None:
    script = f'{MOUNT}; ls "$SCRATCH/mnt"; zarrfs umount "$SCRATCH/mnt"'
    done = run_in_namespace(script, scratch, prepare=NO_FUSERMOUNT)
    assert (done.returncode, done.stderr) == (0, "")
    assert "README.txt" in done.stdout


def test_user_mounts_lists_and_unmounts(scratch: Path) -> None:
    script = f"""
    {MOUNT}
    ls "$SCRATCH/mnt"
    zarrfs list | grep "$SCRATCH/mnt"
    zarrfs stats "$SCRATCH/mnt"
    zarrfs umount "$SCRATCH/mnt"
    ls "$SCRATCH/mnt" "$SCRATCH/run/zarrfs"
    """
    done = run_in_namespace(script, scratch, prepare=FUSE_FOR_ALL, user=NOBODY)
    assert (done.returncode, done.stderr) == (0, "")
    assert "README.txt" in done.stdout
    assert "healthy" in done.stdout
    assert "requests.statfs" in done.stdout
    assert done.stdout.endswith(f"{scratch}/mnt:\n\n{scratch}/run/zarrfs:\n")


def test_users_hanging_mount_is_unmounted(scratch: Path) -> None:
    script = f"""
    {MOUNT},attr_timeout=0
    pid=$(daemon); kill -STOP "$pid"
    zarrfs umount "$SCRATCH/mnt" --timeout 0.1 || echo "code $?"
    kill -CONT "$pid"
    """
    done = run_in_namespace(script, scratch, prepare=FUSE_FOR_ALL, user=NOBODY)
    assert done.stdout == "code 32\n"
    assert "is unmounted, but its daemon" in done.stderr


def test_user_clears_a_dead_mount(scratch: Path) -> None:
    script = f"""
    {MOUNT}
    kill -KILL "$(daemon)"
    zarrfs list | grep "$SCRATCH/mnt"
    {MOUNT}
    grep -c "$SCRATCH/mnt" /proc/self/mountinfo
    zarrfs umount "$SCRATCH/mnt"
    """
    done = run_in_namespace(script, scratch, prepare=FUSE_FOR_ALL, user=NOBODY)
    assert (done.returncode, done.stderr) == (0, "")
    assert "dead\n" in done.stdout
    assert done.stdout.endswith("\n1\n")


def test_allow_other_that_is_not_allowed(scratch: Path) -> None:
    prepare = FUSE_FOR_ALL + EMPTY_FUSE_CONF
    done = run_in_namespace(f"{MOUNT},allow_other", scratch, prepare=prepare, user=NOBODY)
    assert_refused(done, "-o allow_other", "user_allow_other", "/etc/fuse.conf")


def test_mount_point_of_another_user(scratch: Path) -> None:
    """libfuse's own words are told."""
    prepare = f'{FUSE_FOR_ALL} chown 0 "$SCRATCH/mnt"'
    done = run_in_namespace(MOUNT, scratch, prepare=prepare, user=NOBODY)
    assert_refused(done, "user has no write access to mountpoint")


def test_mount_point_that_may_not_be_entered(scratch: Path) -> None:
    prepare = f'{FUSE_FOR_ALL} chown 0 "$SCRATCH/mnt"; chmod 700 "$SCRATCH/mnt"'
    done = run_in_namespace(MOUNT, scratch, prepare=prepare, user=NOBODY)
    assert_refused(done, "cannot use the mount point", "Permission denied")


def test_store_that_may_not_be_read(scratch: Path) -> None:
    prepare = f'{FUSE_FOR_ALL} mkdir -m 700 "$SCRATCH/x.zarr"'
    script = 'zarrfs mount "$SCRATCH/x.zarr/y.zarr" "$SCRATCH/mnt"'
    done = run_in_namespace(script, scratch, prepare=prepare, user=NOBODY)
    assert_refused(done, "x.zarr/y.zarr", "Permission denied")


def test_binding_is_not_installed(scratch: Path) -> None:
    prepare = """
    packages=$(dirname "$VENV"/lib/python*/site-packages/pyfuse3)
    mkdir "$SCRATCH/over"; mount -t tmpfs tmpfs "$SCRATCH/over"; cd "$SCRATCH/over"
    mkdir upper work; mknod upper/pyfuse3 c 0 0  # how an overlay says that a name is gone
    mount -t overlay -o lowerdir="$packages",upperdir=upper,workdir=work overlay "$packages"
    cd /
    """
    done = run_in_namespace(MOUNT, scratch, prepare=prepare)
    assert_refused(done, "pyfuse3 is not installed", "libfuse3", "pip install 'zarrfs[mount]'")


def test_doctor_finds_the_faults(scratch: Path) -> None:
    prepare = f"{NO_FUSERMOUNT}; {NO_DEVICE}"
    done = run_in_namespace("zarrfs doctor --json", scratch, prepare=prepare, user=NOBODY)
    assert done.returncode == 1
    checks = {check["name"]: check for check in json.loads(done.stdout)}
    faults = {name for name, check in checks.items() if check["ok"] is False}
    assert faults == {"FUSE device", "fusermount3"}
    assert checks["FUSE device"]["remedy"] == "sudo modprobe fuse"
    assert "fuse3" in checks["fusermount3"]["remedy"]


def test_doctor_finds_a_fit_machine(scratch: Path) -> None:
    prepare = f"{FUSE_FOR_ALL} chmod 4755 $(command -v fusermount3)"
    done = run_in_namespace("zarrfs doctor", scratch, prepare=prepare, user=NOBODY)
    assert done.returncode == 0, done.stdout
    assert "FAULT" not in done.stdout


def test_doctor_tells_the_read_ahead_of_mounts(scratch: Path) -> None:
    script = f'{MOUNT}; zarrfs doctor; zarrfs umount "$SCRATCH/mnt"'
    done = run_in_namespace(script, scratch)
    assert f"KiB on {scratch}/mnt" in done.stdout


HANGING = """
zarrfs mount "fault+$DATA?hang=get&keys=*/c/*" "$SCRATCH/mnt" -o ro
daemon=$(daemon)
cat "$SCRATCH"/mnt/bin/*/tas.bin > /dev/null & reader=$!
until grep -q folio /proc/$reader/wchan; do sleep 0.02; done
"""


def test_hanging_store_is_cut_off_by_a_lazy_unmount(scratch: Path) -> None:
    prepare = FUSECTL
    script = f"""{HANGING}
    zarrfs umount --lazy "$SCRATCH/mnt" --timeout 0.2
    wait $reader || echo "reader failed"
    ls "$XDG_RUNTIME_DIR"
    """
    done = run_in_namespace(script, scratch, prepare=prepare)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "reader failed\n"


def test_connection_that_cannot_be_cut_off_is_told(scratch: Path) -> None:
    prepare = f"{NO_FUSECTL}mount -t tmpfs none /sys/fs/fuse/connections"
    script = f"""{HANGING}
    zarrfs umount --lazy "$SCRATCH/mnt" --timeout 0.2 || echo "code $?"
    kill -KILL "$daemon"
    """
    done = run_in_namespace(script, scratch, prepare=prepare)
    assert done.stdout == "code 32\n"
    assert "mount -t fusectl none /sys/fs/fuse/connections" in done.stderr


def test_daemon_that_does_not_run_cannot_be_cut_off(scratch: Path) -> None:
    prepare = FUSECTL
    script = f"""{MOUNT}
    pid=$(daemon); kill -STOP "$pid"
    zarrfs umount --lazy "$SCRATCH/mnt" --timeout 0 || echo "code $?"
    kill -KILL "$pid"
    """
    done = run_in_namespace(script, scratch, prepare=prepare)
    assert done.stdout == "code 32\n"
    assert "run: kill -9" in done.stderr


def test_unmount_does_not_wait_for_a_hanging_store(scratch: Path) -> None:
    script = f"""{HANGING}
    kill -KILL $reader; wait $reader || true
    zarrfs umount "$SCRATCH/mnt" --timeout 15
    """
    done = run_in_namespace(script, scratch)
    assert done.returncode == 0, done.stderr
