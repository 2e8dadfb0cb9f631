"""The kernel's table of mounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from zarrfs.mounts.mountinfo import (
    MountEntry,
    absolute_mountpoint,
    mounted_at,
    parse_mountinfo,
    read_mounts,
)

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

names = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)


def escape(text: str) -> str:
    """As the kernel does (mangle_path)."""
    return "".join(f"\\{ord(c):03o}" if c in " \t\n\\#" else c for c in text)


def line(entry: MountEntry, optional: str) -> str:
    fields = [
        f"36 35 {entry.device} {escape(entry.root)} {escape(entry.mountpoint)} ro,nosuid",
        *([optional] if optional else []),
        f"- {escape(entry.fstype)} {escape(entry.source)} rw,user_id=0",
    ]
    return " ".join(fields)


# No other line separators than the kernel's: it escapes only "\n".
plain = names.filter(lambda name: len(name.splitlines()) <= 1 and name.strip() == name)


@given(plain, plain, plain, st.sampled_from(["", "shared:1", "shared:1 master:2"]))
def test_parse_is_the_inverse_of_the_kernel(
    root: str, mountpoint: str, source: str, optional: str
) -> None:
    entry = MountEntry(
        mountpoint=f"/{mountpoint} ",
        root=f"/{root}",
        fstype="fuse.zarrfs",
        source=f"#{source}\\ \t",
        device="0:45",
        options=frozenset({"ro", "rw", "nosuid", "user_id=0"}),
    )
    assert parse_mountinfo(line(entry, optional)) == [entry]
    assert entry.is_zarrfs
    assert entry.connection == "45"


def test_this_machine_has_proc() -> None:
    entry = mounted_at("/proc")
    assert entry is not None
    assert entry.fstype == "proc"
    assert not entry.is_zarrfs
    assert entry in read_mounts()


def test_nothing_is_mounted_on_a_plain_folder(tmp_path: Path) -> None:
    assert mounted_at(str(tmp_path)) is None


def test_mount_point_is_taken_as_it_is() -> None:
    assert absolute_mountpoint("/proc/.") == "/proc"


def test_links_to_a_mount_point_are_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/")
    assert absolute_mountpoint(str(tmp_path / "link" / "proc")) == "/proc"
    (tmp_path / "direct").symlink_to("/proc")
    assert absolute_mountpoint(str(tmp_path / "direct")) == "/proc"


def test_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert absolute_mountpoint("x") == str(tmp_path.resolve() / "x")
