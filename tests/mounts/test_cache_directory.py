from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

import pytest

from zarrfs.errors import MountError
from zarrfs.mounts.cache_directory import default_cache_dir
from zarrfs.mounts.config import MountConfig, MountOptions
from zarrfs.mounts.preflight import check_cache_dir


def test_place_of_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert default_cache_dir() == "/var/cache/zarrfs"
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert default_cache_dir() == "/caches/zarrfs"
    monkeypatch.setenv("HOME", "/home/someone")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert default_cache_dir() == "/home/someone/.cache/zarrfs"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert default_cache_dir() == "/home/someone/.cache/zarrfs"


def test_who_has_no_home_has_no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> NoReturn:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    assert default_cache_dir() is None


def config(mountpoint: Path, cache_dir: Path | None, cache_size: int = 1) -> MountConfig:
    place = None if cache_dir is None else str(cache_dir)
    options = MountOptions(cache_dir=place, cache_size=cache_size)
    return MountConfig(store="s", mountpoint=str(mountpoint), options=options)


def test_a_cache_in_its_own_mount_is_refused(tmp_path: Path) -> None:
    mountpoint, link = tmp_path / "mnt", tmp_path / "link"
    link.symlink_to(mountpoint)
    for inside in (mountpoint, mountpoint / "a", link / "a"):
        with pytest.raises(MountError, match=r"lies in the mount point .*cache_size=0"):
            check_cache_dir(config(mountpoint, inside))


def test_a_cache_elsewhere_or_none_is_fine(tmp_path: Path) -> None:
    mountpoint = tmp_path / "mnt"
    check_cache_dir(config(mountpoint, tmp_path))
    check_cache_dir(config(mountpoint, tmp_path / "mntb"))
    check_cache_dir(config(mountpoint, mountpoint / "a", cache_size=0))
    check_cache_dir(config(mountpoint, None))
