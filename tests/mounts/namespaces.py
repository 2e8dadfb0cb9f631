"""Run commands where a machine is other than this one: in a mount namespace of their own.

Nothing outside changes. Needs root, or sudo, for the namespace; commands in it may run as a user.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]

NOBODY = 65534
"""A user who owns nothing here."""

FUSE_FOR_ALL = """
mkdir "$SCRATCH/dev"; mount -t tmpfs -o dev tmpfs "$SCRATCH/dev"
mknod -m 666 "$SCRATCH/dev/fuse" c 10 229; mount --bind "$SCRATCH/dev/fuse" /dev/fuse
"""
"""Lets every user open /dev/fuse."""

NO_FUSECTL = """
umount -q /sys/fs/fuse/connections || true
"""
"""Takes away what a mount of root's may have mounted for the whole machine."""

FUSECTL = f"{NO_FUSECTL}mount -t fusectl none /sys/fs/fuse/connections\n"
"""Lets the owner of a FUSE connection change its settings."""

_BEFORE = """
mkdir "$SCRATCH/mnt" "$SCRATCH/run"; chown "$RUN_AS" "$SCRATCH/mnt" "$SCRATCH/run"
"""

# A home directory above may be closed to other users.
_BEFORE_USER = """
mkdir "$SCRATCH/repository" "$SCRATCH/venv"
mount --bind "$REPOSITORY" "$SCRATCH/repository"; mount --bind "$VENV" "$SCRATCH/venv"
"""

# Other mounts of this machine are in the namespace too, so a daemon is found by its mount point.
_COMMANDS = """
zarrfs() { "$PYTHON" -m zarrfs "$@"; }
daemon() { zarrfs list --json | "$PYTHON" -c '
import json, sys
print([m["pid"] for m in json.load(sys.stdin) if m["mountpoint"] == sys.argv[1]].pop())
' "$SCRATCH/mnt"; }
"""


def run_in_namespace(
    script: str, scratch: Path, *, prepare: str = "", user: int = 0
) -> subprocess.CompletedProcess[str]:
    """Run a shell script; mounts and daemons in the namespace end with it.

    Parameters
    ----------
    script
        For ``bash -eu``. There are ``zarrfs`` as a command, ``$DATA`` as a store, ``$SCRATCH`` as
        a folder with an empty ``mnt`` that belongs to the user; ``daemon`` prints its daemon's pid.
    scratch
        An empty folder that everybody may enter.
    prepare
        Run before it, always as root.
    user
        Who runs `script`.
    """
    repository = scratch / "repository" if user else REPOSITORY
    environment = {
        **os.environ,
        "SCRATCH": str(scratch),
        "REPOSITORY": str(REPOSITORY),
        "VENV": sys.prefix,
        "PYTHON": f"{scratch}/venv/bin/python" if user else sys.executable,
        "RUN_AS": str(user),
        "DATA": f"{repository}/tests/data/bcsd/bcsd_v3.zarr.zip",
        "PYTHONPATH": str(repository),
        "XDG_RUNTIME_DIR": f"{scratch}/run",
    }
    if user:
        # Where coverage writes is not theirs to write.
        environment = {k: v for k, v in environment.items() if not k.startswith("COVERAGE")}
    become = f"setpriv --reuid={user} --regid={user} --clear-groups " if user else ""
    before = f"{_BEFORE}{_BEFORE_USER if user else ''}{prepare}"
    whole = f"{before}\nexec {become}bash -euc {shlex.quote(_COMMANDS + script)}"
    as_root = [] if os.geteuid() == 0 else ["sudo", "--non-interactive", "--preserve-env"]
    return subprocess.run(
        [*as_root, "unshare", "--mount", "--propagation", "private", "bash", "-euc", whole],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment,
        cwd="/",
    )
