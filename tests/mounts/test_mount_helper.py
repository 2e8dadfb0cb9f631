"""The command line of mount(8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.mounts.namespaces import run_in_namespace
from zarrfs.errors import MountError, UsageError
from zarrfs.mounts.mount_helper import (
    HelperCall,
    has_mount_form,
    mount_as_helper,
    parse_arguments,
)

if TYPE_CHECKING:
    from pathlib import Path

words = st.text(min_size=1).filter(lambda word: not word.startswith("-"))


@given(words, words, st.lists(st.sampled_from(["-s", "-f", "-n", "-v", "-sfnv", "-w"])))
def test_store_and_mount_point_are_what_is_no_option(
    store: str, mountpoint: str, flags: list[str]
) -> None:
    call = parse_arguments([*flags, store, mountpoint, "-o", "rw,nosuid", *flags])
    assert call == HelperCall(
        store=store,
        mountpoint=mountpoint,
        options=(("rw", None), ("nosuid", None)),
        is_fake=any("f" in flag for flag in flags),
    )


def test_options_before_the_store() -> None:
    call = parse_arguments(["-t", "fuse.zarrfs", "-o", "a=b", "s3://x", "/m", "-o", "c"])
    assert call == HelperCall(store="s3://x", mountpoint="/m", options=(("a", "b"), ("c", None)))


def test_read_only_flag_is_an_option() -> None:
    assert parse_arguments(["-r", "x", "/m"]).options == (("ro", None),)


def test_namespace() -> None:
    assert parse_arguments(["x", "/m", "-N", "/proc/1/ns/mnt"]).namespace == "/proc/1/ns/mnt"


@pytest.mark.parametrize(
    "arguments",
    [[], ["x"], ["x", "/m", "y"], ["x", "/m", "-o"], ["x", "/m", "-q"], ["x", "/m", "--help"]],
)
def test_anything_else_is_wrong_usage(arguments: list[str]) -> None:
    with pytest.raises(UsageError):
        parse_arguments(arguments)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["x", "/m", "-o", "rw"], True),
        (["list", "/m", "-o", "rw"], True),
        (["x", "/m"], False),
        (["-o", "rw", "x", "/m"], False),
        (["mount", "x", "/m", "-o", "rw"], False),
        (["info", "x", "-o", "rw", "--json"], False),
    ],
)
def test_form_of_mount_fuse(arguments: list[str], expected: bool) -> None:
    assert has_mount_form(arguments) == expected


def test_connection_passed_by_mount_fuse_is_refused() -> None:
    with pytest.raises(MountError, match="drop_privileges is not supported yet"):
        mount_as_helper(["x", "/dev/fd/7", "-o", "rw"])


# Lets `zarrfs install-helper` install for real, on top of the machine's folders.
INSTALLED = """
mkdir "$SCRATCH/over"; mount -t tmpfs tmpfs "$SCRATCH/over"
for folder in /usr/sbin /usr/local/bin /etc/systemd; do
    [ -d "$folder" ] || continue
    name=$(echo "$folder" | tr / _); mkdir "$SCRATCH/over/u$name" "$SCRATCH/over/w$name"
    mount -t overlay -o "lowerdir=$folder,upperdir=$SCRATCH/over/u$name,\
workdir=$SCRATCH/over/w$name" overlay "$folder"
done
export PATH="$PATH:/usr/local/bin:/sbin"
"""
INSTALL = "zarrfs install-helper > /dev/null\n"


@pytest.mark.mounted
@pytest.mark.parametrize(
    "mount",
    [
        'mount -t zarrfs "$DATA" "$SCRATCH/mnt" -o ro',
        'mount -t fuse.zarrfs "$DATA" "$SCRATCH/mnt" -o ro',
        'mount -t fuse "zarrfs#$DATA" "$SCRATCH/mnt" -o ro',
        'mount -t zarrfs "$DATA" "$SCRATCH/mnt" -o ro,_netdev,nofail,noatime,user,x-a.b=c',
        'mount -t fuse.zarrfs "$DATA" "$SCRATCH/mnt" -o ro,allow_other,users,nofail,views=bin',
        'echo "$DATA $SCRATCH/mnt zarrfs ro,noauto,nofail 0 0" > "$SCRATCH/over/fstab"; '
        'mount --bind "$SCRATCH/over/fstab" /etc/fstab; mount "$SCRATCH/mnt"',
        'echo "$DATA $SCRATCH/mnt fuse.zarrfs ro,nofail 0 0" > "$SCRATCH/over/fstab"; '
        'mount --bind "$SCRATCH/over/fstab" /etc/fstab; mount -a; mount -a',
    ],
)
def test_mount_finds_the_helper(scratch: Path, mount: str) -> None:
    script = f"""{INSTALL} {mount}
    ls "$SCRATCH/mnt"
    grep -c "$SCRATCH/mnt fuse.zarrfs ro" /proc/mounts
    umount "$SCRATCH/mnt"
    """
    done = run_in_namespace(script, scratch, prepare=INSTALLED)
    assert (done.returncode, done.stderr) == (0, "")
    assert "README.txt" in done.stdout
    assert done.stdout.endswith("\n1\n")


@pytest.mark.mounted
@pytest.mark.parametrize(
    ("kind", "store", "options", "code", "message"),
    [
        ("zarrfs", "$DATA", "ro,colour=red", 1, "colour"),
        ("fuse.zarrfs", "$DATA", "ro,memory=none", 1, "memory"),
        ("zarrfs", "$DATA", "ro,remount", 1, "unmount it and mount it again"),
        ("zarrfs", "$DATA", "ro,drop_privileges,setuid=nobody", 1, "drop_privileges"),
        ("zarrfs", "/no/such/store.zarr", "ro", 32, "no such directory"),
        ("fuse.zarrfs", "$SCRATCH", "ro", 32, "lie one in the other"),
    ],
)
def test_mount_passes_codes_and_messages_on(
    scratch: Path, kind: str, store: str, options: str, code: int, message: str
) -> None:
    script = f'{INSTALL} mount -t {kind} "{store}" "$SCRATCH/mnt" -o {options}'
    done = run_in_namespace(script, scratch, prepare=INSTALLED)
    assert message in done.stderr
    assert done.returncode == code


@pytest.mark.mounted
def test_mount_tells_of_read_only(scratch: Path) -> None:
    script = f'{INSTALL} mount -t zarrfs "$DATA" "$SCRATCH/mnt"; umount "$SCRATCH/mnt"'
    done = run_in_namespace(script, scratch, prepare=INSTALLED)
    assert done.returncode == 0
    assert "mount.zarrfs: " in done.stderr
    assert "is mounted read-only" in done.stderr


@pytest.mark.mounted
def test_fake_mount_checks_and_mounts_nothing(scratch: Path) -> None:
    script = f"""{INSTALL} mount -f -t zarrfs "$DATA" "$SCRATCH/mnt" -o ro
    grep "$SCRATCH/mnt" /proc/mounts || true
    mount.zarrfs "$DATA" "$SCRATCH/none" -f
    """
    done = run_in_namespace(script, scratch, prepare=INSTALLED)
    assert done.stdout == ""
    assert "does not exist" in done.stderr
    assert done.returncode == 32


@pytest.mark.mounted
def test_mount_in_another_namespace(scratch: Path) -> None:
    script = f"""{INSTALL}
    unshare --mount --propagation private sleep 100 & other=$!
    trap 'kill $other' EXIT
    until [ "$(readlink /proc/$other/ns/mnt)" != "$(readlink /proc/$$/ns/mnt)" ]; do sleep 0.01
    done
    mount -N $other -t zarrfs "$DATA" "$SCRATCH/mnt" -o ro
    grep -c "$SCRATCH/mnt" /proc/$other/mounts
    grep "$SCRATCH/mnt" /proc/mounts || true
    nsenter --mount=/proc/$other/ns/mnt umount "$SCRATCH/mnt"
    """
    done = run_in_namespace(script, scratch, prepare=INSTALLED)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "1\n"


@pytest.mark.mounted
def test_store_that_is_called_like_a_command(scratch: Path) -> None:
    script = f"""{INSTALL} cp "$DATA" "$SCRATCH/over/list"; cd "$SCRATCH/over"
    zarrfs list "$SCRATCH/mnt" -o ro || echo "code $?"
    """
    done = run_in_namespace(script, scratch, prepare=INSTALLED)
    # It is taken for a store: `list` has no arguments. (A file that is no .zip by name is none.)
    assert done.stdout == "code 32\n"
    assert "list" in done.stderr
    assert "Usage" not in done.stderr
