"""Where a daemon may keep decoded chunks on disk, by default."""

from __future__ import annotations

import os
from pathlib import Path

DEFAULT_CACHE_SIZE = 8 << 30
"""Bytes; more than this is given by ``-o cache_size=``, not taken."""


def default_cache_dir() -> str | None:
    """Path of the user's cache directory, root's is ``/var/cache/zarrfs``.

    ``None`` if the user has no home directory.
    """
    if os.geteuid() == 0:
        return "/var/cache/zarrfs"
    base = os.environ.get("XDG_CACHE_HOME", "")
    # To be ignored if relative: XDG Base Directory Specification.
    if Path(base).is_absolute():
        return str(Path(base) / "zarrfs")
    try:
        return str(Path.home() / ".cache" / "zarrfs")
    except RuntimeError:
        return None
