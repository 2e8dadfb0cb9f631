"""What the kernel does on a mount, by who mounts, as sysfs, `stats` and `doctor` tell it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.mounts.conftest import DATA
from tests.mounts.namespaces import FUSE_FOR_ALL, FUSECTL, NO_FUSECTL, NOBODY, run_in_namespace

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.mounted

# A sudo that asks nobody for a password: a process of root's waits to do its work, once.
SUDO = r"""
mkdir "$SCRATCH/bin"; mkfifo -m 666 "$SCRATCH/order" "$SCRATCH/code"
cat > "$SCRATCH/bin/sudo" <<'END'
#!/bin/bash
test "$1 $2" = "-n tee" || exit
echo "$3 $(cat)" > "$SCRATCH/order"
exit "$(cat "$SCRATCH/code")"
END
chmod 755 "$SCRATCH/bin/sudo"; export PATH="$SCRATCH/bin:$PATH"
timeout 60 bash -c '
    read -r file value < "$SCRATCH/order"
    echo "$value" > "$file"
    echo $? > "$SCRATCH/code"
' > /dev/null 2>&1 &
"""


def sudo_that(does: str) -> str:
    return f"""
    mkdir "$SCRATCH/bin"; printf '#!/bin/sh\\n{does}\\n' > "$SCRATCH/bin/sudo"
    chmod 755 "$SCRATCH/bin/sudo"; export PATH="$SCRATCH/bin:$PATH"
    """


LIMITS = """
zarrfs mount "$DATA" "$SCRATCH/mnt" -o ro
minor=$(stat -c %d "$SCRATCH/mnt")
cat /sys/class/bdi/0:$minor/read_ahead_kb
cat /sys/fs/fuse/connections/$minor/{max_background,congestion_threshold} 2> /dev/null || true
"""
READ = 'sha256sum < "$(echo "$SCRATCH"/mnt/bin/*/tas.bin)" | cut -d" " -f1'
EXPECTED = json.loads((DATA.parents[1] / "expected.json").read_text())
SHA256 = EXPECTED["pizzarr/bcsd_v3.zarr.zip!bcsd_v3.zarr/tas/ [v3]"]["sha256"]
END = 'zarrfs umount "$SCRATCH/mnt"'


def lines(scratch: Path, script: str, prepare: str, user: int) -> list[str]:
    done = run_in_namespace(f"{script}\n{END}", scratch, prepare=prepare, user=user)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_root_raises_all_and_mounts_fusectl_where_it_is_missing(scratch: Path) -> None:
    script = f'{LIMITS}\n{READ}\nzarrfs stats "$SCRATCH/mnt" | grep kernel | tr -s " "'
    assert lines(scratch, script, NO_FUSECTL, 0) == [
        *("4096", "64", "48", SHA256),
        *("kernel.read_ahead_kb 4,096", "kernel.max_background 64", "kernel.pages_pushed False"),
    ]


def test_user_raises_what_is_his_own(scratch: Path) -> None:
    script = f"""{LIMITS}
    {READ}
    zarrfs stats "$SCRATCH/mnt" | grep kernel | tr -s " "
    grep -o "read_ahead_kb stays.*" "$SCRATCH/mnt/.zarrfs/log"
    """
    prepare = FUSE_FOR_ALL + FUSECTL + sudo_that("echo sudo: a password is required >&2; exit 1")
    assert lines(scratch, script, prepare, NOBODY) == [
        *("128", "64", "48", SHA256),
        *("kernel.read_ahead_kb 128", "kernel.max_background 64", "kernel.pages_pushed True"),
        "read_ahead_kb stays 128: Permission denied; sudo: a password is required",
    ]


def test_user_mounts_as_well_where_nothing_can_be_raised(scratch: Path) -> None:
    script = f"""{LIMITS}
    {READ}
    zarrfs stats "$SCRATCH/mnt" | grep kernel | tr -s " "
    grep -o "max_background cannot be read.*" "$SCRATCH/mnt/.zarrfs/log"
    """
    assert lines(scratch, script, FUSE_FOR_ALL + NO_FUSECTL, NOBODY) == [
        *("128", SHA256, "kernel.read_ahead_kb 128", "kernel.pages_pushed True"),
        "max_background cannot be read: No such file or directory",
    ]


def test_user_raises_read_ahead_by_sudo(scratch: Path) -> None:
    found = lines(scratch, f"{LIMITS}\n{READ}", FUSE_FOR_ALL + FUSECTL + SUDO, NOBODY)
    assert found == ["4096", "64", "48", SHA256]


def test_sudo_that_hangs_delays_no_mount(scratch: Path) -> None:
    script = f"""{LIMITS}
    log="$SCRATCH/mnt/.zarrfs/log"
    until grep -q "sudo took more than" "$log"; do sleep 0.05; done
    grep -oE "is mounted at|sudo took" "$log"
    """
    prepare = FUSE_FOR_ALL + NO_FUSECTL + sudo_that("exec sleep 60")
    assert lines(scratch, script, prepare, NOBODY) == ["128", "is mounted at", "sudo took"]


READ_ONLY = "mount -o remount,bind,ro /sys"
DOCTOR = """
zarrfs doctor --json | "$PYTHON" -c '
import json, sys
[check] = [check for check in json.load(sys.stdin) if check["name"] == "read-ahead limit"]
print(check["ok"], check["found"], check["remedy"], sep="\\n")
'
"""


def test_doctor_tells_root_that_read_ahead_is_raised(scratch: Path) -> None:
    done = run_in_namespace(DOCTOR, scratch)
    assert done.stdout.splitlines() == ["True", "your mounts raise it to 4096 KiB", ""]


def test_remedy_for_a_read_only_sysfs_lets_root_raise_read_ahead(scratch: Path) -> None:
    script = f"""{LIMITS}
    {READ}
    {END}
    {DOCTOR}
    mount -o remount,rw /sys
    {LIMITS}
    """
    found = lines(scratch, script, FUSECTL + READ_ONLY, 0)
    assert found[:4] == ["128", "64", "48", SHA256]
    assert found[4:7] == [
        "None",
        "your mounts keep the kernel's, mostly 128 KiB, and push pages instead: "
        "sysfs is mounted read-only",
        "mount -o remount,rw /sys",
    ]
    assert found[7:] == ["4096", "64", "48"]
