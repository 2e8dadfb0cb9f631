"""Mounts by name: ``[mounts.NAME]`` of the configuration file -> `MountConfig`.

::

    [mounts.era5]
    store = "s3://bucket/era5.zarr"
    mountpoint = "/mnt/era5"
    options = "ro,memory=2G"
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zarrfs.errors import UsageError
from zarrfs.mounts.config import MountConfig, parse_options, split_options
from zarrfs.mounts.mountinfo import absolute_mountpoint

if TYPE_CHECKING:
    from collections.abc import Iterable


def config_file() -> Path:
    """Return the configuration file's path: root's is ``/etc/zarrfs/config.toml``."""
    if os.geteuid() == 0:
        return Path("/etc/zarrfs/config.toml")
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "zarrfs" / "config.toml"


def named_mount(
    name: str,
    *,
    further_options: Iterable[tuple[str, str | None]] = (),
    file: Path | None = None,
) -> MountConfig:
    """Return the mount of a name; `further_options` come after its own, and so win.

    Raises
    ------
    UsageError
        If there is no such name, or its entry is not what it should be.
    """
    file = file or config_file()
    mounts = _read(file).get("mounts", {})
    if not isinstance(mounts, dict):
        raise UsageError(f"{file}: mounts is not a table")
    if name not in mounts:
        known = ", ".join(sorted(mounts)) or "none"
        raise UsageError(
            f"no mount is named {name!r} in {file} (there: {known}); "
            "to mount a store give a mount point too"
        )
    entry = mounts[name]
    place = f"[mounts.{name}] of {file}"
    if not isinstance(entry, dict):
        raise UsageError(f"{place} is not a table")
    for key in entry.keys() - {"store", "mountpoint", "options"}:
        raise UsageError(f"{place}: unknown key {key!r}; there are store, mountpoint, options")
    store, mountpoint = _text(entry, "store", place), _text(entry, "mountpoint", place)
    options = _text(entry, "options", place) if "options" in entry else ""
    return MountConfig(
        store=store,
        mountpoint=absolute_mountpoint(str(Path(mountpoint).expanduser())),
        options=parse_options([*split_options(options), *further_options]),
    )


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}") from error
    except ValueError as error:  # not TOML, or not UTF-8
        raise UsageError(f"cannot read {file}: {error}") from error


def _text(entry: dict[str, Any], key: str, place: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str) or not value:
        raise UsageError(f"{place}: {key} is missing, or no text")
    return value
