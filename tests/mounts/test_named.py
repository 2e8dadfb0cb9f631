"""Mounts by name, from the configuration file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from zarrfs.errors import UsageError
from zarrfs.mounts.config import MountConfig, MountOptions
from zarrfs.mounts.named import config_file, named_mount


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def test_named_mount(file: Path) -> None:
    file.write_text(
        """
        [mounts.era5]
        store = "s3://bucket/era5.zarr"
        mountpoint = "/mnt/era5"
        options = "ro,memory=1G,anon"
        [mounts.other]
        store = "x"
        mountpoint = "y"
        """
    )
    assert named_mount("era5", file=file) == MountConfig(
        store="s3://bucket/era5.zarr",
        mountpoint="/mnt/era5",
        options=MountOptions(read_only=True, memory=1 << 30, store=(("anon", "true"),)),
    )


def test_further_options_win(file: Path) -> None:
    file.write_text('[mounts.a]\nstore="x"\nmountpoint="/m"\noptions="ro,memory=1G"')
    config = named_mount("a", further_options=[("memory", "2G")], file=file)
    assert config.options == MountOptions(read_only=True, memory=2 << 30)


def test_home_is_expanded(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    file.write_text('[mounts.a]\nstore="x"\nmountpoint="~/mnt"')
    assert named_mount("a", file=file).mountpoint == "/home/someone/mnt"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no mount is named 'a'"),
        ("[mounts.b]", r"no mount is named 'a' .*\(there: b\)"),
        ("[mounts", "cannot read"),
        ("mounts = 1", "mounts is not a table"),
        ("[mounts]\na = 1", "is not a table"),
        ('[mounts.a]\nmountpoint="/m"', "store is missing"),
        ('[mounts.a]\nstore="x"', "mountpoint is missing"),
        ('[mounts.a]\nstore=1\nmountpoint="/m"', "store is missing, or no text"),
        ('[mounts.a]\nstore="x"\nmountpoint="/m"\noption="ro"', "unknown key 'option'"),
        ('[mounts.a]\nstore="x"\nmountpoint="/m"\noptions="memory=none"', "memory=none"),
    ],
)
def test_fault_says_where_it_is(file: Path, text: str, message: str) -> None:
    file.write_text(text)
    with pytest.raises(UsageError, match=message):
        named_mount("a", file=file)


def test_no_file_has_no_mounts(file: Path) -> None:
    with pytest.raises(UsageError, match="no mount is named 'a'"):
        named_mount("a", file=file)


def test_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Is a directory"):
        named_mount("a", file=tmp_path)


def test_place_of_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert config_file() == Path("/etc/zarrfs/config.toml")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert config_file() == tmp_path / "zarrfs" / "config.toml"
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setenv("HOME", "/home/someone")
    assert config_file() == Path("/home/someone/.config/zarrfs/config.toml")
